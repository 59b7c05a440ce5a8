// The parameter-free shortcut: which pixels it carries, where its zeros stand.

import Messages
import Tensors
import Testing

@testable import NaiveNetworks
@testable import Networks

/// One shortcut's description.
struct ShortcutCase: Sendable, CustomTestStringConvertible {
  /// [N, H, W, C].
  var input: [Int]
  var stride: Int
  var channels: Int
  var placement: ZeroPlacement
  /// Zero channels before the carried ones.
  var before: Int

  var testDescription: String { "\(input) to \(channels) channels, stride \(stride), \(placement)" }

  static let all: [ShortcutCase] = [
    ShortcutCase(input: [2, 4, 6, 4], stride: 2, channels: 8, placement: .split, before: 2),
    ShortcutCase(input: [2, 4, 6, 4], stride: 2, channels: 8, placement: .end, before: 0),
    // Odd maps keep their last row and column.
    ShortcutCase(input: [3, 5, 7, 3], stride: 2, channels: 6, placement: .split, before: 1),
    ShortcutCase(input: [3, 5, 7, 3], stride: 2, channels: 6, placement: .end, before: 0),
    // Of five new channels two stand before and three after.
    ShortcutCase(input: [1, 1, 1, 2], stride: 2, channels: 7, placement: .split, before: 2),
    ShortcutCase(input: [2, 3, 3, 2], stride: 1, channels: 3, placement: .split, before: 0),
    ShortcutCase(input: [20, 3, 2, 2], stride: 1, channels: 2, placement: .split, before: 0),
  ]
}

@Suite struct ShortcutTests {
  @Test(arguments: ShortcutCase.all)
  func `a zero-padded shortcut and its gradient`(_ c: ShortcutCase) {
    let layer = ZeroPaddedShortcut(stride: c.stride, channels: c.channels, placement: c.placement)
    let pass = Pass(.training, ThreadPool(threads: 2))
    let input = ReferenceNumbers.tensor("input", c.input) { 2 * $0 - 1 }
    let output = layer.forward(input, pass)
    let expected = Naive.zeroPadded(NaiveTensor(input), stride: c.stride, channels: c.channels, before: c.before)
    #expect(output.shape == expected.shape)
    #expect(NaiveTensor(output).values == expected.values, "copies are exact")

    let probe = ReferenceNumbers.tensor("probe", output.shape) { 2 * $0 - 1 }
    let check = GradientCheck(name: "input", gradient: layer.backward(probe, pass), point: NaiveTensor(input)) {
      Naive.zeroPadded($0, stride: c.stride, channels: c.channels, before: c.before)
        .dot(probe.values.map(Double.init))
    }
    // Linear: the finite difference's own rounding.
    #expect(check.difference(.everyElement, floor: 0) < 1e-8)
  }

  @Test func `an image of two by two by hand`() {
    let input = Tensor([1, 2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8])
    let pass = Pass(.inference, ThreadPool(threads: 1))
    let split = ZeroPaddedShortcut(stride: 2, channels: 4, placement: .split)
    #expect(split.forward(input, pass) == Tensor([1, 1, 1, 4], [0, 1, 2, 0]))
    let end = ZeroPaddedShortcut(stride: 2, channels: 4, placement: .end)
    #expect(end.forward(input, pass) == Tensor([1, 1, 1, 4], [1, 2, 0, 0]))
  }
}

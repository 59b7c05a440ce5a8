// Backward passes that add what reaches the input on another way, against the sum made afterwards.

import Messages
import Tensors
import Testing

@testable import Networks

@Suite struct SkipGradientTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var input: [Int]
    var layer: @Sendable () -> any Layer

    var testDescription: String { name }
  }

  static let cases: [Case] = {
    var cases: [Case] = []
    func convolution(_ kernel: Int, stride: Int, _ input: [Int], _ outputs: Int) {
      let shape = [kernel, kernel, input[3], outputs]
      cases.append(
        Case(
          name: "\(kernel)x\(kernel)/\(stride), \(input) to \(outputs) channels", input: input,
          layer: {
            Convolution(
              name: "conv", weight: ReferenceNumbers.tensor("weight", shape) { 2 * $0 - 1 }, stride: stride,
              padding: Extent(kernel / 2))
          }))
    }
    convolution(1, stride: 2, [3, 5, 4, 16], 24)
    convolution(3, stride: 1, [4, 12, 12, 32], 32)
    for (stride, placement) in [(1, ZeroPlacement.end), (2, .split)] {
      cases.append(
        Case(
          name: "zeros, stride \(stride)", input: [3, 5, 4, 6],
          layer: { ZeroPaddedShortcut(stride: stride, channels: 10, placement: placement) }))
    }
    cases.append(
      Case(
        name: "batch norm and ReLU", input: [3, 5, 4, 6],
        layer: { BatchNorm(name: "norm", channels: 6, activation: .relu) }))
    return cases
  }()

  @Test(arguments: cases)
  func `a gradient is added to the skip gradient`(_ c: Case) {
    let input = ReferenceNumbers.tensor("input", c.input) { 2 * $0 - 1 }
    let skipGradient = ReferenceNumbers.tensor("skipGradient", c.input) { 2 * $0 - 1 }
    func gradient(threads: Int, _ skipGradient: Tensor?) -> Tensor {
      let (layer, pass) = (c.layer(), Pass(.training, ThreadPool(threads: threads)))
      let probe = ReferenceNumbers.tensor("probe", layer.forward(input, pass).shape) { 2 * $0 - 1 }
      guard let skipGradient else { return layer.backward(probe, pass) }
      return layer.backward(probe, adding: skipGradient, pass)
    }
    let alone = gradient(threads: 1, nil)
    let together = gradient(threads: 1, skipGradient)
    let largest = alone.values.map(abs).max() ?? 0
    #expect(largest > 0)
    let differences = (0..<alone.count).map { abs(together[$0] - (alone[$0] + skipGradient[$0])) }
    #expect((differences.max() ?? .infinity) <= 1e-6 * largest)
    #expect(gradient(threads: 3, skipGradient) == together, "the bits do not depend on the threads")
    // Whoever else refers to the carried gradient keeps what it had.
    #expect(skipGradient == ReferenceNumbers.tensor("skipGradient", c.input) { 2 * $0 - 1 })
  }
}

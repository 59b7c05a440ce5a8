// Batches of smaller images: the filter against PyTorch's, and what a loader makes of it.

import Testing

@testable import Datasets

@Suite struct MapShrinkingTests {
  private static func shrunk(_ from: Int, _ to: Int, _ channel: (Int, Int) -> Float) -> [Float] {
    let source = (0..<from * from).flatMap { pixel in (0..<3).map { channel(pixel, $0) } }
    var target = [Float](repeating: .nan, count: to * to * 3)
    source.withUnsafeBufferPointer { source in
      target.withUnsafeMutableBufferPointer { MapShrinking(from: from, to: to).apply(source, into: $0) }
    }
    return target
  }

  /// F.interpolate(x, mode="bilinear", antialias=True) of x = (0.01 i^2) mod 3.7 in double precision, torch 2.
  @Test(
    arguments: [
      (
        8, 5,
        [
          0.29269, 0.42936, 0.61758, 0.85579, 1.13004, 2.09978, 2.60458, 1.80444, 1.05431, 1.69668, 2.63568,
          2.26633,
          1.79125, 1.80583, 1.82814, 1.74658, 2.33023, 1.74627, 2.09162, 2.52631, 1.81913, 1.55626, 1.47318,
          1.51485,
          1.99008,
        ]
      ),
      (
        6, 4,
        [
          0.15562, 0.25056, 0.38778, 0.55937, 1.36375, 1.42074, 1.66407, 2.07181, 2.79542, 1.99926, 1.5337, 1.36236,
          1.98437, 2.79472, 2.43528, 0.85562,
        ]
      ),
      (
        12, 4,
        [
          1.62969, 1.63306, 1.88667, 1.35687, 1.82667, 1.56593, 2.03519, 1.82583, 1.83833, 1.90173, 1.97296,
          2.09917,
          1.9775, 2.08583, 2.03583, 2.22125,
        ]
      ),
    ] as [(Int, Int, [Double])])
  func `the filter is PyTorch's bilinear one with antialiasing`(from: Int, to: Int, expected: [Double]) {
    // The second channel is the first one's negative, the third is constant.
    let target = Self.shrunk(from, to) { pixel, channel in
      let value = (0.01 * Double(pixel * pixel)).truncatingRemainder(dividingBy: 3.7)
      return Float([value, -value, 1][channel])
    }
    for (index, value) in expected.enumerated() {
      #expect(abs(Double(target[3 * index]) - value) < 2e-5, "\(index)")
      #expect(target[3 * index + 1] == -target[3 * index])
      #expect(abs(target[3 * index + 2] - 1) < 1e-6)
    }
  }

  @Test func `the same size leaves an image as it is`() {
    let target = Self.shrunk(7, 7) { pixel, channel in Float(3 * pixel + channel) }
    #expect(target == (0..<147).map(Float.init))
  }

  @Test func `an image may become a single pixel, its mean under the filter`() {
    let target = Self.shrunk(4, 1) { _, channel in Float(channel) }
    #expect(target.count == 3 && zip(target, [0, 1, 2]).allSatisfy { abs($0 - $1) < 1e-6 })
  }
}

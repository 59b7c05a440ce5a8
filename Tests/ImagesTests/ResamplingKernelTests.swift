// The C loops behind `resized` against a naive twin, to the bit, over sizes that reach every path through them.

import CKernels
import Messages
import Testing

@testable import Images

/// Weighted sums in the order of the definition.
private func naive(_ source: [UInt8], _ weights: [Int32], stride: Int, from: Int) -> UInt8 {
  var sum = Int32(1) << 21
  for (tap, weight) in weights.enumerated() { sum += Int32(source[from + tap * stride]) * weight }
  return UInt8(min(255, sum >> 22))
}

/// Weights of so many neighbors, which add up to 2^22, the most uneven ones first.
private func weights(_ count: Int) -> [Int32] {
  var weights = (0..<count).map { Int32((1 << 22) / (2 << $0)) }
  weights[0] += (1 << 22) - weights.reduce(0, +)
  return weights
}

private func noise(_ count: Int) -> [UInt8] {
  var state: UInt32 = 12345
  return (0..<count).map { _ in
    state = state &* 1_664_525 &+ 1_013_904_223
    // Black and white as often as not: the ends of the range are where rounding goes wrong.
    return state >> 30 == 0 ? 0 : state >> 30 == 1 ? 255 : UInt8(truncatingIfNeeded: state >> 16)
  }
}

@Test(arguments: [1, 2, 3, 4, 5, 12]) func `rows are summed as the naive twin does`(taps: Int) {
  for width in [taps, taps + 1, taps + 2, 17, 40] where width >= taps {
    let rows = 3
    let source = noise(rows * width * 3)
    let starts = (0...(width - taps)).map { Int32($0) }
    let weights = weights(taps)
    let pairs = (taps + 1) / 2
    var paired = [Int32](repeating: 0, count: starts.count * pairs * 8)
    for column in starts.indices {
      for tap in 0..<taps {
        for channel in 0..<3 { paired[(column * pairs + tap / 2) * 8 + 3 * (tap % 2) + channel] = weights[tap] }
      }
    }
    var target = [UInt8](repeating: 0xaa, count: rows * starts.count * 3 + 8)
    ck_resample_rows(source, source.count, width, rows, starts, paired, pairs, starts.count, &target)
    for row in 0..<rows {
      for column in starts.indices {
        for channel in 0..<3 {
          let expected = naive(source, weights, stride: 3, from: 3 * (row * width + column) + channel)
          #expect(target[3 * (row * starts.count + column) + channel] == expected)
        }
      }
    }
    #expect(target.suffix(8).allSatisfy { $0 == 0xaa }, "nothing is written beyond the target")
  }
}

@Test(arguments: [1, 2, 3, 7]) func `columns are summed as the naive twin does`(taps: Int) {
  for length in [1, 3, 31, 32, 33, 64, 100] {
    let source = noise(taps * length)
    var target = [UInt8](repeating: 0xaa, count: length + 8)
    ck_resample_columns(source, length, weights(taps), taps, &target)
    for place in 0..<length {
      #expect(target[place] == naive(source, weights(taps), stride: length, from: place))
    }
    #expect(target.suffix(8).allSatisfy { $0 == 0xaa })
  }
}

@Test func `a part of the same size is cut out as it is`() {
  let image = PixelImage(width: 9, height: 7, pixels: noise(9 * 7 * 3))
  let part = image.resized(width: 9, height: 7, box: nil, columns: 2..<6, rows: 3..<5)
  var expected: [UInt8] = []
  for row in 3..<5 {
    let start = 3 * (9 * row + 2)
    expected += image.pixels[start..<(start + 12)]
  }
  #expect(part.pixels == expected)
}

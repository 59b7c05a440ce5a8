// What is told of a tensor's numbers, against plain loops over them: sums and bounds of each channel, histograms,
// distances; with numbers that are not finite, and none at all.

import Testing

@testable import Tensors

@Suite struct ChannelStatisticsTests {
  private static func numbers(_ count: Int) -> [Float] {
    (0..<count).map { Float(($0 * 7919) % 1009) / 100 - 5 }
  }

  @Test(arguments: [(1, 1), (3, 7), (1000, 3), (257, 64), (40_000, 2)], [1, 3])
  func `sums, bounds and histograms are those of plain loops, on any number of threads`(
    shape: (rows: Int, channels: Int), threads: Int
  ) {
    let (rows, channels) = shape
    var values = Self.numbers(rows * channels)
    for poison in [false, true] {
      if poison {
        values[0] = .nan
        values[values.count / 2] = .infinity
        values[values.count - 1] = -.infinity
      }
      let x = Tensor([rows, channels], values)
      let ops = Ops(ThreadPool(threads: threads))
      let found = ops.statistics(of: x, channels: channels)
      let finite = values.filter(\.isFinite).map(Double.init)
      #expect(found.nonFinite == values.count - finite.count && found.finite == finite.count)
      for channel in 0..<channels {
        let own = stride(from: channel, to: values.count, by: channels).map { values[$0] }.filter(\.isFinite)
          .map(Double.init)
        let (sum, squares) = (own.reduce(0, +), own.reduce(0) { $0 + $1 * $1 })
        #expect(abs(found.sums[channel] - sum) <= 1e-9 * (1 + squares))
        #expect(abs(found.squares[channel] - squares) <= 1e-9 * (1 + squares))
        #expect(
          found.lowest[channel] == own.min() ?? .infinity && found.highest[channel] == own.max() ?? -.infinity)
      }
      guard let low = finite.min(), let high = finite.max() else {
        #expect(found.bounds == nil && found.mean == 0 && found.std == 0)
        continue
      }
      #expect(found.bounds == low...high)
      let mean = finite.reduce(0, +) / Double(finite.count)
      let variance = finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(finite.count)
      #expect(abs(found.mean - mean) < 1e-9 && abs(found.std - variance.squareRoot()) < 1e-6)
      let bins = 16
      var expected = [Int](repeating: 0, count: bins)
      for value in finite {
        expected[high > low ? min(bins - 1, Int((value - low) * (Double(bins) / (high - low)))) : 0] += 1
      }
      #expect(ops.histogram(of: x, over: low...high, bins: bins) == expected)
    }
  }

  @Test func `channels of zeros are counted, and one with a NaN is none`() {
    let ops = Ops(ThreadPool(threads: 2))
    let x = Tensor([2, 4], [0, -0.0, 1, 0, 0, 0, 0, -1])
    #expect(ops.statistics(of: x, channels: 4).zeroChannels == 2)
    #expect(ops.statistics(of: Tensor([2, 2], [0, .nan, 0, 0]), channels: 2).zeroChannels == 0)
    #expect(ops.statistics(of: Tensor([0, 2], []), channels: 2).zeroChannels == 0)
  }

  @Test func `what a norm makes of numbers is known by their sums`() {
    let (rows, channels) = (50, 3)
    let values = Self.numbers(rows * channels)
    let ops = Ops(ThreadPool(threads: 1))
    var map = FoldedBatchNorm(channels: channels)
    map.set(
      mean: [0.5, -1, 2], variance: [1, 4, 0.25], epsilon: 1e-5, weight: Tensor([3], [1, 0.5, -2]),
      bias: Tensor([3], [0, 1, -0.5]))
    var normalized = Tensor([rows, channels], values)
    let found = map.sumOfSquares(normalizing: ops.statistics(of: normalized, channels: channels))
    ops.normalize(&normalized, by: map, adding: nil, .none)
    #expect(abs(found / ops.sumOfSquares(normalized) - 1) < 1e-5)
  }

  @Test func `the distance of two tensors`() {
    let ops = Ops(ThreadPool(threads: 2))
    let values = Self.numbers(30_000)
    let (x, y) = (Tensor([values.count], values), Tensor([values.count]) { values[$0] + ($0 % 2 == 0 ? 0.5 : 0) })
    let expected =
      values.reduce(0.0) { sum, value in
        sum + (Double(value + 0.5) - Double(value)) * (Double(value + 0.5) - Double(value))
      } / 2
    #expect(abs(ops.squaredDistance(x, y) / expected - 1) < 1e-3)
    #expect(ops.squaredDistance(x, x) == 0)
  }
}

// Mean and variance a channel, read from memory once: blocks small enough for the cache are measured in two passes
// and merged, which is as exact as two passes over everything.

import CKernels
import Tensors

/// Mean and biased variance of each channel of a tensor [..., C].
struct ChannelMoments {
  let rows: Int
  private(set) var mean: [Double]
  private(set) var variance: [Double]

  init(of tensor: borrowing Tensor, channels: Int, _ workers: WorkerPool) {
    let rows = tensor.count / channels
    let shards = min(WorkerPool.standardShards, max(1, rows))
    // A shard's part: count, then means, then sums of squared deviations.
    var parts = [[Double]](repeating: [], count: shards)
    tensor.read { x in
      parts.withUnsafeMutableBufferPointer { parts in
        let parts = parts  // shards capture the pointer
        workers.run(shards: shards) { shard in
          let range = WorkerPool.range(shard, of: shards, count: rows)
          parts[shard] = Self.moments(x, range, channels)
        }
      }
    }
    self.rows = rows
    mean = [Double](repeating: 0, count: channels)
    variance = mean
    var count = 0.0
    for (shard, part) in parts.enumerated() {
      let partRows = Double(WorkerPool.range(shard, of: shards, count: rows).count)
      Self.merge(part, partRows, channels, into: &mean, &variance, count)
      count += partRows
    }
    for c in 0..<channels { variance[c] /= Double(max(1, rows)) }
  }

  private static func moments(_ x: UnsafePointer<Float>, _ rows: Range<Int>, _ channels: Int) -> [Double] {
    var mean = [Double](repeating: 0, count: channels)
    var squares = mean
    var block = [Float](repeating: 0, count: 2 * channels)
    var count = 0.0
    for part in blocks(of: rows, channels: channels) {
      block.withUnsafeMutableBufferPointer {
        guard let base = $0.baseAddress else { return }
        ck_moments(x + part.lowerBound * channels, part.count, channels, base, base + channels)
      }
      merge(block.map(Double.init), Double(part.count), channels, into: &mean, &squares, count)
      count += Double(part.count)
    }
    return mean + squares
  }

  /// Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances".
  private static func merge(
    _ part: [Double], _ partRows: Double, _ channels: Int, into mean: inout [Double], _ squares: inout [Double],
    _ rows: Double
  ) {
    guard partRows > 0 else { return }
    let total = rows + partRows
    for c in 0..<channels {
      let difference = part[c] - mean[c]
      mean[c] += difference * partRows / total
      squares[c] += part[channels + c] + difference * difference * rows * partRows / total
    }
  }
}

/// Row ranges of about 64 KB of floats each.
func blocks(of rows: Range<Int>, channels: Int) -> [Range<Int>] {
  let size = max(1, 16_384 / channels)
  return stride(from: rows.lowerBound, to: rows.upperBound, by: size).map {
    $0..<min($0 + size, rows.upperBound)
  }
}

/// Sums over rows: `add` adds the sums of a block of rows to zeroed floats [sums * channels]; blocks and shards are
/// then added in double precision, in order.
func blockwiseSums(
  rows: Int, channels: Int, sums: Int, _ workers: WorkerPool,
  add: @escaping (_ rows: Range<Int>, _ sums: UnsafeMutablePointer<Float>) -> Void
) -> [Double] {
  let shards = min(WorkerPool.standardShards, max(1, rows))
  let width = sums * channels
  var parts = [[Double]](repeating: [], count: shards)
  parts.withUnsafeMutableBufferPointer { parts in
    let parts = parts  // shards capture the pointer
    workers.run(shards: shards) { shard in
      var total = [Double](repeating: 0, count: width)
      var block = [Float](repeating: 0, count: width)
      for part in blocks(of: WorkerPool.range(shard, of: shards, count: rows), channels: channels) {
        block.withUnsafeMutableBufferPointer { block in
          guard let base = block.baseAddress else { return }
          base.update(repeating: 0, count: width)
          add(part, base)
        }
        for i in 0..<width { total[i] += Double(block[i]) }
      }
      parts[shard] = total
    }
  }
  return parts.dropFirst().reduce(parts[0]) { zip($0, $1).map(+) }
}

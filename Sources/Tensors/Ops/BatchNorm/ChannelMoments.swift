// Mean and variance a channel. Blocks small enough for the cache are measured in two passes and merged, which is as
// exact as two passes over everything; so whoever makes the numbers can have them measured while they are in cache.

import CKernels

/// Mean and biased variance of each channel of a matrix [rows, C], gathered by chunk.
///
/// Batch norm measures its input with it, in a trip through memory of its own, unless the layer before has gathered
/// the moments of its output already: then `rows` says so.
///
///     moments.gather(chunks: 16) { moments in
///       pool.run(chunks: 16) { chunk in
///         // ... for each block that the chunk has just written:
///         moments.add(block, rows: blockRows, chunk: chunk)
///       }
///     }
public final class ChannelMoments {
  public let channels: Int
  /// Rows gathered and not used yet.
  public private(set) var rows = 0
  /// [C].
  public private(set) var mean: [Double]
  /// [C]; divided by the rows.
  public private(set) var variance: [Double]

  public init(channels: Int) {
    self.channels = channels
    mean = [Double](repeating: 0, count: channels)
    variance = mean
  }

  /// What chunks add their rows to.
  ///
  /// It is `@unchecked Sendable` because each chunk has a part of its own, which only `gather` reads, after them.
  struct Gathering: @unchecked Sendable {
    fileprivate let channels: Int
    /// [chunks, 1 + 2 * C]: rows, means, sums of squared deviations.
    fileprivate let parts: UnsafeMutablePointer<Double>

    /// Adds rows [rows, C]. Chunks may add at the same time; the rows of one chunk come one after another, in an order
    /// and in portions that depend on the work alone.
    func add(_ x: UnsafePointer<Float>, rows: Int, chunk: Int) {
      let part = parts + chunk * (1 + 2 * channels)
      ck_batchnorm_moments(x, rows, channels, Int(part[0]), part + 1, part + 1 + channels)
      part[0] += Double(rows)
    }
  }

  /// Begins anew, calls `produce`, which adds every row, and merges the chunks in order.
  func gather(chunks: Int, _ produce: (Gathering) -> Void) {
    let width = 1 + 2 * channels
    StoragePool.withScratch(of: Double.self, chunks * width) { parts in
      parts.update(repeating: 0, count: chunks * width)
      produce(Gathering(channels: channels, parts: parts))
      // Pointers, because each look at a property of a class is checked.
      mean.withUnsafeMutableBufferPointer { mean in
        variance.withUnsafeMutableBufferPointer { variance in
          mean.update(repeating: 0)
          variance.update(repeating: 0)
          var count = 0.0
          for chunk in 0..<chunks {
            let part = parts + chunk * width
            Self.merge(part + 1, rows: part[0], into: mean, variance, of: count)
            count += part[0]
          }
          rows = Int(count)
          for c in variance.indices { variance[c] /= max(1, count) }
        }
      }
    }
  }

  /// The moments have served: the next ones must be gathered or measured.
  public func markUsed() { rows = 0 }

  /// Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances".
  private static func merge(
    _ part: UnsafePointer<Double>, rows partRows: Double, into mean: UnsafeMutableBufferPointer<Double>,
    _ squares: UnsafeMutableBufferPointer<Double>, of rows: Double
  ) {
    guard partRows > 0 else { return }
    let share = partRows / (rows + partRows)
    for c in mean.indices {
      let difference = part[c] - mean[c]
      mean[c] += difference * share
      squares[c] += part[mean.count + c] + difference * difference * rows * share
    }
  }
}

extension Ops {
  /// Gathers the moments of a whole tensor [..., C].
  public func measure(_ x: Tensor, into moments: ChannelMoments) {
    let channels = moments.channels
    let cut = RowGroups(count: x.count, channels: channels)
    x.read { x in
      moments.gather(chunks: cut.chunks) { moments in
        pool.run(chunks: cut.chunks) { chunk in
          let rows = cut.rows(chunk)
          moments.add(x + rows.lowerBound * channels, rows: rows.count, chunk: chunk)
        }
      }
    }
  }

  /// mean += momentum * (the moments' - mean), and variance likewise, by the unbiased one: times rows / (rows - 1).
  /// - Parameters: `mean` and `variance` are running ones, [C].
  public func moveRunning(
    mean: inout Tensor, variance: inout Tensor, by momentum: Double, toward moments: ChannelMoments
  ) {
    let unbiased = Double(moments.rows) / Double(max(1, moments.rows - 1))
    let (means, variances) = (moments.mean, moments.variance)
    mean.write {
      for c in means.indices { $0[c] = Float((1 - momentum) * Double($0[c]) + momentum * means[c]) }
    }
    variance.write {
      for c in variances.indices {
        $0[c] = Float((1 - momentum) * Double($0[c]) + momentum * variances[c] * unbiased)
      }
    }
  }
}

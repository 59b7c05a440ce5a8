// Sums over chunks, rows and whole tensors, in an order that does not depend on the number of threads.

import CKernels

extension Ops {
  /// The sum of all squares, in double precision; chunks are added in order.
  public func sumOfSquares(_ x: Tensor) -> Double {
    let chunks = ThreadPool.chunks(of: x.count)
    let count = x.count
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: chunks) { sums in
      let sums = sums  // the pointer, not the inout binding, is what the chunks capture
      x.read { x in
        pool.run(chunks: chunks) { chunk in
          let range = ThreadPool.range(chunk, of: chunks, count: count)
          sums[chunk] = ck_sum_of_squares(x + range.lowerBound, range.count)
        }
      }
      return sums.reduce(0, +)
    }
  }

  /// `sums` [C] = the sums of the columns of x [rows, C].
  public func sumColumns(of x: Tensor, into sums: inout Tensor) {
    let channels = sums.count
    let rows = x.count / max(1, channels)
    let chunks = min(ThreadPool.standardChunks, max(1, rows))
    StoragePool.withScratch(chunks * channels) { partials in
      partials.update(repeating: 0, count: chunks * channels)
      x.read { x in
        pool.run(chunks: chunks) { chunk in
          let range = ThreadPool.range(chunk, of: chunks, count: rows)
          ck_column_sums(x + range.lowerBound * channels, range.count, channels, partials + chunk * channels)
        }
      }
      sumChunks(partials, chunks: chunks, into: &sums, pool)
    }
  }
}

/// `result` = the sum of `chunks` arrays of its size that stand one after another, added in order.
func sumChunks(
  _ partials: UnsafePointer<Float>, chunks: Int, into result: inout Tensor, _ pool: ThreadPool
) {
  let count = result.count
  result.write { result in
    pool.run(over: count) { range in
      let target = result + range.lowerBound
      target.update(from: partials + range.lowerBound, count: range.count)
      for chunk in 1..<max(1, chunks) { ck_add(target, partials + chunk * count + range.lowerBound, range.count) }
    }
  }
}

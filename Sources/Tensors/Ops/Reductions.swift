// Sums over shards, rows and whole tensors, in an order that does not depend on the number of threads.

import CKernels

extension Ops {
  /// The sum of all squares, in double precision; shards are added in order.
  public func sumOfSquares(_ x: Tensor) -> Double {
    let shards = WorkerPool.shards(of: x.count)
    let count = x.count
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: shards) { sums in
      let sums = sums  // the pointer, not the inout binding, is what the shards capture
      x.read { x in
        workers.run(shards: shards) { shard in
          let range = WorkerPool.range(shard, of: shards, count: count)
          sums[shard] = ck_sum_of_squares(x + range.lowerBound, range.count)
        }
      }
      return sums.reduce(0, +)
    }
  }

  /// `sums` [C] = the sums of the columns of x [rows, C].
  public func sumColumns(of x: Tensor, into sums: inout Tensor) {
    let channels = sums.count
    let rows = x.count / max(1, channels)
    let shards = min(WorkerPool.standardShards, max(1, rows))
    StoragePool.withScratch(shards * channels) { partials in
      partials.update(repeating: 0, count: shards * channels)
      x.read { x in
        workers.run(shards: shards) { shard in
          let range = WorkerPool.range(shard, of: shards, count: rows)
          ck_column_sums(x + range.lowerBound * channels, range.count, channels, partials + shard * channels)
        }
      }
      sumShards(partials, shards: shards, into: &sums, workers)
    }
  }
}

/// `result` = the sum of `shards` arrays of its size that stand one after another, added in order.
func sumShards(
  _ partials: UnsafePointer<Float>, shards: Int, into result: inout Tensor, _ workers: WorkerPool
) {
  let count = result.count
  result.write { result in
    workers.run(over: count) { range in
      let target = result + range.lowerBound
      target.update(from: partials + range.lowerBound, count: range.count)
      for shard in 1..<max(1, shards) { ck_add(target, partials + shard * count + range.lowerBound, range.count) }
    }
  }
}

// Sums over shards and over rows, in an order that does not depend on the number of threads.

import CKernels

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

/// `result` [C] = the sums of the columns of x [rows, C].
package func columnSums(_ x: Tensor, into result: inout Tensor, _ workers: WorkerPool) {
  let channels = result.count
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
    sumShards(partials, shards: shards, into: &result, workers)
  }
}

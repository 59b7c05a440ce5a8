// Whole-tensor arithmetic over the worker pool. Each operation is elementwise, so any cut gives the same bits.

import CKernels

extension Tensor {
  /// self += other, elementwise.
  public mutating func add(_ other: Tensor, _ workers: WorkerPool) {
    precondition(count == other.count, "adding \(other.shape) to \(shape)")
    let count = count
    other.read { x in
      write { y in workers.run(over: count) { ck_add(y + $0.lowerBound, x + $0.lowerBound, $0.count) } }
    }
  }

  /// self *= factor, elementwise.
  public mutating func scale(by factor: Float, _ workers: WorkerPool) {
    let count = count
    write { y in workers.run(over: count) { ck_scale(y + $0.lowerBound, factor, $0.count) } }
  }

  /// The sum of all squares, in double precision; shards are added in order.
  public func sumOfSquares(_ workers: WorkerPool) -> Double {
    let shards = WorkerPool.shards(of: count)
    let count = count
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: shards) { sums in
      let sums = sums  // the pointer, not the inout binding, is what the shards capture
      read { x in
        workers.run(shards: shards) { shard in
          let range = WorkerPool.range(shard, of: shards, count: count)
          sums[shard] = ck_sum_of_squares(x + range.lowerBound, range.count)
        }
      }
      return sums.reduce(0, +)
    }
  }
}

extension WorkerPool {
  /// Into how many shards to cut a loop over so many numbers: one where waking a thread takes longer than the loop.
  public static func shards(of count: Int) -> Int { count < 1 << 14 ? 1 : standardShards }
}

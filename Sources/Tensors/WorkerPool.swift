// The parallel loop: work cut into a number of shards that depends on the work alone, done by however many threads
// there are. Because the cut does not depend on the threads, neither do the results. How threads find and await work
// is in LoopBoard.

import Foundation

/// Threads that carry out the shards of one loop at a time, the calling thread among them.
public final class WorkerPool: Sendable {
  /// How many threads compute, the caller's included.
  public let threads: Int
  private let board: LoopBoard

  /// - Parameter threads: at least 1; nil for one a processor that this process may use.
  public init(threads: Int? = nil) {
    let processors = ProcessInfo.processInfo.activeProcessorCount
    self.threads = max(1, threads ?? processors)
    // With more threads than processors, whoever looks out for work keeps another from doing it.
    board = LoopBoard(patience: self.threads <= processors ? Self.patience : 0)
    for index in 1..<self.threads {
      let thread = Thread { [board] in board.work() }
      thread.name = "worker \(index)"
      thread.start()
    }
  }

  deinit { board.close() }

  /// Calls `body` once for each shard, from several threads, and returns when all are done.
  ///
  /// `body` must write only to what belongs to its shard: the compiler cannot check it, because shards share arrays.
  /// Not to be called from inside a shard, nor from two threads at once.
  public func run(shards: Int, _ body: (_ shard: Int) -> Void) {
    if threads == 1 || shards <= 1 {
      for shard in 0..<max(0, shards) { body(shard) }
    } else {
      board.run(shards: shards, body)
    }
  }

  /// Cuts 0 ..< count into at most `shards` ranges of nearly equal length and calls `body` for each.
  public func run(
    over count: Int, shards: Int = WorkerPool.standardShards, _ body: (_ range: Range<Int>) -> Void
  ) {
    let shards = min(shards, count)
    run(shards: shards) { shard in body(WorkerPool.range(shard, of: shards, count: count)) }
  }

  /// The number of shards for work that can be cut anywhere. It is part of the numerical result: never make it
  /// depend on the machine.
  public static let standardShards = 16

  /// The part of 0 ..< count that shard `index` of `shards` covers.
  public static func range(_ index: Int, of shards: Int, count: Int) -> Range<Int> {
    (count * index / shards)..<(count * (index + 1) / shards)
  }

  /// How long a thread looks out for work before it sleeps, nanoseconds. Waking one takes some 10 microseconds, and
  /// what lies between two loops of a training step mostly less than this; between two steps threads sleep.
  private static let patience: UInt64 = 50_000
}

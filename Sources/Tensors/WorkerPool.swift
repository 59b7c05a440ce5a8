// The parallel loop: work cut into a number of shards that depends on the work alone, done by however many threads
// there are. Because the cut does not depend on the threads, neither do the results.

import Foundation
import Synchronization

/// Threads that carry out the shards of one loop at a time, the calling thread among them.
public final class WorkerPool: Sendable {
  /// How many threads compute, the caller's included.
  public let threads: Int
  private let board = Board()

  /// - Parameter threads: at least 1; nil for one a processor that this process may use.
  public init(threads: Int? = nil) {
    self.threads = max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount)
    for index in 1..<self.threads {
      let thread = Thread { [board] in
        var seen = 0
        while let (loop, posting) = board.next(after: seen) {
          seen = posting
          loop.help()
        }
      }
      thread.name = "worker \(index)"
      thread.start()
    }
  }

  deinit { board.close() }

  /// Calls `body` once for each shard, from several threads, and returns when all are done.
  ///
  /// `body` must write only to what belongs to its shard: the compiler cannot check it, because shards share arrays.
  /// Not to be called from inside a shard, nor from two threads at once.
  public func run(shards: Int, _ body: @escaping (_ shard: Int) -> Void) {
    if threads == 1 || shards <= 1 {
      for shard in 0..<max(0, shards) { body(shard) }
      return
    }
    let loop = ShardedLoop(shards: shards, body: body)
    board.post(loop)
    loop.help()
    loop.waitUntilDone()
    board.clear()
  }

  /// Cuts 0 ..< count into at most `shards` ranges of nearly equal length and calls `body` for each.
  public func run(
    over count: Int, shards: Int = WorkerPool.standardShards, _ body: @escaping (_ range: Range<Int>) -> Void
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
}

/// Where the workers look for the next loop. Apart from the pool, so that an abandoned pool is freed and ends them.
///
/// It is `@unchecked Sendable` because `condition` guards every stored variable.
private final class Board: @unchecked Sendable {
  private let condition = NSCondition()
  private var loop: ShardedLoop?
  private var postings = 0
  private var closed = false

  func post(_ loop: ShardedLoop) {
    condition.lock()
    self.loop = loop
    postings += 1
    condition.broadcast()
    condition.unlock()
  }

  func clear() {
    condition.lock()
    loop = nil
    condition.unlock()
  }

  func close() {
    condition.lock()
    closed = true
    condition.broadcast()
    condition.unlock()
  }

  /// Waits for a loop posted after the given one; nil when the pool is gone.
  func next(after seen: Int) -> (ShardedLoop, posting: Int)? {
    condition.lock()
    defer { condition.unlock() }
    while !closed {
      if postings != seen, let loop { return (loop, postings) }
      condition.wait()
    }
    return nil
  }
}

/// One parallel loop under way.
///
/// It is `@unchecked Sendable` because `body`, the only part that is neither constant nor atomic in itself, is called
/// for different shards only, each claimed once.
private final class ShardedLoop: @unchecked Sendable {
  private let shards: Int
  private let body: (Int) -> Void
  private let nextShard = Atomic(0)
  private let finished = Atomic(0)
  private let done = DispatchSemaphore(value: 0)

  init(shards: Int, body: @escaping (Int) -> Void) {
    self.shards = shards
    self.body = body
  }

  /// Carries out shards until none is left to claim.
  func help() {
    while true {
      let shard = nextShard.add(1, ordering: .relaxed).oldValue
      guard shard < shards else { return }
      body(shard)
      if finished.add(1, ordering: .acquiringAndReleasing).newValue == shards { done.signal() }
    }
  }

  /// Waits for the shards that other threads claimed.
  func waitUntilDone() { done.wait() }
}

// Where the threads of a worker pool find the loop that is under way. One loop at a time, so that posting one costs
// two stores; threads look out for the next one for a moment and then sleep. Which work is cut how is the pool's
// business.

import CKernels
import Foundation
import Synchronization

/// The one loop that is under way, and the threads that wait for it or for the next.
///
/// It is `@unchecked Sendable` because of `body` alone. That is written only while no shard of a loop is unfinished,
/// and read only by a thread that has claimed a shard and not finished it.
final class LoopBoard: @unchecked Sendable {
  private var body: ((Int) -> Void)?
  /// How many shards the loop has (upper half) and which is to be claimed next (lower half).
  ///
  /// Claiming exchanges both at once. A thread that was held up between looking and claiming, and finds the same
  /// numbers in a later loop, has a valid claim of the later one, for it reads `body` only then.
  private let claims = Atomic<UInt64>(0)
  private let unfinished = Atomic(0)
  private let isClosed = Atomic(false)

  /// Nanoseconds that a thread looks out before it sleeps.
  private let patience: UInt64
  private let posted = NSCondition()
  private let finished = NSCondition()
  /// Threads that sleep until a loop is posted, and whether the caller sleeps until its loop is finished. Whoever
  /// changes what another sleeps for does so first and looks here after; whoever goes to sleep does it the other way
  /// round: with both in one order for all threads (sequentially consistent), one of the two sees the other.
  private let sleepers = Atomic(0)
  private let callerSleeps = Atomic(false)

  init(patience: UInt64) { self.patience = patience }

  // MARK: The caller

  /// Carries out a loop, with the help of the threads that are in `work`.
  func run(shards: Int, _ body: (Int) -> Void) {
    precondition(unfinished.load(ordering: .acquiring) == 0, "a parallel loop was begun inside another one")
    // The body is lent to the board, which gives it back before this returns.
    withoutActuallyEscaping(body) { body in
      self.body = body
      unfinished.store(shards, ordering: .relaxed)
      claims.store(UInt64(shards) << 32, ordering: .sequentiallyConsistent)
      wakeWorkers(atMost: shards - 1)
      carryOutShards()
      waitUntilFinished()
      self.body = nil
    }
  }

  /// Lets the threads leave `work`. Not while a loop is under way.
  func close() {
    posted.lock()
    isClosed.store(true, ordering: .sequentiallyConsistent)
    posted.broadcast()
    posted.unlock()
  }

  private func wakeWorkers(atMost useful: Int) {
    guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
    posted.lock()
    for _ in 0..<min(useful, sleepers.load(ordering: .relaxed)) { posted.signal() }
    posted.unlock()
  }

  /// Waits for the shards that other threads claimed.
  private func waitUntilFinished() {
    if looksOut(.insisting, until: { unfinished.load(ordering: .acquiring) == 0 }) { return }
    finished.lock()
    callerSleeps.store(true, ordering: .sequentiallyConsistent)
    while unfinished.load(ordering: .sequentiallyConsistent) != 0 { finished.wait() }
    callerSleeps.store(false, ordering: .relaxed)
    finished.unlock()
  }

  // MARK: The workers

  /// Helps with every loop until the board is closed.
  func work() {
    while waitForWork() { carryOutShards() }
  }

  /// - Returns: false when there will be none any more.
  private func waitForWork() -> Bool {
    if looksOut(.yielding, until: { hasUnclaimed || isClosed.load(ordering: .relaxed) }) {
      return !isClosed.load(ordering: .relaxed)
    }
    posted.lock()
    defer { posted.unlock() }
    sleepers.add(1, ordering: .sequentiallyConsistent)
    defer { sleepers.subtract(1, ordering: .relaxed) }
    while !hasUnclaimed, !isClosed.load(ordering: .relaxed) { posted.wait() }
    return !isClosed.load(ordering: .relaxed)
  }

  private var hasUnclaimed: Bool { Self.next(of: claims.load(ordering: .sequentiallyConsistent)) != nil }

  // MARK: Shards

  /// Carries out shards until none is left to claim.
  private func carryOutShards() {
    while let shard = claim() {
      carryOut(shard)
      if unfinished.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 { wakeCaller() }
    }
  }

  private func wakeCaller() {
    guard callerSleeps.load(ordering: .sequentiallyConsistent) else { return }
    finished.lock()
    finished.signal()
    finished.unlock()
  }

  private func claim() -> Int? {
    var seen = claims.load(ordering: .relaxed)
    while let shard = Self.next(of: seen) {
      let (exchanged, now) = claims.compareExchange(
        expected: seen, desired: seen + 1, ordering: .acquiringAndReleasing)
      if exchanged { return shard }
      seen = now
    }
    return nil
  }

  /// The shard that is to be claimed next; nil when all are.
  private static func next(of claims: UInt64) -> Int? {
    let (shards, next) = (claims >> 32, claims & 0xffff_ffff)
    return next < shards ? Int(next) : nil
  }

  /// Never inlined: the reference to `body` that a call takes must be gone before the shard counts as finished, for
  /// the loan may end at that moment.
  @inline(never)
  private func carryOut(_ shard: Int) { body?(shard) }

  // MARK: Waiting

  private enum Manner {
    /// The thread has nothing to do and what it waits for may need this very processor: it offers that to others
    /// between looks.
    case yielding
    /// The thread has work to go on with: a processor once offered is away for some milliseconds.
    case insisting
  }

  /// Looks again and again for as long as the patience lasts.
  /// - Returns: whether it became so.
  private func looksOut(_ manner: Manner, until isSo: () -> Bool) -> Bool {
    if isSo() { return true }
    guard patience > 0 else { return false }
    let end = DispatchTime.now().uptimeNanoseconds + (manner == .yielding ? patience : patience / 4)
    repeat {
      for _ in 0..<32 {
        ck_pause()
        if isSo() { return true }
      }
      if manner == .yielding { sched_yield() }
    } while DispatchTime.now().uptimeNanoseconds < end
    return false
  }
}

// Where the threads of a thread pool find the loop that is under way. One loop at a time, so that posting one costs
// two stores; threads look out for the next one for a moment and then sleep. Which work is cut how is the pool's
// business.

import CKernels
import Glibc
import Resources
import Synchronization

/// The one loop that is under way, and the threads that wait for it or for the next.
///
/// It is `@unchecked Sendable` because of `body` alone. That is written only while no chunk of a loop is unfinished,
/// and read only by a thread that has claimed a chunk and not finished it.
final class LoopBoard: @unchecked Sendable {
  private var body: ((Int) -> Void)?
  /// The chunks that nobody has claimed: the first of them (lower half), and the one after the last (upper half).
  ///
  /// The caller claims from the front and the pool's threads from the back. So of two threads each has the same half in
  /// loop after loop, and finds in its own cache what it has written there.
  ///
  /// Claiming exchanges both at once. A thread that was held up between looking and claiming, and finds the same
  /// numbers in a later loop, has a valid claim of the later one, for it reads `body` only then.
  private let claims = Atomic<UInt64>(0)
  private let unfinished = Atomic(0)
  private let isClosed = Atomic(false)

  /// Nanoseconds that a thread looks out before it sleeps.
  private let spinTime: UInt64
  private let posted = Condition()
  private let finished = Condition()
  /// Threads that sleep until a loop is posted, and whether the caller sleeps until its loop is finished. Whoever
  /// changes what another sleeps for does so first and looks here after; whoever goes to sleep does it the other way
  /// round: with both in one order for all threads (sequentially consistent), one of the two sees the other.
  private let sleepers = Atomic(0)
  private let callerSleeps = Atomic(false)

  init(spinTime: UInt64) { self.spinTime = spinTime }

  // MARK: The caller

  /// Carries out a loop, with the help of the threads that are in `work`.
  func run(chunks: Int, _ body: (Int) -> Void) {
    precondition(unfinished.load(ordering: .acquiring) == 0, "a parallel loop was begun inside another one")
    // The body is lent to the board, which gives it back before this returns.
    withoutActuallyEscaping(body) { body in
      self.body = body
      unfinished.store(chunks, ordering: .relaxed)
      claims.store(UInt64(chunks) << 32, ordering: .sequentiallyConsistent)
      wakeThreads(atMost: chunks - 1)
      carryOutChunks(from: .front)
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

  private func wakeThreads(atMost useful: Int) {
    guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
    posted.lock()
    for _ in 0..<min(useful, sleepers.load(ordering: .relaxed)) { posted.signal() }
    posted.unlock()
  }

  /// Waits for the chunks that other threads claimed.
  private func waitUntilFinished() {
    if looksOut(.insisting, until: { unfinished.load(ordering: .acquiring) == 0 }) { return }
    finished.lock()
    callerSleeps.store(true, ordering: .sequentiallyConsistent)
    while unfinished.load(ordering: .sequentiallyConsistent) != 0 { finished.wait() }
    callerSleeps.store(false, ordering: .relaxed)
    finished.unlock()
  }

  // MARK: The pool

  /// Helps with every loop until the board is closed.
  func work() {
    while waitForWork() { carryOutChunks(from: .back) }
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

  private var hasUnclaimed: Bool { Unclaimed(claims.load(ordering: .sequentiallyConsistent)).count > 0 }

  // MARK: Chunks

  private enum End { case front, back }

  /// Carries out chunks until none is left to claim.
  private func carryOutChunks(from end: End) {
    while let chunk = claim(from: end) {
      carryOut(chunk)
      if unfinished.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 { wakeCaller() }
    }
  }

  private func wakeCaller() {
    guard callerSleeps.load(ordering: .sequentiallyConsistent) else { return }
    finished.lock()
    finished.signal()
    finished.unlock()
  }

  private func claim(from end: End) -> Int? {
    var seen = claims.load(ordering: .relaxed)
    while true {
      var left = Unclaimed(seen)
      guard let chunk = left.take(from: end) else { return nil }
      let (exchanged, now) = claims.compareExchange(
        expected: seen, desired: left.bits, ordering: .acquiringAndReleasing)
      if exchanged { return chunk }
      seen = now
    }
  }

  /// A range of chunks in the halves of a word.
  private struct Unclaimed {
    private(set) var bits: UInt64

    init(_ bits: UInt64) { self.bits = bits }

    private var first: Int { Int(bits & 0xffff_ffff) }
    private var end: Int { Int(bits >> 32) }
    var count: Int { end - first }

    mutating func take(from side: End) -> Int? {
      guard count > 0 else { return nil }
      switch side {
      case .front:
        defer { bits += 1 }
        return first
      case .back:
        bits -= 1 << 32
        return end
      }
    }
  }

  /// Never inlined: the reference to `body` that a call takes must be gone before the chunk counts as finished, for
  /// the loan may end at that moment.
  @inline(never)
  private func carryOut(_ chunk: Int) { body?(chunk) }

  // MARK: Waiting

  private enum Manner {
    /// The thread has nothing to do and what it waits for may need this very processor: it offers that to others
    /// between looks.
    case yielding
    /// The thread has work to go on with: a processor once offered is away for some milliseconds.
    case insisting
  }

  /// Looks again and again until the spin time is over.
  /// - Returns: whether it became so.
  private func looksOut(_ manner: Manner, until isSo: () -> Bool) -> Bool {
    if isSo() { return true }
    guard spinTime > 0 else { return false }
    let end = Self.nanoseconds + (manner == .yielding ? spinTime : spinTime / 4)
    repeat {
      for _ in 0..<32 {
        ck_pause()
        if isSo() { return true }
      }
      if manner == .yielding { sched_yield() }
    } while Self.nanoseconds < end
    return false
  }

  /// Since the machine was started.
  private static var nanoseconds: UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }
}

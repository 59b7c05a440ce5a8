// Loops whose rounds run on a few threads, for work on many files. The order of the rounds is not fixed: what they
// compute together must not depend on it.

import Resources
import Synchronization

/// Calls `body` once for each index, on up to `workers` threads, the caller's among them, and returns when all is done.
/// Where the system has no more threads, fewer do it.
///
/// - Parameters:
///   - state: makes what one thread keeps from round to round, a decoder for instance.
///   - body: called with the index and the thread's own state.
func forEachConcurrently<State>(
  count: Int, workers: Int, state: @Sendable () -> State, _ body: @Sendable (Int, State) -> Void
) {
  // What is done is lent to the threads, which have given it back when they leave the group.
  withoutActuallyEscaping(state) { state in
    withoutActuallyEscaping(body) { body in
      let rounds = Rounds(count: count, state: state, body: body)
      let helpers = ThreadGroup()
      for number in 1..<max(1, min(workers, count)) {
        helpers.enter()
        do throws(ResourceShortage) {
          try SystemThread.start("files \(number)") {
            rounds.carryOut()
            helpers.leave()
          }
        } catch {
          helpers.leave()
          break
        }
      }
      rounds.carryOut()
      helpers.wait()
      rounds.giveBack()
    }
  }
}

/// The rounds of a loop, and who does the next.
///
/// It is `@unchecked Sendable` because of `work` alone, which is written only before the threads start and after all of
/// them have left the loop.
private final class Rounds<State>: @unchecked Sendable {
  private let next = Atomic<Int>(0)
  private let count: Int
  private var work: (state: @Sendable () -> State, body: @Sendable (Int, State) -> Void)?

  init(count: Int, state: @escaping @Sendable () -> State, body: @escaping @Sendable (Int, State) -> Void) {
    self.count = count
    work = (state, body)
  }

  /// Never inlined: the references to `work` that the calls take must be gone when it returns, for the loan ends then.
  @inline(never)
  func carryOut() {
    guard let work else { return }
    let state = work.state()
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      work.body(index, state)
    }
  }

  func giveBack() { work = nil }
}

/// The results of `body` for each index, in order, computed on up to `workers` threads.
/// - Parameter state: see `forEachConcurrently`.
func concurrentMap<State, Result: Sendable>(
  count: Int, workers: Int, state: @Sendable () -> State, _ body: @Sendable (Int, State) -> Result
) -> [Result] {
  // Neighbors in one round: taking turns costs more than a short round does.
  let length = max(1, min(64, count / (16 * max(1, workers))))
  let rounds = (count + length - 1) / length
  let parts = Mutex<[[Result]]>(Array(repeating: [], count: rounds))
  forEachConcurrently(count: rounds, workers: workers, state: state) { round, state in
    let part = (round * length..<min(count, (round + 1) * length)).map { body($0, state) }
    parts.withLock { $0[round] = part }
  }
  return parts.withLock { Array($0.joined()) }
}

/// The same without a state.
func concurrentMap<Result: Sendable>(
  count: Int, workers: Int, _ body: @Sendable (Int) -> Result
) -> [Result] {
  concurrentMap(count: count, workers: workers, state: {}) { index, _ in body(index) }
}

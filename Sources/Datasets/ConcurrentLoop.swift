// Loops whose rounds run on a few threads, for work on many files. The order of the rounds is not fixed: what they
// compute together must not depend on it.

import Dispatch
import Synchronization

/// Calls `body` once for each index, on up to `workers` threads, and returns when all is done.
///
/// - Parameters:
///   - state: makes what one thread keeps from round to round, a decoder for instance.
///   - body: called with the index and the thread's own state.
func forEachConcurrently<State>(
  count: Int, workers: Int, state: @Sendable () -> State, _ body: @Sendable (Int, State) -> Void
) {
  let next = Atomic<Int>(0)
  DispatchQueue.concurrentPerform(iterations: max(1, min(workers, count))) { _ in
    let state = state()
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      body(index, state)
    }
  }
}

/// The results of `body` for each index, in order, computed on up to `workers` threads.
/// - Parameter state: see `forEachConcurrently`.
func concurrentMap<State, Result: Sendable>(
  count: Int, workers: Int, state: @Sendable () -> State, _ body: @Sendable (Int, State) -> Result
) -> [Result] {
  // Neighbours in one round: taking turns costs more than a short round does.
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

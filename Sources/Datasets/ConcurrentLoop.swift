// A loop whose rounds run on a few threads, for work that is a sum over many files. The order of the rounds is not
// fixed: what they compute together must not depend on it.

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

// A test's body on several ranks, which are threads.

import Ranks
import Resources

/// Runs a body as each of so many ranks, on a thread each.
/// - Returns: what each gave.
/// - Throws: what the first of them threw.
package func onRanks<Outcome: Sendable>(
  _ count: Int, _ body: @escaping @Sendable (any Communicator) throws -> Outcome
) throws -> [Outcome] {
  let ranks = ThreadRanks(count: count)
  let outcomes = Outcomes<Outcome>(count)
  let group = ThreadGroup()
  for rank in 0..<count {
    group.enter()
    try SystemThread.start("rank \(rank)") {
      let communicator = ranks[rank]
      let outcome = Result { try body(communicator) }
      // The others would wait for it.
      if case .failure(let error) = outcome { communicator.abort("\(error)") }
      outcomes.put(outcome, at: rank)
      group.leave()
    }
  }
  group.wait()
  let all = outcomes.all
  // What one threw by itself comes before what it did to the others.
  for case .failure(let error) in all where !(error is RankFailure) { throw error }
  return try all.map { try $0.get() }
}

/// It is `@unchecked Sendable` because `condition` guards the outcomes.
private final class Outcomes<Outcome>: @unchecked Sendable {
  private let condition = Condition()
  private var outcomes: [Result<Outcome, any Error>?]

  init(_ count: Int) { outcomes = Array(repeating: nil, count: count) }

  func put(_ outcome: Result<Outcome, any Error>, at rank: Int) {
    condition.lock()
    outcomes[rank] = outcome
    condition.unlock()
  }

  var all: [Result<Outcome, any Error>] {
    condition.lock()
    defer { condition.unlock() }
    return outcomes.compactMap { $0 }
  }
}

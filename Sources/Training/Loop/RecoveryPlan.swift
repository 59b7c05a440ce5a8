// What an unwatched run does about one divergence after another: a pure value. It never tries for ever.

import Messages

/// Chooses how to go on, by the run's policy and by what was tried before.
struct RecoveryPlan: Equatable {
  /// Attempts at one difficulty.
  static let attempts = 5
  /// Steps beyond the last divergence after which another one is another difficulty.
  static let recovered = 100

  /// Returns to `last` after which it is `best`'s turn: `last` itself seems to be on the way to diverging. Nobody who
  /// is not there loses all progress: the run never begins again by itself where anything was saved.
  static let returnsToLast = 2

  private var used = 0
  private var returns = 0
  private var furthest: Int?

  /// - Parameters:
  ///   - step: the step that could not be taken.
  ///   - hasBest: whether there is a `best` that is older than `last`.
  mutating func next(_ policy: DivergencePolicy, step: Int, hasBest: Bool) -> Recovery {
    if let furthest, step > furthest + Self.recovered { (used, returns) = (0, 0) }
    // The same step again: going on did not help.
    let isStuck = used > 0 && step <= furthest ?? 0
    furthest = max(step, furthest ?? 0)
    used += 1
    guard used <= Self.attempts else { return .stop }
    switch policy {
    case .stop: return .stop
    case .lower where !isStuck: return .lowerRate
    case .lower, .rollback:
      returns += 1
      return returns > Self.returnsToLast && hasBest ? .rollBackToBest : .rollBack
    }
  }
}

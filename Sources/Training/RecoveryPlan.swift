// What an unwatched run does about one divergence after another: a pure value. It never tries for ever.

import Messages

/// Chooses how to go on, by the run's policy and by what was tried before.
struct RecoveryPlan: Equatable {
  /// Attempts at one difficulty.
  static let attempts = 5
  /// Steps beyond the last divergence after which another one is another difficulty.
  static let recovered = 100

  private var used = 0
  private var furthest: Int?

  /// - Parameter step: the step that could not be taken.
  mutating func next(_ policy: DivergencePolicy, step: Int) -> Recovery {
    if let furthest, step > furthest + Self.recovered { used = 0 }
    // The same step again: going on did not help.
    let isStuck = used > 0 && step <= furthest ?? 0
    furthest = max(step, furthest ?? 0)
    used += 1
    guard used <= Self.attempts else { return .stop }
    switch policy {
    case .stop: return .stop
    case .lower: return isStuck ? .rollBack : .lowerRate
    case .rollback: return .rollBack
    }
  }
}

// When `last` is saved within an epoch: a pure value that is told of successes and failures.

/// The moment from which the next step that ends is followed by a save.
struct SaveSchedule {
  /// After the first failure, and after each further one in a row. A disk that is full for a moment costs half a
  /// minute; one that stays full must not hold up every step.
  static let firstRetry = Duration.seconds(30)
  static let laterRetry = Duration.seconds(60)
  /// After a change by hand, which a crash would otherwise undo. Several key presses in a row are saved once.
  static let afterChange = Duration.seconds(3)

  private let interval: Duration
  private(set) var due: ContinuousClock.Instant
  private var failures = 0

  /// - Parameter interval: the longest time between two saves.
  init(interval: Duration, now: ContinuousClock.Instant) {
    self.interval = interval
    due = now + interval
  }

  mutating func saved(at now: ContinuousClock.Instant) {
    failures = 0
    due = now + interval
  }

  /// - Returns: how long to wait for the next attempt.
  @discardableResult
  mutating func failed(at now: ContinuousClock.Instant) -> Duration {
    failures += 1
    let wait = min(interval, failures == 1 ? Self.firstRetry : Self.laterRetry)
    due = now + wait
    return wait
  }

  /// Something changed that should not wait for its turn.
  mutating func changed(at now: ContinuousClock.Instant) {
    // After a failure the retry decides.
    if failures == 0 { due = min(due, now + Self.afterChange) }
  }
}

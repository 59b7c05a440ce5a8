// Which part of a run the charts show. It knows epochs, not metrics.

/// A part of a run's length: all of it, its newest part, or a part that stays in view.
struct CurveWindow: Sendable, Equatable {
  /// Its width as a share of the run's length; 1 for all of it.
  private(set) var share = 1.0
  /// Its left end as a share of the run's length, where it stays; nil where it goes with what is newest.
  private(set) var start: Double?

  var isWhole: Bool { share >= 1 }
  var follows: Bool { start == nil }

  /// The widths that are stepped through.
  static let shares = [1, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001]

  /// In epochs.
  /// - Parameters:
  ///   - length: of the run, above 0.
  ///   - newest: how far it has come.
  func range(length: Double, newest: Double) -> ClosedRange<Double> {
    guard !isWhole else { return 0...length }
    let left = (start ?? newest / length - share) * length
    let first = min(max(0, left), length * (1 - share))
    return first...(first + length * share)
  }

  /// The next narrower part of what is newest, after the narrowest all of the run.
  mutating func narrow() {
    start = nil
    share = Self.shares.first { $0 < share } ?? 1
  }

  /// Narrower or wider by one step, so that a place stays where it is on the screen.
  /// - Parameter place: in epochs; nil for the middle, or where it follows for its right end.
  mutating func zoom(in isIn: Bool, at place: Double?, length: Double, newest: Double) {
    let before = range(length: length, newest: newest)
    guard let next = isIn ? Self.shares.first(where: { $0 < share }) : Self.shares.last(where: { $0 > share })
    else {
      return
    }
    share = next
    guard next < 1 else {
      start = nil
      return
    }
    guard let place = place ?? (follows ? nil : (before.lowerBound + before.upperBound) / 2) else { return }
    let width = before.upperBound - before.lowerBound
    let position = min(max(0, (place - before.lowerBound) / width), 1)
    keep(at: place / length - position * next)
  }

  /// A fraction of its width to the left (below zero) or the right.
  mutating func pan(by part: Double, length: Double, newest: Double) {
    guard !isWhole else { return }
    let left = range(length: length, newest: newest).lowerBound / length
    keep(at: left + part * share)
  }

  /// Goes with what is newest from now on, or stays where it is.
  mutating func toggleFollowing(length: Double, newest: Double) {
    guard !isWhole else { return }
    if follows { pan(by: 0, length: length, newest: newest) } else { start = nil }
  }

  private mutating func keep(at left: Double) { start = min(max(0, left), 1 - share) }
}

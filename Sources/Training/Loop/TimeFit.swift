// A run that has to end at a time: it was planned for so many steps, and when steps turn out to take longer or shorter
// than its trial said, it is given fewer or more of them. The schedule is stretched with it, so that the rate comes down
// to zero at the end whatever the number.

/// The steps of a run, and the part of the schedule that is over, where time decides about them.
public struct TimeFit: Codable, Sendable, Equatable {
  /// In all, as far as is known now.
  public private(set) var steps: Int
  /// As the schedule counts them.
  private let scheduledSteps: Int
  /// Where `steps` was changed last: the step of the run, and the step of the schedule that stands for it.
  private var changedAt = 0
  private var scheduledThen = 0.0

  /// Changes smaller than this are left for later.
  static let tolerance = 0.02
  /// One change multiplies what is left by so much at most: a moment's measure is not believed.
  static let most = 1.5

  /// - Parameter steps: as planned.
  init(steps: Int) {
    self.steps = steps
    scheduledSteps = steps
  }

  /// The step of the schedule that stands for a step of the run.
  func scheduled(_ step: Int) -> Int { Int(place(of: step)) }

  private func place(of step: Int) -> Double {
    guard steps > changedAt else { return Double(scheduledSteps) }
    let share = Double(step - changedAt) / Double(steps - changedAt)
    return scheduledThen + share * (Double(scheduledSteps) - scheduledThen)
  }

  /// Gives the run as many steps as the time that is left has room for.
  /// - Parameters:
  ///   - step: steps done.
  ///   - needed: seconds that the steps left would take.
  ///   - available: seconds that are left.
  /// - Returns: whether that changed anything.
  mutating func refit(step: Int, needed: Double, available: Double) -> Bool {
    let left = steps - step
    guard left > 0, needed > 0 else { return false }
    let factor = max(1 / Self.most, min(Self.most, available / needed))
    guard abs(factor - 1) > Self.tolerance else { return false }
    let new = step + max(1, Int(Double(left) * factor))
    guard new != steps else { return false }
    (scheduledThen, changedAt) = (place(of: step), step)
    steps = new
    return true
  }
}

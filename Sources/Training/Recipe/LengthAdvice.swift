// Whether a run that came to its end was too short: said when it is over, from the curves that it left.

import Messages

/// What to say of a finished run's length.
struct LengthAdvice {
  /// Of each epoch, in order.
  let epochs: [EpochMetrics]

  /// A network that answers so many of its training images rightly has learned what there is to learn from them.
  static let learnedAll = 0.99
  /// The loss that the last fifth of the epochs gained has to be more than noise, as a share of it.
  static let gain = 0.01
  /// Fewer epochs are no curve.
  static let fewest = 5

  /// Whether the validation loss fell to the end, and the training images are not learned by heart yet.
  var isTooShort: Bool {
    let losses = epochs.compactMap { $0.validation?.loss }
    guard losses.count >= Self.fewest, losses.count == epochs.count, let last = epochs.last,
      last.isMixed || last.trainAccuracy < Self.learnedAll
    else { return false }
    let tail = max(1, losses.count / 5)
    guard let before = losses.dropLast(tail).min(), let after = losses.suffix(tail).min() else { return false }
    return after < before * (1 - Self.gain)
  }

  /// What to do about it; nil where there is nothing to say.
  /// - Parameter settings: of the run.
  func text(_ settings: TrainingSettings) -> String? {
    guard isTooShort, settings.timeBudget == nil else { return nil }
    var longer = settings
    longer.budget = settings.budget.map { 2 * $0 }
    longer.epochs = min(2 * settings.epochs, Settings.epochs.range.upper)
    let length =
      longer.budget == nil
      ? "--epochs \(longer.epochs)" : "--budget \(Settings.budget.text(in: longer) ?? "")"
    return "the validation loss fell to the end: a longer run would learn more, such as one with \(length)"
  }
}

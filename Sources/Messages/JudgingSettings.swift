// How classes of unequal size are treated, and by which figure of a validation one epoch is better than another.

/// What is done about classes with few images.
public enum ClassBalance: String, Codable, Sendable, CaseIterable {
  /// Every training image counts once.
  case none
  /// Each class weighs in the loss as one over its share of the training images.
  case loss
  /// Each class is drawn equally often.
  case sampling
}

/// By what one epoch is better than another, a figure of its validation: it chooses `best`, and patience waits for it.
public enum BestMetric: String, Codable, Sendable, CaseIterable {
  case top1
  /// The mean of the classes' recalls.
  case balanced
  /// The mean of the classes' F1.
  case macroF1 = "macro-f1"
  case loss
  /// None: the last epoch is the best one, since a rate that comes down to zero makes it so, and of few validation
  /// images a figure is luck.
  case last

  /// What is shown of an epoch.
  public var metric: Metric {
    switch self {
    case .top1, .last: .top1
    case .balanced: .balancedAccuracy
    case .macroF1: .macroF1
    case .loss: .validationLoss
    }
  }

  /// In words: "validation accuracy".
  public var name: String {
    switch self {
    case .top1, .last: "validation accuracy"
    case .balanced: "balanced accuracy"
    case .macroF1: "macro F1"
    case .loss: "validation loss"
    }
  }

  /// The figure; nil where there is none, or the outputs for some image are not finite.
  public func value(in validation: ValidationMetrics?) -> Double? {
    guard let validation, validation.isFinite, let value = validation[metric], value.isFinite else { return nil }
    return value
  }

  /// The same with its name.
  public func score(of validation: ValidationMetrics?) -> Score? { value(in: validation).map { Score(self, $0) } }

  /// Whether the value of a later epoch is an improvement. An equal one is none, and neither is NaN.
  /// - Parameter old: nil before the first.
  public func isBetter(_ new: Double, than old: Double?) -> Bool {
    guard let old, !new.isNaN else { return !new.isNaN }
    return switch self {
    case .top1, .balanced, .macroF1: new > old
    case .loss: new < old
    case .last: true
    }
  }
}

/// How good an epoch or a checkpoint is, by the metric that its run is judged by.
public struct Score: Codable, Sendable, Equatable {
  public var metric: BestMetric
  /// A share, 0...1, or for the loss nats.
  public var value: Double

  public init(_ metric: BestMetric, _ value: Double) {
    self.metric = metric
    self.value = value
  }

  /// The better of scores by one metric; those by others are left out. Of equal ones the first.
  public static func best(of scores: some Sequence<Score?>, by metric: BestMetric) -> Score? {
    var best: Score?
    for case let score? in scores where score.metric == metric && metric.isBetter(score.value, than: best?.value) {
      best = score
    }
    return best
  }

  /// The place of the best of scores, in the order of their epochs, by one metric.
  public static func place(ofBestIn scores: [Score?], by metric: BestMetric) -> Int? {
    guard let best = best(of: scores, by: metric) else { return nil }
    return metric == .last ? scores.lastIndex { $0 != nil } : scores.firstIndex(of: best)
  }
}

extension [ClassMetrics] {
  /// The mean recall of the classes that have images; nil where none has. Guessing gets 1 / classes, however many
  /// images each has (Brodersen et al. 2010, "The balanced accuracy and its posterior distribution").
  public var balancedAccuracy: Double? { Self.mean(compactMap(\.recall)) }

  /// The mean F1 of the classes that have images or were predicted for some; nil where none was (Opitz and Burst 2019,
  /// arXiv:1911.03347: the mean of the F1, not the F1 of the means).
  public var macroF1: Double? { Self.mean(compactMap(\.f1)) }

  private static func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}

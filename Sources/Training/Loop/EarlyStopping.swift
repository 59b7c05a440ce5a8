// Which epoch was the best, and whether it is long enough ago to give up.

/// The best validation accuracy so far, and when to stop waiting for a better one.
public struct EarlyStopping: Sendable, Equatable {
  /// What an epoch's accuracy means.
  public enum Verdict: Sendable, Equatable {
    /// The best so far: worth a `best` checkpoint.
    case improved
    case goOn
    /// `patience` epochs in a row were not better.
    case stop
  }

  /// What a resumed run needs.
  public struct State: Codable, Sendable, Equatable {
    /// 0...1; nil before the first.
    public var bestAccuracy: Double?
    /// Epochs since the best.
    public var badEpochs = 0

    public init() {}
  }

  /// Epochs; nil never stops, nor does 0.
  public let patience: Int?
  public var state: State

  public init(patience: Int?, state: State = State()) {
    self.patience = patience == 0 ? nil : patience
    self.state = state
  }

  /// - Parameter validationAccuracy: 0...1; nil, where there are no validation images or their outputs are no
  ///   numbers, changes nothing, and neither does NaN.
  public mutating func epochEnded(validationAccuracy: Double?) -> Verdict {
    guard let accuracy = validationAccuracy, !accuracy.isNaN else { return .goOn }
    if accuracy > state.bestAccuracy ?? -.infinity {
      state.bestAccuracy = accuracy
      state.badEpochs = 0
      return .improved
    }
    state.badEpochs += 1
    return isExhausted ? .stop : .goOn
  }

  /// Whether the patience is used up; stays so until an epoch is better.
  public var isExhausted: Bool { state.badEpochs >= patience ?? .max }
}

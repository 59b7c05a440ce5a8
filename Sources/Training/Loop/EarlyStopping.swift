// Which epoch was the best, and whether it is long enough ago to give up: a pure function of the training state.

/// When to stop waiting for a better validation accuracy.
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

  /// Epochs; nil never stops.
  public let patience: Int?

  /// - Parameter patience: epochs; nil never stops, nor does 0.
  public init(patience: Int?) {
    self.patience = patience == 0 ? nil : patience
  }

  /// Counts an epoch.
  /// - Parameter validationAccuracy: 0...1; nil, where there are no validation images or their outputs are no
  ///   numbers, changes nothing, and neither does NaN.
  public func epochEnded(_ state: inout State, validationAccuracy: Double?) -> Verdict {
    guard let accuracy = validationAccuracy, !accuracy.isNaN else { return .goOn }
    if accuracy > state.bestAccuracy ?? -.infinity {
      state.bestAccuracy = accuracy
      state.badEpochs = 0
      return .improved
    }
    state.badEpochs += 1
    return isExhausted(state) ? .stop : .goOn
  }

  /// Whether the patience is used up; stays so until an epoch is better.
  public func isExhausted(_ state: State) -> Bool { state.badEpochs >= patience ?? .max }
}

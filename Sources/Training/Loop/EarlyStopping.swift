// Which epoch was the best, and whether it is long enough ago to give up: a pure function of the training state.

import Messages

/// When to stop waiting for a better epoch.
public struct EarlyStopping: Sendable, Equatable {
  /// What an epoch's figure means.
  public enum Verdict: Sendable, Equatable {
    /// The best so far: worth a `best` checkpoint.
    case improved
    case goOn
    /// `patience` epochs in a row were not better.
    case stop
  }

  /// What a resumed run needs.
  public struct State: Codable, Sendable, Equatable {
    /// The figure of the best epoch; nil before the first.
    public var best: Double?
    /// Epochs since the best.
    public var badEpochs = 0

    public init() {}
  }

  /// Epochs; nil never stops.
  public let patience: Int?
  /// The figure that counts.
  public let metric: BestMetric

  /// - Parameter patience: epochs; nil never stops, nor does 0.
  public init(patience: Int?, metric: BestMetric = .top1) {
    self.patience = patience == 0 ? nil : patience
    self.metric = metric
  }

  /// Counts an epoch.
  /// - Parameter value: the figure; nil, where there are no validation images or their outputs are no numbers, changes
  ///   nothing, and neither does NaN.
  public func epochEnded(_ state: inout State, value: Double?) -> Verdict {
    guard let value, !value.isNaN else { return .goOn }
    if metric.isBetter(value, than: state.best) {
      state.best = value
      state.badEpochs = 0
      return .improved
    }
    state.badEpochs += 1
    return isExhausted(state) ? .stop : .goOn
  }

  /// Whether the patience is used up; stays so until an epoch is better.
  public func isExhausted(_ state: State) -> Bool { state.badEpochs >= patience ?? .max }
}

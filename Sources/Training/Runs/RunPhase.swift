// What state an engine is in, judged by what its training loop reports.

import Messages

/// Follows a loop's events.
public struct RunPhase: Sendable {
  /// Where the loop is, whether paused or not.
  private var phase = EngineState.training

  public init() {}

  /// The state after an event; nil where it does not change.
  public mutating func state(after event: TrainingEvent) -> EngineState? {
    switch event {
    case .started, .computingFeatures, .epoch: phase = .training
    case .validating: phase = .validating
    case .resumed: break
    case .recovered: phase = .training
    case .paused, .diverged: return .paused
    case .step, .validated, .layers, .ranks, .learningRateChanged, .lengthChanged, .checkpointSaved,
      .checkpointRemoved,
      .saveFailed,
      .folderMoved, .warning, .warningEased, .finished:
      return nil
    }
    return phase
  }
}

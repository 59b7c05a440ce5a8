// How a run is guarded: how much of it a crash may cost, what it does when it diverges with nobody there to ask, and
// whether it may start without enough memory or with faulty data. None of it changes the result of a run in which
// nothing goes wrong.

/// The guards of a run.
public struct SafetySettings: Codable, Sendable, Equatable {
  /// Minutes of training between two saves of `last` at most.
  public var saveMinutes: Double
  /// What is done about a divergence when nobody can be asked.
  public var divergence: DivergencePolicy
  /// Start although the memory that is free seems too little.
  public var ignoresMemory: Bool
  /// Start although errors in the data are known.
  public var acceptsErrors: Bool

  public init(
    saveMinutes: Double = 5, divergence: DivergencePolicy = .stop, ignoresMemory: Bool = false,
    acceptsErrors: Bool = false
  ) {
    self.saveMinutes = saveMinutes
    self.divergence = divergence
    self.ignoresMemory = ignoresMemory
    self.acceptsErrors = acceptsErrors
  }
}

/// What a run that nobody watches does when its loss or gradient becomes NaN or infinite.
public enum DivergencePolicy: String, Codable, Sendable, CaseIterable {
  /// End the run as failed.
  case stop
  /// Go on behind the batch with a tenth of the rate; back to `last` if that does not help.
  case lower
  /// Go back to `last`, with a tenth of the rate; where that leads to the same again, to an older `best`.
  case rollback
}

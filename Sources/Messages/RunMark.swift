// What happened to a run besides learning, to be marked on its curves and written beside its metrics.

/// Something that happened to a run at a step.
public struct RunMark: Codable, Sendable, Equatable {
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// Somebody changed the learning rate; the value is the new peak.
    case learningRate
    case pause
    /// A numbered checkpoint was saved.
    case checkpoint
    /// After a divergence it went on from here; the value is the new peak learning rate.
    case recovery
    /// It was given another number of epochs, which is the value.
    case length
  }

  public var kind: Kind
  /// Steps that were done then.
  public var step: Int
  public var value: Double?

  /// `kind` is taken in a line of metrics.jsonl.
  private enum CodingKeys: String, CodingKey {
    case kind = "mark"
    case step, value
  }

  public init(_ kind: Kind, step: Int, value: Double? = nil) {
    self.kind = kind
    self.step = step
    self.value = value
  }
}

// Runs beside each other, as `skipline compare` and the runs pane show them.

/// What runs reached, and the settings in which they differ.
public struct RunTable: Codable, Sendable, Equatable {
  /// A value of a run.
  public enum Value: Codable, Sendable, Equatable {
    case text(String)
    case count(Int)
    /// Epochs done, of so many.
    case progress(done: Int, of: Int)
    /// Cross-entropy, nats.
    case loss(Double)
    /// 0...1.
    case share(Double)
    case seconds(Double)
    /// By the run's metric.
    case score(Score)

    /// What can be subtracted from that of another run.
    public var number: Double? {
      switch self {
      case .loss(let value), .share(let value): value
      case .score(let score): score.value
      case .text, .count, .progress, .seconds: nil
      }
    }
  }

  public struct Row: Codable, Sendable, Equatable {
    public var name: String
    /// One for each run, in their order; nil where a run has none.
    public var values: [Value?]

    public init(_ name: String, _ values: [Value?]) {
      self.name = name
      self.values = values
    }

    /// How far a run's value is above the first one's; nil where that is no number.
    public func difference(of place: Int) -> Double? {
      guard place > 0, let first = values.first??.number, let value = values[place]?.number else { return nil }
      return value - first
    }
  }

  public var runs: [RunSummary]
  public var results: [Row]
  /// By their options, without dashes; none that all runs agree on.
  public var settings: [Row]

  public init(runs: [RunSummary], results: [Row], settings: [Row]) {
    self.runs = runs
    self.results = results
    self.settings = settings
  }
}

/// What can be done to a run besides training it. None of it is done to what it holds.
public enum RunChange: Codable, Sendable, Equatable {
  /// Write something about it; an empty text takes it away.
  case note(folder: String, text: String)
  case rename(folder: String, name: String)
  /// Put it into its project's folder for removed runs.
  case remove(folder: String)
  /// Put a removed one back.
  case restore(folder: String, to: String)
}

// A run in a list of runs: what can be told of it from its folder without loading a checkpoint.

/// One run of a project.
public struct RunSummary: Codable, Sendable, Equatable {
  /// What a run does, or how far it came.
  public enum State: String, Codable, Sendable, CaseIterable {
    // While a process trains it.
    case preparing, training, paused, validating, evaluating, stopping, ending
    /// It waits to be told how to go on.
    case diverged
    /// A process has it that does not say what it does.
    case inUse = "in use"

    // While none does.
    /// All its epochs are done, and the last one was not cut short.
    case finished
    /// It can go on.
    case resumable
    /// What is wrong is in `problem`.
    case unreadable

    /// Whether a process trains it.
    public var isLive: Bool {
      switch self {
      case .preparing, .training, .paused, .validating, .evaluating, .stopping, .ending, .diverged, .inUse: true
      case .finished, .resumable, .unreadable: false
      }
    }
  }

  /// What a checkpoint of the run reached on its test images.
  public struct TestResult: Codable, Sendable, Equatable {
    /// `best`, `last`, `epoch-0003`.
    public var checkpoint: String
    /// 0...1.
    public var top1: Double

    public init(checkpoint: String, top1: Double) {
      self.checkpoint = checkpoint
      self.top1 = top1
    }
  }

  public var folder: String
  public var state: State
  /// Why it cannot be read; nil where it can.
  public var problem: String?
  /// The process that trains it, 0 where its number is not known; nil where none does.
  public var process: Int32?
  public var network: String?
  /// The options that make the network another than the one of its name: `--width 0.5`; nil for none.
  public var networkOptions: String?
  /// The dataset's folder.
  public var data: String?
  /// The weights that it began with; nil for those of a new network.
  public var initialWeights: String?
  /// Epochs and steps done, and epochs asked for.
  public var epoch: Int
  public var epochs: Int?
  public var step: Int
  /// The best score, by the run's metric.
  public var best: Score?
  /// The last that was measured.
  public var test: TestResult?
  /// When it was started, and when something of it was saved last: ISO 8601, UTC.
  public var created: String?
  public var changed: String?
  /// Seconds between the last save and when the run was listed.
  public var age: Double?
  /// What somebody wrote about it.
  public var note: String?

  public init(folder: String, state: State, epoch: Int = 0, epochs: Int? = nil, step: Int = 0) {
    self.folder = folder
    self.state = state
    self.epoch = epoch
    self.epochs = epochs
    self.step = step
  }

  /// The name of its folder.
  public var name: String { folder.split(separator: "/").last.map(String.init) ?? folder }
}

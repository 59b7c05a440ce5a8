// What may be changed when a run is resumed. Everything else stays as the run was started, so that the result is that
// of the uninterrupted run.

/// Settings for the rest of a run; nil leaves them as they are.
public struct ResumeChanges: Codable, Sendable, Equatable {
  /// The folder that the run's images are in now; what is in it is compared with what the run was started on.
  public var data: String?
  /// Epochs in all. The schedule is then that of a run of so many epochs: a cosine that had come down is up again.
  public var epochs: Int?
  /// Seconds in all, those of earlier sessions included.
  public var timeBudget: Double?
  /// Epochs that are no better than the best; 0 for no end by them.
  public var patience: Int?
  /// The peak rate from here on.
  public var learningRate: Double?
  public var threads: Int?
  public var workers: Int?
  public var saveMinutes: Double?
  public var divergence: DivergencePolicy?
  public var ignoresMemory: Bool
  /// Go on although errors in the data are known.
  public var acceptsErrors: Bool
  /// Go on although images were added, removed or changed.
  public var acceptsData: Bool

  public init(
    data: String? = nil, epochs: Int? = nil, timeBudget: Double? = nil, patience: Int? = nil,
    learningRate: Double? = nil, threads: Int? = nil, workers: Int? = nil, saveMinutes: Double? = nil,
    divergence: DivergencePolicy? = nil,
    ignoresMemory: Bool = false, acceptsErrors: Bool = false, acceptsData: Bool = false
  ) {
    self.data = data
    self.epochs = epochs
    self.timeBudget = timeBudget
    self.patience = patience
    self.learningRate = learningRate
    self.threads = threads
    self.workers = workers
    self.saveMinutes = saveMinutes
    self.divergence = divergence
    self.ignoresMemory = ignoresMemory
    self.acceptsErrors = acceptsErrors
    self.acceptsData = acceptsData
  }

  /// The settings of the run from here on. The peak rate is not among them: it is where the run stands.
  public func applied(to settings: TrainingSettings) -> TrainingSettings {
    var settings = settings
    for row in Settings.all { row.apply(self, to: &settings) }
    // So many epochs, however long they take.
    if epochs != nil { settings.budget = nil }
    return settings
  }

  /// - Throws: `OutOfRange` for the first number that is outside of its range.
  public func checkNumbers() throws(OutOfRange) {
    for row in Settings.all { try row.check(self) }
  }
}

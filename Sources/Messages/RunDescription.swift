// What there is to know about a run and about a checkpoint without loading either.

/// A checkpoint file and what its metadata says.
public struct CheckpointInfo: Codable, Sendable, Equatable {
  public var path: String
  /// The file's name without its ending: `last`, `best`, `epoch-0003`.
  public var name: String
  /// Epochs completed, and optimizer steps done.
  public var epoch: Int
  public var step: Int
  /// Validation accuracy when it was saved, 0...1; nil where there was none.
  public var validationAccuracy: Double?
  /// The same by the metric that its run is judged by; nil where there was none.
  public var score: Score?
  /// ISO 8601, UTC.
  public var savedAt: String
  /// What its weights are; nil for those that were trained.
  public var weights: SavedWeights?
  /// The dataset that its run is trained on; nil where that was not looked up.
  public var data: String?
  /// How the dataset that is open fits it; nil where that was not looked up.
  public var fit: DataFit?

  public init(
    path: String, name: String, epoch: Int, step: Int, validationAccuracy: Double?, savedAt: String,
    weights: SavedWeights? = nil, data: String? = nil, fit: DataFit? = nil, score: Score? = nil
  ) {
    self.data = data
    self.fit = fit
    self.path = path
    self.name = name
    self.epoch = epoch
    self.step = step
    self.validationAccuracy = validationAccuracy
    self.score = score ?? validationAccuracy.map { Score(.top1, $0) }
    self.savedAt = savedAt
    self.weights = weights
  }
}

extension CheckpointInfo {
  /// Whether it is one of those that are saved every so many epochs.
  public var isNumbered: Bool { name.hasPrefix("epoch-") }
}

/// What the weights in a checkpoint are where they are not those that were trained.
public enum SavedWeights: String, Codable, Sendable, CaseIterable {
  /// Their average over the steps (`--ema`).
  case averaged
  /// The slow ones of `--lookahead`.
  case slow

  /// `averaged weights (--ema)`
  public var text: String {
    switch self {
    case .averaged: "averaged weights (--ema)"
    case .slow: "slow weights (--lookahead)"
    }
  }
}

/// How a dataset fits a checkpoint.
public enum DataFit: String, Codable, Sendable {
  /// It is the one that the checkpoint is of.
  case own
  /// Another one, with classes that the checkpoint knows.
  case otherData
  /// Another one, and the checkpoint knows none of its classes: it cannot be evaluated there.
  case otherClasses
}

/// A run as it starts or is resumed: what the curves need to know before the first step.
public struct RunDescription: Codable, Sendable, Equatable {
  /// The run's folder.
  public var folder: String
  public var settings: TrainingSettings
  /// What of them the recipe chose; nil where nothing was left to it.
  public var recipe: RecipeReport?
  public var classes: [String]
  /// Images that each epoch trains on.
  public var trainingImages: Int
  public var validationImages: Int
  public var stepsPerEpoch: Int
  public var parameters: Int
  /// Those of them that keep their values in the epoch that comes next.
  public var frozenParameters: Int
  /// Accuracy of always answering the most frequent training class, 0...1.
  public var majorityBaseline: Double
  /// The epochs done before, when the run is resumed.
  public var history: [EpochMetrics]
  /// The steps done before, as far as they were logged.
  @CompactSteps public var steps: [StepMetrics]
  /// What happened to it before, by rising steps.
  public var marks: [RunMark] = []
  /// What the validations before gave each class.
  public var classFigures: [ClassFigures] = []
  /// The newest look at its layers; nil where there is none.
  public var layers: LayerStatistics?
  /// The rows of its network; nil for networks of very many.
  public var network: NetworkSummary?
  /// Whether whoever trains it evaluates checkpoints meanwhile.
  public var evaluates = true

  public init(
    folder: String, settings: TrainingSettings, recipe: RecipeReport? = nil, classes: [String], trainingImages: Int,
    validationImages: Int, stepsPerEpoch: Int, parameters: Int, frozenParameters: Int = 0, majorityBaseline: Double,
    history: [EpochMetrics] = [],
    steps: [StepMetrics] = []
  ) {
    self.folder = folder
    self.settings = settings
    self.recipe = recipe
    self.classes = classes
    self.trainingImages = trainingImages
    self.validationImages = validationImages
    self.stepsPerEpoch = stepsPerEpoch
    self.parameters = parameters
    self.frozenParameters = frozenParameters
    self.majorityBaseline = majorityBaseline
    self.history = history
    self.steps = steps
  }
}

/// A run that nobody trains, as its folder tells it.
public struct RunHistory: Codable, Sendable, Equatable {
  /// With its metrics thinned out where there are many.
  public var run: RunDescription
  /// How it ended; nil where it did not come to an end that was written down. Its seconds are NaN where its figures do
  /// not tell them.
  public var outcome: RunOutcome?
  /// The process that trains it now, 0 where its number is not known; nil where none does.
  public var trainer: Int32?
  /// How far it came: epochs done and steps, by its log, its checkpoints and its metrics.
  public var reached: Place?
  /// What its metrics lack, in words: `metrics.jsonl is missing`.
  public var gap: String?

  public struct Place: Codable, Sendable, Equatable {
    public var epoch: Int
    public var step: Int

    public init(epoch: Int, step: Int) {
      self.epoch = epoch
      self.step = step
    }
  }

  public init(
    run: RunDescription, outcome: RunOutcome?, trainer: Int32? = nil, reached: Place? = nil, gap: String? = nil
  ) {
    self.run = run
    self.outcome = outcome
    self.trainer = trainer
    self.reached = reached
    self.gap = gap
  }
}

/// How a run ended.
public struct RunOutcome: Codable, Sendable, Equatable {
  public enum Reason: String, Codable, Sendable {
    case completed, timeBudget, earlyStopping, stopped
  }

  public var folder: String
  public var reason: Reason
  public var epochs: Int
  public var steps: Int
  /// The best epoch's score by the run's metric; nil without validation images.
  public var best: Score?
  /// The same where that is the accuracy.
  public var bestValidationAccuracy: Double?
  /// Seconds of wall time.
  public var seconds: Double
  /// How often a checkpoint could not be written.
  public var failedSaves: Int
  /// Names of the checkpoints that are missing at the end because they never could be: `best`, `epoch-0003`.
  public var unsaved: [String]
  /// What would let the run go on, where it did not come to the end of its epochs or had nothing left to train.
  public var advice: String?

  public init(
    folder: String, reason: Reason, epochs: Int, steps: Int, bestValidationAccuracy: Double?, seconds: Double,
    failedSaves: Int = 0, unsaved: [String] = [], advice: String? = nil
  ) {
    best = bestValidationAccuracy.map { Score(.top1, $0) }
    self.advice = advice
    self.failedSaves = failedSaves
    self.unsaved = unsaved
    self.folder = folder
    self.reason = reason
    self.epochs = epochs
    self.steps = steps
    self.bestValidationAccuracy = bestValidationAccuracy
    self.seconds = seconds
  }

  /// - Parameter best: the best epoch's score.
  public init(
    folder: String, reason: Reason, epochs: Int, steps: Int, best: Score?, seconds: Double, failedSaves: Int = 0,
    unsaved: [String] = [], advice: String? = nil
  ) {
    self.init(
      folder: folder, reason: reason, epochs: epochs, steps: steps,
      bestValidationAccuracy: best?.metric == .top1 ? best?.value : nil, seconds: seconds, failedSaves: failedSaves,
      unsaved: unsaved, advice: advice)
    self.best = best
  }
}

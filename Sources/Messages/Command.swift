// What the screen asks of the engine, divided by who answers it, so that nobody is handed what it cannot answer. Every
// command is a value, so that it can cross a thread, and those about work a socket.

/// What a person browses: answered at once, also while a step is computed.
public enum BrowsingCommand: Sendable, Equatable {
  /// Read a dataset's folder and, with `checkingFiles`, every file in it; answered by `.dataset`, with
  /// `.datasetProgress` before it.
  case openDataset(path: String, split: SplitSettings, checkingFiles: Bool)
  /// Cancel the scan or file check that is under way or waiting. It overtakes the commands that wait.
  case cancelReading
  /// Change what was decided about images of a dataset; answered by `.dataset`.
  case decide(data: String, split: SplitSettings, changes: [DecisionChange])
  /// Describe the network these settings would build, what of it would be trained at first, and the memory that training it would take with so many threads
  /// (nil for as many as there are processors) and what else has to be remembered; answered by `.network`.
  case describeNetwork(
    NetworkSettings, imageSize: Int, classes: Int, batchSize: Int, threads: Int? = nil, workers: Int = 1,
    freeze: FreezeSettings = .none, remembering: RememberedNumbers = RememberedNumbers())
  /// List the runs of a folder and their checkpoints, those of the dataset opened last before others; answered by
  /// `.runs` and `.checkpoints`.
  case listCheckpoints(project: String)
  /// Read the metrics of a run that nobody trains; answered by `.runHistory`.
  case readRun(folder: String)
  /// Put runs beside each other; answered by `.runTable`.
  case compareRuns([String])
  /// Begin a degradation lab, or say where it stands; answered by `.lab`.
  case lab(LabQuestion)
  /// List, save or read recipes; answered by `.recipes`.
  case recipes(RecipeQuestion)
  /// Rename a run, remove it, or write something about it; answered by `.runChanged`.
  case changeRun(RunChange)
  /// Decode one file for display, its longer side at most `maximumSide` pixels; answered by `.preview`.
  case preview(path: String, maximumSide: Int)
  /// Decode files for a sheet of small pictures; each is answered by `.thumbnail`. Files that were asked for before and
  /// are not decoded yet are not wanted any more.
  case thumbnails(paths: [String], maximumSide: Int)
}

/// What there is to know before a run. Steps are tried for some seconds; a newer command takes the place of one that is
/// under way.
public enum PlanningCommand: Sendable, Equatable {
  /// Say what a run with these settings would do and take; answered by `.plan`.
  case plan(TrainingSettings)
  /// Plan a degradation lab, or find the one that is there already; answered by `.lab`.
  case planLab(LabRequest)
  /// Try learning rates; answered by `.learningRates`.
  case findLearningRate(TrainingSettings)
}

/// What is asked about saved recipes.
public enum RecipeQuestion: Sendable, Equatable {
  case list
  /// Keep settings by a name. One of that name that says something else is replaced only if that is asked for.
  case save(name: String, TrainingSettings, replaces: Bool)
  /// Read the settings of a recipe for the data of others.
  case load(name: String, for: TrainingSettings)
}

/// What becomes of that.
public enum RecipeAnswer: Codable, Sendable, Equatable {
  case list([RecipeListing])
  case saved(name: String, file: String)
  /// Another one of that name is there.
  case exists(name: String)
  case loaded(name: String, TrainingSettings)
  case failed(String)
}

/// What training remembers of each weight besides its gradient, and so what memory it takes.
public struct RememberedNumbers: Sendable, Equatable {
  public var optimizer: OptimizerSettings
  public var ema: Double?
  public var accumulate: Int
  public var replicas: Int

  public init(
    optimizer: OptimizerSettings = OptimizerSettings(), ema: Double? = nil, accumulate: Int = 1, replicas: Int = 1
  ) {
    // Only what counts: another momentum needs no other memory.
    self.optimizer = optimizer.method.usual
    self.optimizer.lookahead = optimizer.lookahead
    self.ema = ema.map { _ in 0.5 }
    self.accumulate = min(2, accumulate)
    self.replicas = replicas
  }
}

/// Work: carried out between two steps, in order.
public enum WorkCommand: Codable, Sendable, Equatable {
  /// Start a new run; refused while one is under way.
  case start(TrainingSettings)
  /// Go on with an earlier run from its last checkpoint; refused while one is under way. Where its images are not what
  /// they were, and that is not accepted, answered by `.dataChanged`.
  case resumeRun(folder: String, changes: ResumeChanges = ResumeChanges())
  /// Steer the run that is under way.
  case training(TrainingCommand)
  /// Evaluate a checkpoint on a split of the data; training, if any, waits. Without a split: on the test images, or on
  /// all of data that are not divided. Unless it is to be made anew, one that is kept of the same checkpoint is the answer.
  /// Answered by `.evaluation`.
  case evaluate(
    checkpoint: String, data: String?, split: EvaluationSplit?, folders: SplitFolders? = nil, anew: Bool? = nil)
}

/// What a running training loop can be told; it takes effect within one step.
public enum TrainingCommand: Codable, Sendable, Equatable {
  case pause
  case resume
  /// Save `last`, then end the run.
  case stop
  /// Save `last` now.
  case saveCheckpoint
  /// Save the weights of this moment as a checkpoint of their own, `step-000123`, which stays: to evaluate them while
  /// training goes on.
  case saveMoment
  /// Set the schedule's peak rate from now on.
  case setLearningRate(Double)
  /// What to do about a divergence; only while the loop waits for it. `.resume` then means `.lowerRate`.
  case recover(Recovery)
}

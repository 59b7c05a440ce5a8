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
  /// (nil for as many as there are processors); answered by `.network`.
  case describeNetwork(
    NetworkSettings, imageSize: Int, classes: Int, batchSize: Int, threads: Int? = nil, workers: Int = 1,
    freeze: FreezeSettings = .none)
  /// List the checkpoints of every run in a folder, those of the dataset opened last before others; answered by
  /// `.checkpoints`.
  case listCheckpoints(project: String)
  /// Read the metrics of a run that nobody trains; answered by `.runHistory`.
  case readRun(folder: String)
  /// Decode one file for display, its longer side at most `maximumSide` pixels; answered by `.preview`.
  case preview(path: String, maximumSide: Int)
}

/// What there is to know before a run. Steps are tried for some seconds; a newer command takes the place of one that is
/// under way.
public enum PlanningCommand: Sendable, Equatable {
  /// Say what a run with these settings would do and take; answered by `.plan`.
  case plan(TrainingSettings)
  /// Try learning rates; answered by `.learningRates`.
  case findLearningRate(TrainingSettings)
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
  /// all of data that are not divided. Answered by `.evaluation`.
  case evaluate(checkpoint: String, data: String?, split: EvaluationSplit?, folders: SplitFolders? = nil)
}

/// What a running training loop can be told; it takes effect within one step.
public enum TrainingCommand: Codable, Sendable, Equatable {
  case pause
  case resume
  /// Save `last`, then end the run.
  case stop
  /// Save `last` now.
  case saveCheckpoint
  /// Set the schedule's peak rate from now on.
  case setLearningRate(Double)
  /// What to do about a divergence; only while the loop waits for it. `.resume` then means `.lowerRate`.
  case recover(Recovery)
}

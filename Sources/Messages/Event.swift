// What the engine tells the screen. Every event is a value, so that it can cross a thread or a socket.

/// What the engine is doing.
public enum EngineState: Codable, Sendable, Equatable {
  case idle
  /// Reading the dataset, measuring its mean and std, building the network.
  case preparing
  case training
  case paused
  /// Measuring the validation images at the end of an epoch.
  case validating
  case evaluating(checkpoint: String)
  case stopping
}

/// Something that happened in the engine.
public enum Event: Codable, Sendable, Equatable {
  case state(EngineState)
  case datasetProgress(DatasetProgress)
  case dataset(DatasetReport)
  /// The scan or file check of a dataset was cancelled, as asked.
  case readingCancelled
  case network(NetworkSummary)
  /// What a run with the settings asked about would do; or the reason why there is no plan.
  case plan(TrainingSettings, RunPlan?, reason: String?)
  /// How the loss went as the rate grew; or the reason why that is not known.
  case learningRates(TrainingSettings, LearningRateCurve?, reason: String?)
  case checkpoints([CheckpointInfo])
  /// The metrics of a run, or the reason why there are none.
  case runHistory(folder: String, RunHistory?, reason: String?)
  /// The runs of a project.
  case runs(project: String, [RunSummary])
  /// Runs beside each other, or the reason why they are not.
  case runTable(RunTable?, reason: String?)
  /// A degradation lab, or the reason why there is none.
  case lab(LabAnswer)
  /// What became of a question about saved recipes.
  case recipes(RecipeAnswer)
  /// A run was changed as asked; its folder is this one now.
  case runChanged(RunChange, folder: String)
  /// A decoded picture, or the reason why there is none.
  case preview(path: String, PixelImage?, reason: String?)
  /// The same of a sheet of small ones.
  case thumbnail(path: String, PixelImage?, reason: String?)

  /// What goes on while the state is `.preparing`.
  case preparing(PreparationProgress)
  case training(TrainingEvent)

  case evaluationProgress(done: Int, total: Int)
  case evaluation(EvaluationReport)

  /// What an evaluation found of each image can be asked for now: by `InspectionCommand.openEvaluation`.
  case evaluationKept(EvaluationSource)

  /// How far the answer to a question is.
  case inspectionProgress(InspectionCommand, done: Int, total: Int)
  /// The answer to a question about a model's answers.
  case inspection(InspectionCommand, InspectionAnswer)

  /// The run was not resumed, because its images changed.
  case dataChanged(DataChangeReport)

  /// Something to know; work goes on.
  case warning(String)
  /// What was asked could not be done: what happened, to which file, what to do.
  case failure(String)
}

/// What a training loop reports, in the order in which it happens.
public enum TrainingEvent: Codable, Sendable, Equatable {
  case started(RunDescription)
  /// The frozen layers are run once for every image, of `total` views, before the classifier is trained.
  case computingFeatures(done: Int, total: Int)
  case step(StepMetrics)
  case validating(done: Int, total: Int)
  case epoch(EpochMetrics)
  /// What the validation of the epoch before says of classes and images.
  case validated(ValidationDetails)
  /// What the layers were like in the step before.
  case layers(LayerStatistics)
  /// How the ranks are doing, of a run that several train; at most once a second.
  case ranks(RankReport)
  case paused
  case resumed
  case learningRateChanged(Double)
  /// A run that has to end at a time has been given more or fewer steps; both counts are of the whole run.
  case lengthChanged(epochs: Int, steps: Int)
  case checkpointSaved(CheckpointInfo)
  /// A numbered checkpoint that the keep policy gave up, by its path.
  case checkpointRemoved(path: String)
  /// A checkpoint could not be written; it is tried again.
  case saveFailed(SaveFailure)
  /// Loss, gradient or weights are not finite. The loop waits for `.recover` if somebody can be asked.
  case diverged(DivergenceReport)
  case recovered(RecoveryReport)
  /// The run's folder was renamed or moved; the run goes on there.
  case folderMoved(to: String)
  case warning(String)
  /// What a warning of this text was about is over.
  case warningEased(String)
  case finished(RunOutcome)
}

// Where a run stands: everything besides weights and momentum that training goes on from. All else of a run is a
// function of its settings.

import Messages

/// The progress of a run, as a checkpoint keeps it.
public struct TrainingState: Codable, Sendable, Equatable {
  /// Epochs that are over, validation included.
  public var epochsDone = 0
  /// Optimizer steps done.
  public var step = 0
  /// Batches of the current epoch that are done; all of them while it is validated.
  public var batch = 0
  /// Steps since what the optimizer remembers began anew.
  public var optimizerSteps = 0
  /// Steps in the average of the weights since it began anew.
  public var averagedSteps = 0
  /// Sums over the images of the current epoch so far.
  public var epochTotals = EpochTotals()
  /// Where the run has to end at a time, the steps for which there is time; nil where it has its epochs.
  public var fit: TimeFit?
  public var schedule: LearningRateSchedule.State
  public var earlyStopping: EarlyStopping.State
  /// The validation accuracy of the last epoch that was validated.
  public var validationAccuracy: Double?
  /// The same by the metric that the run is judged by.
  public var score: Score?
  /// Whether the outputs for images of that validation were not finite; nil where none was validated.
  public var validationDiverged: Bool?
  /// Seconds of training time so far, pauses left out.
  public var seconds = 0.0
  /// Whether the time budget ended the last epoch before all its batches were done; nil where it did not.
  public var wasCutShort: Bool?
  /// Identifies images and split; another one means that the data changed.
  public var splitFingerprint: String

  /// Before the first step.
  /// - Parameter peak: the rate that the schedule scales.
  public init(peak: Double, splitFingerprint: String) {
    schedule = LearningRateSchedule.State(peak: peak)
    earlyStopping = EarlyStopping.State()
    self.splitFingerprint = splitFingerprint
  }

  /// Steps done as the schedule counts them.
  var scheduledStep: Int { scheduled(step) }

  /// The step of the schedule that stands for a step of the run.
  func scheduled(_ step: Int) -> Int { fit?.scheduled(step) ?? step }
}

extension TrainingState {
  /// Counts a step.
  /// - Parameters:
  ///   - batch: the number of its last batch in the epoch, from 0.
  ///   - loss: the mean over its images, nats.
  ///   - correct: images predicted rightly; of a mixed one, a share.
  ///   - seconds: of wall time, waiting for batches included.
  mutating func stepEnded(
    batch: Int, images: Int, loss: Double, correct: Double, skipped: Int, seconds: Double, waiting: Double
  ) {
    step += 1
    optimizerSteps += 1
    averagedSteps += 1
    self.batch = batch + 1
    self.seconds += seconds
    epochTotals.images += images
    epochTotals.loss += loss * Double(images)
    epochTotals.correct += correct
    epochTotals.skipped += skipped
    epochTotals.seconds += seconds
    epochTotals.secondsWaiting? += waiting
  }

  /// Counts an epoch.
  /// - Parameters:
  ///   - validation: nil where there are no validation images.
  ///   - metric: by which the run is judged.
  ///   - seconds: that the validation took.
  /// - Returns: what the epoch added up.
  mutating func epochEnded(
    validation: ValidationMetrics?, metric: BestMetric = .top1, seconds: Double
  ) -> EpochTotals {
    defer { epochTotals = EpochTotals() }
    self.seconds += seconds
    epochsDone += 1
    batch = 0
    validationAccuracy = validation.flatMap { $0.isFinite ? $0.top1 : nil }
    score = metric.score(of: validation)
    validationDiverged = validation?.isFinite == false
    return epochTotals
  }

  /// Stands at the end of an epoch again of which only the weights are kept: epochs without improvement count from
  /// there. The time that was spent since stays spent.
  mutating func goBack(to checkpoint: CheckpointInfo) {
    epochsDone = checkpoint.epoch
    step = checkpoint.step
    batch = 0
    (optimizerSteps, averagedSteps) = (0, 0)
    epochTotals = EpochTotals()
    validationAccuracy = checkpoint.validationAccuracy
    score = checkpoint.score
    validationDiverged = false
    schedule.restart()
    earlyStopping = EarlyStopping.State()
    earlyStopping.best = checkpoint.score?.value
  }
}

extension TrainingState {
  /// - Throws: `OutOfRange` for a number that no run comes to.
  func checkNumbers() throws(OutOfRange) {
    try Limits.epoch.check(epochsDone, at: "epochsDone")
    try Limits.count.check(step, at: "step")
    try Limits.count.check(batch, at: "batch")
    try Limits.count.check(optimizerSteps, at: "optimizerSteps")
    try Limits.count.check(averagedSteps, at: "averagedSteps")
    try Limits.count.check(epochTotals.images, at: "epochTotals.images")
    try Limits.correct.check(epochTotals.correct, at: "epochTotals.correct")
    try Limits.count.check(epochTotals.skipped, at: "epochTotals.skipped")
    try Limits.loss.check(epochTotals.loss, at: "epochTotals.loss")
    try Limits.seconds.check(epochTotals.seconds, at: "epochTotals.seconds")
    try Limits.seconds.check(epochTotals.secondsWaiting, at: "epochTotals.secondsWaiting")
    try Limits.currentRate.check(schedule.peak, at: "schedule.peak")
    try Limits.epoch.check(schedule.reductions, at: "schedule.reductions")
    try Limits.epoch.check(schedule.badEpochs, at: "schedule.badEpochs")
    try Limits.loss.check(schedule.bestLoss, at: "schedule.bestLoss")
    try Limits.epoch.check(earlyStopping.badEpochs, at: "earlyStopping.badEpochs")
    try Limits.loss.check(earlyStopping.best, at: "earlyStopping.best")
    try Limits.share.check(validationAccuracy, at: "validationAccuracy")
    try Limits.loss.check(score?.value, at: "score.value")
    try Limits.seconds.check(seconds, at: "seconds")
  }
}

/// What an epoch adds up over its training images.
public struct EpochTotals: Codable, Sendable, Equatable {
  public var images = 0
  /// The sum of the images' losses, nats.
  public var loss = 0.0
  /// Images predicted rightly; of a mixed one, a share.
  public var correct = 0.0
  public var skipped = 0
  /// Seconds of wall time, pauses left out.
  public var seconds = 0.0
  /// Those of them in which a step waited for its batch; nil where that was not measured.
  public var secondsWaiting: Double? = 0

  public init() {}

  /// The share of the time that was spent waiting, 0...1.
  var dataWait: Double? { seconds > 0 ? secondsWaiting.map { $0 / seconds } : nil }
}

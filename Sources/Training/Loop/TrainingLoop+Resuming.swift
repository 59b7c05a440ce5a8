// Where the loop goes back to: what `last` or an epoch's checkpoint hold, or the beginning. Rank 0 alone does, and tells
// the others.

import Files
import Messages
import Networks

extension TrainingLoop {
  /// Puts the loop to where the run's `last` checkpoint stands, and changes what is to be otherwise from there on.
  func resume(_ resuming: Resumption) throws {
    for folder in [run.path, run.checkpointsPath] { AtomicFile.sweepLeftovers(in: folder) }
    try restoreLast()
    // Where changed data were accepted, the position may lie behind the end of the epoch.
    state.batch = min(state.batch, setup.training.batchCount)
    state.splitFingerprint = setup.index.fingerprint
    // Somebody gave the run a number of epochs instead of a time.
    if setup.trainingTime == nil { state.fit = nil }
    history = try MetricsReader.reading(
      run.metricsPath, best: settings.best, classes: setup.index.classes)
    marks = history.marks
    let peakBefore = state.schedule.peak
    if let rate = resuming.newPeak {
      state.schedule.peak = rate
      checkpointer?.changed()
      records.log.info("resumed with the learning rate \(rate)")
      mark(.learningRate, rate)
    }
    if let epochs = resuming.epochs, epochs != settings.epochs {
      mark(.length, Double(settings.epochs))
      noticesAtResume.append(
        ResumeAdvice(settings: settings, state: state, run: run.path)
          .rateText(epochsBefore: epochs, peakBefore: peakBefore, stepsPerEpoch: setup.stepsPerEpoch))
    }
  }

  /// Restores weights, the optimizer's state, statistics and position, and cuts the records back to them; to the first
  /// step where nothing was saved yet.
  /// - Throws: `CheckpointError`, `SafetensorsError` or `FileOperationError`.
  func restoreLast() throws {
    guard let checkpointer, let saved = try learner.restoreLast(checkpointer) else { return try beginAgain() }
    state = saved
    try records.rewind(to: state)
  }

  /// Goes back to the end of an epoch of which only the weights are kept: the momentum is forgotten.
  /// - Throws: `CheckpointError.lost`, `.doesNotFit` or `FileOperationError`.
  func restore(_ checkpoint: CheckpointInfo) throws {
    try checkpointer?.restore(checkpoint, into: network)
    state.goBack(to: checkpoint)
    learner.enterPhase(epochsDone: state.epochsDone)
    learner.beginFromWeights()
    try records.rewind(to: state)
  }

  /// Puts everything to where a new run begins, and the records with it.
  func beginAgain() throws {
    try learner.beginAgain()
    state = setup.firstState
    checkpointer?.forgetSaved()
    try records.rewind(to: state)
  }
}

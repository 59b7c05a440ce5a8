// What the loop does when a step cannot be taken, or a validation gives no numbers: it tells, lets rank 0 decide, and goes
// on or ends. What is decided is DivergenceRecovery's.

import Files
import Messages
import Networks

extension TrainingLoop {
  /// Tells of a divergence and does about it what was chosen.
  /// - Returns: false when somebody ended the run.
  /// - Throws: `failure` where nobody chose to go on; what reading a checkpoint throws.
  func recover(from divergence: Divergence, failure: TrainingError) throws -> Bool {
    consensus.failureIsOver()
    var decision: (way: DivergenceRecovery.Decision, report: DivergenceReport, earlier: CheckpointInfo?)?
    try lead { decision = decide(about: divergence, $0) }
    // The others only learn what becomes of it.
    let choice = try consensus.decide {
      switch decision?.way {
      case .go(let way): Choice(way: way)
      case .end: Choice(isEnd: true)
      case .fail, nil: Choice()
      }
    }
    guard let way = choice.way else {
      holdBack(divergence)
      if choice.isEnd {
        stopping = true
        return false
      }
      try lead { if savesAtEnd { try $0.saveLastIfChanged(snapshot) } }
      throw failure
    }
    try go(on: way, divergence, decision?.report, to: decision?.earlier)
    return true
  }

  /// What becomes of a divergence, for those who did not decide it.
  private struct Choice: Codable {
    /// nil where nobody goes on.
    var way: Recovery?
    var isEnd = false
  }

  /// Asks whoever is there, or the policy.
  private func decide(
    about divergence: Divergence, _ checkpointer: Checkpointer
  ) -> (DivergenceRecovery.Decision, DivergenceReport, CheckpointInfo?) {
    let earlier =
      divergence.cause == .validation
      ? checkpointer.checkpointBefore(step: state.step, isJudged: !setup.validation.items.isEmpty) : nil
    let report = self.report(of: divergence, earlier: earlier, checkpointer)
    let (step, rate, files) = (report.step, report.learningRate, report.files.prefix(100))
    records.log.error("diverged (\(report.cause.rawValue)) at step \(step), rate \(rate), on \(files)")
    hooks.report(.diverged(report))
    let conversation = DivergenceRecovery.Conversation(
      isAttended: hooks.isAttended, nextCommand: { [hooks] in hooks.nextCommand(false) },
      setLearningRate: setLearningRate, warn: { [hooks] in hooks.report(.warning($0)) })
    return (recovery.decide(report, among: conversation), report, earlier)
  }

  /// - Parameter earlier: what to roll back to instead of `last`.
  private func go(
    on recovery: Recovery, _ divergence: Divergence, _ report: DivergenceReport?, to earlier: CheckpointInfo?
  ) throws {
    let peak = state.schedule.peak * Recovery.loweredTo
    if recovery.goesBack {
      try lead { checkpointer in
        try checkpointer.keepToFolder(step: state.step)
        switch recovery {
        case .rollBack: if let earlier { try restore(earlier) } else { try restoreLast() }
        case .rollBackToBest: if let best = report?.best { try restore(best) }
        case .beginAgain: try beginAgain()
        case .lowerRate, .stop: break
        }
      }
      try learner.spread(state)
    } else {
      // After a validation the next epoch begins.
      if divergence.cause != .validation { state.batch = divergence.batch + 1 }
      // The momentum is what led here.
      learner.resetOptimizer()
      state.optimizerSteps = 0
    }
    state.schedule.peak = peak
    lossWatch.restart()
    if recovery.goesBack { validationWatch = ValidationWatch() }
    estimate = freshEstimate()
    records.log.warning("\(recovery.rawValue): goes on from step \(state.step) with the peak rate \(peak)")
    mark(.recovery, peak)
    hooks.report(.recovered(RecoveryReport(recovery: recovery, step: state.step, learningRate: peak)))
    try lead { checkpointer in
      guard recovery.goesBack else {
        // Not before a step was taken: if it cannot be, `last` is what to go back to.
        return checkpointer.changed()
      }
      // So that a crash does not lead through the same again.
      try checkpointer.saveLast(snapshot)
      checkpointer.setAsideLater(than: state)
    }
  }

  /// So many images are named at most.
  private static let mostFiles = 1000

  private func report(
    of divergence: Divergence, earlier: CheckpointInfo?, _ checkpointer: Checkpointer
  ) -> DivergenceReport {
    let isValidation = divergence.cause == .validation
    return DivergenceReport(
      cause: divergence.cause,
      step: [.weights, .validation].contains(divergence.cause) ? state.step : state.step + 1,
      epoch: isValidation ? state.epochsDone : state.epochsDone + 1, loss: divergence.loss,
      gradientNorm: divergence.gradientNorm,
      learningRate: isValidation ? schedule.lastRate(state) : schedule.rate(state), batch: divergence.batch + 1,
      files: Array(divergence.files.prefix(Self.mostFiles)), images: divergence.files.count,
      canLeaveOut: canLeaveOut(divergence), savedStep: isValidation ? earlier?.step : checkpointer.savedState?.step,
      best: checkpointer.bestToGoBackTo(step: state.step))
  }

  /// Whether the run can go on behind the batch.
  private func canLeaveOut(_ divergence: Divergence) -> Bool {
    if divergence.cause == .validation { return hasMore }
    // An epoch without a single image that was trained on would be none.
    return divergence.cause != .weights
      && (state.epochTotals.images > 0 || divergence.batch + 1 < setup.training.batchCount)
  }

  /// Keeps the `last` that is on disk instead of a state that training cannot go on from.
  private func holdBack(_ divergence: Divergence) {
    if divergence.cause == .weights || lossWatch.isDiverging { savesAtEnd = false }
  }

  /// - Parameter images: those whose outputs are not finite; nil where that is not known any more.
  func validationFailure(images: [String]?) -> TrainingError {
    .validationDiverged(run: run.path, epoch: state.epochsDone, images: images, of: setup.validation.items.count)
  }
}

// What a loop does when a step cannot be taken because loss, gradient or weights are no numbers, or when the outputs for
// validation images are none: it asks whoever is there, or follows the run's policy. Nothing that is no number ever gets
// into a checkpoint.

import Glibc
import Messages
import Networks
import Tensors

/// A step that was not taken; the state is the one before it. Or a validation whose outputs are no numbers; the state is
/// that of the end of its epoch.
struct Divergence: Error {
  var cause: DivergenceReport.Cause
  var loss: Double
  var gradientNorm: Double
  /// The batch's number in its epoch, from 0, and its images.
  var batch: Int
  var files: [String]
}

/// The running statistics of a network, which a forward pass changes before it is known what comes of it.
struct RunningStatistics {
  private let buffers: [Tensor]
  private let counts: [Int]

  init(of network: Network) {
    buffers = network.buffers.map(\.value)
    counts = network.batchNorms.map(\.batchesTracked)
  }

  func restore(to network: Network) {
    for (buffer, value) in zip(network.buffers, buffers) { buffer.value = value }
    for (norm, count) in zip(network.batchNorms, counts) { norm.batchesTracked = count }
  }
}

extension TrainingLoop {
  /// Tells of a divergence and does about it what was chosen.
  /// - Returns: false when somebody ended the run.
  /// - Throws: `failure` where nobody chose to go on; what reading a checkpoint throws.
  func recover(from divergence: Divergence, failure: TrainingError) throws -> Bool {
    let isValidation = divergence.cause == .validation
    let rate = schedule.rate(step: isValidation ? max(0, state.step - 1) : state.step)
    let earlier = isValidation ? checkpointBefore(step: state.step) : nil
    let report = DivergenceReport(
      cause: divergence.cause,
      step: [.weights, .validation].contains(divergence.cause) ? state.step : state.step + 1,
      epoch: isValidation ? state.epochsDone : state.epochsDone + 1, loss: divergence.loss,
      gradientNorm: divergence.gradientNorm, learningRate: rate, batch: divergence.batch + 1,
      files: Array(divergence.files.prefix(Self.mostFiles)), images: divergence.files.count,
      canLeaveOut: canLeaveOut(divergence), savedStep: isValidation ? earlier?.step : savedState?.step,
      best: bestToGoBackTo())
    log.error(
      "diverged (\(report.cause.rawValue)) at step \(report.step), rate \(rate), on \(report.files.prefix(100))")
    hooks.report(.diverged(report))

    guard var recovery = waitForAnswer() ?? unattendedRecovery(report) else {
      holdBack(divergence)
      return false
    }
    if recovery == .stop {
      holdBack(divergence)
      if savesAtEnd, savedState != state { try attempt { try saveLast() } }
      throw failure
    }
    if recovery == .lowerRate && !report.canLeaveOut { recovery = .rollBack }
    if recovery == .rollBackToBest && report.best == nil { recovery = .rollBack }
    if recovery == .rollBack && report.savedStep == nil { recovery = .beginAgain }
    try go(on: recovery, report, to: earlier)
    return true
  }

  /// So many images are named at most.
  private static let mostFiles = 1000

  /// - Parameter earlier: what to roll back to instead of `last`.
  private func go(on recovery: Recovery, _ report: DivergenceReport, to earlier: CheckpointInfo?) throws {
    let peak = schedule.state.peak * Recovery.loweredTo
    if recovery.goesBack { try keepToFolder() }
    switch recovery {
    case .rollBack: if let earlier { try restore(earlier) } else { try restore() }
    case .rollBackToBest: if let best = report.best { try restore(best) }
    case .beginAgain: try begin()
    case .lowerRate, .stop:
      // After a validation the next epoch begins.
      if report.cause != .validation { state.batch = report.batch }
      // The momentum is what led here.
      optimiser.forgetMomentum()
    }
    schedule.setPeak(peak)
    state.schedule = schedule.state
    lossWatch.restart()
    estimate = freshEstimate()
    log.warning("\(recovery.rawValue): goes on from step \(state.step) with the peak rate \(peak)")
    hooks.report(.recovered(RecoveryReport(recovery: recovery, step: state.step, learningRate: peak)))
    if recovery.goesBack {
      // So that a crash does not lead through the same again.
      try attempt { try saveLast() }
      setAsideLaterCheckpoints()
    } else {
      // Not before a step was taken: if it cannot be, `last` is what to go back to.
      saves.changed(at: clock.now)
    }
  }

  /// Whether the run can go on behind the batch.
  private func canLeaveOut(_ divergence: Divergence) -> Bool {
    if divergence.cause == .validation { return state.epochsDone < prepared.settings.epochs }
    // An epoch without a single image that was trained on would be none.
    return divergence.cause != .weights
      && (state.epochTotals.images > 0 || divergence.batch + 1 < prepared.training.batchCount)
  }

  /// Keeps the `last` that is on disk instead of a state that training cannot go on from.
  private func holdBack(_ divergence: Divergence) {
    if divergence.cause == .weights || lossWatch.isDiverging { savesAtEnd = false }
  }

  /// What the policy says; nil where a command ended the run.
  private func unattendedRecovery(_ report: DivergenceReport) -> Recovery? {
    if stopping { return nil }
    if hooks.nextCommand(false) == .stop {
      stopping = true
      return nil
    }
    return recoveryPlan.next(
      prepared.settings.safety.divergence, step: report.step, hasBest: report.best != nil)
  }

  /// Waits for as long as somebody is there.
  /// - Returns: nil where nobody is, or they ended the run.
  private func waitForAnswer() -> Recovery? {
    while hooks.isAttended() {
      guard let command = hooks.nextCommand(false) else {
        // Not the waiting kind of asking: whoever is there may leave without a word.
        usleep(20_000)
        continue
      }
      switch command {
      case .recover(.stop), .stop:
        stopping = true
        return nil
      case .recover(let recovery): return recovery
      case .resume: return .lowerRate
      case .setLearningRate(let rate): setLearningRate(rate)
      case .pause, .saveCheckpoint: hooks.report(.warning("the run has diverged: say first how to go on"))
      }
    }
    return nil
  }
}

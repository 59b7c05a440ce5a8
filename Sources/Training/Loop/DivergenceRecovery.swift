// What is done when a step cannot be taken because loss, gradient or weights are not finite, or when the outputs for
// validation images are not: whoever is there is asked, or else the run's policy says it. Nothing that is not finite
// ever gets into a checkpoint.

import Glibc
import Messages
import Networks
import Tensors

/// A step that was not taken; the state is the one before it. Or a validation whose outputs are not finite; the state
/// is that of the end of its epoch.
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

/// Decides how a run goes on after a divergence.
///
///     switch recovery.decide(report, among: conversation) {
///     case .go(let way): ...    // back to a checkpoint, or past the batch
///     case .fail: ...           // nobody is there, and the policy gives up
///     case .end: ...            // somebody ended the run
///     }
struct DivergenceRecovery {
  enum Decision: Equatable {
    case go(Recovery)
    case fail
    case end
  }

  /// Those who may be asked.
  struct Conversation {
    var isAttended: () -> Bool
    /// What somebody has said; nil where nobody has. It does not wait.
    var nextCommand: () -> TrainingCommand?
    /// What is carried out meanwhile.
    var setLearningRate: (Double) -> Void
    var warn: (String) -> Void
    /// Between two questions: whoever is there may leave without a word.
    var pause: () -> Void = { _ = usleep(20_000) }
  }

  private let policy: DivergencePolicy
  private var plan = RecoveryPlan()

  init(policy: DivergencePolicy) { self.policy = policy }

  /// Waits for an answer for as long as somebody is there, and follows the policy after that.
  mutating func decide(_ report: DivergenceReport, among conversation: Conversation) -> Decision {
    let chosen: Recovery
    switch answer(in: conversation) {
    case .recovery(let recovery): chosen = recovery
    case .end: return .end
    case .nobody:
      // Sent while nobody was attached any more, by a command or a signal.
      if conversation.nextCommand() == .stop { return .end }
      chosen = plan.next(policy, step: report.step, hasBest: report.best != nil)
    }
    return chosen == .stop ? .fail : .go(Self.possible(chosen, report))
  }

  /// What comes nearest to a recovery that is not possible.
  static func possible(_ recovery: Recovery, _ report: DivergenceReport) -> Recovery {
    var recovery = recovery
    if recovery == .lowerRate && !report.canLeaveOut { recovery = .rollBack }
    if recovery == .rollBackToBest && report.best == nil { recovery = .rollBack }
    if recovery == .rollBack && report.savedStep == nil { recovery = .beginAgain }
    return recovery
  }

  private enum Answer {
    case recovery(Recovery)
    case end
    case nobody
  }

  private func answer(in conversation: Conversation) -> Answer {
    while conversation.isAttended() {
      guard let command = conversation.nextCommand() else {
        conversation.pause()
        continue
      }
      switch command {
      case .recover(.stop), .stop: return .end
      case .recover(let recovery): return .recovery(recovery)
      case .resume: return .recovery(.lowerRate)
      case .setLearningRate(let rate): conversation.setLearningRate(rate)
      case .pause, .saveCheckpoint, .saveMoment: conversation.warn("the run has diverged: say first how to go on")
      }
    }
    return .nobody
  }
}

// A run that diverged and waits to be told how to go on: what can be chosen, what stands against it, and the dialog
// that asks. It opens by itself wherever the run is looked at; what an answer does is the training loop's.

import Canvas
import Messages

/// A divergence that no answer has come to yet.
struct DivergenceDialog: Sendable, Equatable {
  var report: DivergenceReport
  /// Whether the person closed the dialog, or answered; `space` opens it again.
  var isPutOff = false
}

/// The dialog while it is open.
struct DivergenceDialogMode: Sendable, Equatable {
  /// Rows of the list of files that are above its window.
  var scroll = 0
  /// On the clock of `.tick`.
  let openedAt: Double

  /// Seconds in which it takes no answer: a key that was meant for what it has just covered must not decide.
  static let quietSeconds = 0.5
}

/// A way to go on.
struct RecoveryChoice: Equatable {
  var key: String
  var recovery: Recovery
  var text: String
  /// Whether it can be chosen; if not, `text` says why.
  var isPossible = true
}

extension WorkbenchState {
  /// Every way to go on, in the order in which they are offered; none where no run has diverged.
  var recoveryChoices: [RecoveryChoice] {
    guard let report = divergence?.report else { return [] }
    let rate = "peak rate " + Format.general(curves.peakLearningRate * Recovery.loweredTo)
    let lower: RecoveryChoice =
      if report.canLeaveOut {
        RecoveryChoice(
          key: "l", recovery: .lowerRate,
          text: "lower: \(rate), go on "
            + (report.cause == .validation ? "with the next epoch" : "behind this batch"))
      } else {
        RecoveryChoice(
          key: "l", recovery: .lowerRate,
          text: Self.whyNotBehind(report.cause), isPossible: false)
      }
    let back: RecoveryChoice =
      if let step = report.savedStep {
        RecoveryChoice(
          key: "b", recovery: .rollBack,
          text: "roll back to \(report.cause == .validation ? "the one before" : "last"), step "
            + "\(Format.count(step)): \(rate)")
      } else {
        RecoveryChoice(
          key: "b", recovery: .rollBack,
          text: report.cause == .validation
            ? "unavailable: there is no earlier checkpoint" : "unavailable: no checkpoint was saved yet",
          isPossible: false)
      }
    let best = report.best.map { best in
      let accuracy = best.score.map { " (\($0.brief()))" } ?? ""
      return RecoveryChoice(
        key: "B", recovery: .rollBackToBest,
        text: "roll back to best\(accuracy), step \(Format.count(best.step)): \(rate)")
    }
    return [lower, back] + (best.map { [$0] } ?? []) + [
      RecoveryChoice(
        key: "a", recovery: .beginAgain, text: "begin again at the first step: \(rate)"),
      RecoveryChoice(key: "s", recovery: .stop, text: "stop the run; its last good state is kept"),
    ]
  }

  private static func whyNotBehind(_ cause: DivergenceReport.Cause) -> String {
    switch cause {
    case .weights: "unavailable: weights became NaN"
    case .validation: "unavailable: this was the last epoch"
    case .loss, .gradient: "unavailable: the epoch has no other batch"
    }
  }

  /// Opens the dialog again, or says that there is nothing to decide.
  mutating func decideDivergence() {
    guard divergence != nil else {
      notify(.information, "no run waits: none has diverged")
      return
    }
    divergence?.isPutOff = false
  }

  /// Tells the loop how to go on.
  mutating func recover(_ recovery: Recovery) -> [Effect] {
    guard engine == .paused, divergence != nil else {
      notify(.information, "no run waits: none has diverged")
      return []
    }
    guard let choice = recoveryChoices.first(where: { $0.recovery == recovery }) else {
      notify(.information, "there is no best checkpoint that is older than last")
      return []
    }
    guard choice.isPossible else {
      notify(.warning, choice.text)
      return []
    }
    if case .diverged = overlay { overlay = nil }
    divergence?.isPutOff = true
    if recovery == .stop { engine = .stopping }
    return [.send(.training(.recover(recovery)))]
  }

  mutating func perform(_ action: Action, in dialog: DivergenceDialogMode) -> [Effect] {
    switch action {
    case .recover(let recovery):
      return time < dialog.openedAt + DivergenceDialogMode.quietSeconds ? [] : recover(recovery)
    case .cancel:
      overlay = nil
      divergence?.isPutOff = true
      notify(.warning, "the run waits: space asks again how to go on")
    default:
      guard let rows = DivergenceView.question(self)?.rows(for: action, in: size) else { return [] }
      scrollQuestion(by: rows)
    }
    return []
  }
}

enum DivergenceView {
  /// What the dialog says; nil where no run has diverged.
  static func question(_ state: WorkbenchState) -> ListDialog? {
    guard let report = state.divergence?.report else { return nil }
    let what =
      switch report.cause {
      case .loss: "the loss became \(Format.loss(report.loss))"
      case .gradient: "the grad norm became \(Format.loss(report.gradientNorm))"
      case .weights: "the weights became NaN"
      case .validation: "the outputs for validation images became NaN or infinite"
      }
    let taken =
      switch report.cause {
      case .weights: "They were not saved"
      case .validation: "The epoch counts as no improvement"
      case .loss, .gradient: "The step was not taken"
      }
    // A step may be of several batches.
    let batches =
      state.curves.run.map { run in
        let size = run.settings.partSize
        let count =
          run.settings.accumulate * run.settings.replicaCount == 1
          ? run.stepsPerEpoch : (run.trainingImages + size - 1) / size
        return "/\(Format.count(count))"
      } ?? ""
    var figures = ["batch \(Format.count(report.batch))\(batches)", "rate \(Format.general(report.learningRate))"]
    if report.cause != .loss { figures.append("loss \(Format.loss(report.loss))") }
    if report.cause != .gradient { figures.append("grad norm \(Format.loss(report.gradientNorm))") }
    return ListDialog(
      title: "\(state.curves.runName ?? "The run") diverged",
      head: [
        "At step \(Format.count(report.step)), in epoch \(Format.count(report.epoch)), \(what). \(taken); the run "
          + "waits.",
        figures.joined(separator: ", "),
      ],
      answers: state.recoveryChoices.map { .init(key: $0.key, text: $0.text, isPossible: $0.isPossible) }
        + [.init(key: "Esc", text: "decide later; the run waits")],
      caption: (report.cause == .validation
        ? Format.counted(report.images, "such image") : "its \(Format.counted(report.images, "image"))")
        + ", below "
        + "\(state.dataPath(of: report)):",
      body: report.files.map { .init(text: "  " + $0) }
        + (report.images > report.files.count
          ? [.init(text: "  and \(Format.count(report.images - report.files.count)) more")] : []))
  }
}

extension WorkbenchState {
  /// The folder that the files of a divergence lie in.
  fileprivate func dataPath(of report: DivergenceReport) -> String { curves.run?.settings.data ?? dataset.path }
}

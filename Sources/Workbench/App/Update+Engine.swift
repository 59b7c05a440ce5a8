// What the engine's events change. The state follows the engine: where a key press was answered in advance, the
// engine's own word replaces it here.

import Canvas
import Messages

extension WorkbenchState {
  /// The panes first, each with what concerns it alone; then what concerns more than one of them.
  mutating func handle(_ event: Messages.Event) -> [Effect] {
    // What was read of the dataset before, and came when another one was open.
    if case .dataset(let report) = event, report.root != dataset.path { return [] }
    let runBefore = curves.isHistory ? nil : curves.run?.folder
    let effects = panes.all.flatMap { $0.handle(event, in: &self) }
    switch event {
    case .state(let new): return effects + apply(new)
    case .preparing(let progress): preparation = progress
    case .preview(let path, let image, let reason):
      if let image {
        pictures.set(.picture(image), for: path)
      } else {
        pictures.set(.failed(reason ?? "it could not be read"), for: path)
      }
    case .thumbnail(let path, let image, let reason):
      thumbnails.set(image.map { .picture($0) } ?? .failed(reason ?? "it could not be read"), for: path)
    case .learningRates(_, let curve, let reason):
      if let curve, case .settings(let form) = overlay {
        overlay = .rates(curve, form)
      } else if let rate = curve?.suggestion {
        notify(.information, "learning rates were tried: \(Format.general(rate)) is suggested")
      } else {
        notify(.warning, reason ?? "learning rates were tried, and the loss never fell")
      }
    case .training(let event): return effects + handle(event, runBefore: runBefore)
    case .dataset: return effects + requestPlan()
    case .plan(let request, let plan, let reason):
      // The settings may be others by now.
      guard request == settings else { break }
      (self.plan, planRefusal, planRequest) = (plan, reason, nil)
      resolveSettings()
      return effects + (runUnderWay ? [] : [.browse(describeNetwork)]) + askAgainForLab()
    case .recipes(let answer): return effects + take(answer)
    case .lab(let answer): return effects + take(answer)
    case .evaluationProgress: preparation = nil
    case .dataChanged(let report): dataChange = report
    case .warning(let text): notify(.warning, text)
    case .failure(let text):
      notify(.failure, text, cause: runUnderWay || startRequested ? .run : nil)
      // What was asked for and not begun will not begin.
      if startRequested || lab?.awaits != nil { pauseLab() }
      if startRequested { (engine, startRequested) = (.idle, false) }
    case .datasetProgress, .readingCancelled, .network, .checkpoints, .runHistory, .runs, .runTable, .runChanged,
      .evaluation, .evaluationKept,
      .inspectionProgress, .inspection:
      break
    }
    return effects
  }

  private mutating func apply(_ new: EngineState) -> [Effect] {
    if new != engine { preparation = nil }
    engine = new
    switch new {
    case .paused, .evaluating: break
    case .idle, .preparing, .training, .validating, .stopping: endDivergence()
    }
    startRequested = false
    if new == .idle, !quitsWhenStopped, let asked = nextOfLab() { return [asked] }
    // What was to be started is under way, or something else is.
    if new != .idle, overlay == .confirmStart { overlay = nil }
    return new == .idle ? leaveIfStopped() : []
  }

  /// The run goes on, or is over: there is nothing to decide any more, whoever decided it.
  private mutating func endDivergence() {
    divergence = nil
    dropMessage { $0.cause == .divergence }
    for index in notices.indices where notices[index].cause == .divergence { notices[index].isOver = true }
    if case .diverged = overlay { overlay = nil }
  }

  /// - Parameter before: the folder of the run that the screen had; nil for none, and for one that was only read.
  private mutating func handle(_ event: TrainingEvent, runBefore before: String?) -> [Effect] {
    switch event {
    case .folderMoved(let folder):
      inspector.followMoved(to: folder, from: before)
      return [.browse(.listCheckpoints(project: settings.project))]
    case .started(let run):
      (startRequested, preparation, saveRequested) = (false, nil, false)
      lab?.awaits = nil
      endDivergence()
      // What there was to say of the run before, or of this one before it began, is over.
      dropMessage { $0.cause == .run }
      tellStart(of: run, isBack: before == run.folder)
      // The run may be one that was begun elsewhere, with other settings and checkpoints that are not known yet.
      return [.browse(.listCheckpoints(project: settings.project)), .browse(describe(run))]
    case .learningRateChanged(let rate):
      notify(.information, "the peak learning rate is now \(Format.general(rate))")
    case .lengthChanged(let epochs, _): say("fitted into the time: \(Format.counted(epochs, "epoch")) in all")
    case .checkpointSaved(let checkpoint):
      dropMessage { $0.unsaved == checkpoint.path }
      let text = "saved \(checkpoint.runName)/\(checkpoint.name)"
      if saveRequested, checkpoint.name == "last" {
        saveRequested = false
        notify(.information, text)
      } else {
        say(text)
      }
    case .warning(let text): notify(.warning, text, cause: .run)
    case .warningEased(let text): ease(warning: text)
    case .saveFailed(let failure):
      notify(.failure, "not saved: \(failure.reason)", unsaved: failure.path, cause: .run)
    case .diverged(let report):
      divergence = DivergenceDialog(report: report)
      let text = "the run diverged at step \(Format.count(report.step)) and waits"
      notify(.failure, text + ": space asks how to go on", cause: .divergence)
      return [.announce(text)]
    case .recovered(let report):
      endDivergence()
      notify(
        .information, "goes on from step \(report.step) with the peak rate \(Format.general(report.learningRate))")
    case .finished(let outcome):
      if outcome.reason == .stopped { pauseLab() }
      notify(.information, Self.summary(of: outcome))
      if case .evaluating = engine {} else { engine = .idle }
      return [.announce(Self.summary(of: outcome))]
        + [.browse(.listCheckpoints(project: settings.project)), .browse(describeNetwork)]
        + (plan == nil ? requestPlan() : []) + leaveIfStopped()
    case .step, .computingFeatures, .validating, .epoch, .validated, .layers, .ranks, .paused, .resumed,
      .checkpointRemoved:
      break
    }
    return []
  }

  /// - Parameter isBack: whether the screen had this run before, and was only cut off from it.
  private mutating func tellStart(of run: RunDescription, isBack: Bool) {
    let name = lastComponent(run.folder)
    let awaited = awaitedOrigin
    awaitedOrigin = nil
    if awaited == nil, isBack { return notify(.information, "attached to \(name) again") }
    runOrigin = awaited ?? .attached
    let epoch = (run.history.map(\.epoch).max() ?? 0) + 1
    switch runOrigin {
    case .begun:
      let weights = run.settings.initialWeights.map { ", from the weights of \(InspectorPane.name(of: $0))" } ?? ""
      notify(.information, "run \(name) started\(weights)")
    case .resumed: notify(.information, "resumed \(name) at epoch \(min(epoch, max(1, run.settings.epochs)))")
    case .attached: notify(.information, "attached to \(name)")
    }
  }

  /// Leaves if that was only waiting for the run to end.
  private mutating func leaveIfStopped() -> [Effect] {
    guard quitsWhenStopped else { return [] }
    quitsWhenStopped = false
    return [.quit]
  }

  static func summary(of outcome: RunOutcome) -> String {
    let how =
      switch outcome.reason {
      case .completed: "completed"
      case .timeBudget: "used up its time"
      case .earlyStopping: "stopped early"
      case .stopped: "stopped and saved"
      }
    let best = outcome.best.map { ", " + $0.ranked() } ?? ""
    return "\(lastComponent(outcome.folder)) \(how): \(Format.counted(outcome.epochs, "epoch")), "
      + Format.duration(outcome.seconds) + best + (outcome.advice.map { "; \($0)" } ?? "")
  }
}

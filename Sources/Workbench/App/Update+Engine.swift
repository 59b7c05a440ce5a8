// What the engine's events change. The state follows the engine: where a key press was answered in advance, the
// engine's own word replaces it here.

import Canvas
import Messages

extension WorkbenchState {
  mutating func take(_ event: Messages.Event) -> [Effect] {
    switch event {
    case .state(let new): return take(new)
    case .datasetProgress(let progress): take(progress)
    case .readingCancelled: takeCancelled()
    case .preparing(let progress): preparation = progress
    case .dataset(let report): return take(report)
    case .network(let summary): layers.take(summary)
    case .runHistory(let folder, let history, let reason): return take(history, of: folder, reason)
    case .checkpoints(let list): inspector.take(list)
    case .preview(let path, let image, let reason):
      if let image {
        pictures.set(.picture(image), for: path)
      } else {
        pictures.set(.failed(reason ?? "it could not be read"), for: path)
      }
    case .training(let event): return take(event)
    case .evaluationProgress(let done, let total):
      preparation = nil
      inspector.evaluating?.progress = CurvesState.Progress(done: done, total: total)
    case .evaluation(let report): take(report)
    case .dataChanged(let report): dataChange = report
    case .warning(let text): notify(.warning, text)
    case .failure(let text): take(failure: text)
    }
    return []
  }

  private mutating func take(_ history: RunHistory?, of folder: String, _ reason: String?) -> [Effect] {
    if curves.requestedHistory == folder { curves.requestedHistory = nil }
    // A run that was started meanwhile has the pane.
    guard !runUnderWay, !startRequested else { return [] }
    guard let history else {
      curves.unreadable.insert(folder)
      notify(.warning, "no curves of \(lastComponent(folder)): \(reason ?? "it could not be read")")
      return []
    }
    curves.show(history)
    // A run that went on since its checkpoints were listed has others now.
    let listed = inspector.checkpoints?.filter { $0.runFolder == folder }.map(\.step).max() ?? 0
    return curves.isElsewhere || curves.reachedStep > listed
      ? [.browse(.listCheckpoints(project: settings.project))] : []
  }

  private mutating func take(_ new: EngineState) -> [Effect] {
    if case .evaluating = engine, case .evaluating = new {
    } else if case .evaluating = engine {
      inspector.evaluating = nil
    }
    if new != engine { preparation = nil }
    engine = new
    switch new {
    case .evaluating: break
    case .idle: curves.hasFailed = curves.run != nil && !curves.isHistory && curves.outcome == nil
    case .preparing, .training, .paused, .validating, .stopping: curves.hasFailed = false
    }
    switch new {
    case .paused, .evaluating: break
    case .idle, .preparing, .training, .validating, .stopping: endDivergence()
    }
    startRequested = false
    // What was to be started is under way, or something else is.
    if new != .idle, overlay == .confirmStart { overlay = nil }
    if case .evaluating(let checkpoint) = new, inspector.evaluating?.checkpoint != checkpoint {
      inspector.evaluating = InspectorState.Evaluating(checkpoint: checkpoint)
    }
    return new == .idle ? leaveIfStopped() : []
  }

  /// The run goes on, or is over: there is nothing to decide any more, whoever decided it.
  private mutating func endDivergence() {
    divergence = nil
    dropMessage { $0.cause == .divergence }
    for index in notices.indices where notices[index].cause == .divergence { notices[index].isOver = true }
    if case .diverged = overlay { overlay = nil }
  }

  private mutating func take(_ progress: DatasetProgress) {
    switch progress {
    case .scanning(let files, let classes): dataset.reading = .scanning(files: files, classes: classes)
    case .inspecting(let done, let total):
      dataset.reading = .inspecting(CurvesState.Progress(done: done, total: total))
    }
  }

  private mutating func take(_ report: DatasetReport) -> [Effect] {
    let (classesBefore, asked) = (classCount, dataset.inspectionAsked)
    dataset.take(report)
    if asked, report.inspection != nil { tellFindings(of: report) }
    return classCount == classesBefore ? [] : [.browse(describeNetwork)]
  }

  private mutating func tellFindings(of report: DatasetReport) {
    let counts = report.findingCounts.map { $0.severity.counted($0.count) }.joined(separator: ", ")
    guard !counts.isEmpty else {
      notify(.information, "\(Format.counted(report.checkedFiles, "file")) checked, no problems")
      return
    }
    notify(
      report.hasErrors ? .warning : .information,
      "\(Format.counted(report.checkedFiles, "file")) checked: \(counts); w in the dataset pane lists them")
  }

  private mutating func takeCancelled() {
    // It may have ended by itself just before it was to be cancelled.
    guard dataset.reading.isUnderWay || dataset.inspectionAsked else { return }
    let key = dataset.inspectionAsked ? "c checks the files again" : "R reads the folder again"
    dataset.reading = dataset.report == nil ? .cancelled : .done
    dataset.inspectionAsked = false
    notify(.information, "cancelled; \(key)")
  }

  private mutating func take(_ event: TrainingEvent) -> [Effect] {
    let before = curves.isHistory ? nil : curves.run?.folder
    curves.take(event)
    switch event {
    case .folderMoved(let folder):
      inspector.followMoved(to: folder, from: before)
      return [.browse(.listCheckpoints(project: settings.project))]
    case .started(let run):
      (startRequested, preparation, saveRequested) = (false, nil, false)
      endDivergence()
      // What there was to say of the run before, or of this one before it began, is over.
      dropMessage { $0.cause == .run }
      inspector.follow(run.folder)
      tellStart(of: run, isBack: before == run.folder)
      // The run may be one that was begun elsewhere, with other settings and checkpoints that are not known yet.
      return [.browse(.listCheckpoints(project: settings.project)), .browse(describe(run))]
    case .learningRateChanged(let rate):
      notify(.information, "the peak learning rate is now \(Format.general(rate))")
    case .checkpointSaved(let checkpoint):
      inspector.take(saved: checkpoint)
      dropMessage { $0.unsaved == checkpoint.path }
      let text = "saved \(checkpoint.runName)/\(checkpoint.name)"
      if saveRequested, checkpoint.name == "last" {
        saveRequested = false
        notify(.information, text)
      } else {
        say(text)
      }
    case .checkpointRemoved(let path): inspector.take((inspector.checkpoints ?? []).filter { $0.path != path })
    case .warning(let text): notify(.warning, text, cause: .run)
    case .warningEased(let text): ease(warning: text)
    case .saveFailed(let failure):
      notify(.failure, "not saved: \(failure.reason)", unsaved: failure.path, cause: .run)
    case .diverged(let report):
      divergence = Divergence(report: report)
      notify(
        .failure, "the run diverged at step \(Format.count(report.step)) and waits: space asks how to go on",
        cause: .divergence)
    case .recovered(let report):
      endDivergence()
      notify(
        .information, "goes on from step \(report.step) with the peak rate \(Format.general(report.learningRate))")
    case .finished(let outcome):
      notify(.information, Self.summary(of: outcome))
      if case .evaluating = engine {} else { engine = .idle }
      return [.browse(.listCheckpoints(project: settings.project)), .browse(describeNetwork)] + leaveIfStopped()
    case .step, .validating, .epoch, .paused, .resumed: break
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
    case .begun: notify(.information, "run \(name) started")
    case .resumed: notify(.information, "resumed \(name) at epoch \(min(epoch, max(1, run.settings.epochs)))")
    case .attached: notify(.information, "attached to \(name)")
    }
  }

  private mutating func take(_ report: EvaluationReport) {
    inspector.take(report)
    notify(
      .information,
      "evaluated \(lastComponent(report.checkpoint)) on \(report.split.rawValue): "
        + "\(Format.percent(report.top1)) of \(Format.counted(report.images, "image"))")
  }

  private mutating func take(failure text: String) {
    notify(.failure, text, cause: runUnderWay || startRequested ? .run : nil)
    // What was asked for and not begun will not begin.
    if startRequested { (engine, startRequested) = (.idle, false) }
    if case .evaluating = engine {} else { inspector.evaluating = nil }
    dataset.inspectionAsked = false
    switch dataset.reading {
    case .scanning, .inspecting:
      dataset.reading = dataset.report == nil ? .failed(text) : .done
    case .done, .cancelled, .failed: break
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
    let best = outcome.bestValidationAccuracy.map { ", best " + Format.percent($0) } ?? ""
    return "\(lastComponent(outcome.folder)) \(how): \(Format.counted(outcome.epochs, "epoch")), "
      + Format.duration(outcome.seconds) + best + (outcome.advice.map { "; \($0)" } ?? "")
  }
}

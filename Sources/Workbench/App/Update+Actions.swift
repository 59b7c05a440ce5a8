// What each action does when no overlay is open: training, moving, and what the panes offer.

import Canvas
import Messages

extension WorkbenchState {
  mutating func perform(_ action: Action) -> [Effect] {
    switch action {
    case .interrupt: return interrupt()
    case .suspend: return [.suspend]
    case .redraw: return [.redraw]
    default: break
    }
    if overlay != nil { return performInOverlay(action) }
    if filtering { return performWhileFiltering(action) }
    return performInPanes(action)
  }

  private mutating func performInPanes(_ action: Action) -> [Effect] {
    switch action {
    case .help: overlay = .help(scroll: 0)
    case .palette: overlay = .palette(Palette(self))
    case .notices: overlay = .notices(scroll: 0)
    case .settings: overlay = .settings(SettingsForm())
    case .nextTheme: return nextTheme()
    case .zoom: zoom()
    case .nextPane: moveFocus(to: focus.moved(by: 1))
    case .previousPane: moveFocus(to: focus.moved(by: -1))
    case .focus(let pane): moveFocus(to: pane)
    case .quit: return quit()
    case .train, .stop, .saveCheckpoint, .raiseLearningRate, .lowerLearningRate, .enterLearningRate:
      return performTraining(action)
    case .up, .down, .left, .right, .pageUp, .pageDown, .halfPageUp, .halfPageDown, .first, .last, .next, .previous,
      .filter, .open, .back:
      return performMotion(action)
    case .findings, .figures, .checkFiles, .readAgain: return performDataset(action)
    case .exclude, .relabel, .undoDecision: return performDecision(action)
    case .changeCurves: curves.view = curves.view.next
    case .evaluate: return evaluate()
    case .changeSplit: changeSplit()
    case .resumeRun: return resumeRun()
    case .decideDivergence: decideDivergence()
    case .recover(let recovery): return recover(recovery)
    case .nextView: changeView(by: 1)
    case .previousView: changeView(by: -1)
    case .attach: return findLiveRuns()
    case .leaveRunning:
      if runUnderWay { return [.quit] }
      notify(.information, "nothing is training: q quits")
    case .accept, .cancel, .erase, .clear, .interrupt, .suspend, .redraw, .startNew: break
    }
    return []
  }

  private mutating func moveFocus(to pane: Pane) {
    focus = pane
    moveSelection(in: pane, by: 0)
  }

  private mutating func zoom() {
    zoomed.toggle()
    moveSelection(in: focus, by: 0)
  }

  private mutating func nextTheme() -> [Effect] {
    guard !themeNames.isEmpty else { return [] }
    theme = (theme + 1) % themeNames.count
    notify(.information, "theme \(themeNames[theme])")
    return [.useTheme(themeNames[theme])]
  }

  private mutating func performDataset(_ action: Action) -> [Effect] {
    switch action {
    case .findings: dataset.level = dataset.level == .findings ? .classes : .findings
    case .figures: dataset.level = dataset.level == .figures ? .classes : .figures
    case .checkFiles:
      guard !dataset.inspectionAsked else {
        notify(.information, "every file is being checked; Esc cancels")
        return []
      }
      return openDataset(inspecting: true)
    default:
      if focus == .inspector { return listAgain() }
      return openDataset(inspecting: false)
    }
    return []
  }

  mutating func openDataset(inspecting: Bool) -> [Effect] {
    dataset.ask(inspecting: inspecting)
    pictures.forgetAll()
    return [.browse(.openDataset(path: dataset.path, split: settings.split, inspect: inspecting))]
  }

  // MARK: Inspector

  /// Lists the checkpoints again, and reads again how far a run is that is trained elsewhere.
  private mutating func listAgain() -> [Effect] {
    curves.unreadable = []
    let list: [Effect] = [.browse(.listCheckpoints(project: settings.project))]
    guard curves.isHistory, !runUnderWay, curves.requestedHistory == nil, let folder = curves.run?.folder else {
      return list
    }
    curves.requestedHistory = folder
    return list + [.browse(.readRun(folder: folder))]
  }

  /// Whether the open dataset has parts for a checkpoint: by its folders or lists, or as its own run divided it.
  private func isDivided(for checkpoint: CheckpointInfo?) -> Bool {
    guard let report = dataset.report, let checkpoint, checkpoint.isForeign else { return true }
    return report.splitSource != .hash
  }

  /// What an evaluation would measure: what was chosen, or else what the engine takes.
  var splitToEvaluate: EvaluationSplit {
    inspector.split ?? (isDivided(for: inspector.selectedCheckpoint) ? .test : .all)
  }

  private mutating func changeSplit() {
    guard isDivided(for: inspector.selectedCheckpoint) else {
      inspector.split = nil
      notify(.information, "\(dataset.name) is not divided, and not of this run: all its images are measured")
      return
    }
    let next = splitToEvaluate.next
    inspector.split = next
    notify(.information, "evaluates on \(next.imagesTitle)")
  }

  private mutating func evaluate() -> [Effect] {
    guard let checkpoint = inspector.selectedCheckpoint else {
      notify(.information, inspector.noneMatches ?? "there is no checkpoint to evaluate yet: train first")
      return []
    }
    if let obstacle = obstacle(toEvaluating: checkpoint) {
      notify(.information, obstacle)
      return []
    }
    guard inspector.evaluating == nil else {
      notify(.information, "an evaluation is under way: wait until it is done")
      return []
    }
    if checkpoint.fit == .otherData {
      notify(
        .information,
        "\(checkpoint.runName) was trained on \(checkpoint.data ?? "other data"): evaluating it on \(dataset.path)")
    }
    inspector.view = .checkpoints
    inspector.evaluating = InspectorState.Evaluating(checkpoint: checkpoint.path)
    return [
      .send(
        .evaluate(
          checkpoint: checkpoint.path, data: dataset.path, split: inspector.split, folders: settings.split.folders))
    ]
  }

  /// Why a checkpoint cannot be evaluated now, and how it could be; nil where it can.
  func obstacle(toEvaluating checkpoint: CheckpointInfo) -> String? {
    if checkpoint.fit == .otherClasses {
      let data = checkpoint.data ?? "other data"
      return "\(checkpoint.runName) was trained on \(data) and knows no class of \(dataset.name): $ "
        + Headless.evaluate(checkpoint.path, data: data, split: inspector.split)
    }
    guard runUnderWay, let run = curves.run else { return nil }
    let command = "$ " + Headless.evaluate(checkpoint.path, data: dataset.path, split: inspector.split)
    if looksOnly { return "this screen is to look on only: \(command)" }
    return run.evaluates
      ? nil : "the run is trained by 'skipline train', which evaluates nothing meanwhile: \(command)"
  }

  private mutating func resumeRun() -> [Effect] {
    guard mayChange() else { return [] }
    guard let checkpoint = inspector.selectedCheckpoint else {
      notify(.information, inspector.noneMatches ?? "there is no run to go on with")
      return []
    }
    if isElsewhere(checkpoint) {
      notify(.information, "\(checkpoint.runName) is being trained elsewhere: a attaches to it")
      return []
    }
    return resume(checkpoint.runFolder)
  }

  private mutating func changeView(by places: Int) {
    guard inspector.report != nil else {
      notify(.information, "no evaluation yet: choose a checkpoint and press Enter")
      return
    }
    let count = InspectorState.View.allCases.count
    let next = (inspector.view.rawValue + places + count) % count
    inspector.view = InspectorState.View(rawValue: next) ?? .checkpoints
    moveSelection(in: .inspector, by: 0)
  }

  // MARK: Leaving

  private mutating func quit() -> [Effect] {
    guard runUnderWay else { return [.quit] }
    if engine == .stopping {
      quitsWhenStopped = true
      notify(.information, "quits as soon as the run is saved; ctrl-c quits at once")
    } else {
      overlay = .confirmQuit
    }
    return []
  }

  /// Whether the run under way is somebody else's, or not to be changed from here: it is not stopped unasked.
  var asksBeforeStopping: Bool { looksOnly || runOrigin == .attached }

  private mutating func interrupt() -> [Effect] {
    if interrupted { return [.interruptNow] }
    guard runUnderWay else { return [.quit] }
    if asksBeforeStopping, engine != .stopping {
      // Whoever presses it again wants to leave, and nothing was said about the run.
      if overlay == .confirmQuit { return [.quit] }
      filtering = false
      overlay = .confirmQuit
      return []
    }
    interrupted = true
    return stopAndQuit()
  }

  /// Ends the run with a checkpoint, and leaves when it has ended.
  mutating func stopAndQuit() -> [Effect] {
    let isStopping = engine == .stopping
    overlay = nil
    filtering = false
    quitsWhenStopped = true
    (engine, startRequested) = (.stopping, false)
    notify(.information, "saving, then quitting; ctrl-c \(interrupted ? "again " : "")quits at once")
    return isStopping ? [] : [.send(.training(.stop))]
  }
}

extension CurvesState.View {
  fileprivate var next: Self {
    switch self {
    case .both: .loss
    case .loss: .accuracy
    case .accuracy: .both
    }
  }
}

extension EvaluationSplit {
  /// Test first: it is what an evaluation is for.
  fileprivate var next: EvaluationSplit {
    switch self {
    case .test: .validation
    case .validation: .train
    case .train: .all
    case .all: .test
    }
  }

  /// Before "images".
  var title: String { split?.title ?? "" }

  /// `the test images`, `all images`.
  var imagesTitle: String { self == .all ? "all images" : "the \(title) images" }
}

extension Split {
  var title: String {
    switch self {
    case .train: "training"
    case .validation: "validation"
    case .test: "test"
    }
  }
}

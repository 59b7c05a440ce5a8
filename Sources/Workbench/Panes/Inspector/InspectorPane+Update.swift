// What changes the inspector: the engine's word about checkpoints and evaluations, the pane's own actions, and moving
// between its views.

import Canvas
import Messages

extension InspectorPane {
  static func initialEffects(_ state: WorkbenchState) -> [Effect] {
    [.browse(.listCheckpoints(project: state.settings.project))]
  }

  static func requests(_ state: inout WorkbenchState) -> [Effect] {
    let isMistake = state.inspector.view == .mistakes
    let picture = (isMistake ? state.inspector.mistakePath : nil).map { state.request(picture: $0) } ?? []
    return picture + requestHistory(&state)
  }

  /// The metrics of the run whose checkpoint is chosen, where none is trained.
  private static func requestHistory(_ state: inout WorkbenchState) -> [Effect] {
    guard state.focus == id, state.inspector.view == .checkpoints, !state.runUnderWay, !state.startRequested,
      state.curves.requestedHistory == nil, let folder = state.inspector.selectedCheckpoint?.runFolder,
      state.curves.run?.folder != folder, !state.curves.unreadable.contains(folder)
    else { return [] }
    state.curves.requestedHistory = folder
    return [.browse(.readRun(folder: folder))]
  }

  // MARK: The engine

  static func handle(_ event: Messages.Event, in state: inout WorkbenchState) -> [Effect] {
    switch event {
    case .state(let new):
      if case .evaluating(let checkpoint) = new {
        if state.inspector.evaluating?.checkpoint != checkpoint {
          state.inspector.evaluating = InspectorState.Evaluating(checkpoint: checkpoint)
        }
      } else if case .evaluating = state.engine {
        state.inspector.evaluating = nil
      }
    case .checkpoints(let list): state.inspector.apply(list)
    case .training(.started(let run)): state.inspector.follow(run.folder)
    case .training(.checkpointSaved(let checkpoint)): state.inspector.apply(saved: checkpoint)
    case .training(.checkpointRemoved(let path)):
      state.inspector.apply((state.inspector.checkpoints ?? []).filter { $0.path != path })
    case .evaluationProgress(let done, let total):
      state.inspector.evaluating?.progress = TaskProgress(done: done, total: total)
    case .evaluation(let report):
      state.inspector.apply(report)
      state.notify(
        .information,
        "evaluated \(lastComponent(report.checkpoint)) on \(report.split.rawValue): "
          + "\(Format.percent(report.top1)) of \(Format.counted(report.images, "image"))")
    case .failure:
      // An evaluation that goes on is not what failed.
      if case .evaluating = state.engine {} else { state.inspector.evaluating = nil }
    default: break
    }
    return []
  }

  // MARK: Actions

  static func perform(_ action: Action, in state: inout WorkbenchState) -> [Effect]? {
    if choosing.contains(action) { state.inspector.choose() }
    switch action {
    case .evaluate: return evaluate(&state)
    case .changeSplit: changeSplit(&state)
    case .resumeRun: return resumeRun(&state)
    case .nextView: changeView(by: 1, in: &state)
    case .previousView: changeView(by: -1, in: &state)
    case .readAgain: return listAgain(&state)
    case .open: open(&state)
    case .left: goAcross(by: -1, in: &state)
    case .right: goAcross(by: 1, in: &state)
    case .back:
      guard state.inspector.view != .checkpoints else { return nil }
      state.inspector.view = .checkpoints
    default: return nil
    }
    return []
  }

  static func selected(_ state: inout WorkbenchState) { state.inspector.choose() }

  /// What a person does to stand on another checkpoint.
  private static let choosing: Set<Action> = [
    .up, .down, .pageUp, .pageDown, .halfPageUp, .halfPageDown, .first, .last, .next, .previous, .filter,
  ]

  private static func goAcross(by places: Int, in state: inout WorkbenchState) {
    switch state.inspector.view {
    case .confusion:
      let column = state.inspector.confusionColumn + places
      let last = (state.inspector.report?.confusion.classes ?? 1) - 1
      state.inspector.confusionColumn = max(0, places > 0 ? min(last, column) : column)
    case .mistakes: state.cycle(by: places)
    case .checkpoints, .overview, .classes: break
    }
  }

  /// From a class or a pair to its mistakes.
  private static func open(_ state: inout WorkbenchState) {
    guard let report = state.inspector.report else { return }
    switch state.inspector.view {
    case .overview:
      guard let index = state.inspector.pairs.selectedItem else { return }
      let pair = state.inspector.confused[index]
      showMistakes(of: report.pairText(truth: pair.truth, predicted: pair.predicted), in: &state)
    case .classes, .confusion:
      let list = state.inspector.view == .classes ? state.inspector.classes : state.inspector.confusionRows
      guard let index = list.selectedItem else { return }
      showMistakes(of: report.truthText(index), in: &state)
    case .checkpoints, .mistakes: state.toggleZoom()
    }
  }

  private static func showMistakes(of filter: String, in state: inout WorkbenchState) {
    state.inspector.view = .mistakes
    state.setFilter(filter)
  }

  private static func changeView(by places: Int, in state: inout WorkbenchState) {
    guard state.inspector.report != nil else {
      state.notify(.information, "no evaluation yet: choose a checkpoint and press Enter")
      return
    }
    let count = InspectorState.View.allCases.count
    let next = (state.inspector.view.rawValue + places + count) % count
    state.inspector.view = InspectorState.View(rawValue: next) ?? .checkpoints
    state.moveSelection(in: id, by: 0)
  }

  /// Lists the checkpoints again, and reads again how far a run is that is trained elsewhere.
  private static func listAgain(_ state: inout WorkbenchState) -> [Effect] {
    state.curves.unreadable = []
    let list: [Effect] = [.browse(.listCheckpoints(project: state.settings.project))]
    guard state.curves.isHistory, !state.runUnderWay, state.curves.requestedHistory == nil,
      let folder = state.curves.run?.folder
    else { return list }
    state.curves.requestedHistory = folder
    return list + [.browse(.readRun(folder: folder))]
  }

  private static func changeSplit(_ state: inout WorkbenchState) {
    guard state.isDivided(for: state.inspector.selectedCheckpoint) else {
      state.inspector.split = nil
      state.notify(
        .information, "\(state.dataset.name) is not divided, and not of this run: all its images are measured")
      return
    }
    let next = state.splitToEvaluate.next
    state.inspector.split = next
    state.notify(.information, "evaluates on \(next.imagesTitle)")
  }

  private static func evaluate(_ state: inout WorkbenchState) -> [Effect] {
    guard let checkpoint = state.inspector.selectedCheckpoint else {
      state.notify(
        .information, state.inspector.noneMatches ?? "there is no checkpoint to evaluate yet: train first")
      return []
    }
    if let obstacle = state.obstacle(toEvaluating: checkpoint) {
      state.notify(.information, obstacle)
      return []
    }
    guard state.inspector.evaluating == nil else {
      state.notify(.information, "an evaluation is under way: wait until it is done")
      return []
    }
    if checkpoint.fit == .otherData {
      state.notify(
        .information,
        "\(checkpoint.runName) was trained on \(checkpoint.data ?? "other data"): evaluating it on "
          + state.dataset.path)
    }
    state.inspector.view = .checkpoints
    state.inspector.evaluating = InspectorState.Evaluating(checkpoint: checkpoint.path)
    return [
      .send(
        .evaluate(
          checkpoint: checkpoint.path, data: state.dataset.path, split: state.inspector.split,
          folders: state.settings.split.folders))
    ]
  }

  private static func resumeRun(_ state: inout WorkbenchState) -> [Effect] {
    guard state.mayChange() else { return [] }
    guard let checkpoint = state.inspector.selectedCheckpoint else {
      state.notify(.information, state.inspector.noneMatches ?? "there is no run to go on with")
      return []
    }
    if state.isElsewhere(checkpoint) {
      state.notify(.information, "\(checkpoint.runName) is being trained elsewhere: a attaches to it")
      return []
    }
    return state.resume(checkpoint.runFolder)
  }

  // MARK: What is on show

  static func list(in state: WorkbenchState) -> ShownList? {
    let report = state.inspector.report
    switch state.inspector.view {
    case .checkpoints:
      let checkpoints = state.inspector.checkpoints ?? []
      return ShownList(path: \.inspector.list) { InspectorState.text(of: checkpoints[$0]) }
    case .overview:
      let pairs = state.inspector.confused
      return ShownList(path: \.inspector.pairs) {
        report?.pairText(truth: pairs[$0].truth, predicted: pairs[$0].predicted) ?? ""
      }
    case .classes: return ShownList(path: \.inspector.classes) { report?.className($0) ?? "" }
    case .confusion: return ShownList(path: \.inspector.confusionRows) { report?.className($0) ?? "" }
    case .mistakes:
      return ShownList(path: \.inspector.mistakes) { index in
        report.map { $0.text(of: $0.misclassified[index]) } ?? ""
      }
    }
  }

  static func image(in state: WorkbenchState) -> ShownImage? {
    guard let path = state.inspector.mistakePath else { return nil }
    // What the network took it for is the likeliest.
    let likely = state.inspector.selectedMistake?.top.first.flatMap { state.inspector.report?.className($0.label) }
    return ShownImage(file: state.mistakenImage, path: path, likely: likely)
  }
}

extension WorkbenchState {
  /// The mistake on show as an image of the dataset; nil where the evaluation was of another dataset.
  var mistakenImage: ListedFile? {
    guard inspector.view == .mistakes, let report = inspector.report, let mistake = inspector.selectedMistake,
      report.data == dataset.path || report.data == dataset.report?.root
    else { return nil }
    return dataset.image(at: mistake.path)
  }

  /// Whether the open dataset has parts for a checkpoint: by its folders or lists, or as its own run divided it.
  fileprivate func isDivided(for checkpoint: CheckpointInfo?) -> Bool {
    guard let report = dataset.report, let checkpoint, checkpoint.isForeign else { return true }
    return report.splitSource != .hash
  }

  /// What an evaluation would measure: what was chosen, or else what the engine takes.
  var splitToEvaluate: EvaluationSplit {
    inspector.split ?? (isDivided(for: inspector.selectedCheckpoint) ? .test : .all)
  }

  /// Why a checkpoint cannot be evaluated now, and how it could be; nil where it can.
  func obstacle(toEvaluating checkpoint: CheckpointInfo) -> String? {
    if checkpoint.fit == .otherClasses {
      let data = checkpoint.data ?? "other data"
      return "\(checkpoint.runName) was trained on \(data) and knows no class of \(dataset.name): $ "
        + ShellCommand.evaluate(checkpoint.path, data: data, split: inspector.split)
    }
    guard runUnderWay, let run = curves.run else { return nil }
    let command = "$ " + ShellCommand.evaluate(checkpoint.path, data: dataset.path, split: inspector.split)
    if looksOnly { return "this screen is read-only: \(command)" }
    return run.evaluates
      ? nil : "the run is trained by 'skipline train', which evaluates nothing meanwhile: \(command)"
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

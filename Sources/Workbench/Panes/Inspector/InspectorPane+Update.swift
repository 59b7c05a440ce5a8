// What changes the inspector: the engine's word about checkpoints and evaluations, the pane's own actions, and moving
// between its views.

import Canvas
import Messages

extension InspectorPane {
  static func initialEffects(_ state: WorkbenchState) -> [Effect] {
    [.browse(.listCheckpoints(project: state.settings.project))]
  }

  static func requests(_ state: inout WorkbenchState) -> [Effect] {
    showCell(&state)
    return requestTable(&state) + requestPictures(&state) + requestAnswers(&state) + requestHistory(&state)
  }

  /// Every image of the evaluation on show, once.
  private static func requestTable(_ state: inout WorkbenchState) -> [Effect] {
    guard state.inspector.view != .checkpoints, let source = state.inspector.source else { return [] }
    return ask(.openEvaluation(source), &state)
  }

  /// The pictures in view: the large one, and of the small ones those that are not there, a few at a time, so that what
  /// is scrolled past is not decoded.
  private static func requestPictures(_ state: inout WorkbenchState) -> [Effect] {
    guard let inner = state.layout[id]?.interior else { return [] }
    if state.inspector.view == .hardest { return requestHardest(&state, in: inner) }
    guard state.inspector.report != nil else { return [] }
    let layout = InspectorLayout(state.inspector, in: inner)
    var effects: [Effect] = []
    if layout.single != nil, let path = state.inspector.imagePath { effects += state.request(picture: path) }
    guard [.images, .confusion, .confidence].contains(state.inspector.view),
      let rect = layout.content(layout.sheet)
    else { return effects }
    let images = state.inspector.images
    let sheet = sheetLayout(state, in: rect)
    let top = sheet.top(images.top, selected: images.list.selected, count: images.list.count)
    let wanted = sheet.window(top: top, count: images.list.count).compactMap { position in
      images.list.item(at: position).flatMap { images.path(of: $0) }
    }
    return effects + requestThumbnails(wanted, &state)
  }

  /// The small pictures that are not there, a few at a time.
  private static func requestThumbnails(_ wanted: [String], _ state: inout WorkbenchState) -> [Effect] {
    let missing = wanted.filter { state.thumbnails[$0] == nil }
    let asked = Set(state.inspector.askedThumbnails)
    guard !missing.isEmpty, !missing.contains(where: asked.contains) else { return [] }
    let next = Array(missing.prefix(thumbnailBatch))
    state.inspector.askedThumbnails = next
    return [.browse(.thumbnails(paths: next, maximumSide: thumbnailSide))]
  }

  private static func requestHardest(_ state: inout WorkbenchState, in inner: Rect) -> [Effect] {
    guard state.inspector.hardest.isSingle else {
      return requestThumbnails(picturesOfHardest(state, in: inner), &state)
    }
    let path = state.inspector.hardest.selected.flatMap { state.validationImagePath($0.path) }
    return path.map { state.request(picture: $0) } ?? []
  }

  static let thumbnailBatch = 12
  static let thumbnailSide = 128

  /// What is shown of one image, or of all, beyond the table.
  private static func requestAnswers(_ state: inout WorkbenchState) -> [Effect] {
    let inspector = state.inspector
    switch inspector.view {
    case .images where inspector.showsHeat && inspector.images.isWhole && inspector.images.isSingle:
      var effects: [Effect] = []
      if let question = inspector.explanationQuestion { effects += ask(question, &state) }
      if let path = inspector.imagePath, let question = inspector.resemblanceQuestion(of: path) {
        effects += ask(question, &state)
      }
      return effects
    case .suspects: return inspector.suspectsQuestion.map { ask($0, &state) } ?? []
    case .comparison: return inspector.comparison.wanted.map { ask($0, &state) } ?? []
    default: return []
    }
  }

  private static func ask(_ question: InspectionCommand, _ state: inout WorkbenchState) -> [Effect] {
    guard state.inspector.answers[question] == nil else { return [] }
    state.inspector.answers.set(.waiting(nil), for: question)
    return [.inspect(question)]
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
        // Also one that was stopped.
        state.inspector.evaluating = nil
        if state.inspector.moment != .asked { state.inspector.moment = nil }
      }
      if new == .idle {
        state.inspector.moment = nil
        leaveHardest(&state)
      }
    case .dataset(let report):
      if state.inspectsOpenDataset { state.inspector.suspects.take(report.confirmed) }
    case .checkpoints(let list): state.inspector.apply(list)
    case .training(.started(let run)):
      state.inspector.follow(run.folder)
      state.inspector.moment = nil
      handleHardest(.started(run), in: &state)
    case .training(.finished):
      state.inspector.moment = nil
      leaveHardest(&state)
    case .training(.checkpointSaved(let checkpoint)):
      state.inspector.apply(saved: checkpoint)
      return evaluateMoment(checkpoint, &state)
    case .training(.saveFailed(let failure)):
      if state.inspector.moment == .asked, lastComponent(failure.path).hasPrefix("step-") {
        state.inspector.moment = nil
      }
    case .training(.checkpointRemoved(let path)):
      state.inspector.apply((state.inspector.checkpoints ?? []).filter { $0.path != path })
    case .training(let event): handleHardest(event, in: &state)
    case .evaluationProgress(let done, let total):
      state.inspector.evaluating?.progress = TaskProgress(done: done, total: total)
    case .evaluation(let report):
      state.inspector.apply(report)
      showMoment(report, &state)
      state.notify(
        .information,
        "\(report.isKept ? "opened the evaluation of" : "evaluated") \(lastComponent(report.checkpoint)) on "
          + "\(report.split.rawValue): \(Format.percent(report.top1)) of \(Format.counted(report.images, "image"))"
          + (report.isKept ? "; e evaluates again" : ""))
    case .inspectionProgress(let question, let done, let total):
      if case .waiting = state.inspector.answers[question] {
        state.inspector.answers.set(.waiting(TaskProgress(done: done, total: total)), for: question)
      }
    case .inspection(let question, let answer): return take(answer, to: question, &state)
    case .runHistory(let folder, let history, _): return beginMended(folder, history, &state)
    case .evaluationKept:
      // What there was not before there may be now.
      state.inspector.answers.forgetMissing()
    case .failure:
      // An evaluation that goes on is not what failed.
      if case .evaluating = state.engine {} else { state.inspector.evaluating = nil }
      if state.inspector.moment != .asked { state.inspector.moment = nil }
    default: break
    }
    return []
  }

  private static func take(
    _ answer: InspectionAnswer, to question: InspectionCommand, _ state: inout WorkbenchState
  ) -> [Effect] {
    if case .export(let export) = question {
      state.take(answer, toExport: export)
      return []
    }
    // What was asked about another evaluation is of no use any more.
    guard state.inspector.answers[question] != nil else { return [] }
    state.inspector.answers.set(.answer(answer), for: question)
    switch answer {
    case .table(let table):
      guard question == state.inspector.source.map({ .openEvaluation($0) }) else { break }
      state.inspector.apply(table)
      if let staleness = table.staleness { state.notify(.warning, staleness) }
    case .labelErrors(let report):
      state.inspector.suspects.take(report)
      if state.inspectsOpenDataset, let labels = state.dataset.report?.confirmed {
        state.inspector.suspects.take(labels)
      }
    case .comparison(let comparison): state.inspector.comparison.take(comparison)
    case .missingEvaluation(let source, _):
      // Two are to be compared, and one of them was never evaluated on these images.
      guard question == state.inspector.comparison.wanted, state.inspector.evaluating == nil,
        source.checkpoint != state.inspector.source?.checkpoint
      else { break }
      state.notify(
        .information,
        "\(name(of: source.checkpoint)) is not evaluated on \(source.split.imagesTitle) yet: $ "
          + ShellCommand.evaluate(source.checkpoint, data: source.data ?? state.dataset.path, split: source.split))
    case .explanation, .similarImages, .features, .layers, .picture, .exported, .exists, .failure: break
    }
    return []
  }

  // MARK: Actions

  static func perform(_ action: Action, in state: inout WorkbenchState) -> [Effect]? {
    if choosing.contains(action) { state.inspector.choose() }
    switch action {
    case .evaluate: return state.inspector.view == .checkpoints ? evaluate(&state) : evaluateAgain(&state)
    case .changeSplit: changeSplit(&state)
    case .resumeRun: return resumeRun(&state)
    case .trainMended: return trainMended(&state)
    case .nextView: changeView(by: 1, in: &state)
    case .previousView: changeView(by: -1, in: &state)
    case .readAgain: return listAgain(&state)
    case .suspects:
      open(.suspects, in: &state)
      if state.inspector.view == .suspects { tell(.suspects, &state) }
    case .compare: return compare(&state)
    case .export where state.inspector.view != .checkpoints: return export(&state)
    case .back: return goBack(&state) ? [] : nil
    default: break
    }
    switch state.inspector.view {
    case .hardest: return performInHardest(action, &state)
    case .confusion: return performInMatrix(action, &state)
    case .images: return performInImages(action, &state)
    case .confidence: return performInConfidence(action, &state)
    case .suspects: return performInSuspects(action, &state)
    case .comparison: return performInComparison(action, &state)
    case .checkpoints, .overview, .classes:
      if action == .open { open(&state) } else { return handled.contains(action) ? [] : nil }
    }
    return []
  }

  /// What `perform` has done already.
  static let handled: Set<Action> = [
    .evaluate, .changeSplit, .nextView, .previousView, .suspects, .trainMended, .left, .right,
  ]

  /// - Returns: false where there is nothing to go back to within the pane.
  private static func goBack(_ state: inout WorkbenchState) -> Bool {
    let inspector = state.inspector
    if inspector.view == .hardest {
      if inspector.hardest.isSingle {
        state.inspector.hardest.close()
      } else {
        leave(.checkpoints, &state)
      }
      return true
    }
    if inspector.view == .images, inspector.images.isSingle {
      state.inspector.images.isSingle = false
      keepInView(&state)
      return true
    }
    if inspector.view == .images, !inspector.images.marks.isEmpty {
      state.inspector.images.clearMarks()
      return true
    }
    guard inspector.view != .checkpoints else { return false }
    leave(inspector.view == .images ? inspector.origin?.view ?? .checkpoints : .checkpoints, &state)
    state.inspector.origin = nil
    return true
  }

  static func selected(_ state: inout WorkbenchState) { state.inspector.choose() }

  /// What a person does to stand on another checkpoint.
  private static let choosing: Set<Action> = [
    .up, .down, .pageUp, .pageDown, .halfPageUp, .halfPageDown, .first, .last, .next, .previous, .filter,
  ]

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
    let command = command(for: .evaluate, in: state).map { ": $ " + $0 } ?? ""
    state.notify(.information, "evaluates on \(next.imagesTitle)" + command)
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
    leave(.checkpoints, &state)
    state.inspector.evaluating = InspectorState.Evaluating(checkpoint: checkpoint.path)
    return [
      .send(
        .evaluate(
          checkpoint: checkpoint.path, data: state.dataset.path, split: state.inspector.split,
          folders: state.settings.split.folders))
    ]
  }

  /// The evaluation on show once more, as the images are now.
  private static func evaluateAgain(_ state: inout WorkbenchState) -> [Effect] {
    guard let report = state.inspector.report else { return evaluate(&state) }
    let known = state.inspector.checkpoints?.first { $0.path == report.checkpoint }
    if let known, let obstacle = state.obstacle(toEvaluating: known) {
      state.notify(.information, obstacle)
      return []
    }
    guard state.inspector.evaluating == nil else {
      state.notify(.information, "an evaluation is under way: wait until it is done")
      return []
    }
    state.inspector.evaluating = InspectorState.Evaluating(checkpoint: report.checkpoint)
    state.notify(
      .information,
      "evaluates again: $ " + ShellCommand.evaluate(report.checkpoint, data: report.data, split: report.split))
    return [
      .send(
        .evaluate(
          checkpoint: report.checkpoint, data: report.data, split: state.inspector.split ?? report.split,
          folders: state.settings.split.folders, anew: true))
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
      return ShownList(path: \.inspector.pairs) { place in
        report.map {
          ImageQuery.pair($0.className(pairs[place].truth), $0.className(pairs[place].predicted))
        } ?? ""
      }
    case .classes: return ShownList(path: \.inspector.classes) { report?.className($0) ?? "" }
    case .hardest: return nil
    case .images:
      let filter = state.inspector.images.list.filter
      return ShownList(
        path: \.inspector.images.list, text: { _ in "" },
        narrow: { state, text in
          state.inspector.images.narrow(to: text)
          keepInView(&state)
        }, isNarrowedByOrigin: state.inspector.origin?.filter == filter && !filter.isEmpty)
    case .suspects:
      return ShownList(
        path: \.inspector.suspects.list, text: { _ in "" },
        narrow: { state, text in state.inspector.suspects.narrow(to: text) })
    case .comparison:
      let shown = state.inspector.comparison.shown
      return ShownList(path: \.inspector.comparison.list) { "\(shown[$0].truth) \(shown[$0].path)" }
    case .confusion, .confidence: return nil
    }
  }

  static func image(in state: WorkbenchState) -> ShownImage? {
    let inspector = state.inspector
    if inspector.view == .hardest {
      guard let image = inspector.hardest.selected, let path = state.validationImagePath(image.path) else {
        return nil
      }
      return ShownImage(
        file: state.hardestImage, path: path, likely: image.isRight ? nil : state.runClass(image.predicted))
    }
    guard [.images, .suspects, .comparison].contains(inspector.view), let path = inspector.imagePath else {
      return nil
    }
    // What the network predicts is the likeliest.
    let likely: String? =
      switch inspector.view {
      case .suspects: inspector.suspects.selected.map { inspector.suspects.name($0.suggested) }
      case .comparison: inspector.comparison.selected?.second?.name
      default:
        inspector.images.row.flatMap { row in inspector.images.table.map { $0.className($0.predictions[row]) } }
      }
    return ShownImage(file: state.inspectedImage, path: path, likely: likely)
  }

  static func marked(in state: WorkbenchState) -> [ListedFile] {
    let images = state.inspector.images
    guard state.inspector.view == .images, images.marks.count > 0, state.inspectsOpenDataset,
      let table = images.table
    else { return [] }
    return state.dataset.images(at: images.marks.sorted().map { table.paths[$0] })
  }
}

extension WorkbenchState {
  /// Whether the evaluation on show is of the dataset that is open.
  var inspectsOpenDataset: Bool {
    guard let report = inspector.report else { return false }
    return report.data == dataset.path || report.data == dataset.report?.root
  }

  /// The image on show as one of the dataset; nil where the evaluation was of another dataset.
  var inspectedImage: ListedFile? {
    guard inspectsOpenDataset else { return nil }
    let path: String? =
      switch inspector.view {
      case .suspects: inspector.suspects.selected?.path
      case .comparison: inspector.comparison.selected?.path
      default: inspector.images.row.flatMap { row in inspector.images.table?.paths[row] }
      }
    return path.flatMap { dataset.image(at: $0) }
  }

  /// Size, format and bytes of an image's file, once its picture is there.
  func imageFacts(of row: Int) -> String? {
    guard let path = inspector.images.path(of: row), case .picture(let image)? = pictures[path],
      let file = image.file
    else { return nil }
    return "\(file.width)x\(file.height) \(file.format)" + (file.bytes.map { " " + Format.bytes($0) } ?? "")
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

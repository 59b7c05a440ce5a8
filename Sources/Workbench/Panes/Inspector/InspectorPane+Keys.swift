// The inspector's keys: their rows in the keymap, their hints, and how the same is done from a shell.

extension Context {
  static let checkpoints = Context("Inspector: checkpoints", pane: .inspector)
  static let report = Context("Inspector: evaluation", pane: .inspector)
  static let matrix = Context("Inspector: confusion matrix", pane: .inspector)
  static let sheet = Context("Inspector: images", pane: .inspector)
  static let confidence = Context("Inspector: confidence", pane: .inspector)
  static let suspects = Context("Inspector: suspected labels", pane: .inspector)
  static let comparison = Context("Inspector: two checkpoints", pane: .inspector)
}

extension Action {
  /// To evaluate the chosen checkpoint, and on which split.
  static let evaluate = Action.pane(PaneAction(.inspector, "evaluate"))
  static let changeSplit = Action.pane(PaneAction(.inspector, "changeSplit"))
  /// A new run from the weights that were evaluated, with the images as they are now.
  static let trainMended = Action.pane(PaneAction(.inspector, "trainMended"))
  /// Suspected labels; two checkpoints side by side.
  static let suspects = Action.pane(PaneAction(.inspector, "suspects"))
  /// What is shown as a file.
  static let export = Action.pane(PaneAction(.inspector, "export"))
  static let compare = Action.pane(PaneAction(.inspector, "compare"))
  /// In the matrix: the order of its classes, shares for counts, rows for columns.
  static let order = Action.pane(PaneAction(.inspector, "order"))
  static let shares = Action.pane(PaneAction(.inspector, "shares"))
  static let flip = Action.pane(PaneAction(.inspector, "flip"))
  /// Among the images: marks, order, which answers, a table of them, where the network looked.
  static let mark = Action.pane(PaneAction(.inspector, "mark"))
  static let markAll = Action.pane(PaneAction(.inspector, "markAll"))
  static let changeSort = Action.pane(PaneAction(.inspector, "changeSort"))
  static let showAnswers = Action.pane(PaneAction(.inspector, "showAnswers"))
  static let showHeat = Action.pane(PaneAction(.inspector, "showHeat"))
  /// The threshold, and the next list of a comparison.
  static let lowerThreshold = Action.pane(PaneAction(.inspector, "lowerThreshold"))
  static let raiseThreshold = Action.pane(PaneAction(.inspector, "raiseThreshold"))
  static let toggleReliability = Action.pane(PaneAction(.inspector, "toggleReliability"))
  static let ignoreSuspect = Action.pane(PaneAction(.inspector, "ignoreSuspect"))
}

extension InspectorPane {
  static let contexts: [Context] = [
    .checkpoints, .hardest, .report, .matrix, .sheet, .confidence, .suspects, .comparison, .images,
  ]

  static let keys = hardestKeys + evaluationKeys

  private static let evaluationKeys = [
    Keymap.motion(.checkpoints, [.enter], .evaluate, hint: "evaluate", "evaluate the chosen checkpoint"),
    Keymap.command(
      .checkpoints, [.character("e")], .evaluate, "evaluate the chosen checkpoint",
      synonyms: ["test", "measure", "accuracy", "score", "benchmark"]),
    Keymap.command(
      .checkpoints, [.character("p")], .changeSplit, hint: "split",
      "evaluate on test, validation or training images", synonyms: ["part", "subset"]),
    Keymap.command(
      .checkpoints, [.character("r")], .resumeRun, hint: "resume run", "go on with the run of the chosen checkpoint"
    ),
    Keymap.command(
      .checkpoints, [.character("v"), .character("]")], .nextView, hint: "view", "next view of the inspector"),
    Keymap.command(.checkpoints, [.character("[")], .previousView, "previous view of the inspector"),
    Keymap.command(.checkpoints, [.character("R")], .readAgain, "list the checkpoints again"),

    Keymap.command(
      .checkpoints, [.character("b")], .compare, hint: "compare",
      "put the evaluation on show beside that of the chosen checkpoint",
      synonyms: ["diff", "versus", "two", "mcnemar"]),

    Keymap.motion(.matrix, [.enter], .open, hint: "its images", "show the images of the cell"),
    Keymap.motion(
      .matrix, [.character("o")], .order, hint: "order", "by name, or confused classes beside each other"),
    Keymap.motion(.matrix, [.character("%")], .shares, hint: "shares", "counts, or shares of the true class"),
    Keymap.motion(.matrix, [.character("T")], .flip, hint: "flip", "true classes down, or across"),
    Keymap.motion(.matrix, [.character("n")], .next, hint: "next pair", "the next most confused pair"),
    Keymap.motion(.matrix, [.character("N")], .previous, "the pair before"),

    Keymap.motion(.sheet, [.enter], .open, hint: "larger", "one image, or the sheet again"),
    Keymap.motion(
      .sheet, [.character(" ")], .mark, hint: "mark", "mark the image: x, m and E are about all marked"),
    Keymap.motion(.sheet, [.character("A")], .markAll, "mark all that are shown, or none"),
    Keymap.motion(
      .sheet, [.character("S")], .changeSort, hint: "sort",
      "sort by loss, confidence, margin, disagreement, name"),
    Keymap.motion(
      .sheet, [.character("f")], .showAnswers, hint: "right/wrong", "all images, the wrong ones, the right ones"),
    Keymap.command(
      .sheet, [.character("g")], .showHeat, hint: "Grad-CAM",
      "where the network looked, and what the image resembles",
      synonyms: ["heat map", "attention", "explain", "cam", "saliency", "similar", "neighbors"]),
    Keymap.motion(.sheet, [.character("n")], .next, "next image"),
    Keymap.motion(.sheet, [.character("N")], .previous, "previous image"),

    Keymap.motion(
      .confidence, [.character("r")], .toggleReliability, hint: "reliability", "histogram, or reliability diagram"),
    Keymap.motion(.confidence, [.character("<")], .lowerThreshold, "lower the threshold by five hundredths"),
    Keymap.motion(
      .confidence, [.character(">")], .raiseThreshold, hint: "threshold",
      "raise the threshold by five hundredths"),
    Keymap.motion(.confidence, [.enter], .open, hint: "below it", "the images below the threshold"),

    Keymap.motion(
      .suspects, [.character("i")], .ignoreSuspect, hint: "is right", "the label is right: take it off the list"),
    Keymap.motion(.comparison, [.character("<")], .lowerThreshold, "the list before"),
    Keymap.motion(
      .comparison, [.character(">")], .raiseThreshold, hint: "next list", "fixed, broken, still wrong"),

    Keymap.motion(
      .report, [.character("v"), .character("]")], .nextView, hint: "view",
      "next view: confusion, pairs, classes, images, confidence"),
    Keymap.motion(.report, [.character("[")], .previousView, "previous view"),
    Keymap.motion(.report, [.enter], .open, hint: "its images", "show the images of the chosen class or pair"),
    Keymap.command(
      .report, [.character("w")], .suspects, hint: "suspects", "labels that are probably wrong, the worst first",
      synonyms: ["label errors", "mislabeled", "confident learning", "noise", "cleanlab"]),
    Keymap.command(
      .report, [.character("E")], .export, hint: "export",
      "write what is shown to a file: a table, a picture, of images those that are marked",
      synonyms: ["csv", "json", "png", "svg", "save", "table", "contact sheet"]),
    Keymap.motion(.report, [.character("b")], .compare, hint: "compare", "put another checkpoint beside this one"),
    Keymap.motion(.report, [.character("n")], .next, "next match"),
    Keymap.motion(.report, [.character("N")], .previous, "previous match"),
    Keymap.motion(
      .report, [.character("u")], .undoDecision, hint: "undo", "undo the last decision on an image"),
    Keymap.motion(
      .report, [.character("e")], .evaluate, hint: "evaluate again",
      "evaluate again, with the images as they are now"),
    Keymap.command(
      .report, [.character("r")], .trainMended, hint: "train on",
      "go on training with the mended data: a new run with the settings of this one, from these weights",
      synonyms: ["mended", "continue", "fine-tune", "retrain", "again"]),
    Keymap.motion(.report, [.character("p")], .changeSplit, "the split that e evaluates on"),
    Keymap.motion(.report, [.escape], .back, hint: "back", "back to where one came from"),
  ]

  static func contexts(in state: WorkbenchState) -> [Context] {
    let inspector = state.inspector
    switch inspector.view {
    case .checkpoints: return [.checkpoints]
    case .hardest: return state.hardestImage == nil ? [.hardest] : [.hardest, .images]
    case .overview, .classes: return [.report]
    case .confusion: return [.matrix, .report]
    // x and m are for an image that there is.
    case .images: return inspector.images.row == nil ? [.sheet, .report] : [.images, .sheet, .report]
    case .confidence: return [.confidence, .report]
    case .suspects:
      return inspector.suspects.selected == nil ? [.suspects, .report] : [.images, .suspects, .report]
    case .comparison:
      return inspector.comparison.selected == nil ? [.comparison, .report] : [.images, .comparison, .report]
    }
  }

  static func hint(for binding: Keymap.Binding, in state: WorkbenchState) -> String? {
    let inspector = state.inspector
    switch binding.action {
    case .evaluate where binding.context == .checkpoints:
      guard let checkpoint = inspector.selectedCheckpoint, inspector.evaluating == nil else { return nil }
      return state.obstacle(toEvaluating: checkpoint) == nil ? binding.hint : nil
    // Once the images are others than they were.
    case .evaluate: return inspector.evaluating == nil && !state.dataset.undoable.isEmpty ? binding.hint : nil
    case .resumeRun where binding.context == .checkpoints:
      guard let checkpoint = inspector.selectedCheckpoint, state.engine == .idle, !state.looksOnly else {
        return nil
      }
      return state.isElsewhere(checkpoint) ? nil : binding.hint
    case .nextView:
      let hasOther = inspector.report != nil || inspector.view == .hardest || inspector.hardest.details != nil
      return hasOther ? binding.hint : nil
    case .open where inspector.view == .hardest: return inspector.hardest.isSingle ? "sheet" : binding.hint
    case .back where inspector.view == .hardest: return inspector.hardest.isSingle ? "sheet" : binding.hint
    case .compare: return inspector.report == nil || inspector.view == .comparison ? nil : binding.hint
    case .suspects: return inspector.view == .suspects ? nil : binding.hint
    // Once the images are others than they were.
    case .trainMended: return state.engine == .idle && !state.looksOnly && state.isMended ? binding.hint : nil
    case .open where inspector.view == .images: return inspector.images.isSingle ? "sheet" : binding.hint
    case .open where [.suspects, .comparison].contains(inspector.view): return nil
    case .export where inspector.view == .images && inspector.images.list.count == 0: return nil
    case .mark, .changeSort: return inspector.images.list.count > 0 ? binding.hint : nil
    case .showHeat:
      guard inspector.images.isWhole, inspector.images.row != nil else { return nil }
      return inspector.showsHeat && inspector.images.isSingle ? "picture" : binding.hint
    case .toggleReliability: return inspector.confidence.showsReliability ? "histogram" : binding.hint
    case .undoDecision: return state.dataset.undoable.isEmpty ? nil : binding.hint
    default: return binding.hint
    }
  }

  static func command(for action: Action, in state: WorkbenchState) -> String? {
    let inspector = state.inspector
    switch action {
    case .suspects:
      return inspector.report.map { ShellCommand.suspects(of: $0.checkpoint, data: $0.data) }
    case .showHeat:
      guard let report = inspector.report, let table = inspector.images.table, let row = inspector.images.row,
        let path = inspector.images.path(of: row)
      else { return nil }
      var labels = [table.predictions[row], table.truths[row]].filter { $0 >= 0 }
      if table.isRight(row) { labels.removeLast() }
      return ShellCommand.explain(report.checkpoint, file: path, classes: labels.map(table.className))
    case .compare:
      guard case .compare(let first, let second)? = inspector.comparison.question else { return nil }
      return ShellCommand.compare(first, second)
    default: break
    }
    guard let checkpoint = inspector.selectedCheckpoint else { return nil }
    switch action {
    case .evaluate:
      return ShellCommand.evaluate(
        checkpoint.path, data: state.dataset.path, split: state.inspector.split,
        folders: state.settings.split.folders)
    case .resumeRun: return ShellCommand.resume(checkpoint.runFolder)
    default: return nil
    }
  }
}

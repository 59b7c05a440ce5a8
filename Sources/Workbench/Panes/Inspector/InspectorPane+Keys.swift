// The inspector's keys: their rows in the keymap, their hints, and how the same is done from a shell.

extension Context {
  static let checkpoints = Context("Inspector: checkpoints", pane: .inspector)
  static let report = Context("Inspector: evaluation", pane: .inspector)
}

extension Action {
  /// To evaluate the chosen checkpoint, and on which split.
  static let evaluate = Action.pane(PaneAction(.inspector, "evaluate"))
  static let changeSplit = Action.pane(PaneAction(.inspector, "changeSplit"))
}

extension InspectorPane {
  static let contexts: [Context] = [.checkpoints, .report, .images]

  static let keys = [
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

    Keymap.motion(
      .report, [.character("v"), .character("]")], .nextView, hint: "view",
      "next view: checkpoints, overview, classes, confusion, mistakes"),
    Keymap.motion(.report, [.character("[")], .previousView, "previous view"),
    Keymap.motion(.report, [.enter], .open, hint: "its mistakes", "show the mistakes of the chosen class or pair"),
    Keymap.motion(.report, [.character("n")], .next, hint: "next", "next mistake or match"),
    Keymap.motion(.report, [.character("N")], .previous, "previous mistake or match"),
    Keymap.motion(
      .report, [.character("u")], .undoDecision, hint: "undo", "undo the last decision on an image"),
    Keymap.motion(.report, [.character("e")], .evaluate, "evaluate the chosen checkpoint again"),
    Keymap.motion(.report, [.character("p")], .changeSplit, "the split that e evaluates on"),
    Keymap.motion(.report, [.escape], .back, hint: "back", "clear the filter, back to the checkpoints"),
  ]

  static func contexts(in state: WorkbenchState) -> [Context] {
    let inspector = state.inspector
    if inspector.view == .mistakes, inspector.selectedMistake != nil { return [.images, .report] }
    return [inspector.view == .checkpoints ? .checkpoints : .report]
  }

  static func hint(for binding: Keymap.Binding, in state: WorkbenchState) -> String? {
    let inspector = state.inspector
    switch binding.action {
    case .evaluate:
      guard let checkpoint = inspector.selectedCheckpoint, inspector.evaluating == nil else { return nil }
      return state.obstacle(toEvaluating: checkpoint) == nil ? binding.hint : nil
    case .resumeRun:
      guard let checkpoint = inspector.selectedCheckpoint, state.engine == .idle, !state.looksOnly else {
        return nil
      }
      return state.isElsewhere(checkpoint) ? nil : binding.hint
    case .nextView: return inspector.report == nil ? nil : binding.hint
    case .next: return inspector.view == .mistakes ? "next mistake" : nil
    case .open: return inspector.view == .mistakes ? nil : binding.hint
    case .undoDecision: return state.dataset.undoable.isEmpty ? nil : binding.hint
    default: return binding.hint
    }
  }

  static func command(for action: Action, in state: WorkbenchState) -> String? {
    guard let checkpoint = state.inspector.selectedCheckpoint else { return nil }
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

// The dataset pane's keys: their rows in the keymap, their hints, and how the same is done from a shell.

extension Context {
  static let dataset = Context("Dataset", pane: .dataset)
}

extension Action {
  /// What is wrong with the dataset; its statistics; to check every file.
  static let findings = Action.pane(PaneAction(.dataset, "findings"))
  static let statistics = Action.pane(PaneAction(.dataset, "statistics"))
  static let checkFiles = Action.pane(PaneAction(.dataset, "checkFiles"))
}

extension DatasetPane {
  static let contexts: [Context] = [.dataset, .images]

  static let keys = [
    Keymap.motion(.dataset, [.enter], .open, hint: "open", "open a class, show an image larger"),
    Keymap.command(.dataset, [.character("u")], .undoDecision, hint: "undo", "undo the last decision"),
    Keymap.motion(.dataset, [.escape], .back, hint: "cancel", "go up a level; at the top, cancel a scan"),
    Keymap.command(
      .dataset, [.character("w")], .findings, hint: "findings", "what is wrong with the dataset",
      synonyms: ["problems", "issues", "errors", "warnings", "duplicates", "list"]),
    Keymap.command(
      .dataset, [.character("c")], .checkFiles, hint: "check files",
      "check every file: broken ones, duplicates, sizes",
      synonyms: ["verify", "validate", "scan", "inspect", "corrupt", "test"]),
    Keymap.command(
      .dataset, [.character("f")], .statistics, hint: "statistics", "sizes, formats, channels, mean and std",
      synonyms: ["statistics", "stats", "dimensions", "std"]),
    Keymap.command(.dataset, [.character("R")], .readAgain, "read the dataset's folder again"),

    Keymap.command(
      .images, [.character("x")], .exclude, hint: "exclude", "exclude the image, or include it again"),
    Keymap.command(.images, [.character("m")], .relabel, hint: "relabel", "give the image another class"),
  ]

  static func contexts(in state: WorkbenchState) -> [Context] {
    if case .files = state.dataset.level { [.images, .dataset] } else { [.dataset] }
  }

  static func hint(for binding: Keymap.Binding, in state: WorkbenchState) -> String? {
    let dataset = state.dataset
    switch binding.action {
    case .findings:
      if dataset.level == .findings { return "classes" }
      return dataset.report?.findings.isEmpty == false ? binding.hint : nil
    case .statistics: return dataset.report?.statistics == nil || dataset.level == .statistics ? nil : binding.hint
    case .open:
      guard dataset.report != nil else { return nil }
      switch dataset.level {
      case .classes: return binding.hint
      case .findings: return dataset.selectedFinding == nil ? nil : "files"
      case .files, .statistics: return state.zoomed ? "all panes" : "larger"
      }
    case .back: return dataset.reading.isUnderWay && dataset.level == .classes ? binding.hint : nil
    case .checkFiles:
      return dataset.report != nil && dataset.report?.statistics == nil && !dataset.reading.isUnderWay
        ? binding.hint : nil
    case .undoDecision: return dataset.undoable.isEmpty ? nil : binding.hint
    default: return binding.hint
    }
  }

  static func command(for action: Action, in state: WorkbenchState) -> String? {
    switch action {
    case .checkFiles, .findings, .statistics, .focus(id):
      ShellCommand.check(state.dataset.path, state.settings.split)
    default: nil
    }
  }
}

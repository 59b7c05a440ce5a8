// The curves pane's keys, and what changes it: the figures of a run as they come, and those of an earlier run as they
// are read from its folder.

import Messages

extension Context {
  static let curves = Context("Curves", pane: .curves)
}

extension Action {
  /// To show other charts.
  static let changeCurves = Action.pane(PaneAction(.curves, "changeCurves"))
}

extension CurvesPane {
  static let contexts: [Context] = [.curves]

  static let keys = [
    Keymap.command(
      .curves, [.character("v")], .changeCurves, hint: "curve",
      ([CurveChart.all.map(\.name).joined(separator: " and ")] + CurveChart.all.map { "\($0.name) alone" })
        .joined(separator: ", "), synonyms: ["plot", "chart", "graph"]),
    Keymap.motion(.curves, [.enter], .zoom, "fill the screen, or show all panes again"),
  ]

  static func hint(for binding: Keymap.Binding, in state: WorkbenchState) -> String? {
    binding.action == .changeCurves && state.curves.run == nil ? nil : binding.hint
  }

  static func perform(_ action: Action, in state: inout WorkbenchState) -> [Effect]? {
    guard action == .changeCurves else { return nil }
    state.curves.view = state.curves.view.next
    return []
  }

  static func take(_ event: Messages.Event, in state: inout WorkbenchState) -> [Effect] {
    switch event {
    case .training(let event): state.curves.take(event)
    case .state(let new):
      state.curves.hasFailed =
        switch new {
        case .idle: state.curves.run != nil && !state.curves.isHistory && state.curves.outcome == nil
        case .evaluating: state.curves.hasFailed
        case .preparing, .training, .paused, .validating, .stopping: false
        }
    case .runHistory(let folder, let history, let reason): return take(history, of: folder, reason, in: &state)
    default: break
    }
    return []
  }

  private static func take(
    _ history: RunHistory?, of folder: String, _ reason: String?, in state: inout WorkbenchState
  ) -> [Effect] {
    if state.curves.requestedHistory == folder { state.curves.requestedHistory = nil }
    // A run that was started meanwhile has the pane.
    guard !state.runUnderWay, !state.startRequested else { return [] }
    guard let history else {
      state.curves.unreadable.insert(folder)
      state.notify(.warning, "no curves of \(lastComponent(folder)): \(reason ?? "it could not be read")")
      return []
    }
    state.curves.show(history)
    // A run that went on since its checkpoints were listed has others now.
    let listed = state.inspector.checkpoints?.filter { $0.runFolder == folder }.map(\.step).max() ?? 0
    return state.curves.isElsewhere || state.curves.reachedStep > listed
      ? [.send(.listCheckpoints(project: state.settings.project))] : []
  }
}

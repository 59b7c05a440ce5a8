// The runs pane: every run of the project, to be looked at, laid over the curves, compared, named, removed and gone on
// with. How it looks is in RunsPane+View.swift.

import Canvas
import Messages
import Support

extension PaneID {
  static let runs = PaneID("Runs")
}

extension WorkbenchState {
  var runs: RunsState {
    get { models[RunsPane.self] }
    _modify { yield &models[RunsPane.self] }
  }
}

extension Context {
  static let runs = Context("Runs", pane: .runs)
  static let runTable = Context("Runs beside each other", pane: .runs)
}

extension Action {
  static let chooseRun = Action.pane(PaneAction(.runs, "choose"))
  static let compareRuns = Action.pane(PaneAction(.runs, "compare"))
  static let noteRun = Action.pane(PaneAction(.runs, "note"))
  static let renameRun = Action.pane(PaneAction(.runs, "rename"))
  static let removeRun = Action.pane(PaneAction(.runs, "remove"))
  static let restoreRun = Action.pane(PaneAction(.runs, "restore"))
  static let sortRuns = Action.pane(PaneAction(.runs, "sort"))
  static let continueRun = Action.pane(PaneAction(.runs, "continue"))
}

enum RunsPane: Pane {
  static let id = PaneID.runs

  static func model(data: String) -> RunsState { RunsState() }

  // MARK: Keys

  static let contexts: [Context] = [.runs, .runTable]

  static let keys = [
    Keymap.motion(.runs, [.enter], .open, hint: "curves", "show the run's curves"),
    Keymap.command(
      .runs, [.character(" ")], .chooseRun, hint: "overlay",
      "lay the run's curves over those on show, or take them away",
      synonyms: ["overlay", "mark"]),
    Keymap.command(
      .runs, [.character("=")], .compareRuns, hint: "compare",
      "compare the chosen runs, or this one with the one on show: results, and settings that differ",
      synonyms: ["difference", "diff"]),
    Keymap.command(.runs, [.character("n")], .noteRun, hint: "note", "write something about the run"),
    Keymap.command(.runs, [.character("R")], .renameRun, "rename the run"),
    Keymap.command(
      .runs, [.character("d")], .removeRun, hint: "delete", "put the run into the project's .trash folder",
      synonyms: ["remove", "trash"]),
    Keymap.command(.runs, [.character("u")], .restoreRun, "put the run that was removed last back"),
    Keymap.command(.runs, [.character("r")], .continueRun, hint: "resume", "go on with the run"),
    Keymap.command(.runs, [.character("S")], .sortRuns, "sort the runs differently"),
    Keymap.motion(.runTable, [.up, .character("k")], .up, "up"),
    Keymap.motion(.runTable, [.down, .character("j")], .down, "down"),
    Keymap.motion(.runTable, [.escape, .left, .character("h")], .back, hint: "back", "back to the list"),
  ]

  static func contexts(in state: WorkbenchState) -> [Context] { [state.runs.comparison == nil ? .runs : .runTable] }

  static func hint(for binding: Keymap.Binding, in state: WorkbenchState) -> String? {
    guard state.runs.comparison == nil else { return binding.hint }
    guard state.runs.selected != nil else { return nil }
    switch binding.action {
    case .removeRun, .noteRun, .continueRun: return state.looksOnly ? nil : binding.hint
    case .compareRuns: return toCompare(state).count > 1 ? binding.hint : nil
    default: return binding.hint
    }
  }

  static func command(for action: Action, in state: WorkbenchState) -> String? {
    guard let run = state.runs.selected else { return nil }
    switch action {
    case .compareRuns: return "skipline compare " + toCompare(state).map(shellQuoted).joined(separator: " ")
    case .continueRun: return ShellCommand.resume(run.folder)
    case .open: return "skipline plot " + shellQuoted(run.folder)
    default: return nil
    }
  }

  // MARK: Update

  static func handle(_ event: Messages.Event, in state: inout WorkbenchState) -> [Effect] {
    switch event {
    case .runs(let project, let runs):
      if project == state.settings.project { state.runs.apply(runs) }
    case .runTable(let table, let reason):
      if state.runs.comparison == .waiting {
        state.runs.comparison = table.map { .table($0, scroll: 0) } ?? .failed(reason ?? "they cannot be compared")
      }
    case .runChanged(let change, let folder):
      changed(change, folder, &state)
      return [.browse(.listCheckpoints(project: state.settings.project))]
    case .runHistory(let folder, let history, let reason): overlay(folder, history, reason, &state)
    case .training(.epoch(let metrics)):
      guard let run = state.curves.run, !state.curves.isHistory else { break }
      let best = state.curves.best?.score
      state.runs.update(run.folder) { summary in
        (summary.epoch, summary.step, summary.best) = (metrics.epoch, metrics.step, best ?? summary.best)
      }
      // Runs of others go on meanwhile.
      return liveOverlays(state).map { .browse(.readRun(folder: $0)) }
    case .evaluation(let report) where report.split == .test && report.provenance?.isRunsOwn != false:
      let place = report.checkpoint.split(separator: "/").map(String.init)
      guard place.count >= 3, let file = place.last else { break }
      let folder = (report.checkpoint.hasPrefix("/") ? "/" : "") + place.dropLast(2).joined(separator: "/")
      let name = file.split(separator: ".").first.map(String.init) ?? file
      state.runs.update(folder) { $0.test = RunSummary.TestResult(checkpoint: name, top1: report.top1) }
    default: break
    }
    return []
  }

  private static func changed(_ change: RunChange, _ folder: String, _ state: inout WorkbenchState) {
    switch change {
    case .remove(let from):
      state.runs.removed.append((from, folder))
      state.notify(.information, "\(lastComponent(from)) lies in \(folder): u puts it back")
    case .restore(let trash, let to):
      state.runs.removed.removeAll { $0.trash == trash }
      state.notify(.information, "\(lastComponent(to)) is back")
    case .rename(let from, let name):
      state.runs.chosen = state.runs.chosen.map { $0 == from ? folder : $0 }
      state.notify(.information, "\(lastComponent(from)) is \(name) now")
    case .note: break
    }
  }

  // MARK: Actions

  static func perform(_ action: Action, in state: inout WorkbenchState) -> [Effect]? {
    if state.runs.comparison != nil { return performInTable(action, &state) }
    switch action {
    case .sortRuns: state.runs.sortDifferently()
    case .restoreRun:
      guard state.mayChange() else { return [] }
      guard let last = state.runs.removed.last else {
        state.notify(.information, "no run was removed here")
        return []
      }
      return [.browse(.changeRun(.restore(folder: last.trash, to: last.from)))]
    case .open, .chooseRun, .compareRuns, .noteRun, .renameRun, .removeRun, .continueRun, .right:
      guard let run = state.runs.selected else { return [] }
      return perform(action, on: run, &state)
    default: return nil
    }
    return []
  }

  private static func perform(_ action: Action, on run: RunSummary, _ state: inout WorkbenchState) -> [Effect] {
    switch action {
    case .open, .right: return show(run, &state)
    case .chooseRun: return choose(run, &state)
    case .compareRuns:
      let folders = toCompare(state)
      guard folders.count > 1 else {
        state.notify(.information, "choose runs with space, then = compares them")
        return []
      }
      state.runs.comparison = .waiting
      return [.browse(.compareRuns(folders))]
    case .noteRun where state.mayChange():
      state.overlay = .prompt(
        TextPrompt(.runNote(folder: run.folder), TextEntry(text: run.note ?? "", isFresh: false)))
    case .renameRun where state.mayChange():
      state.overlay = .prompt(TextPrompt(.runName(folder: run.folder), TextEntry(text: run.name, isFresh: true)))
    case .removeRun where state.mayChange():
      guard !run.state.isLive else {
        state.notify(.information, "\(run.name) is being trained: stop it first")
        return []
      }
      return [.browse(.changeRun(.remove(folder: run.folder)))]
    case .continueRun where state.mayChange():
      if state.runUnderWay {
        state.notify(.information, "a run is under way here: leave it running (q) before another goes on")
        return []
      }
      guard !run.state.isLive else {
        state.notify(.information, "\(run.name) is being trained: a attaches to it")
        return []
      }
      return state.resume(run.folder)
    default: break
    }
    return []
  }

  private static func performInTable(_ action: Action, _ state: inout WorkbenchState) -> [Effect]? {
    guard case .table(let table, let scroll) = state.runs.comparison else {
      if action == .back { state.runs.comparison = nil }
      return action == .back ? [] : nil
    }
    let distance: Int
    switch action {
    case .back:
      state.runs.comparison = nil
      return []
    case .up: distance = -1
    case .down: distance = 1
    case .pageUp: distance = -10
    case .pageDown: distance = 10
    case .first: distance = -scroll
    case .last: distance = table.texts.count
    default: return nil
    }
    let height = state.layout[id]?.interior.height ?? 1
    state.runs.comparison = .table(
      table, scroll: max(0, min(scroll + distance, table.texts.count - height)))
    return []
  }

  /// The runs that were chosen; else the one under the cursor and the one whose curves are on show.
  private static func toCompare(_ state: WorkbenchState) -> [String] {
    let chosen = state.runs.chosen
    let selected = state.runs.selected.map { [$0.folder] } ?? []
    if chosen.count > 1 { return chosen }
    let others = chosen.isEmpty ? state.curves.run.map { [$0.folder] } ?? [] : chosen
    return others + selected.filter { !others.contains($0) }
  }

  private static func show(_ run: RunSummary, _ state: inout WorkbenchState) -> [Effect] {
    guard !state.runUnderWay else {
      state.notify(.information, "a run is under way: space lays this one's curves over its own")
      return []
    }
    state.curves.requestedHistory = run.folder
    return [.browse(.readRun(folder: run.folder))]
  }

  // MARK: Overlays

  private static func choose(_ run: RunSummary, _ state: inout WorkbenchState) -> [Effect] {
    if state.runs.chosen.contains(run.folder) {
      state.runs.chosen.removeAll { $0 == run.folder }
      state.runs.requested.remove(run.folder)
      state.curves.overlays.removeAll { $0.folder == run.folder }
      return []
    }
    guard state.runs.chosen.count < RunsState.mostChosen else {
      state.notify(.information, "\(RunsState.mostChosen) runs are chosen: more cannot be told apart")
      return []
    }
    state.runs.chosen.append(run.folder)
    guard state.curves.run?.folder != run.folder else { return [] }
    // Where no curves are on show, these are what others will lie over.
    if state.curves.run == nil, state.curves.requestedHistory == nil, !state.runUnderWay, !state.startRequested {
      return show(run, &state)
    }
    state.runs.requested.insert(run.folder)
    return [.browse(.readRun(folder: run.folder))]
  }

  /// Chosen runs that other processes train.
  private static func liveOverlays(_ state: WorkbenchState) -> [String] {
    state.curves.overlays.map(\.folder).filter { folder in
      state.runs.runs?.first { $0.folder == folder }?.state.isLive == true
    }
  }

  private static func overlay(
    _ folder: String, _ history: RunHistory?, _ reason: String?, _ state: inout WorkbenchState
  ) {
    let isRefresh = state.curves.overlays.contains { $0.folder == folder }
    guard state.runs.requested.remove(folder) != nil || isRefresh else { return }
    guard let history else {
      if !isRefresh {
        state.runs.chosen.removeAll { $0 == folder }
        state.notify(.warning, "no curves of \(lastComponent(folder)): \(reason ?? "it could not be read")")
      }
      return
    }
    state.curves.lay(over: history.run)
  }

  // MARK: List

  static func list(in state: WorkbenchState) -> ShownList? {
    guard state.runs.comparison == nil else { return nil }
    let runs = state.runs.runs ?? []
    return ShownList(path: \.runs.list) { RunsState.text(of: runs[$0]) }
  }

  static func listBody(_ state: WorkbenchState, in inner: Rect) -> Rect { areas(state, in: inner).body }
}

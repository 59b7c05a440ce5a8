// The runs pane: order, overlays, comparison, and what changes runs.

import Canvas
import Messages
import Testing

@testable import Workbench

@Suite struct `The runs pane` {
  private func run(
    _ name: String, _ state: RunSummary.State = .finished, changed: String = "2026-01-01T00:00:00Z",
    best: Double? = nil, test: Double? = nil
  ) -> RunSummary {
    var run = RunSummary(folder: "runs/\(name)", state: state, epoch: 3, epochs: 12, step: 78)
    (run.network, run.data, run.changed, run.age) = ("cifar20", "data/sign-digits", changed, 7200)
    run.best = best.map { Score(.top1, $0) }
    run.test = test.map { RunSummary.TestResult(checkpoint: "best", top1: $0) }
    return run
  }

  private func opened(size: Size = Size(width: 100, height: 30)) -> WorkbenchState {
    var state = WorkbenchState.opened(size: size)
    state.hear(
      .runs(
        project: "runs",
        [
          run("a2", changed: "2026-01-03T00:00:00Z", best: 0.5, test: 0.7),
          run("a10", changed: "2026-01-02T00:00:00Z", best: 0.9, test: 0.6),
          run("live", .inUse, changed: "2026-01-01T00:00:00Z"),
          run("stopped", .resumable, changed: "2026-01-04T00:00:00Z", best: 0.1),
        ]))
    state.press(.character("5"))
    return state
  }

  private func names(_ state: WorkbenchState) -> [String] { state.runs.runs?.map(\.name) ?? [] }

  private func history(_ name: String, epochs: Int = 3) -> RunHistory {
    var run = Fixtures.run(history: (1...epochs).map { Fixtures.epoch($0) })
    run.folder = "runs/\(name)"
    return RunHistory(run: run, outcome: nil)
  }

  @Test func `those that are trained come first, then the newest; S sorts by name, validation and test`() {
    var state = opened()
    #expect(names(state) == ["live", "stopped", "a2", "a10"])
    state.type("S")
    #expect(names(state) == ["a2", "a10", "live", "stopped"])
    state.type("S")
    #expect(names(state) == ["a10", "a2", "stopped", "live"])
    state.type("S")
    #expect(names(state).prefix(2) == ["a2", "a10"])
    state.type("S")
    #expect(names(state) == ["live", "stopped", "a2", "a10"])
    // Those of another project are somebody else's.
    state.hear(.runs(project: "elsewhere", []))
    #expect(names(state).count == 4)
  }

  @Test func `shows name, network, best validation, test result, epochs, age and state`() {
    var state = opened(size: Size(width: 120, height: 30))
    state.type("z")
    let text = state.text
    #expect(text.contains("a10") && text.contains("90.0%") && text.contains("60.0%") && text.contains("3/12"))
    #expect(text.contains("2h") && text.contains("now") && text.contains("stopped") && text.contains("sign-digits"))
  }

  @Test func `Enter shows a run's curves, space lays others over them, and again takes them away`() {
    var state = opened()
    state.press(.down, .down)
    #expect(state.press(.enter) == [.browse(.readRun(folder: "runs/a2"))])
    state.hear(.runHistory(folder: "runs/a2", history("a2"), reason: nil))
    #expect(state.curves.run?.folder == "runs/a2")
    state.press(.down)
    #expect(state.type(" ") == [.browse(.readRun(folder: "runs/a10"))])
    state.hear(.runHistory(folder: "runs/a10", history("a10", epochs: 5), reason: nil))
    #expect(state.curves.run?.folder == "runs/a2" && state.curves.overlays.map(\.name) == ["a10"])
    state.type("z3")
    state.press(.character("3"))
    #expect(state.text.contains("a10"))
    state.press(.character("5"))
    #expect(state.type(" ").isEmpty && state.curves.overlays.isEmpty)
    // One that cannot be read is not chosen.
    state.type(" ")
    state.hear(.runHistory(folder: "runs/a10", nil, reason: "it is damaged"))
    #expect(state.runs.chosen.isEmpty && state.message?.text.contains("it is damaged") == true)
  }

  @Test func `overlaid runs that others train are read again after each epoch here`() {
    var state = WorkbenchState.training(size: Size(width: 100, height: 30))
    state.hear(.runs(project: "runs", [run("live", .inUse), run("old")]))
    state.press(.character("5"))
    state.type(" ")
    state.press(.down)
    state.type(" ")
    state.hear(
      .runHistory(folder: "runs/live", history("live", epochs: 1), reason: nil),
      .runHistory(folder: "runs/old", history("old"), reason: nil))
    #expect(state.hear(.training(.epoch(Fixtures.epoch(7)))).contains(.browse(.readRun(folder: "runs/live"))))
    state.hear(.runHistory(folder: "runs/live", history("live", epochs: 2), reason: nil))
    #expect(state.curves.overlays.first { $0.name == "live" }?.epochs.count == 2)
    #expect(!state.curves.isHistory && state.curves.epochs.count == 7)
  }

  @Test func `where no curves are on show, those of the first chosen run are, and others lie over them`() throws {
    var state = opened()
    state.press(.down)
    #expect(state.press(.character(" ")) == [.browse(.readRun(folder: "runs/stopped"))])
    #expect(state.curves.requestedHistory == "runs/stopped" && state.runs.requested.isEmpty)
    state.press(.down)
    state.press(.character(" "))
    #expect(state.runs.requested == ["runs/a2"] && state.runs.chosen == ["runs/stopped", "runs/a2"])
    state.hear(.runHistory(folder: "runs/stopped", history("stopped"), reason: nil))
    state.hear(.runHistory(folder: "runs/a2", history("a2"), reason: nil))
    #expect(state.curves.runName == "stopped" && state.curves.overlays.map(\.name) == ["a2"])
  }

  @Test func `= compares the chosen ones in a table with differences, Escape goes back`() {
    var state = opened(size: Size(width: 120, height: 40))
    state.type(" ")
    state.press(.down)
    state.type(" ")
    #expect(state.type("=") == [.browse(.compareRuns(["runs/live", "runs/stopped"]))])
    let table = RunTable(
      runs: [run("live", .inUse), run("stopped", .resumable)],
      results: [.init("test top-1", [.share(0.5), .share(0.625)]), .init("time", [.seconds(125), nil])],
      settings: [.init("lr", [.text("0.1"), .text("0.05")])])
    state.hear(.runTable(table, reason: nil))
    state.type("z")
    let text = state.text
    #expect(text.contains("62.50% (+12.50)") && text.contains("2 min 05 s") && text.contains("--lr"))
    state.press(.escape)
    #expect(state.runs.comparison == nil)
    state.type("=")
    state.hear(.runTable(nil, reason: "run.json is damaged"))
    #expect(state.text.contains("run.json is damaged"))
  }

  @Test func `a note, a name, removing and bringing back go to the engine`() {
    var state = opened()
    state.press(.down)
    state.type("nfine")
    #expect(state.press(.enter) == [.browse(.changeRun(.note(folder: "runs/stopped", text: "fine")))])
    state.type("R")
    state.type("a/b")
    #expect(state.press(.enter).isEmpty && state.text.contains("cannot name a run"))
    state.press(.control("u"))
    state.type("good")
    #expect(state.press(.enter) == [.browse(.changeRun(.rename(folder: "runs/stopped", name: "good")))])
    let remove = RunChange.remove(folder: "runs/stopped")
    #expect(state.type("d") == [.browse(.changeRun(remove))])
    state.hear(.runChanged(remove, folder: "runs/.trash/stopped"))
    #expect(
      state.type("u") == [.browse(.changeRun(.restore(folder: "runs/.trash/stopped", to: "runs/stopped")))])
    state.hear(.runChanged(.restore(folder: "runs/.trash/stopped", to: "runs/stopped"), folder: "runs/stopped"))
    #expect(state.type("u").isEmpty)
    // One that is trained is not removed, and not resumed.
    state.press(.up)
    #expect(state.type("d").isEmpty && state.type("r").isEmpty)
    state.press(.down)
    #expect(state.type("r") == [.send(.resumeRun(folder: "runs/stopped"))])
  }

  @Test func `six hundred runs are listed and filtered`() {
    var state = WorkbenchState.opened()
    state.hear(.runs(project: "runs", (0..<600).map { run("cifar20-\($0)", best: Double($0) / 600) }))
    state.press(.character("5"), .character("G"))
    #expect(state.runs.selected?.name == "cifar20-599")
    state.type("/cifar20-59")
    #expect(state.runs.list.count == 11)
  }
}

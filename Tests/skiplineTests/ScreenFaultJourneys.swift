// What may happen to a screen while a run is trained, and to the run's engine while a screen looks on. Whatever
// becomes of the one, the other goes on.

import Engine
import Foundation
import Messages
import Testing

extension Journeys {
  @Suite struct ScreenFaults {
    /// A run that was started at a terminal and is trained in a process of its own.
    private func training(in workspace: Workspace) async throws -> TerminalJourney {
      let terminal = try await TerminalJourney(in: workspace)
      try await terminal.open(Workspace.longRun())
      try terminal.press("3", "z", "Space", "Enter")
      try await terminal.sees("training", " · step ")
      return terminal
    }

    private func step(_ terminal: TerminalJourney) throws -> Int {
      try terminal.screen().number(after: "step ") ?? 0
    }

    @Test func `a terminal server that is killed leaves the run, and another terminal shows whole curves`()
      async throws
    {
      let workspace = try Workspace()
      let first = try await training(in: workspace)
      let screen = try first.programNumber()
      try await first.waits(until: "some steps") { ($0.number(after: "step ") ?? 0) > 200 }
      let seen = try step(first)
      first.hangUp()
      try await Workspace.waitForEnd(of: screen)
      try await workspace.expectTraining()

      let second = try await TerminalJourney(in: workspace)
      try second.startSkipline(["watch", "runs/long"])
      try await second.sees("training", "epoch ")
      try second.press("3", "z")
      let curves = try await second.waits(until: "curves from the first step on") { screen in
        guard (screen.number(after: "step ") ?? 0) > seen else { return false }
        return Self.columnsWithCurve(screen).filter { $0 < 30 }.count > 10
      }
      #expect(Self.columnsWithCurve(curves).contains { $0 > 60 })
      try second.press("C-c")
      try await second.sees("Quit?")
      try second.press("s")
      try await second.sees("ended with 0")
      try await workspace.expectSaved()
      #expect(workspace.processNumbers(with: "engine").isEmpty)
    }

    /// Columns in which a curve is drawn with dots.
    private static func columnsWithCurve(_ screen: Screen) -> Set<Int> {
      var columns = Set<Int>()
      for line in screen.lines {
        for (column, character) in line.enumerated() {
          guard let scalar = character.unicodeScalars.first else { continue }
          if (0x2801...0x28ff).contains(scalar.value) { columns.insert(column) }
        }
      }
      return columns
    }

    @Test func `a screen killed with -9 leaves the run`() async throws {
      let workspace = try Workspace()
      let terminal = try await training(in: workspace)
      try terminal.send(SIGKILL)
      try await terminal.sees("ended with 137")
      try await workspace.expectTraining()
      try await workspace.stopAndVerify()
      #expect(workspace.processNumbers(with: "engine").isEmpty)
    }

    @Test(arguments: [(SIGILL, 132), (SIGTRAP, 133)])
    func `a trap in the screen restores the terminal and leaves the run`(signal: Int32, status: Int) async throws {
      let workspace = try Workspace()
      let terminal = try await training(in: workspace)
      try terminal.send(signal)
      try await terminal.sees("skipline crashed", "ended with \(status)")
      #expect(try terminal.flag("alternate_on") == "0")
      try await workspace.expectTraining()
      try await workspace.stopAndVerify()
    }

    @Test func `training goes on while the screen is suspended`() async throws {
      let workspace = try Workspace()
      let terminal = try await training(in: workspace)
      try terminal.press("C-z")
      try await terminal.sees("ended with 148")
      try await workspace.expectTraining()
      let meanwhile = try await workspace.listedRun().step
      try terminal.enter("fg")
      try await terminal.waits(until: "the screen has caught up") { ($0.number(after: "step ") ?? 0) > meanwhile }
      try terminal.press("C-c")
      try await terminal.seesNo("step ")
      try await workspace.expectSaved()
    }

    @Test func `an engine killed with -9 is missed at once, and its run is resumed from the screen`() async throws {
      let workspace = try Workspace()
      let terminal = try await training(in: workspace)
      try await workspace.waitForRun(until: "a checkpoint") { _ in
        workspace.exists("runs/long/checkpoints/last.safetensors")
      }
      let engine = try #require(try await workspace.listedRun().process)
      kill(engine, SIGKILL)
      let start = ContinuousClock.now
      try await terminal.sees("ended without a word")
      #expect(ContinuousClock.now - start < .seconds(3))
      // No zombie of it is left while the screen lives.
      #expect(kill(engine, 0) != 0)
      try terminal.press("!")
      try await terminal.sees("signal 9", "resume")
      try terminal.press("Escape")
      try terminal.press("4")
      try await terminal.sees("long/last")
      try terminal.press("r")
      let resumed = try await workspace.waitForRun(until: "another engine") {
        $0.process != nil && $0.process != engine
      }
      #expect(resumed.process != engine)
      try await workspace.expectTraining()
      try await workspace.stopAndVerify()
    }

    @Test func `a screen that the engine dropped attaches again by itself`() async throws {
      let workspace = try Workspace()
      try await workspace.train("tiny", epochs: 1)
      let folder = "\(workspace.folder)/runs/tiny"
      let run = RunDescription(
        folder: "runs/tiny", settings: TrainingSettings(data: "data", network: NetworkSettings(name: "cifar8")),
        classes: ["a", "b"], trainingImages: 8, validationImages: 2, stepsPerEpoch: 2, parameters: 1,
        majorityBaseline: 0.5)
      // Stands for the engine before and after it drops the screen.
      let (before, after) = (EngineServer(version: "1") { _ in .taken }, EngineServer(version: "1") { _ in .taken })
      for (server, state) in [(before, EngineState.training), (after, .paused)] {
        server.broadcast(.training(.started(run)))
        server.broadcast(.state(state))
      }
      defer { after.close() }
      try before.listen(inFolder: folder)
      let terminal = try await TerminalJourney(in: workspace)
      try terminal.startSkipline(["watch", "runs/tiny"])
      try await terminal.sees("tiny · training")
      // At once it would not try: an engine that drops it again and again would keep it busy.
      try await Task.sleep(for: .milliseconds(1200))
      try after.listen(inFolder: folder)
      before.close()
      try await terminal.sees("tiny · paused")
      #expect(try !terminal.screen().contains("without a word"))
    }

    @Test func `two screens look on, one of them without any say`() async throws {
      let workspace = try Workspace()
      let program = try await workspace.startLongRun()
      let (looking, steering) = (try await TerminalJourney(in: workspace), try await TerminalJourney(in: workspace))
      try looking.startSkipline(["watch", "long", "--read-only"])
      try steering.startSkipline(["watch", "runs/long"])
      for terminal in [looking, steering] {
        try await terminal.sees("training", "epoch ")
        try terminal.press("3", "z")
        try await terminal.sees(" · step ")
      }
      try looking.press("Space")
      try await looking.sees("read-only")
      try await workspace.expectTraining()
      try steering.press("Space")
      for terminal in [looking, steering] { try await terminal.sees("paused") }
      #expect(try await workspace.listedRun().state == "paused")
      try steering.press("Space")
      try await workspace.expectTraining()
      for terminal in [looking, steering] { try terminal.send(SIGKILL) }
      try await workspace.stopAndVerify()
      #expect(try await program.finish().status == 0)
    }
  }
}

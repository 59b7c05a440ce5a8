// How the program is left, by its own keys, by signals and by a crash: the shell has its terminal back as it was. A
// person who stops a run finds it saved; whatever else ends the screen leaves the run going.

import Foundation
import Testing

extension Journeys {
  @Suite struct Leaving {
    /// The shell has the terminal: the normal screen, a cursor, no mouse reports, and the settings from before.
    private func expectRestored(
      _ terminal: TerminalJourney, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      for (flag, value) in [("alternate_on", "0"), ("cursor_flag", "1"), ("mouse_any_flag", "0")] {
        #expect(try terminal.flag(flag) == value, "\(flag)", sourceLocation: sourceLocation)
      }
      try terminal.enter("stty -g >after; echo $((40 + 2)) settings")
      // The shell echoes what is typed, and carries it out.
      try await terminal.sees("stty -g >after", "42 settings")
      let (before, after) = (try terminal.workspace.text("before"), try terminal.workspace.text("after"))
      #expect(before == after, sourceLocation: sourceLocation)
    }

    /// A run under way at a terminal.
    private func training(in workspace: Workspace) async throws -> TerminalJourney {
      let terminal = try await TerminalJourney(in: workspace)
      try await terminal.open(Workspace.longRun())
      try terminal.press("3", "z", "Space")
      try await terminal.sees("Enter or")
      try terminal.press("Enter")
      try await terminal.sees("training", " · step ")
      return terminal
    }

    @Test(arguments: [(80, 24), (160, 50)])
    func `q leaves at once when nothing is under way`(columns: Int, rows: Int) async throws {
      let terminal = try await TerminalJourney(in: Workspace(), columns: columns, rows: rows)
      try await terminal.open()
      #expect(try terminal.flag("alternate_on") == "1")
      try terminal.press("q")
      let screen = try await terminal.sees("ended with 0")
      #expect(!screen.contains("1 Dataset"))
      try await expectRestored(terminal)
    }

    @Test func `q asks while training; cancelled it goes on, confirmed it stops and saves`() async throws {
      let workspace = try Workspace()
      let terminal = try await training(in: workspace)
      try terminal.press("q")
      try await terminal.sees("Quit?", "leave it running", "stop and save")
      try terminal.press("c")
      let cancelled = try await terminal.seesNo("Quit?")
      let step = cancelled.number(after: "step ") ?? 0
      try await terminal.waits(until: "training goes on") { ($0.number(after: "step ") ?? 0) > step }
      try terminal.press("q")
      try await terminal.sees("Quit?")
      try terminal.press("s")
      try await terminal.sees("ended with 0")
      try await expectRestored(terminal)
      try await workspace.expectSaved()
    }

    @Test func `ctrl-c saves the run and leaves`() async throws {
      let workspace = try Workspace()
      let terminal = try await training(in: workspace)
      try terminal.press("C-c")
      try await terminal.sees("ended with 0")
      try await expectRestored(terminal)
      try await workspace.expectSaved()
    }

    @Test(arguments: [(SIGTERM, 143), (SIGHUP, 129)])
    func `a signal ends the screen and leaves the run`(signal: Int32, status: Int) async throws {
      let workspace = try Workspace()
      let terminal = try await training(in: workspace)
      try terminal.send(signal)
      try await terminal.sees("ended with \(status)")
      try await expectRestored(terminal)
      try await workspace.expectTraining()
      try await workspace.stopAndVerify()
    }

    @Test func `a terminal that goes away leaves the run`() async throws {
      let workspace = try Workspace()
      let terminal = try await training(in: workspace)
      let program = try terminal.programNumber()
      terminal.hangUp()
      // Shells and systemd send SIGHUP again, at a time of their own.
      try await Patience.wait(
        for: "the end of the program", every: .milliseconds(1), lastSeen: { "process \(program)" }
      ) {
        kill(program, SIGHUP)
        // Of a process that ended and has no parent to ask after it, this is empty.
        return ((try? String(contentsOfFile: "/proc/\(program)/cmdline", encoding: .utf8)) ?? "").isEmpty
      }
      try await workspace.expectTraining()
      try await workspace.stopAndVerify()
      #expect(try workspace.text("runs/long/log.txt").contains("stopped"))
    }

    @Test(arguments: [(SIGSEGV, 139), (SIGABRT, 134)])
    func `a crash gives the terminal back and says so`(signal: Int32, status: Int) async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try await terminal.open()
      try terminal.send(signal)
      try await terminal.sees("skipline crashed", "ended with \(status)")
      try await expectRestored(terminal)
    }

    @Test func `ctrl-z gives the shell the terminal, and fg comes back to the same screen`() async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try await terminal.open()
      try terminal.press("Down", "Enter")
      let before = try await terminal.waits(until: "the class is open") { !$0.pictureCells.isEmpty }
      try terminal.press("C-z")
      try await terminal.sees("ended with 148")
      try await expectRestored(terminal)
      try terminal.enter("fg")
      try await terminal.waits(until: "the same screen") { $0.lines.prefix(22) == before.lines.prefix(22) }
      try terminal.press("q")
      try await terminal.seesNo("1 Dataset")
      try await expectRestored(terminal)
    }
  }
}

// What reaches the program as keys and what does not; terminals and locales that are not what they say; runs that are
// looked at after their end.

import Foundation
import Testing

extension Journeys {
  @Suite struct Keys {
    @Test func `text pasted while a run is trained changes nothing, and goes into a filter where one is typed`()
      async throws
    {
      let workspace = try Workspace()
      // Wide enough for the rate beside all else that a run may say.
      let terminal = try await TerminalJourney(in: workspace, columns: 120, rows: 36)
      try await terminal.open(Workspace.longRun())
      try terminal.press("3", "z", "Space")
      try await terminal.sees("Enter or")
      try terminal.press("Enter")
      try await terminal.sees("training", "peak lr 0.")
      let rate = try terminal.screen().word(after: "peak lr ")
      try terminal.paste("Xray images of the chest\ny--q\n")
      // In the list it stays, whatever the run says next.
      try terminal.press("!")
      let screen = try await terminal.sees("pasted text is not a command")
      #expect(!screen.contains("Stop training?") && !screen.contains("Quit?"))
      try terminal.press("Escape")
      try await terminal.waits(until: "the rate is still \(rate ?? "none")") {
        rate != nil && $0.word(after: "peak lr ") == rate
      }
      try await workspace.expectTraining()
      try terminal.press("z", "1", "/")
      try await terminal.sees("8 of 8")
      try terminal.paste("st\nar")
      try await terminal.sees("/star", "1 of 8")
      try terminal.send(SIGKILL)
      try await workspace.stopAndVerify()
    }

    @Test func `a sequence in pieces is its key for as long as ESCDELAY says`() async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try terminal.enter("ESCDELAY=5000; export ESCDELAY")
      try await terminal.open()
      try terminal.press("o")
      try await terminal.sees("type to search")
      try terminal.send(bytes: "1b")
      try terminal.send(bytes: "5b")
      try terminal.send(bytes: "42")
      try await terminal.sees("strides at the end of stages")
      #expect(try !terminal.screen().contains("[B"))
    }

    @Test func `Alt with a key does nothing`() async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try await terminal.open()
      try terminal.press("M-q", "M-o", "M-z")
      try terminal.press("?")
      let help = try await terminal.sees("Keys ─")
      #expect(!help.contains("Settings ─"))
    }

    @Test func `a terminal and a locale that are not installed are replaced, and that is told`() async throws {
      let terminal = try await TerminalJourney(in: Workspace(), columns: 120, rows: 36)
      try terminal.enter("TERM=xterm-kitty LC_ALL= LANG=xx_XX.UTF-8; export TERM LC_ALL LANG")
      try await terminal.open()
      try terminal.press("!")
      try await terminal.sees(
        "xterm-kitty", "xterm-256color is used instead", "xx_XX.UTF-8", "C.UTF-8 is used instead")
    }

    @Test func `true colors are used where the terminal says that it has them`() async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try terminal.enter("COLORTERM=truecolor; export COLORTERM")
      try await terminal.open()
      try terminal.press("Enter")
      try await terminal.waits(until: "a picture") { !$0.pictureCells.isEmpty }
      #expect(try terminal.coloredScreen().contains(/\u{1B}\[[0-9;]*38;2;/))
    }

    @Test(arguments: [(80, 24), (120, 36)])
    func `a run that has ended is watched as curves, and the screen changes nothing`(
      columns: Int, rows: Int
    ) async throws {
      let workspace = try Workspace()
      try await workspace.train("old", epochs: 4)
      let terminal = try await TerminalJourney(in: workspace, columns: columns, rows: rows)
      try terminal.startSkipline(["watch", "runs/old"])
      try await terminal.sees("old · finished", "best val", "completed · 4 epochs")
      try terminal.press("Space")
      try await terminal.sees("this screen is read-only")
      try terminal.press("q")
      try await terminal.sees("ended with 0")
    }

    @Test func `whoever leaves is told where the run is`() async throws {
      let workspace = try Workspace()
      let terminal = try await TerminalJourney(in: workspace, columns: 160, rows: 50)
      try await terminal.open(Workspace.longRun())
      try terminal.press("Space")
      try await terminal.sees("Enter or")
      try terminal.press("Enter")
      try await terminal.sees(" wrong")
      try terminal.press("q")
      try await terminal.sees("Quit?", "Enter or l")
      try terminal.press("Enter")
      try await terminal.sees("skipline watch runs/long", "ended with 0")
      try await workspace.expectTraining()
      try terminal.startSkipline(["watch", "long"])
      try await terminal.sees("training", " wrong")
      // It was attached to: it is not stopped unasked.
      try terminal.press("C-c")
      try await terminal.sees("Quit?", "stop and save")
      try terminal.press("s")
      try await terminal.sees("skipline train --resume runs/long", "ended with 0")
      try await workspace.expectSaved()
    }
  }
}

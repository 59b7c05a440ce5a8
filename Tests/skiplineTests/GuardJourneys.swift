// Runs that need an answer, at a terminal: one that diverges, one whose images changed, one whose folder is removed.

import Foundation
import Messages
import Testing

extension Journeys {
  @Suite struct Guards {
    /// A rate with which even this small network leaves what numbers can hold, within a few epochs.
    private static let wild = Workspace.longRun("wild") + ["--lr", "1e6", "--schedule", "constant"]

    /// Answers the dialog until training goes on.
    /// - Parameter key: how to go on where a checkpoint was saved; before that the run begins again.
    private func recover(_ terminal: TerminalJourney, key: String) async throws {
      for _ in 0..<40 {
        let asked = try await terminal.waits(until: "a question or training") {
          $0.contains("wild diverged") || $0.contains(" training ")
        }
        guard asked.contains("wild diverged") else {
          let step = asked.number(after: "step ") ?? 0
          // Three epochs, each saved, which values that are not finite never are.
          let later = try await terminal.waits(until: "three epochs, or another question") {
            $0.contains("wild diverged") || ($0.number(after: " · step ") ?? 0) > step + 330
          }
          if later.contains("wild diverged") { continue }
          return
        }
        // The dialog takes no answer in its first moment: a key may have been meant for what it covers.
        try await terminal.waits(until: "the question is answered") { screen in
          if screen.contains("wild diverged") {
            try terminal.press(screen.contains("no checkpoint was saved yet") ? "a" : key)
          }
          return !screen.contains("wild diverged")
        }
      }
      Issue.record("it never trained: \(try terminal.screen().text)")
    }

    /// Starts a run at a terminal that diverges before its first checkpoint.
    private func diverging(in workspace: Workspace) async throws -> TerminalJourney {
      // Epochs of a hundred steps: a rate of a million needs about fifteen.
      try workspace.multiplyPictures(in: "train", by: 20)
      let terminal = try await TerminalJourney(in: workspace)
      try await terminal.open(Self.wild)
      try terminal.press("3", "z", "Space")
      try await terminal.sees("Enter or")
      try terminal.press("Enter")
      try await terminal.sees("wild diverged", "became", "decide later")
      return terminal
    }

    @Test func `a run that diverges asks, and waits for whoever comes`() async throws {
      let workspace = try Workspace()
      let first = try await diverging(in: workspace)
      let question = try first.screen()
      #expect(question.contains("train/"), "the images of the batch are named")
      #expect(question.contains("no checkpoint was saved yet"))
      try first.press("Escape")
      try await first.sees("diverged: space asks how to go on")
      try first.press("Space")
      try await first.sees("wild diverged")
      try first.press("Escape")
      try await first.seesNo("decide later")
      #expect(try await workspace.listedRun("wild").state == "diverged")
      try first.press("q")
      try await first.sees("Quit?")
      try first.press("l")
      try await first.sees("ended with 0")
      #expect(try await workspace.listedRun("wild").state == "diverged")

      let second = try await TerminalJourney(in: workspace, columns: 100, rows: 30)
      try second.startSkipline(["watch", "runs/wild"])
      try await second.sees("wild diverged", "became")
      try await second.waits(until: "the run is stopped") { screen in
        if screen.contains("wild diverged") { try second.press("s") }
        return screen.contains("stopped and saved")
      }
      try second.press("q")
      try await second.sees("ended with 0")
      #expect(workspace.processNumbers(with: "engine").isEmpty)
    }

    @Test func `a run that diverged is trained on, from its start and from its checkpoint`() async throws {
      let workspace = try Workspace()
      let terminal = try await diverging(in: workspace)
      try await recover(terminal, key: "a")
      #expect(try workspace.text("runs/wild/log.txt").contains("beginAgain: goes on from step 0"))
      try await workspace.waitForRun("wild", until: "a checkpoint") { _ in
        workspace.exists("runs/wild/checkpoints/last.safetensors")
      }
      try terminal.press("L")
      try await terminal.sees("Learning rate")
      try terminal.press("C-u")
      try terminal.type("99")
      try terminal.press("Enter")
      // To `last`, or where the weights became too large only in the validation, to the checkpoint before.
      try await terminal.sees("wild diverged", "roll back to ", "begin again")
      // What `last` holds may be on the way to diverging already, so once, and then surely.
      try await terminal.waits(until: "the run has gone back") { screen in
        if screen.contains("wild diverged") { try terminal.press("b") }
        return try workspace.text("runs/wild/log.txt").contains("rollBack: goes on from step")
      }
      try await recover(terminal, key: "a")
      try terminal.press("C-c")
      try await terminal.sees("ended with 0")
      try await workspace.expectSaved("wild")
      #expect(workspace.processNumbers(with: "engine").isEmpty)
    }

    @Test func `a screen in another folder sees the run and the data, and evaluates its checkpoints`() async throws
    {
      let workspace = try Workspace()
      let first = try await TerminalJourney(in: workspace)
      try await first.open(Workspace.longRun())
      try first.press("Space")
      try await first.sees("Enter or")
      try first.press("Enter")
      // The hardest images of a validation.
      try await first.sees(" wrong")
      try first.press("q")
      try await first.sees("Quit?")
      try first.press("l")
      try await first.sees("ended with 0")

      mkdir("\(workspace.folder)/elsewhere", 0o700)
      let terminal = try await TerminalJourney(in: workspace, columns: 120, rows: 40)
      try terminal.enter("cd elsewhere")
      try terminal.startSkipline(["watch", "../runs/long"], in: workspace.folder)
      try await terminal.sees("64 images", "hardest validation images", "test rec")
      // The weights of this moment, then a checkpoint out of the list.
      try terminal.press("W")
      try await terminal.sees("16 test images")
      // A warning that has just come is dismissed before the view is left.
      try await terminal.waits(until: "the list of checkpoints") { screen in
        if screen.contains("16 test images") { try terminal.press("Escape") }
        return screen.contains("long/step-0")
      }
      try terminal.press("g", "Enter")
      try await terminal.sees("16 test images")
      #expect(try !terminal.screen().contains("failed:"))
      try terminal.press("C-c")
      try await terminal.sees("Quit?")
      try terminal.press("s")
      try await terminal.sees("ended with 0")
      #expect(workspace.exists("runs/long/evaluations"))
      #expect(!workspace.exists("elsewhere/runs"))
    }

    @Test func `a run without a screen of its own says where it can be evaluated`() async throws {
      let workspace = try Workspace()
      let program = try await workspace.startLongRun()
      let terminal = try await TerminalJourney(in: workspace, columns: 160, rows: 50)
      try terminal.startSkipline(["watch", "runs/long"])
      try await terminal.sees("64 images", "hardest validation images")
      try terminal.press("4")
      // A warning that has just come is dismissed before the view is left.
      try await terminal.waits(until: "the list of checkpoints") { screen in
        guard !screen.contains("long/last ") else { return true }
        try terminal.press("Escape")
        return false
      }
      try terminal.press("Enter")
      try terminal.press("!")
      try await terminal.sees("trained by 'skipline train'")
      try terminal.press("Escape")
      try await terminal.seesNo("evaluating ")
      try terminal.send(SIGKILL)
      // Its weights of this moment are evaluated beside it.
      let now = try await workspace.skipline("evaluate", "long", "--now")
      #expect(now.status == 0 && now.output.contains("/checkpoints/step-"), "\(now.errors)")
      #expect(now.output.contains("16 test images"))
      try await workspace.stopAndVerify()
      #expect(try await program.finish().status == 0)
    }

    @Test func `a run is resumed on changed images when the list of changes is accepted`() async throws {
      let workspace = try Workspace()
      try await workspace.train("mine", epochs: 1000, "--until-step", "7", "--save-every", "0")
      let gone = "train/star/star-0003.png"
      try FileManager.default.removeItem(atPath: "\(workspace.folder)/data/\(gone)")
      let terminal = try await TerminalJourney(in: workspace)
      try terminal.startSkipline(["data"])
      try await terminal.sees("63 images", "mine/last")
      try terminal.press("4")
      try terminal.press("r")
      try await terminal.sees("Go on with changed images?", "1 removed", gone, "--accept-changes")
      try terminal.press("n")
      try await terminal.sees("not resumed")
      #expect(try workspace.text("runs/mine/images.txt").contains(gone))
      try terminal.press("r")
      try await terminal.sees("1 removed", gone)
      try terminal.press("y")
      try await workspace.waitForRun("mine", until: "training") { $0.state == "training" && $0.step > 7 }
      #expect(try !workspace.text("runs/mine/images.txt").contains(gone))
      try terminal.press("C-c")
      try await terminal.sees("ended with 0")
    }

    @Test func `a run whose folder is removed ends, and the screen and the log say why`() async throws {
      let workspace = try Workspace()
      let terminal = try await TerminalJourney(in: workspace, columns: 160, rows: 50)
      try await terminal.open(Workspace.longRun())
      try terminal.press("Space")
      try await terminal.sees("Enter or")
      try terminal.press("Enter")
      try await terminal.sees("long/last")
      let engine = try #require(
        try await workspace.waitForRun(until: "an engine") { $0.process != nil && $0.step > 0 }.process)
      workspace.removeStubbornly("runs/long")
      try await terminal.sees("runs/long was removed while it was trained")
      try await Workspace.waitForEnd(of: engine)
      #expect(!workspace.exists("runs/long"))
      let log = try workspace.text(".local/state/skipline/skipline.log")
      #expect(log.contains("\(workspace.folder)/runs/long was removed while it was trained"))
      try terminal.press("q")
      try await terminal.sees("ended with 0")
    }
  }
}

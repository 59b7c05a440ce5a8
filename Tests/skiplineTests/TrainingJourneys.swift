// Training from the keyboard: starting, pausing, stopping, resuming, and looking at what a checkpoint gets wrong.

import Messages
import Testing

extension Journeys {
  @Suite struct Training {
    /// As many epochs as no test waits for, without numbered checkpoints.
    private static let endless = ["--epochs", "1000000", "--time", "300", "--save-every", "0"]

    /// The gauge's line: the step, or how far a validation has come.
    private func progress(_ screen: Screen) -> String? {
      screen.lines.first { $0.contains("step ") || $0.contains("validating ") }
    }

    @Test(arguments: [(80, 24), (160, 50)])
    func `a run goes from the first step to finished`(columns: Int, rows: Int) async throws {
      let workspace = try Workspace()
      let terminal = try await TerminalJourney(in: workspace, columns: columns, rows: rows)
      try await terminal.open("--epochs", "3", "--name", "first")
      try await terminal.sees("No checkpoints yet")
      try terminal.press("3", "Space", "Enter")
      try await terminal.sees("finished", "completed · 3 epochs", "loss", "first/best", "first/last")
      #expect(try workspace.lines("runs/first/results.csv").count == 4)
    }

    @Test func `paused, a run stands still; resumed, it goes on`() async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try await terminal.open(Self.endless)
      try terminal.press("3", "z", "Space", "Enter")
      try await terminal.sees("training", "loss train")
      try terminal.press("Space")
      let paused = try progress(await terminal.sees("paused: space resumes", "space resume"))
      // Time passes with other things to do.
      for title in ["Keys", "Messages, the newest first"] {
        try terminal.press(title == "Keys" ? "?" : "!")
        try await terminal.sees("\(title) ─")
        try terminal.press("Escape")
        try await terminal.seesNo("\(title) ─")
      }
      #expect(try progress(terminal.screen()) == paused)
      #expect(paused != nil)
      try terminal.press("Space")
      try await terminal.waits(until: "the run goes on") {
        let now = progress($0)
        return now != nil && now != paused && !$0.contains("paused")
      }
    }

    @Test func `a learning rate typed while training is used from then on`() async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try await terminal.open(Self.endless)
      try terminal.press("3", "z", "Space", "Enter")
      try await terminal.sees("peak lr 0.1")
      try terminal.press("L")
      try await terminal.sees("Learning rate")
      try terminal.press("C-u")
      try terminal.type("0.025")
      try terminal.press("Enter")
      try await terminal.sees("peak lr 0.025")
    }

    @Test func `a run is stopped only when confirmed, and goes on from the inspector`() async throws {
      let workspace = try Workspace()
      let terminal = try await TerminalJourney(in: workspace)
      try await terminal.open(["--name", "long"] + Self.endless)
      try terminal.press("3", "z", "Space", "Enter")
      try await terminal.sees("training", " · step ")
      // Excludes images elsewhere, and stops nothing.
      try terminal.press("x")
      try terminal.press("X")
      try await terminal.sees("Stop training?")
      try terminal.press("n")
      try await terminal.seesNo("Stop training?")
      try await terminal.sees("space pause")
      try terminal.press("X")
      try await terminal.sees("Stop training?")
      try terminal.press("y")
      try await terminal.sees("stopped and saved", "space train")
      let stopped = try #require(try terminal.screen().number(after: "step "))

      try terminal.press("4", "r", "3")
      try await terminal.waits(until: "the run goes on after step \(stopped)") {
        ($0.number(after: "step ") ?? 0) > stopped
      }
    }

    @Test(arguments: [(80, 24), (160, 50)])
    func `a checkpoint is evaluated, and its matrix and images are gone through`(
      columns: Int, rows: Int
    ) async throws {
      let workspace = try Workspace()
      try await workspace.train()
      let terminal = try await TerminalJourney(in: workspace, columns: columns, rows: rows)
      try await terminal.open()
      try terminal.press("4")
      try await terminal.sees("tiny/best", "Enter evaluate")
      try terminal.press("Enter")
      try await terminal.sees("16 test images", "cresc")
      // It is shown before it is written.
      try await terminal.waits(until: "the report is kept") { _ in
        workspace.exists("runs/tiny/evaluations/best-test.json")
      }
      let report = try workspace.evaluation("runs/tiny")
      #expect(try terminal.screen().contains("top-1 \(percent(report.top1))"))

      // The most confused pair comes first; its images are a key away.
      let pair = try #require(report.confusedPairs(limit: 1).first)
      let names = (report.classes[pair.truth].name, report.classes[pair.predicted].name)
      try terminal.press("z", "Enter")
      try await terminal.sees("\"\(names.0)\" > \"\(names.1)\"", "1 of \(pair.count)")
      try terminal.press("Escape")
      try await terminal.sees("o order")
      try terminal.press("v", "v", "v")
      let sheet = try await terminal.settles(on: "all images, with pictures") {
        $0.contains("1 of 16") && !$0.pictureCells.isEmpty
      }
      try terminal.press("Enter")
      let worst = report.misclassified.min { $0.truthProbability < $1.truthProbability }
      let first = try await terminal.settles(on: "the worst mistake with its picture") {
        // The sheet says the same of the image that is chosen, and more of its pictures come.
        !$0.contains("sort loss") && $0.contains("true ") && $0.contains(worst?.path ?? "?")
          && !$0.pictureCells.isEmpty && $0.pictureCells != sheet.pictureCells
      }
      try terminal.press("n")
      try await terminal.waits(until: "the next one with another picture") {
        $0.contains("2 of 16") && !$0.pictureCells.isEmpty && $0.pictureCells != first.pictureCells
      }
      try terminal.press("N")
      try await terminal.waits(until: "the first one again") { $0.pictureCells == first.pictureCells }
      try terminal.press("g")
      // Where it looked takes the place of the picture; what it resembles is not known without the training images.
      try await terminal.waits(until: "where it looked") {
        $0.contains("not evaluated") && !$0.contains("looking where it looked")
          && $0.pictureCells != first.pictureCells
      }
      // One after the other: so many keys and an Enter at once would pass for pasted text.
      try terminal.press("Enter")
      try await terminal.sees("sort loss")
      try terminal.press("Space")
      try await terminal.sees("1 marked")
      try terminal.press("E")
      try await terminal.sees("Enter writes", "images-test.csv")
      try terminal.press("Enter")
      try await terminal.sees("1 marked", "wrote runs/tiny/exports/images-test.csv")
      #expect(try workspace.text("runs/tiny/exports/images-test.csv").split(separator: "\n").count == 2)
      // The mark, then the view.
      try terminal.press("Escape")
      try await terminal.seesNo("1 marked")
      try terminal.press("Escape")
      try await terminal.sees("tiny/last", "evaluates on")
    }

    /// As the screen writes shares: one digit after the point.
    private func percent(_ share: Double) -> String {
      let tenths = Int((share * 1000).rounded())
      return "\(tenths / 10).\(tenths % 10)%"
    }

    @Test func `what cannot be trained is told, and the workbench stays open`() async throws {
      let workspace = try Workspace()
      try await workspace.train("taken")
      let terminal = try await TerminalJourney(in: workspace)
      try await terminal.open("--name", "taken")
      try terminal.press("Space")
      try await terminal.sees("Start training?", "cifar8", "on data")
      try terminal.press("Enter")
      try await terminal.sees("runs/taken: this run exists already", "space train")
    }
  }
}

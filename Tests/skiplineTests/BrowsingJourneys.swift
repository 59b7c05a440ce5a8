// Looking around without training: the dataset, the layers, help, palette, themes, settings, sizes.

import Testing

extension Journeys {
  @Suite struct Browsing {
    @Test(arguments: [(80, 24), (160, 50)])
    func `a dataset opens to its classes, a class to its files, a file to its picture`(
      columns: Int, rows: Int
    ) async throws {
      let terminal = try await TerminalJourney(in: Workspace(), columns: columns, rows: rows)
      try await terminal.open()
      try await terminal.sees("1 Dataset", "2 Layers", "3 Curves", "4 Inspector", "8 classes", "crescent", "star")
      #expect(try terminal.screen().pictureCells.isEmpty)

      try terminal.press("Down", "Enter")
      let files = try await terminal.waits(until: "the files of the class with a picture") {
        $0.contains("1 of 8") && $0.contains("cross-0007.png") && !$0.pictureCells.isEmpty
      }
      #expect(!files.contains("crescent"))

      try terminal.press("Enter")
      let large = try await terminal.waits(until: "the picture fills more of the screen") {
        !$0.contains("2 Layers") && $0.pictureCells.count > files.pictureCells.count
      }
      try terminal.press("Down")
      try await terminal.waits(until: "the next file shows another picture") {
        $0.contains("2 of 8") && !$0.pictureCells.isEmpty && $0.pictureCells != large.pictureCells
      }
      try terminal.press("z", "Escape")
      try await terminal.sees("8 classes", "2 Layers", "crescent")
    }

    @Test func `a filter leaves what matches, and Esc brings everything back`() async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try await terminal.open()
      try terminal.type("/penta")
      let filtered = try await terminal.sees("/penta", "1 of 8", "pentagon")
      #expect(!filtered.contains("hexagon"))
      try terminal.press("Enter")
      try await terminal.sees("Enter open")
      try terminal.press("Escape")
      try await terminal.sees("pentagon", "hexagon")
    }

    @Test(arguments: [(80, 24), (160, 50)])
    func `the layers scroll to the classifier and back`(columns: Int, rows: Int) async throws {
      let terminal = try await TerminalJourney(in: Workspace(), columns: columns, rows: rows)
      try await terminal.open("--net", "cifar56")
      try terminal.press("2")
      try await terminal.sees("cifar56", "│conv1 ")
      try terminal.press("G")
      let end = try await terminal.sees("avgpool", "fc ")
      #expect(!end.contains("│conv1 "))
      try terminal.press("g")
      let start = try await terminal.sees("│conv1 ")
      #expect(!start.contains("avgpool"))
    }

    @Test func `one pane fills the screen and gives it back`() async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try await terminal.open()
      try terminal.press("2", "z")
      let alone = try await terminal.seesNo("1 Dataset", "3 Curves")
      #expect(alone.contains("2 Layers") && alone.contains("skipline summary cifar8"))
      try terminal.press("z")
      try await terminal.sees("1 Dataset", "2 Layers", "3 Curves", "4 Inspector")
    }

    @Test func `the help lists keys, scrolls to its end and closes`() async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try await terminal.open()
      try terminal.press("?")
      try await terminal.sees("Keys ─", "open a class")
      try terminal.press("G")
      try await terminal.sees("Always", "draw the screen again")
      try terminal.press("Escape")
      try await terminal.sees("1 Dataset", "crescent")
    }

    @Test func `the palette finds a command by name, says its key and runs it`() async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try await terminal.open()
      try terminal.type(":fill")
      let palette = try await terminal.sees("Commands", ": fill", "fill the screen")
      #expect(!palette.contains("double the learning rate"))
      try terminal.press("Enter")
      try await terminal.seesNo("Commands", "2 Layers")
    }

    @Test func `a theme changes the colors and nothing else`() async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try await terminal.open()
      // The layers are described once more when the number of classes is known.
      try await terminal.sees("4.97k params")
      let (text, colors) = (try terminal.screen(), try terminal.coloredScreen())
      try terminal.press("t", "Down")
      // The screen shows it before it is chosen.
      try await terminal.waits(until: "a preview") { _ in try terminal.coloredScreen() != colors }
      try terminal.press("Enter")
      let changed = try await terminal.sees("theme light")
      #expect(try terminal.coloredScreen() != colors)
      #expect(changed.lines.prefix(22) == text.lines.prefix(22))
    }

    @Test func `a theme is chosen by name, remembered, and an unknown one is refused before the screen opens`()
      async throws
    {
      let terminal = try await TerminalJourney(in: Workspace())
      try terminal.startSkipline(["data", "--theme", "plaid"])
      try await terminal.sees("no theme is called 'plaid'", "ended with 64")
      try await terminal.open("--theme", "light")
      try terminal.press("t")
      let list = try await terminal.sees(
        "Theme", "dark", "light", "monochrome", "colorblind", "contrast", "sixteen")
      #expect(list.lines.count { $0.contains("paper") } == 1)
      try terminal.press("End", "Enter")
      try await terminal.sees("theme solar")
      try terminal.press("q")
      try await terminal.sees("ended with 0")
      try await terminal.open()
      try terminal.press("t", "Enter")
      try await terminal.sees("theme solar")
    }

    @Test func `without color the screen is the same in black and white`() async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try terminal.enter("NO_COLOR=1; export NO_COLOR")
      try await terminal.open()
      try await terminal.sees("1 Dataset", "crescent")
      // 30 to 37 and 38 color the foreground, 40 to 48 the background: ECMA-48, 8.3.117.
      #expect(!(try terminal.coloredScreen()).contains(/\u{1B}\[([0-9]+;)*[34][0-8]m/))
    }

    @Test func `the settings change the epochs and the network of the next run`() async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try await terminal.open()
      try terminal.press("o")
      try await terminal.sees("Settings", "← cifar8 →")
      try terminal.type("cifar3")
      try await terminal.sees("cifar3")
      try terminal.press("Enter")
      try await terminal.sees("--net cifar32")
      for _ in 0..<9 { try terminal.press("Down") }
      try await terminal.sees("passes over the training images")
      try terminal.press("C-u")
      try terminal.type("many")
      try terminal.press("Enter")
      try await terminal.sees("it must be a whole number")
      try terminal.press("C-u")
      try terminal.type("7")
      try terminal.press("Enter")
      try await terminal.sees("--epochs 7")
      try terminal.press("Escape")
      let screen = try await terminal.seesNo("Settings")
      #expect(screen.contains("cifar32 ─╮"))
      #expect(screen.lines.contains { $0.contains("epochs") && $0.contains(" 7 ") })
    }

    @Test func `the screen follows the terminal's size, says when it is too small, and comes back`() async throws {
      let terminal = try await TerminalJourney(in: Workspace())
      try await terminal.open()
      try terminal.resize(columns: 100, rows: 30)
      try await terminal.waits(until: "the panes reach the new edges") {
        $0.lines.count >= 30 && $0.lines[0].count == 100 && $0.lines[0].hasSuffix("╮")
          && $0.lines[28].contains("idle")
      }
      try terminal.resize(columns: 40, rows: 8)
      try await terminal.sees("Skipline needs 60x16")
      try terminal.press("Down")
      try terminal.resize(columns: 80, rows: 24)
      try await terminal.waits(until: "the panes are back") {
        $0.contains("1 Dataset") && $0.lines[0].count == 80 && $0.lines[22].contains("idle")
      }
    }

    @Test func `a name with escape sequences is shown with signs in their place`() async throws {
      let workspace = try Workspace()
      let picture = try Workspace.pictures.picture(of: Workspace.pictures.items[0]).encodedAsPNG()
      for number in 1...3 { try workspace.write(picture, to: "data/train/a\u{1B}[2Jb\nc/\(number).png") }
      let terminal = try await TerminalJourney(in: workspace)
      try terminal.startSkipline(["data"] + Workspace.tinyNetwork)
      try await terminal.sees("a␛[2Jb␊c", "crescent", "9 classes")
    }
  }
}

// What makes the screen one's own: sizes of panes, themes, the mouse, another dataset, what is remembered.

import Canvas
import Foundation
import Messages
import Testing

@testable import Workbench

@Suite struct `Dividers between panes` {
  private static let large = Size(width: 140, height: 44)

  @Test func `keys move the line beside the focused pane, and back`() {
    var state = WorkbenchState.opened(size: Self.large)
    let usual = state.layout
    state.type("..")
    #expect(state.layout[.dataset]?.width == (usual[.dataset]?.width ?? 0) + 4)
    #expect(state.layout[.layers]?.width == (usual[.layers]?.width ?? 0) - 4)
    // At the right of the screen the same key moves the line at the left.
    state.type("2..")
    #expect(state.layout[.layers]?.width == usual[.layers]?.width)
    state.type(")")
    #expect(state.layout[.layers]?.height == (usual[.layers]?.height ?? 0) + 1)
    state.type("\\")
    #expect(state.layout == ScreenLayout(size: Self.large, panes: state.panes.ids, focus: .layers, zoomed: false))
  }

  @Test func `no pane is squeezed out, however far a line is dragged`() {
    for x in [0, 500, -4] {
      var state = WorkbenchState.opened(size: Self.large)
      let place = state.layout[.layers]?.x ?? 0
      for input: Canvas.Input in [.click(x: place, y: 10), .drag(x: x, y: 10), .release(x: x, y: 10)] {
        _ = update(&state, .input(input))
      }
      #expect(state.layout.panes.allSatisfy { $0.rect.width >= Divider.evenColumns.least })
      #expect(state.layout[.layers]?.x != place)
      // Let go, it does not move any more.
      let there = state.layout
      _ = update(&state, .input(.drag(x: 70, y: 10)))
      #expect(state.layout == there)
    }
  }

  @Test func `every arrangement fills the screen without gaps, whatever was moved`() {
    var dividers = Dividers()
    for divider in Divider.allCases { dividers.move(divider, to: 37, in: 90) }
    for arrangement in [ScreenLayout.Arrangement.even, .curves, .inspector] {
      for size in [Self.large, Size(width: 200, height: 60), Size(width: 120, height: 36)] {
        let panes = WorkbenchState.opened(size: size).panes.ids
        let layout = ScreenLayout(
          size: size, panes: panes, focus: .dataset, zoomed: false, arrangement: arrangement, moved: dividers)
        #expect(layout.panes.reduce(0) { $0 + $1.rect.width * $1.rect.height } == size.width * (size.height - 2))
        #expect(layout.dividers.count == ScreenLayout.places(of: arrangement) - (arrangement == .even ? 2 : 1))
      }
    }
  }

  @Test func `a small screen gives its room to the focus, and says so`() {
    var state = WorkbenchState.opened()
    state.type(".")
    #expect(state.message?.text.contains("below 120x36") == true)
  }
}

@Suite struct `Choosing a theme` {
  @Test func `the screen shows each theme as it is selected; Escape goes back, Enter keeps`() {
    var state = WorkbenchState.opened()
    #expect(state.press(.character("t")).isEmpty)
    #expect(state.press(.down) == [.useTheme("Light")])
    #expect(state.press(.down) == [.useTheme("Monochrome")])
    #expect(state.press(.escape) == [.useTheme("Dark")])
    #expect(state.overlay == nil && state.memory.theme == nil)
    state.type("tt")
    state.press(.enter)
    #expect(state.overlay == nil && state.memory.theme == "Light")
  }
}

@Suite struct `The mouse` {
  @Test func `the line of keys is pressed with the mouse, in panes and in questions`() throws {
    var state = WorkbenchState.opened(size: Size(width: 100, height: 30))
    func click(_ word: String) throws -> [Effect] {
      let frame = render(state, size: state.size, theme: .dark)
      let hints = (0..<frame.size.width).map { frame[$0, frame.size.height - 1].character.map(String.init) ?? "" }
        .joined()
      let place = try #require(hints.range(of: word), "\(hints)")
      return update(
        &state,
        .input(.click(x: hints.distance(from: hints.startIndex, to: place.lowerBound), y: state.size.height - 1)))
    }
    _ = try click("train")
    #expect(state.overlay == .confirmStart)
    _ = try click("cancel")
    #expect(state.overlay == nil)
    _ = try click("help")
    #expect(state.overlay == .help(scroll: 0))
  }

  @Test func `two clicks open what is under them; on a border they give the pane the screen`() throws {
    var state = WorkbenchState.opened(size: Size(width: 140, height: 44))
    let body = state.listBody(of: .dataset)
    let cell = (x: body.x + 2, y: body.y + 2)
    _ = update(&state, .input(.click(x: cell.x, y: cell.y)))
    let chosen = state.dataset.classes.selected
    #expect(chosen == 2)
    var other = state
    _ = update(&state, .input(.doubleClick(x: cell.x, y: cell.y)))
    other.press(.enter)
    #expect(state == other)
    let border = try #require(state.layout[.curves])
    _ = update(&state, .input(.click(x: border.x + 4, y: border.y)))
    _ = update(&state, .input(.doubleClick(x: border.x + 4, y: border.y)))
    #expect(state.zoomed && state.focus == .curves)
  }

  @Test func `a click on a chart reads the values there`() throws {
    var state = WorkbenchState.training(size: Size(width: 100, height: 44))
    let pane = try #require(state.layout[.curves])
    var read: [Double] = []
    for x in [pane.x + pane.width / 4, pane.x + pane.width / 2, pane.right - 6] {
      _ = update(&state, .input(.click(x: x, y: pane.y + pane.height / 4)))
      read.append(try #require(state.curves.cursor))
      #expect(state.curves.shownEpochs.contains(read[read.count - 1]))
    }
    #expect(read == read.sorted() && read[0] < read[2] && state.focus == .curves)
  }

  @Test(arguments: [Size(width: 140, height: 44), Size(width: 80, height: 24)])
  func `in the form a click chooses a field, another one its next choice, and the wheel moves`(size: Size) throws {
    var state = WorkbenchState.opened(size: size)
    state.type("o")
    func form() throws -> SettingsForm {
      guard case .settings(let form) = state.overlay else { throw Absent() }
      return form
    }
    /// Where a text stands.
    func place(of text: String) throws -> (x: Int, y: Int) {
      let lines = render(state, size: size, theme: .dark).text().split(
        separator: "\n", omittingEmptySubsequences: false)
      let row = try #require(lines.firstIndex { $0.contains(text) }, "\(lines.joined(separator: "\n"))")
      let start = try #require(lines[row].range(of: text)).lowerBound
      return (lines[row].distance(from: lines[row].startIndex, to: start), row)
    }
    func click(_ text: String, right: Int = 0) throws {
      let cell = try place(of: text)
      _ = update(&state, .input(.click(x: cell.x + right, y: cell.y)))
    }
    try click("shortcut")
    #expect(try form().field == .of(Settings.shortcut))
    let before = state.settings
    // Its value is behind the label, and the arrow back before that.
    try click("shortcut", right: 21)
    #expect(state.settings != before)
    try click("shortcut", right: 19)
    #expect(state.settings == before)
    // What is typed is taken first, and where it is refused the form stays there.
    state.type("nonsense")
    try click("width multiplier")
    #expect(try form().field == .of(Settings.shortcut) && form().error != nil)
    state.press(.escape)
    try click("width multiplier")
    #expect(try form().field == .of(Settings.width))
    let cell = try place(of: "width multiplier")
    _ = update(&state, .input(.scroll(x: cell.x, y: cell.y, rows: 2)))
    let names = SettingsField.all
    let width = try #require(names.firstIndex(of: .of(Settings.width)))
    #expect(try form().field == names[width + 2])
  }

  @Test func `the wheel goes through themes as arrows do`() {
    var state = WorkbenchState.opened(size: Size(width: 100, height: 30))
    state.type("t")
    var other = state
    other.press(.down)
    _ = update(&state, .input(.scroll(x: 90, y: 3, rows: 1)))
    #expect(state == other && state.theme == 1)
  }

  @Test func `a command of the palette is selected with one click and run with two`() throws {
    var state = WorkbenchState.opened(size: Size(width: 100, height: 30))
    state.type(":")
    let list = SearchBox.list(in: state.size)
    _ = update(&state, .input(.click(x: list.x + 3, y: list.y + 3)))
    guard case .palette(let palette) = state.overlay else { throw Absent() }
    #expect(palette.list.selected == 3)
    let binding = try #require(palette.selected)
    _ = update(&state, .input(.doubleClick(x: list.x + 3, y: list.y + 3)))
    #expect(state.recentCommands.first == binding.action)
  }

  private struct Absent: Error {}
}

@Suite struct `What is remembered` {
  @Test func `layout, theme, curves and datasets come back; what another version wrote does no harm`() throws {
    var state = WorkbenchState.opened(size: Size(width: 140, height: 44))
    state.opened("/data/a")
    state.opened("/data/b")
    state.opened("/data/a")
    state.type("..tt")
    state.press(.enter)
    state.curves.isLogarithmic = true
    let kept = try JSONEncoder().encode(state.memory)
    let memory = try JSONDecoder().decode(WorkbenchMemory.self, from: kept)
    #expect(memory == state.memory && memory.recentDatasets == ["/data/a", "/data/b"])
    var new = WorkbenchState.opened(size: Size(width: 140, height: 44))
    new.adopt(memory)
    #expect(new.dividers == state.dividers && new.curves.isLogarithmic)
    for text in ["{}", "{\"theme\": 3, \"recentDatasets\": {}, \"dividers\": [1], \"curves\": \"x\"}"] {
      #expect(try JSONDecoder().decode(WorkbenchMemory.self, from: Data(text.utf8)) == WorkbenchMemory(), "\(text)")
    }
  }

  @Test func `shares that cannot be are as good as none`() throws {
    for share in ["1e300", "-3", "2"] {
      let text = "{\"dividers\": {\"shares\": {\"evenColumns\": \(share)}}}"
      let memory = try JSONDecoder().decode(WorkbenchMemory.self, from: Data(text.utf8))
      #expect(memory.dividers != Dividers(), "it was read: \(share)")
      var state = WorkbenchState.opened(size: Size(width: 140, height: 44))
      state.adopt(memory)
      #expect(state.layout[.dataset]?.width == 70)
    }
  }

  @Test func `so many datasets and no more`() {
    var state = WorkbenchState.opened()
    for number in 0..<50 { state.opened("/data/\(number)") }
    #expect(state.recentDatasets.count == WorkbenchMemory.mostDatasets && state.recentDatasets[0] == "/data/49")
  }
}

@Suite struct `Another dataset` {
  @Test func `O asks for a folder and offers recent ones; the screen begins anew there`() {
    var state = WorkbenchState.opened()
    for name in ["c", "b", "a"] { state.opened("/data/\(name)") }
    state.type("O")
    // The one before this one, to go back and forth.
    #expect(state.press(.enter) == [.open(data: "/data/b")])
    state.type("O")
    for _ in 0..<9 { state.press(.up) }
    #expect(state.press(.enter) == [.open(data: "/data/c")])
    state.type("Odata/sign-digits")
    #expect(state.press(.enter) == [.open(data: "data/sign-digits")])

    state.type("..")
    var settings = state.settings
    settings.data = "elsewhere"
    let late = state.dataset.report
    let effects = state.open(data: "elsewhere", settings: settings)
    // The engine was about to tell of the one before.
    if let late { #expect(state.hear(.dataset(late)).isEmpty && state.dataset.report == nil) }
    #expect(state.dataset.path == "elsewhere" && state.dataset.report == nil)
    #expect(
      effects.contains { if case .browse(.openDataset(path: "elsewhere", _, _)) = $0 { true } else { false } })
    #expect(state.recentDatasets == ["/data/a", "/data/b", "/data/c"])
  }

  @Test func `not while a run is under way, and not without a name`() {
    var state = WorkbenchState.opened()
    state.type("O")
    state.press(.control("u"))
    #expect(state.press(.enter).isEmpty)
    guard case .prompt(let prompt) = state.overlay else {
      Issue.record("the prompt is gone")
      return
    }
    #expect(prompt.entry.error != nil)
    state.press(.escape)
    state.hear(.training(.started(Fixtures.run())))
    state.hear(.state(.training))
    state.type("O")
    #expect(state.overlay == nil && state.message?.text.contains("under way") == true)
  }
}

@Suite struct `Beyond the screen` {
  @Test func `the command that trains the same goes to the clipboard, from the panes, the form and the palette`() {
    var state = WorkbenchState.opened()
    #expect(state.press(.character("C")) == [.copy(state.settings.commandLine)])
    state.type("o")
    #expect(state.press(.control("y")) == [.copy(state.settings.commandLine)])
    state.press(.escape)
    state.type(":check")
    guard case .palette(let palette) = state.overlay, let action = palette.selected?.action else {
      Issue.record("no command")
      return
    }
    #expect(state.press(.control("y")) == [.copy(state.headless(for: action) ?? "")])
    state.copied("skipline check data", false)
    #expect(state.message?.text.contains("no clipboard") == true)
  }

  @Test func `the title says what goes on, and the end of a run is announced`() {
    var state = WorkbenchState.opened()
    #expect(state.title == "skipline sign-digits")
    state.hear(.training(.started(Fixtures.run())))
    state.hear(.state(.training))
    #expect(state.title.hasPrefix("training ") && state.title.contains("0%"))
    let effects = update(
      &state,
      .engine(
        .training(
          .finished(
            RunOutcome(
              folder: Fixtures.run().folder, reason: .completed, epochs: 12, steps: 170,
              bestValidationAccuracy: 0.76,
              seconds: 31)))))
    #expect(effects.contains { if case .announce(let text) = $0 { text.contains("completed") } else { false } })
    #expect(state.title.hasPrefix("finished "))
  }

  @Test func `read aloud, the screen is the pane with the focus or the question, without borders`() {
    var state = WorkbenchState.opened()
    let theme = Theme.monochrome.with(glyphs: .ascii)
    let pane = PlainScreen.lines(state, theme: theme)
    #expect(pane[0].hasPrefix("1 Dataset") && pane.contains { $0.contains("three") })
    #expect(pane.allSatisfy { !$0.contains("|") && !$0.contains("###") && !$0.hasPrefix("+") && $0 == $0.trimmed })
    state.type(" ")
    let question = PlainScreen.lines(state, theme: theme)
    #expect(question[0] == "Start training?")
    #expect(question.contains { $0.contains("Start") } && !question.contains { $0.contains("three") })
    #expect(PlainScreen.isAsking(state) && PlainScreen.keys(state).contains("start"))
  }
}

@Suite struct `The machine pane` {
  @Test func `shows processors, memory, speed and temperature, and is looked at only while it is seen`() {
    var state = WorkbenchState.opened(size: Size(width: 140, height: 44))
    #expect(!state.showsMachine)
    state.type("6")
    #expect(state.showsMachine)
    _ = update(
      &state,
      .machine(
        MachineReading(
          processors: [0.98, 0.5], available: 2, memory: 16 << 30, freeMemory: 12 << 30, temperature: 61)))
    let lines = PlainScreen.lines(state, theme: Theme.monochrome.with(glyphs: .ascii))
    #expect(lines[0].contains("2 of 2 cores"))
    for text in ["98%", "50%", "4.00 GiB of 16.0 GiB", "61"] {
      #expect(lines.contains { $0.contains(text) }, "\(text): \(lines)")
    }
    state.type("1")
    state.hear(.training(.started(Fixtures.run())))
    state.hear(.state(.training))
    #expect(state.showsMachine && state.layout[.machine] != nil)
  }

  private func training(on ranks: Int, height: Int) -> WorkbenchState {
    var state = WorkbenchState.opened(size: Size(width: 120, height: height))
    state.type("6")
    _ = update(&state, .machine(MachineReading(processors: [0.98, 0.5], available: 2)))
    state.hear(.training(.started(Fixtures.run())))
    state.hear(.state(.training))
    state.hear(.training(.step(Fixtures.step(3))))
    let readings = (0..<ranks).map { rank -> RankReading in
      let speed: Double? = rank == 2 ? nil : 1200 - Double(rank)
      let lag: Double = rank == ranks - 1 ? 0.0035 : Double(rank) / 1e6
      return RankReading(machine: "node\(rank)", imagesPerSecond: speed, waiting: 0.125, lag: lag)
    }
    state.hear(.training(.ranks(RankReport(step: 3, ranks: readings))))
    return state
  }

  @Test func `has a line for each rank of a run, and says which is behind`() {
    var state = training(on: 3, height: 44)
    let lines = PlainScreen.lines(state, theme: Theme.monochrome.with(glyphs: .ascii))
    #expect(lines[0].contains("2 of 2 cores, 3 ranks"))
    let ranks = lines.filter { $0.contains("rank ") }
    #expect(ranks.count == 3)
    #expect(ranks.first?.hasPrefix("rank 0 node0") == true && ranks.first?.contains("1,200 img/s") == true)
    var curves = state
    curves.type("3")
    #expect(PlainScreen.lines(curves, theme: .monochrome).contains { $0.contains("img/s on 3 ranks") })
    #expect(ranks.last?.contains("- img/s") == true && ranks.last?.hasSuffix("waits 13%  +3.5 ms") == true)
    // Not of a run that is over.
    state.hear(
      .training(
        .finished(
          RunOutcome(
            folder: "runs/a", reason: .completed, epochs: 1, steps: 3, bestValidationAccuracy: 0.5, seconds: 1))))
    state.hear(.state(.idle))
    #expect(!PlainScreen.lines(state, theme: .monochrome).contains { $0.contains("rank ") })
  }

  @Test func `shows those that are behind most where there is no room for all ranks`() {
    var state = training(on: 64, height: 30)
    state.zoomed = true
    let theme = Theme.monochrome.with(glyphs: .ascii)
    let frame = render(state, size: Size(width: 120, height: 30), theme: theme)
    let rows = (0..<frame.size.height).map { y in
      (0..<frame.size.width).map { frame[$0, y].character.map(String.init) ?? "" }.joined()
    }
    let first = rows.firstIndex { $0.contains("rank ") } ?? 0
    #expect(rows[first].contains("rank 63") && rows[first].contains("+3.5 ms"))
    #expect(rows[first + 1].contains("rank 62"))
    #expect(rows.contains { $0.contains("more") && $0.contains("ranks") })
  }
}

// Every pane and overlay at the sizes people use, compared with recorded frames.

import Canvas
import Messages
import Testing

@testable import Workbench

@Suite struct `The screen looks as recorded` {
  static let sizes = [
    Size(width: 80, height: 24), Size(width: 100, height: 30), Size(width: 160, height: 50),
  ]

  private func name(_ subject: String, _ size: Size) -> String { "\(subject)-\(size.width)x\(size.height)" }

  @Test(arguments: sizes) func `before anything is read`(size: Size) throws {
    try expectSnapshot(Fixtures.state(size: size), name("start", size))
  }

  @Test(arguments: sizes) func `a dataset that was read`(size: Size) throws {
    try expectSnapshot(.opened(size: size), name("dataset", size))
  }

  @Test(arguments: sizes) func `the layers with the focus`(size: Size) throws {
    var state = WorkbenchState.opened(size: size)
    state.press(.character("2"), .down, .down)
    try expectSnapshot(state, name("layers", size))
  }

  @Test(arguments: sizes) func `a run in its seventh epoch`(size: Size) throws {
    var state = WorkbenchState.training(size: size)
    state.press(.character("3"))
    try expectSnapshot(state, name("curves", size))
  }

  @Test(arguments: sizes) func `an evaluation's confusion matrix`(size: Size) throws {
    try expectSnapshot(.evaluated(size: size), name("confusion", size))
  }

  @Test(arguments: sizes) func `a mistake`(size: Size) throws {
    var state = WorkbenchState.evaluated(size: size)
    state.type("vvv")
    state.answerPictures(state.press(.enter))
    try expectSnapshot(state, name("mistake", size))
  }

  @Test(arguments: sizes) func `the settings form`(size: Size) throws {
    var state = WorkbenchState.opened(size: size)
    state.type("o")
    state.press(.down, .down)
    try expectSnapshot(state, name("settings", size))
  }

  @Test(arguments: ["dataset", "layers", "curves", "inspector"])
  func `a pane that fills the screen`(pane: String) throws {
    var state = WorkbenchState.training()
    let index = ["dataset", "layers", "curves", "inspector"].firstIndex(of: pane) ?? 0
    state.type("\(index + 1)z")
    try expectSnapshot(state, "zoomed-\(pane)-80x24")
  }

  @Test func `the files of a class with a picture`() throws {
    var state = WorkbenchState.opened()
    state.answerPictures(state.press(.down, .enter, .down))
    try expectSnapshot(state, "files-80x24")
    state.press(.enter)
    try expectSnapshot(state, "files-zoomed-80x24")
  }

  @Test func `a filter being typed`() throws {
    var state = WorkbenchState.opened()
    state.type("/e")
    try expectSnapshot(state, "filter-80x24")
  }

  @Test func `the inspector's checkpoints, pairs and classes`() throws {
    var state = WorkbenchState.opened()
    state.type("4")
    try expectSnapshot(state, "checkpoints-80x24")
    state = .evaluated()
    state.type("v")
    try expectSnapshot(state, "overview-80x24")
    state.type("v")
    try expectSnapshot(state, "classes-80x24")
  }

  @Test func `an evaluation under way while a run is paused`() throws {
    var state = WorkbenchState.training()
    state.hear(.state(.paused))
    state.press(.character("4"), .enter)
    state.hear(
      .state(.evaluating(checkpoint: Fixtures.checkpoints[2].path)), .evaluationProgress(done: 64, total: 206))
    try expectSnapshot(state, "evaluating-80x24")
  }

  @Test func `a finished run that was resumed`() throws {
    var state = WorkbenchState.opened()
    state.hear(
      .training(.started(Fixtures.run(history: (1...8).map { Fixtures.epoch($0, validated: $0 != 4) }))),
      .state(.training))
    for step in 209...312 { state.hear(.training(.step(Fixtures.step(step)))) }
    for epoch in 9...12 { state.hear(.training(.epoch(Fixtures.epoch(epoch)))) }
    state.hear(
      .training(
        .finished(
          RunOutcome(
            folder: "runs/cifar20-3", reason: .completed, epochs: 12, steps: 312, bestValidationAccuracy: 0.871,
            seconds: 4031))), .state(.idle))
    state.type("3z")
    try expectSnapshot(state, "finished-80x24")
  }

  @Test func `help, palette, messages and questions`() throws {
    var state = WorkbenchState.training()
    state.hear(
      .warning("image six/IMG_1107.JPG does not decode and is skipped"),
      .failure(
        "runs/cifar20-3/checkpoints/last.safetensors could not be written: no space left on the device; free some and press s"
      ))
    try expectSnapshot(state, "failure-80x24")
    state.type("!")
    try expectSnapshot(state, "messages-80x24")
    state.press(.escape, .escape)
    state.type("?")
    try expectSnapshot(state, "help-80x24")
    state.press(.escape)
    state.type(":train")
    try expectSnapshot(state, "palette-80x24")
    state.press(.escape)
    state.type("q")
    try expectSnapshot(state, "quit-80x24")
    state.press(.escape)
    state.type("X")
    try expectSnapshot(state, "stop-80x24")
    state.press(.escape)
    state.type("Lx")
    state.press(.enter)
    try expectSnapshot(state, "learning-rate-80x24")
  }

  @Test func `a refused setting and a search among the networks`() throws {
    var state = WorkbenchState.opened()
    state.type("ores")
    try expectSnapshot(state, "settings-search-80x24")
    state.press(.escape)
    for _ in 0..<8 { state.press(.down) }
    state.type("many")
    state.press(.enter)
    try expectSnapshot(state, "settings-refused-80x24")
  }

  @Test func `names that would move the cursor or reorder text`() throws {
    var state = Fixtures.state()
    let classes = ["\u{1B}]0;x\u{7}", "a\u{202E}b", "日本語", "line\nbreak"].map {
      ClassReport(name: $0, counts: SplitCounts(train: 3), images: [ImageEntry(path: $0 + "/1.png", split: .train)])
    }
    state.hear(.dataset(DatasetReport(root: "data/sign-digits", splitSource: .folders, classes: classes)))
    try expectSnapshot(state, "hostile-names-80x24")
  }

  @Test func `no color and no Unicode`() throws {
    var state = WorkbenchState.training()
    state.type("3")
    try expectSnapshot(state, "monochrome-80x24", theme: .monochrome.with(glyphs: .ascii))
    let text = render(state, size: state.size, theme: .monochrome.with(glyphs: .ascii)).text()
    let foreign = text.unicodeScalars.filter { !$0.isASCII }
    #expect(foreign.isEmpty)
  }

  @Test func `a terminal too small says how large it should be`() throws {
    try expectSnapshot(.opened(size: Size(width: 59, height: 15)), "small-59x15")
    try expectSnapshot(.opened(size: Size(width: 60, height: 16)), "smallest-60x16")
  }
}

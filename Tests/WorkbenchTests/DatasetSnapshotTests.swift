// The dataset pane's frames while it reads, with findings, figures and decisions, compared with recorded ones.

import Canvas
import Messages
import Testing

@testable import Workbench

@Suite struct `The dataset looks as recorded` {
  static let sizes = [Size(width: 80, height: 24), Size(width: 160, height: 50)]

  private func name(_ subject: String, _ size: Size) -> String { "\(subject)-\(size.width)x\(size.height)" }

  @Test(arguments: sizes) func `classes that grow while the folder is read`(size: Size) throws {
    var state = Fixtures.state(size: size)
    let classes = [("zero", 189), ("one", 191), ("two", 112)].map {
      DatasetProgress.ClassCount(name: $0.0, images: $0.1)
    }
    state.hear(.datasetProgress(.scanning(files: 492, classes: classes)))
    try expectSnapshot(state, name("scanning", size))
  }

  @Test func `a scan that was cancelled`() throws {
    var state = Fixtures.state()
    state.press(.escape)
    state.hear(.readingCancelled)
    try expectSnapshot(state, "cancelled-80x24")
  }

  @Test(arguments: sizes) func `every file being decoded`(size: Size) throws {
    var state = WorkbenchState.opened(size: size)
    state.type("c")
    state.hear(.datasetProgress(.checking(done: 843, total: 2022)))
    try expectSnapshot(state, name("checking", size))
  }

  @Test(arguments: sizes) func `classes of a dataset with errors and decisions`(size: Size) throws {
    var state = WorkbenchState.opened(size: size)
    state.hear(.dataset(Fixtures.decided))
    try expectSnapshot(state, name("decided", size))
  }

  @Test(arguments: sizes) func `findings with errors`(size: Size) throws {
    var state = WorkbenchState.inspected(size: size)
    state.type("wj")
    try expectSnapshot(state, name("findings", size))
    state.type("z")
    try expectSnapshot(state, name("findings-zoomed", size))
  }

  @Test(arguments: sizes) func `the files of a finding`(size: Size) throws {
    var state = WorkbenchState.inspected(size: size)
    state.type("wj")
    state.answerPictures(state.press(.enter))
    try expectSnapshot(state, name("finding", size))
  }

  @Test(arguments: sizes) func `statistics`(size: Size) throws {
    var state = WorkbenchState.inspected(size: size)
    state.type("f")
    try expectSnapshot(state, name("statistics", size))
    state.type("z")
    try expectSnapshot(state, name("statistics-zoomed", size))
  }

  @Test func `statistics before anything was measured`() throws {
    var state = WorkbenchState.opened()
    state.type("f")
    try expectSnapshot(state, "statistics-absent-80x24")
  }

  @Test(arguments: sizes) func `files that are excluded, relabeled or broken`(size: Size) throws {
    var state = WorkbenchState.opened(size: size)
    state.hear(.dataset(Fixtures.decided))
    state.answerPictures(state.press(.enter))
    state.answerPictures(state.type("jj"))
    try expectSnapshot(state, name("files-decided", size))
  }

  @Test(arguments: sizes) func `the chooser of a class`(size: Size) throws {
    var state = WorkbenchState.opened(size: size)
    state.hear(.dataset(Fixtures.decided))
    state.answerPictures(state.press(.enter))
    state.type("m")
    try expectSnapshot(state, name("relabel", size))
    state.type("si")
    try expectSnapshot(state, name("relabel-search", size))
  }

  @Test func `a mistake that was excluded, with the command that does it`() throws {
    var state = WorkbenchState.evaluated()
    var keeper = DecisionKeeper(report: Fixtures.dataset)
    keeper.report.classes[0].images.append(ImageEntry(path: "zero/IMG_1201.JPG", split: .test))
    state.hear(.dataset(keeper.report))
    state.type("vvv")
    for _ in 0..<20 where state.inspector.imagePath?.hasSuffix("zero/IMG_1201.JPG") != true { state.type("n") }
    state.answerPictures(state.press(.enter))
    keeper.answer(state.type("x"), &state)
    try expectSnapshot(state, "mistake-excluded-80x24")
  }

  @Test(arguments: sizes) func `a run being prepared`(size: Size) throws {
    var state = WorkbenchState.opened(size: size)
    state.type("3 ")
    state.press(.enter)
    state.hear(.state(.preparing), .preparing(.caching(done: 843, total: 2022, bytes: 25_400_000)))
    try expectSnapshot(state, name("caching", size))
    state.hear(.preparing(.scanning(files: 492)))
    try expectSnapshot(state, name("preparing-scan", size))
  }

  @Test(arguments: sizes) func `a loader that does not keep up`(size: Size) throws {
    var state = WorkbenchState.training(size: size)
    var epoch = Fixtures.epoch(6)
    epoch.dataWait = 0.214
    state.hear(.training(.epoch(epoch)))
    state.type("3")
    try expectSnapshot(state, name("data-wait", size))
  }

  @Test func `findings and statistics without color and without Unicode`() throws {
    var state = WorkbenchState.inspected()
    state.hear(.dataset(Fixtures.decided))
    for (keys, name) in [("w", "findings-ascii-80x24"), ("f", "statistics-ascii-80x24")] {
      state.type(keys)
      let theme = Theme.monochrome.with(glyphs: .ascii)
      try expectSnapshot(state, name, theme: theme)
      let foreign = render(state, size: state.size, theme: theme).text().unicodeScalars.filter { !$0.isASCII }
      #expect(foreign.isEmpty)
    }
  }
}

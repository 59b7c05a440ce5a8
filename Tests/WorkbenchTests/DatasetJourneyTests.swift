// What a person does about a dataset: giving a reading up, reading findings, opening what they name, excluding,
// relabeling and taking it back, and what happens to the place on the screen meanwhile.

import Support
import Canvas
import Messages
import Testing

@testable import Workbench

extension WorkbenchState {
  var text: String { render(self, size: size, theme: .dark).text() }
}

@Suite struct `Reading a dataset` {
  private let progress = DatasetProgress.scanning(
    files: 1234, classes: [.init(name: "zero", images: 1000), .init(name: "one", images: 234)])

  @Test func `classes and their counts are shown before the reading ends`() {
    var state = Fixtures.state()
    state.hear(.datasetProgress(progress))
    for part in ["1,234 images", "2 classes", "zero", "1,000", "Esc cancels"] {
      #expect(state.text.contains(part), "\(part)")
    }
  }

  @Test func `Esc gives the first reading up, and R begins it again`() {
    var state = Fixtures.state()
    state.hear(.datasetProgress(progress))
    #expect(state.press(.escape) == [.browse(.cancelReading)])
    state.hear(.readingCancelled)
    #expect(state.dataset.reading == .cancelled)
    #expect(state.text.contains("was cancelled"))
    #expect(state.press(.escape).isEmpty, "there is nothing to give up any more")
    #expect(
      state.type("R") == [
        .browse(.openDataset(path: "data/sign-digits", split: SplitSettings(), checkingFiles: false))
      ])
    #expect(state.dataset.reading.isUnderWay)
  }

  @Test func `Esc in a list of files goes back and leaves the file check alone`() {
    var state = WorkbenchState.opened()
    #expect(state.type("c").count == 1)
    state.hear(.datasetProgress(.checking(done: 3, total: 9)))
    state.press(.enter)
    #expect(state.press(.escape).isEmpty)
    #expect(state.dataset.level == .classes)
    #expect(state.press(.escape) == [.browse(.cancelReading)])
    state.hear(.readingCancelled)
    #expect(state.dataset.reading == .done)
    #expect(state.dataset.report == Fixtures.dataset, "what was read before stays")
  }

  @Test func `giving up what has just ended changes nothing`() {
    var state = WorkbenchState.opened()
    let before = state
    state.hear(.readingCancelled)
    #expect(state == before)
  }

  @Test func `Esc in another pane does not give the reading up`() {
    var state = Fixtures.state()
    state.hear(.datasetProgress(progress))
    #expect(state.press(.character("3"), .escape).isEmpty)
  }

  @Test func `a second c does not look into every file twice`() {
    var state = WorkbenchState.opened()
    #expect(
      state.type("c") == [
        .browse(.openDataset(path: "data/sign-digits", split: SplitSettings(), checkingFiles: true))
      ])
    state.hear(.datasetProgress(.scanning(files: 40, classes: [])), .dataset(Fixtures.dataset))
    #expect(state.type("c").isEmpty)
    state.hear(.datasetProgress(.checking(done: 1, total: 2)), .dataset(Fixtures.inspected))
    #expect(state.message?.text.contains("2 errors, 2 warnings, 1 note") == true)
    #expect(state.message?.level == .warning)
  }

  @Test func `a file check that fails before the first report says so`() {
    var state = Fixtures.state()
    state.type("c")
    state.hear(.failure("data/sign-digits is no folder"))
    #expect(state.dataset.reading == .failed("data/sign-digits is no folder"))
    #expect(state.type("c").count == 1, "it can be asked for again")
  }

  @Test func `a file check of nothing has no gauge full from the start`() {
    var state = Fixtures.state()
    state.type("c")
    #expect(state.text.contains("decoding 0 of 0"))
  }
}

@Suite struct `Findings` {
  @Test func `the title counts errors and warnings, and a narrow pane still marks them`() {
    var state = WorkbenchState.inspected()
    #expect(state.text.contains("2 errors, 2 warnings"))
    state.type("2")
    #expect(state.text.contains("2✗ 2!"))
  }

  @Test func `a finding opens the files that it names, with their pictures, and Esc leads back to it`() {
    var state = WorkbenchState.inspected()
    state.type("w")
    state.press(.down)
    #expect(
      state.press(.enter) == [.browse(.preview(path: "data/sign-digits/six/IMG_1106.JPG", maximumSide: 160))])
    #expect(state.dataset.listed.map(\.className) == ["six", "eight"])
    #expect(state.text.contains("label conflict"))
    state.type("n")
    #expect(state.dataset.selectedFile?.path == "eight/IMG_1115.JPG")
    state.press(.escape)
    #expect(state.dataset.level == .findings)
    #expect(state.dataset.findings.selected == 1)
    state.press(.escape)
    #expect(state.dataset.level == .classes)
  }

  @Test func `a finding about a class without files opens the class`() {
    var state = WorkbenchState.inspected()
    state.type("wjj")
    state.press(.enter)
    #expect(state.dataset.level == .files(.classNamed("seven")))
  }

  @Test func `a filter finds errors by their severity and findings by a file's name`() {
    var state = WorkbenchState.inspected()
    state.type("w/error")
    #expect(state.dataset.findings.count == 2)
    state.press(.control("u"))
    state.type("Thumbs")
    #expect(state.dataset.findings.count == 1)
    #expect(state.dataset.selectedFinding?.kind == .ignoredFile)
  }

  @Test func `the advice is shown also where the message is longer than the room`() {
    var state = Fixtures.state()
    var report = Fixtures.dataset
    report.findings = [
      DatasetFinding(
        kind: .ignoredFile, severity: .note, message: String(repeating: "long ", count: 200), advice: "remove them")
    ]
    state.hear(.dataset(report))
    state.type("w")
    #expect(state.text.contains("→ remove them"))
  }

  @Test func `a file that is not an image of a class cannot be excluded`() {
    var state = WorkbenchState.inspected()
    state.type("wG")
    state.press(.enter)
    #expect(state.type("x").isEmpty)
    #expect(state.message?.text.contains("not an image of a class") == true)
  }
}

@Suite struct `Decisions` {
  private func decide(_ changes: DecisionChange...) -> [Effect] {
    [.browse(.decide(data: "data/sign-digits", split: SplitSettings(), changes: changes))]
  }

  @Test func `x excludes, the count changes, x again includes, and the place stays`() {
    var state = WorkbenchState.opened()
    var keeper = DecisionKeeper(report: Fixtures.dataset)
    state.press(.enter, .down, .down)
    let excluding = state.type("x")
    #expect(excluding == decide(.exclude(path: "zero/IMG_1114.JPG")))
    #expect(state.message?.text.hasPrefix("$ skipline exclude data/sign-digits zero/IMG_1114.JPG") == true)
    keeper.answer(excluding, &state)
    #expect(state.dataset.selectedFile?.path == "zero/IMG_1114.JPG")
    #expect(state.dataset.selectedFile?.decision == .excluded)
    #expect(state.text.contains("1 excluded"))
    #expect(state.hints.contains { $0.action == .exclude && $0.text == "include" })
    let including = state.type("x")
    #expect(including == decide(.include(path: "zero/IMG_1114.JPG")))
    keeper.answer(including, &state)
    #expect(!state.text.contains("excluded"))
    state.press(.escape)
    #expect(state.text.contains("2,022 images"))
  }

  @Test func `a relabeled image leaves its list for the next one, and u brings it back`() {
    var state = WorkbenchState.opened()
    var keeper = DecisionKeeper(report: Fixtures.dataset)
    state.press(.enter, .down)
    state.type("m")
    state.type("sev")
    let relabeling = state.press(.enter)
    #expect(relabeling == decide(.relabel(path: "zero/IMG_1107.JPG", to: "seven")))
    keeper.answer(relabeling, &state)
    #expect(state.dataset.selectedFile?.path == "zero/IMG_1114.JPG", "the next file, not the first")
    let undoing = state.type("u")
    #expect(undoing == decide(.relabel(path: "zero/IMG_1107.JPG", to: "zero")))
    keeper.answer(undoing, &state)
    #expect(keeper.report == Fixtures.dataset)
    #expect(state.type("u").isEmpty)
  }

  @Test func `taking back the exclusion of a relabeled image gives its class again`() {
    var state = WorkbenchState.opened()
    state.hear(.dataset(Fixtures.decided))
    state.press(.enter)
    state.type("/seven")
    state.press(.enter)
    #expect(state.type("x") == decide(.exclude(path: "seven/IMG_1114.JPG")))
    #expect(
      state.type("u")
        == decide(.include(path: "seven/IMG_1114.JPG"), .relabel(path: "seven/IMG_1114.JPG", to: "zero")))
  }

  @Test func `an excluded image is not offered another class, nor an image its own`() {
    var state = WorkbenchState.opened()
    state.hear(.dataset(Fixtures.decided))
    state.press(.enter, .down, .down, .down)
    #expect(state.dataset.selectedFile?.decision == .excluded)
    state.type("m")
    #expect(state.overlay == nil)
    state.press(.up)
    state.type("m")
    guard case .relabel(let chooser) = state.overlay else {
      Issue.record("no chooser")
      return
    }
    #expect(chooser.names == Fixtures.classNames.filter { $0 != "zero" })
    #expect(state.press(.escape).isEmpty)
    #expect(state.overlay == nil)
  }

  @Test func `findings that a decision did not settle stay when the answer knows names alone`() {
    var state = WorkbenchState.inspected()
    var keeper = DecisionKeeper(report: Fixtures.inspected)
    state.type("wj")
    state.press(.enter)
    keeper.answer(state.type("x"), &state)
    #expect(state.text.contains("settled"))
    #expect(state.dataset.listed.map(\.decision) == [.excluded, nil], "its files stay in view")
    state.press(.escape)
    let kinds = state.dataset.report?.findings.map(\.kind) ?? []
    #expect(kinds == [.undecodable, .nearDuplicateAcrossSplits])
    #expect(state.dataset.report?.statistics == Fixtures.statistics)
    keeper.answer(state.type("u"), &state)
    #expect(state.dataset.report?.findings.map(\.kind).contains(.labelConflict) == true)
  }

  @Test func `reading the folder afresh forgets what a file check found`() {
    var state = WorkbenchState.inspected()
    state.type("R")
    state.hear(.dataset(Fixtures.dataset))
    #expect(state.dataset.report == Fixtures.dataset)
  }

  @Test func `the mistake on show is mended in place, from the next run on`() {
    var state = WorkbenchState.evaluated()
    var keeper = DecisionKeeper(report: Fixtures.dataset)
    keeper.report.classes[0].images.append(ImageEntry(path: "zero/IMG_1201.JPG", split: .test))
    state.hear(.dataset(keeper.report))
    state.type("vvv")
    for _ in 0..<20 where state.inspector.imagePath?.hasSuffix("zero/IMG_1201.JPG") != true { state.type("n") }
    let place = state.inspector.images.list.selected
    let excluding = state.type("x")
    #expect(excluding == decide(.exclude(path: "zero/IMG_1201.JPG")))
    #expect(state.message?.text.contains("from the next run on") == true)
    keeper.answer(excluding, &state)
    #expect(state.inspector.images.list.selected == place)
    state.press(.enter)
    #expect(state.text.contains("excluded"))
    keeper.answer(state.type("u"), &state)
    state.type("m")
    guard case .relabel(let chooser) = state.overlay else {
      Issue.record("no chooser")
      return
    }
    #expect(chooser.selected == "eight", "what the network predicts comes first")
  }

  @Test func `a mistake of another dataset is not decided about in this one`() {
    var state = WorkbenchState.opened()
    var evaluation = Fixtures.evaluation
    evaluation.data = "data/other"
    evaluation.misclassified[0].path = "zero/IMG_1100.JPG"
    state.hear(.evaluation(evaluation))
    state.type("4vvv")
    #expect(state.type("xm").isEmpty)
    #expect(state.overlay == nil)
  }

  @Test func `x excludes an image where one is shown, and X stops the run`() {
    var state = WorkbenchState.training()
    #expect(state.type("x").isEmpty && state.overlay == nil)
    state.type("X")
    #expect(state.overlay == .confirmStop)
    state.press(.escape, .enter)
    #expect(state.hints.filter { $0.key == .character("x") }.map(\.action) == [.exclude])
    #expect(state.type("x") == decide(.exclude(path: "zero/IMG_1100.JPG")))
    #expect(state.message?.text.contains("from the next run on") == true)
  }

  @Test func `a name in invalid bytes is decided about by exactly these bytes`() {
    let path = String(pathBytes: Array("zero/a".utf8) + [0xFF, 0x1B] + Array(".png".utf8))
    var state = Fixtures.state()
    var report = Fixtures.dataset
    report.classes[0].images = [ImageEntry(path: path, split: .train)]
    state.hear(.dataset(report))
    state.press(.enter)
    #expect(state.type("x") == decide(.exclude(path: path)))
  }

  @Test func `the command for a name that begins with a dash does not take it for an option`() {
    #expect(ShellCommand.decide(.exclude(path: "-x.png"), data: "d") == "skipline exclude d -- -x.png")
    #expect(
      ShellCommand.decide(.relabel(path: "a b/1.png", to: "c d"), data: "d")
        == "skipline relabel d --to 'c d' 'a b/1.png'")
  }

  @Test func `folders named for splits are in the form, the reading and every command`() throws {
    var settings = Fixtures.settings
    let train = SettingsField.of(Settings.trainFolder)
    let validation = SettingsField.of(Settings.validationFolder)
    let test = SettingsField.of(Settings.testFolder)
    for (field, text) in [(train, "day"), (validation, "x"), (test, "-night")] {
      try field.apply(text, to: &settings, networks: [])
      #expect(field.text(in: settings) == text)
    }
    try validation.apply("", to: &settings, networks: [])
    #expect(settings.split.folders == SplitFolders(train: "day", test: "-night"))
    let words = " --train day --test=-night"
    #expect(settings.commandLine.contains(words))
    #expect(ShellCommand.check("d", settings.split) == "skipline check d" + words)
    #expect(
      ShellCommand.evaluate("c", data: "d", split: .test, folders: settings.split.folders)
        == "skipline evaluate c --data d --split test" + words)
    #expect(
      ShellCommand.decide(.exclude(path: "a.png"), data: "d", settings.split) == "skipline exclude d" + words
        + " a.png"
    )
    try train.apply("", to: &settings, networks: [])
    try test.apply("", to: &settings, networks: [])
    #expect(settings.split.folders == nil && !settings.commandLine.contains("--test"))
  }

  // Escape sequences in names of files and classes.
  @Test func `no name reaches the screen with what could move its cursor, recolor or reorder it`() {
    let evil = "a\u{1B}[2J\u{202E}b\nc\u{7}\u{9B}"
    var report = Fixtures.inspected
    report.root = evil
    report.classes[0].name = evil
    report.classes[0].images = [
      ImageEntry(path: evil + "/1", split: .train, decision: .relabeled(from: evil)),
      ImageEntry(path: evil + "/2", split: .train),
    ]
    report.findings = [
      DatasetFinding(
        kind: .duplicate, severity: .error, subject: evil, paths: [evil + "/1", evil], message: evil, advice: evil)
    ]
    report.statistics?.formats = [.init(name: evil, count: 1)]
    var state = Fixtures.state()
    state.hear(.datasetProgress(.scanning(files: 1, classes: [.init(name: evil, images: 1)])))
    func expectSafe(_ what: String) {
      for line in state.text.split(separator: "\n") { #expect(Sanitizer.isSafe(String(line)), "\(what): \(line)") }
    }
    expectSafe("reading")
    state.hear(.dataset(report))
    for keys in ["", "z", "z", "l", "m", ":", "w", "l", "x", "n", "f", "z"] {
      if keys == ":" { state.press(.escape, .escape) } else { state.type(keys) }
      expectSafe(keys)
    }
  }

  @Test func `accents composed in another way are another file`() {
    let paths = ["zero/e\u{301}.png", "zero/\u{E9}.png"]
    var report = Fixtures.dataset
    report.classes[0].images = paths.map { ImageEntry(path: $0, split: .train) }
    var state = Fixtures.state()
    state.hear(.dataset(report))
    state.press(.enter, .down)
    report.classes[0].images[1].decision = .excluded
    state.hear(.dataset(report))
    #expect(state.dataset.files.selected == 1)
    #expect(state.dataset.image(at: paths[0])?.decision == nil)
    #expect(state.dataset.image(at: paths[1])?.decision == .excluded)
  }

  @Test func `training images come before validation and test images`() {
    var report = Fixtures.dataset
    report.classes[0].images = [
      ImageEntry(path: "test/zero/1.png", split: .test), ImageEntry(path: "train/zero/1.png", split: .train),
      ImageEntry(path: "train/zero/2.png", split: .train), ImageEntry(path: "val/zero/1.png", split: .validation),
    ]
    var state = Fixtures.state()
    state.hear(.dataset(report))
    state.press(.enter)
    #expect(
      state.dataset.listed.map(\.path) == [
        "train/zero/1.png", "train/zero/2.png", "val/zero/1.png", "test/zero/1.png",
      ])
  }
}

@Suite struct `Preparing a run` {
  @Test func `what is being prepared is shown and forgotten when the run starts`() {
    var state = WorkbenchState.opened()
    state.press(.character(" "), .enter)
    state.hear(.state(.preparing), .preparing(.caching(done: 10, total: 20, bytes: 3 << 20)))
    #expect(state.text.contains("caching 10 of 20, cache 3.00 MiB"))
    state.hear(.preparing(.measuring(done: 5, total: 20)))
    #expect(state.text.contains("measuring 5 of 20 images"))
    state.hear(.training(.started(Fixtures.run())), .state(.training))
    #expect(state.preparation == nil)
  }

  @Test func `a run that fails while it is prepared leaves nothing of it on the screen`() {
    var state = WorkbenchState.opened()
    state.press(.character(" "), .enter)
    state.hear(.state(.preparing), .preparing(.scanning(files: 3)), .failure("no classes"), .state(.idle))
    #expect(state.preparation == nil)
  }

  @Test func `waiting for data is told when it was measured`() {
    var state = WorkbenchState.training()
    state.type("3z")
    #expect(!state.text.contains("waits for data"))
    var epoch = Fixtures.epoch(6)
    epoch.dataWait = 0.004
    state.hear(.training(.epoch(epoch)))
    #expect(state.text.contains("waits for data 0.4%"))
  }
}

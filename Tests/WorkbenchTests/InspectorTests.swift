// The inspector: the matrix as the way in, the sheet of images with marks and what is done about all marked, one image,
// confidence, suspected labels, two checkpoints.

import Canvas
import Messages
import Testing

@testable import Workbench

@Suite struct `The confusion matrix` {
  @Test func `begins on the most confused pair, and Enter opens its images`() {
    var state = WorkbenchState.evaluated()
    #expect(state.inspector.confusion.truth == 6 && state.inspector.confusion.predicted == 8)
    #expect(state.text.contains("six → eight, 5 of"))
    state.press(.enter)
    #expect(state.inspector.view == .images && state.inspector.images.list.count == 5)
    state.press(.escape)
    #expect(state.inspector.view == .confusion)
    // The next most confused pairs, round and round.
    state.type("n")
    #expect(state.inspector.confusion.truth == 7 && state.inspector.confusion.predicted == 1)
    state.type("NN")
    #expect(state.inspector.confused.last?.truth == state.inspector.confusion.truth)
  }

  @Test func `keeps its pair when it is flipped or ordered anew`() {
    var state = WorkbenchState.evaluated()
    for keys in ["T", "o", "T", "o"] {
      state.type(keys)
      #expect(state.inspector.confusion.truth == 6 && state.inspector.confusion.predicted == 8, "\(keys)")
    }
    state.type("T")
    state.press(.down)
    #expect(state.inspector.confusion.truth == 6 && state.inspector.confusion.predicted == 9)
    #expect(state.text.contains("pred. ↓") && state.text.contains("prec."))
    state.type("z")
    #expect(state.text.contains("predicted ↓"))
    // No settings form: the key is the matrix's here.
    #expect(state.overlay == nil)
  }

  @Test func `orders confused classes beside each other`() {
    let matrix = Fixtures.evaluation.confusion
    let order = matrix.neighborOrder
    #expect(order.sorted() == Array(0..<10))
    func distance(_ one: Int, _ other: Int) -> Int {
      abs((order.firstIndex(of: one) ?? 0) - (order.firstIndex(of: other) ?? 0))
    }
    for (one, other) in [(6, 8), (1, 7), (9, 4), (0, 8)] { #expect(distance(one, other) == 1, "\(one) \(other)") }
    // A circle of confusion is a chain too, and nothing is lost in it.
    let circle = ConfusionMatrix(rows: [[5, 3, 0, 0], [0, 5, 3, 0], [0, 0, 5, 3], [3, 0, 0, 5]])
    #expect(circle.neighborOrder.sorted() == [0, 1, 2, 3])
    #expect(ConfusionMatrix(classes: 0, cells: []).neighborOrder.isEmpty)
  }

  @Test func `shows counts or shares, and what every class is given`() {
    var state = WorkbenchState.evaluated(size: Size(width: 140, height: 44))
    state.type("z")
    #expect(state.text.contains("recall") && state.text.contains("prec."))
    state.type("%")
    // Five of the twenty-four images of the class.
    #expect(state.text.contains("21%"))
  }

  @Test func `scrolls where there are more classes than room, with the cursor in view`() {
    let count = 300
    var report = Fixtures.evaluation
    report.classes = (0..<count).map {
      ClassMetrics(name: "species \($0)", support: 2, precision: 0.5, recall: 0.5, f1: 0.5)
    }
    report.confusion = ConfusionMatrix(
      classes: count,
      cells: (0..<count).flatMap { label in
        [
          ConfusionMatrix.Cell(truth: label, predicted: label, count: 3),
          ConfusionMatrix.Cell(truth: label, predicted: (label + 7) % count, count: label == 250 ? 2 : 1),
        ]
      })
    var state = WorkbenchState.opened()
    state.type("4z")
    state.hear(.evaluation(report))
    #expect(state.text.contains("species 250 → species 257, 2 of 5"))
    for key: Key in [.end, .home, .pageDown, .left, .up, .right, .character("o"), .character("T")] {
      state.press(key)
      let confusion = state.inspector.confusion
      #expect(confusion.rows(in: 5).contains(confusion.row) && confusion.columns(in: 5).contains(confusion.column))
    }
  }

  @Test func `is read without color and without Unicode too`() {
    let state = WorkbenchState.evaluated()
    for theme in [
      Theme.monochrome.with(glyphs: .ascii), .dark.with(glyphs: .unicode, pictures: .eight), .monochrome,
    ] {
      let text = render(state, size: state.size, theme: theme).text()
      #expect(text.contains("[") && text.contains("six"), "\(theme.name)")
      let foreign = text.unicodeScalars.filter { !$0.isASCII }
      if theme.glyphs == .ascii { #expect(foreign.isEmpty) }
    }
  }

  @Test func `a click goes to the cell, and a click on an image of the sheet opens it`() throws {
    var state = WorkbenchState.measured(size: Size(width: 160, height: 50))
    state.type("z")
    let inner = try #require(state.layout[.inspector]?.interior)
    let area = inner
    let layout = InspectorLayout(state.inspector, in: area)
    let report = try #require(state.inspector.report)
    let matrix = InspectorPane.confusionLayout(report, state, in: try #require(layout.content(layout.matrix)))
    let (x, y) = (matrix.body.x + matrix.label + matrix.cell * 2 + 1, matrix.body.y + 3)
    _ = update(&state, .input(.click(x: x, y: y)))
    #expect(state.inspector.confusion.row == 3 && state.inspector.confusion.column == 2)
    state.type("n")
    let sheet = InspectorPane.sheetLayout(state, in: try #require(layout.content(layout.sheet)))
    let tile = try #require(sheet.tile(1, top: 0))
    _ = update(&state, .input(.click(x: tile.x + 2, y: tile.y + 1)))
    #expect(state.inspector.view == .images && state.inspector.images.list.selected == 1)
    _ = update(&state, .input(.click(x: tile.x + 2, y: tile.y + 1)))
    #expect(state.inspector.images.isSingle)
  }
}

@Suite struct `The sheet of images` {
  @Test func `an evaluation asks for every image once, and goes on with the mistakes where they were not kept`() {
    var state = WorkbenchState.opened()
    state.press(.character("4"), .enter)
    let question = InspectionCommand.openEvaluation(Fixtures.table.source)
    #expect(state.hear(.evaluation(Fixtures.evaluation)).contains(.inspect(question)))
    #expect(!state.type("v").contains(.inspect(question)))
    state.hear(.inspection(question, .missingEvaluation(Fixtures.table.source, reason: nil)))
    state.type("vv")
    #expect(state.inspector.images.list.count == 12 && state.text.contains("mistakes only"))
    // Once it is kept, all images are there, and the place stays.
    state.press(.right, .right)
    let path = state.inspector.imagePath
    #expect(state.hear(.evaluationKept(Fixtures.table.source)).contains(.inspect(question)))
    state.hear(.inspection(question, .table(Fixtures.table)))
    #expect(state.inspector.images.isWhole && state.inspector.imagePath == path)
    #expect(state.inspector.images.list.count == Fixtures.table.count)
    // The answer to a question about another evaluation changes nothing.
    var other = Fixtures.table.source
    other.checkpoint = "runs/other/checkpoints/best.safetensors"
    state.hear(.inspection(.openEvaluation(other), .table(EvaluationTable(mistakesOf: Fixtures.evaluation))))
    #expect(state.inspector.images.list.count == Fixtures.table.count)
  }

  @Test(
    arguments: [
      ("", 195), ("wrong", 12), ("right", 183), ("\"six\" > \"eight\"", 5), ("\"six\" >", 24), ("> \"eight\"", 23),
      ("\"six\" > \"eight\" conf>.5", 3), ("conf<0.5", 6), ("wrong > \"seven\"", 2), ("IMG_12 \"six\" >", 4),
      ("test wrong", 12), ("train", 0), ("\"no such class\" >", 0), ("six/img_1201", 1), ("conf>abc", 0),
      (">", 195),
    ] as [(String, Int)])
  func `one line chooses by class, split, confidence, answer and path`(query: String, count: Int) {
    var state = WorkbenchState.measured()
    state.type("vvv/" + query)
    state.press(.enter)
    #expect(state.inspector.images.list.count == count, "\(query)")
    state.press(.escape)
    #expect(state.inspector.images.list.count == Fixtures.table.count)
  }

  @Test func `goes through the orders, the first of each first`() {
    var state = WorkbenchState.measured()
    state.type("vvv")
    let table = Fixtures.table
    var seen: [EvaluationSort] = []
    for _ in EvaluationSort.allCases {
      let images = state.inspector.images
      seen.append(images.sort)
      #expect(
        (0..<images.list.count).compactMap { images.list.item(at: $0) }
          == table.rows(sortedBy: images.sort).map { Int($0) })
      #expect(images.list.selected == 0)
      state.type("S")
    }
    #expect(Set(seen) == Set(EvaluationSort.allCases) && seen.first == .loss)
    state.type("f")
    #expect(state.inspector.images.list.count == 12)
    state.type("f")
    #expect(state.inspector.images.list.count == Fixtures.table.count - 12)
    state.type("f")
    #expect(state.inspector.images.list.count == Fixtures.table.count)
  }

  @Test func `what is marked is excluded, relabeled and undone at once`() {
    var state = WorkbenchState.measured()
    var report = Fixtures.dataset
    for path in ["six/IMG_1201.JPG", "six/IMG_1232.JPG", "six/IMG_1263.JPG"] {
      report.classes[6].images.append(ImageEntry(path: path, split: .test))
    }
    state.hear(.dataset(report))
    state.press(.enter)
    state.type("  ")
    #expect(state.inspector.images.marks.count == 2 && state.text.contains("2 marked"))
    let marked = state.inspector.images.marks.sorted().map { Fixtures.table.paths[$0] }
    guard case .browse(.decide(_, _, let changes)) = state.type("x").first else {
      Issue.record("nothing was decided")
      return
    }
    #expect(changes == marked.map { .exclude(path: $0) })
    #expect(state.message?.text.contains("change the benchmark") == true)
    guard case .browse(.decide(_, _, let undone)) = state.type("u").first else {
      Issue.record("nothing was undone")
      return
    }
    #expect(undone == marked.map { .include(path: $0) })
    state.type("m")
    #expect(state.text.contains("Relabel 2 images as"))
    state.type("eight")
    guard case .browse(.decide(_, _, let relabeled)) = state.press(.enter).first else {
      Issue.record("nothing was relabeled")
      return
    }
    #expect(relabeled == marked.map { .relabel(path: $0, to: "eight") })
    // Esc takes the marks away before it goes back.
    state.clearMessage()
    state.press(.escape)
    #expect(state.inspector.images.marks.isEmpty && state.inspector.view == .images)
    state.press(.escape)
    #expect(state.inspector.view == .confusion)
  }

  @Test func `the marked images, or all shown, are exported in the form that is asked for`() {
    var state = WorkbenchState.measured()
    state.press(.enter)
    state.type("E")
    #expect(state.text.contains("Export 5 images") && state.text.contains("--images"))
    state.press(.right)
    guard case .inspect(.export(let export))? = state.press(.enter).first, case .images(let table) = export.content
    else {
      Issue.record("nothing was exported")
      return
    }
    #expect(export.file == "runs/cifar20-3/exports/images-test.json" && export.format == .json && !export.replaces)
    #expect(table.count == 5 && table.paths.allSatisfy { $0.hasPrefix("six/IMG_1") })
    #expect(state.press(.enter).isEmpty, "it is being written")
    // What is there is replaced once that was said.
    state.hear(.inspection(.export(export), .exists(file: export.file)))
    #expect(state.text.contains("is there already"))
    guard case .inspect(.export(let again))? = state.press(.enter).first else {
      Issue.record("nothing was exported")
      return
    }
    #expect(again.replaces && again.file == export.file)
    state.hear(.inspection(.export(again), .exported(file: again.file)))
    #expect(
      state.overlay == nil && state.message?.text.contains("wrote runs/cifar20-3/exports/images-test.json") == true)
    state.type(" E")
    #expect(state.text.contains("Export 1 marked image") && state.text.contains("no command knows"))
    // Another name is another form, and one that is neither is refused here.
    for _ in 0..<3 { state.press(.backspace) }
    state.type("png")
    guard case .inspect(.export(let sheet))? = state.press(.enter).first, case .images(let marked) = sheet.content
    else {
      Issue.record("nothing was exported")
      return
    }
    #expect(sheet.format == .png && marked.count == 1)
    state.hear(.inspection(.export(sheet), .failure("the disk is full")))
    #expect(state.text.contains("the disk is full"))
    state.type("x")
    #expect(state.press(.enter).isEmpty && state.text.contains("the name ends in .csv, .json, .png, .svg"))
    state.press(.escape)
    #expect(state.overlay == nil)
  }

  @Test func `every view can be exported, and says which command does the same`() throws {
    var state = WorkbenchState.measured(size: Size(width: 140, height: 44))
    func check(_ name: String, _ formats: Int, _ command: String) throws {
      state.type("E")
      guard case .export(let dialog) = state.overlay else {
        Issue.record("no dialog for \(name)")
        return
      }
      #expect(dialog.file.hasSuffix("/exports/\(name).csv") && dialog.formats.count == formats)
      #expect(InspectorPane.exportCommand(dialog, in: state)?.contains(command) == true)
      guard case .inspect(.export(let export))? = state.press(.enter).first else {
        Issue.record("nothing was exported of \(name)")
        return
      }
      #expect(export.content.formats.contains(.csv))
      state.hear(.inspection(.export(export), .exported(file: export.file)))
    }
    try check("confusion-test", 4, "--split test --confusion ")
    for (name, formats, command) in [
      ("pairs-test", 2, "--pairs "), ("classes-test", 2, "--metrics "), ("images-test", 4, "--sort loss --images "),
      ("reliability-test", 4, "--reliability "),
    ] {
      state.type("v")
      try check(name, formats, command)
    }
    state.type("w")
    state.type("E")
    #expect(state.overlay == nil, "nothing is found yet")
    state.hear(.inspection(.findLabelErrors([Fixtures.table.source]), .labelErrors(Fixtures.suspects)))
    try check("suspects", 4, "skipline check data/sign-digits --model ")
  }

  @Test func `asks for what is seen only, a few at a time, and forgets what it has long not shown`() {
    var state = WorkbenchState.measured(size: Size(width: 200, height: 60))
    var asked = 0
    func answer(_ effects: [Effect]) {
      for case .browse(.thumbnails(let paths, _)) in effects {
        #expect(paths.count <= InspectorPane.thumbnailBatch)
        asked += paths.count
      }
      state.answerPictures(effects)
    }
    // The sheet beside the matrix has asked already, and was not answered.
    state.inspector.askedThumbnails = []
    answer(state.type("vvvz"))
    let first = asked
    #expect(first > 0 && first < 195)
    // Nothing more is asked for until something else is in view.
    #expect(state.hear(.warning("x")).allSatisfy { if case .browse(.thumbnails) = $0 { false } else { true } })
    for _ in 0..<30 { answer(state.press(.pageDown)) }
    #expect(state.inspector.images.list.selected == 194)
  }

  @Test func `a hundred thousand images are sorted, filtered and scrolled, and little of them is drawn`() {
    let count = 100_000
    var report = Fixtures.evaluation
    report.split = .all
    func column<Value>(_ value: (Int) -> Value) -> [Value] { (0..<count).map(value) }
    let table = EvaluationTable(
      source: EvaluationSource(checkpoint: report.checkpoint, data: report.data, split: .all), root: report.data,
      classes: Fixtures.classNames, paths: column { "three/IMG_\($0).JPG" }, splits: column { _ in .train },
      truths: column { Int32($0 % 10) }, predictions: column { Int32(($0 / 3) % 10) },
      confidences: column { Float($0 % 101) / 100 }, margins: column { Float($0 % 53) / 53 },
      losses: column { Float(($0 * 7919) % 1009) }, ranks: 0, topLabels: [], topProbabilities: [])
    var state = WorkbenchState.opened(size: Size(width: 140, height: 44))
    state.type("4z")
    state.hear(.evaluation(report))
    state.hear(.inspection(.openEvaluation(table.source), .table(table)))
    var pictures = DrawnPictures()
    state.answerPictures(state.type("vvv"))
    for key: Key in [.pageDown, .end, .home, .character("S"), .character("n")] {
      state.answerPictures(state.press(key))
      let text = render(state, size: state.size, theme: .dark, pictures: &pictures).text()
      #expect(text.contains("of 100,000"))
    }
    #expect(pictures.draws < 400)
    state.type("/wrong conf>.9")
    #expect(state.inspector.images.list.count > 0 && state.inspector.images.list.count < count / 5)
  }

  @Test(arguments: [
    Size(width: 60, height: 16), Size(width: 80, height: 24), Size(width: 140, height: 44),
    Size(width: 200, height: 60),
  ])
  func `moving leaves the chosen image in view at every size`(size: Size) throws {
    var state = WorkbenchState.measured(size: size)
    for zoomed in [false, true] {
      if zoomed { state.type("z") }
      state.inspector.view = .images
      for key: Key in [.end, .up, .up, .left, .pageUp, .home, .down, .right, .pageDown, .down, .down, .end] {
        state.press(key)
        let inner = try #require(state.layout[.inspector]?.interior)
        let layout = InspectorLayout(state.inspector, in: inner)
        let sheet = InspectorPane.sheetLayout(state, in: try #require(layout.content(layout.sheet)))
        let images = state.inspector.images
        let top = sheet.top(images.top, selected: images.list.selected, count: images.list.count)
        #expect(sheet.tile(images.list.selected, top: top) != nil, "\(size) \(key)")
      }
    }
  }
}

@Suite struct `What the network says of an image` {
  @Test func `g asks where it looked and what the image resembles, and shows both`() throws {
    var state = WorkbenchState.measured()
    state.type("z")
    state.press(.enter, .enter)
    let path = try #require(state.inspector.imagePath)
    let questions = state.type("g").compactMap { effect in
      if case .inspect(let question) = effect { question } else { nil }
    }
    #expect(
      questions == [
        .explain(checkpoint: Fixtures.evaluation.checkpoint, file: path, classes: [6]),
        .findSimilar(
          EvaluationSource(checkpoint: Fixtures.evaluation.checkpoint, data: "data/sign-digits", split: .train),
          file: path, count: 6),
      ])
    #expect(state.text.contains("looking where it looked"))
    let heat = HeatMap(height: 2, width: 2, values: [0, 0.2, 0.5, 1])
    state.hear(
      .inspection(
        questions[0],
        .explanation(
          Explanation(
            checkpoint: Fixtures.evaluation.checkpoint, path: path, classes: Fixtures.classNames, top: [],
            seen: Fixtures.picture,
            heats: [
              ClassHeat(label: 8, probability: 0.61, map: heat), ClassHeat(label: 6, probability: 0.24, map: heat),
            ]))),
      .inspection(
        questions[1],
        .similarImages([
          SimilarImage(path: "eight/IMG_1100.JPG", similarity: 0.91, className: "eight", split: .train)
        ])))
    #expect(state.text.contains("eight 61%"))
    #expect(state.text.contains("0.91"))
    // Asked once; a second press shows the picture again.
    #expect(state.type("gg").allSatisfy { if case .inspect = $0 { false } else { true } })
    state.type("n")
    #expect(state.inspector.answers.isWaiting)
  }

  @Test func `a right answer is shown as such, with its probabilities`() {
    var state = WorkbenchState.measured()
    state.type("vvvzff")
    state.press(.enter)
    let text = state.text
    #expect(text.contains("true ") && text.contains("predicted ") && text.contains("loss "))
    #expect(state.inspector.images.row.map { Fixtures.table.isRight($0) } == true)
  }

  @Test func `heat lies over the picture where it is high`() {
    let picture = PixelImage(width: 8, height: 8, pixels: [UInt8](repeating: 100, count: 192))
    let map = HeatMap(height: 2, width: 2, values: [0, 0, 0, 1])
    let shown = picture.under(map)
    func red(_ x: Int, _ y: Int) -> UInt8 { shown.pixels[(y * 8 + x) * 3] }
    #expect(red(7, 7) > red(0, 0) && red(7, 7) > 150)
    #expect(picture.under(HeatMap(height: 0, width: 0, values: [])) == picture)
    #expect(picture.under(HeatMap(height: 1, width: 1, values: [.nan])).pixels.count == 192)
  }
}

@Suite struct `Trust, suspicion and comparison` {
  @Test func `the threshold moves and says what it keeps`() {
    var state = WorkbenchState.measured(size: Size(width: 140, height: 44))
    state.type("vvvvz")
    #expect(state.inspector.view == .confidence && state.text.contains("ECE"))
    #expect(state.inspector.confidence.coverage == Fixtures.table.coverage(atLeast: 0.5))
    state.type(">>")
    state.press(.right)
    #expect(state.inspector.confidence.hundredths == 61)
    #expect(state.text.contains("threshold 0.61"))
    #expect(state.inspector.confidence.coverage == Fixtures.table.coverage(atLeast: 0.61))
    state.type("r")
    #expect(state.text.contains("accuracy by confidence"))
    state.press(.enter)
    #expect(state.inspector.images.list.filter == "conf<0.61")
    state.press(.escape)
    #expect(state.inspector.view == .confidence)
    state.press(.end, .right)
    #expect(state.inspector.confidence.hundredths == 100)
  }

  @Test func `without the images it says how to have them`() {
    var state = WorkbenchState.evaluated()
    state.hear(
      .inspection(.openEvaluation(Fixtures.table.source), .missingEvaluation(Fixtures.table.source, reason: nil)))
    state.type("vvvvz")
    #expect(state.text.contains("e evaluates again"))
    #expect(
      state.type("e") == [
        .send(
          .evaluate(
            checkpoint: Fixtures.evaluation.checkpoint, data: "data/sign-digits", split: .test, folders: nil,
            anew: true))
      ])
  }

  @Test func `suspected labels are asked for, listed, taken off and mended`() {
    var state = WorkbenchState.measured()
    var dataset = Fixtures.dataset
    dataset.classes[6].images.append(ImageEntry(path: "six/IMG_1232.JPG", split: .test))
    state.hear(.dataset(dataset))
    let question = InspectionCommand.findLabelErrors([Fixtures.table.source])
    #expect(state.type("w") == [.inspect(question)])
    state.hear(.inspectionProgress(question, done: 3, total: 9))
    #expect(state.text.contains("3 of 9"))
    state.answerPictures(state.hear(.inspection(question, .labelErrors(Fixtures.suspects))))
    state.type("z")
    #expect(state.text.contains("3 suspected labels") && state.text.contains("9 of its 10 nearest are eight"))
    guard case .browse(.decide(_, _, let kept))? = state.type("i").first else {
      Issue.record("nothing was decided")
      return
    }
    #expect(kept == [.confirm(path: "six/IMG_1201.JPG", as: "six")])
    #expect(state.message?.text.contains("$ skipline confirm data/sign-digits six/IMG_1201.JPG") == true)
    #expect(state.inspector.suspects.list.count == 2)
    // What is kept stays away, and comes back when it is taken back.
    dataset.confirmed = [ConfirmedLabel(path: "six/IMG_1201.JPG", className: "six")]
    state.hear(.dataset(dataset))
    #expect(state.inspector.suspects.list.count == 2 && state.text.contains("1 confirmed"))
    guard case .browse(.decide(_, _, let undone))? = state.type("u").first else {
      Issue.record("nothing was undone")
      return
    }
    #expect(undone == [.doubt(path: "six/IMG_1201.JPG")])
    dataset.confirmed = []
    state.hear(.dataset(dataset))
    #expect(state.inspector.suspects.list.count == 3)
    state.press(.home)
    state.type("i")
    #expect(state.inspector.suspects.list.count == 2)
    #expect(state.inspector.suspects.selected?.path == "six/IMG_1232.JPG")
    state.type("m")
    guard case .relabel(let chooser) = state.overlay else {
      Issue.record("no chooser")
      return
    }
    #expect(chooser.selected == "eight")
    state.press(.escape)
    state.type("/nine")
    #expect(state.inspector.suspects.list.count == 1)
    state.press(.escape, .escape)
    #expect(state.inspector.view == .checkpoints || state.inspector.view == .suspects)
  }

  @Test func `two checkpoints are compared in words and lists`() {
    var state = WorkbenchState.measured(size: Size(width: 140, height: 44))
    state.type("b")
    #expect(state.inspector.view == .checkpoints && state.message?.text.contains("then b") == true)
    #expect(state.type("b").allSatisfy { if case .inspect = $0 { false } else { true } })
    state.press(.end)
    var before = Fixtures.table.source
    before.checkpoint = Fixtures.checkpoints[3].path
    let question = InspectionCommand.compare(before, Fixtures.table.source)
    #expect(state.type("b").contains(.inspect(question)))
    state.type("z")
    state.hear(.inspection(question, .comparison(Fixtures.comparison)))
    #expect(state.text.contains("better: 22 to 1, very unlikely to be chance"))
    #expect(state.text.contains("fixed 22") && state.inspector.comparison.list.count == 22)
    state.press(.right)
    #expect(state.inspector.comparison.selected?.path == "one/IMG_1201.JPG")
    #expect(state.text.contains("seven"))
    state.press(.right, .right)
    #expect(state.inspector.comparison.part == .fixed)
  }

  @Test func `one that is not evaluated yet says how it would be`() {
    var state = WorkbenchState.measured()
    state.type("b")
    state.press(.end)
    let effects = state.type("b")
    guard case .inspect(let question)? = effects.last, case .compare(let other, _) = question else {
      Issue.record("nothing was asked")
      return
    }
    state.hear(.inspection(question, .missingEvaluation(other, reason: nil)))
    #expect(state.message?.text.contains("$ skipline evaluate") == true)
    #expect(state.text.contains("not evaluated"))
  }

  @Test func `test images that were edited are said apart, and the run goes on with the mended data`() {
    var state = WorkbenchState.opened()
    state.type("4z")
    var report = Fixtures.evaluation
    report.provenance = EvaluationProvenance(
      checkpoint: "crc32c:0", splitFingerprint: "", imagesFingerprint: "", excluded: 3, relabeled: 1,
      isRunsOwn: true,
      edits: DataEdits(excluded: SplitCounts(test: 2), relabeled: SplitCounts(test: 1)))
    state.hear(.evaluation(report))
    #expect(state.text.contains("test images were edited: 2 left out"))
    // Its settings are read, and a new run begins with them from the weights on show.
    #expect(state.type("r") == [.browse(.readRun(folder: "runs/cifar20-3"))])
    var run = Fixtures.run()
    (run.settings.name, run.settings.seed) = ("first", 7)
    let history = RunHistory(run: run, outcome: nil)
    let effects = state.hear(.runHistory(folder: "runs/cifar20-3", history, reason: nil))
    let sent = effects.compactMap { if case .send(.start(let settings)) = $0 { settings } else { nil } }
    #expect(sent.count == 1 && sent[0].initialWeights == report.checkpoint && sent[0].name == nil)
    #expect(sent[0].seed == 7 && sent[0].data == Fixtures.settings.data && sent[0].automatic == .none)
    #expect(state.engine == .preparing)
    #expect(state.message?.text.contains("goes on from cifar20-3/best") == true)
    #expect(state.message?.text.contains("$ skipline train data/sign-digits --recipe none --net cifar20") == true)
    #expect(state.message?.text.contains("--weights runs/cifar20-3/checkpoints/best.safetensors") == true)
    (run.folder, run.settings) = ("runs/cifar20-4", sent[0])
    state.hear(.training(.started(run)), .state(.training))
    #expect(state.message?.text == "run cifar20-4 started, from the weights of cifar20-3/best")
    // Not while something is trained, and not of a run that cannot be read.
    #expect(state.type("r").isEmpty && state.message?.text.contains("stop it before") == true)
    state.hear(.state(.idle))
    state.type("r")
    #expect(state.hear(.runHistory(folder: "runs/cifar20-3", nil, reason: "gone")).isEmpty)
    #expect(state.hear(.runHistory(folder: "runs/cifar20-3", history, reason: nil)).isEmpty)
  }
}

@Suite struct `The inspector looks as recorded` {
  static let sizes = [Size(width: 80, height: 24), Size(width: 140, height: 44), Size(width: 200, height: 60)]

  private func record(
    _ name: String, _ size: Size, _ theme: Theme = .dark, _ prepare: (inout WorkbenchState) -> Void
  ) throws {
    var state = WorkbenchState.measured(size: size)
    state.type("z")
    prepare(&state)
    state.clearMessage()
    try expectSnapshot(state, "inspector-\(name)-\(size.width)x\(size.height)", theme: theme)
  }

  @Test(arguments: sizes) func `the matrix`(size: Size) throws {
    try record("matrix", size) { state in state.answerPictures(state.type("n")) }
  }

  @Test(arguments: sizes) func `the sheet`(size: Size) throws {
    try record("sheet", size) { state in
      state.answerPictures(state.type("vvvf"))
      state.type("  ")
    }
  }

  @Test(arguments: sizes) func `one image`(size: Size) throws {
    try record("single", size) { state in
      state.press(.enter)
      state.answerPictures(state.press(.enter))
    }
  }

  @Test(arguments: sizes) func `confidence`(size: Size) throws {
    try record("confidence", size) { state in
      state.answerPictures(state.type("vvvv>"))
    }
  }

  @Test(arguments: sizes) func `suspected labels`(size: Size) throws {
    try record("suspects", size) { state in
      state.type("w")
      state.answerPictures(
        state.hear(.inspection(.findLabelErrors([Fixtures.table.source]), .labelErrors(Fixtures.suspects))))
    }
  }

  @Test func `a file is named`() throws {
    try record("export", Size(width: 80, height: 24)) { state in
      state.answerPictures(state.type("vvvE"))
      state.press(.right, .right)
    }
  }

  @Test(arguments: sizes) func `two checkpoints`(size: Size) throws {
    try record("comparison", size) { state in
      state.type("b")
      state.press(.end)
      for case .inspect(let question) in state.type("b") {
        state.answerPictures(state.hear(.inspection(question, .comparison(Fixtures.comparison))))
      }
    }
  }

  @Test func `the matrix without shades of color`() throws {
    let size = Size(width: 80, height: 24)
    try record("matrix-ascii", size, .monochrome.with(glyphs: .ascii)) { _ in }
    try record("matrix-eight", size, .dark.with(glyphs: .unicode, pictures: .eight)) { _ in }
  }
}

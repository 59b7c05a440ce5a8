// Figures as SVG: well-formed whatever the names hold, with a mark for every number and none for what is no number.

import Foundation
import FoundationXML
import Messages
import Testing

@testable import Reports
@testable import Training

/// Elements of a document by name, and its text; nil where it is not well-formed.
private final class Elements: NSObject, XMLParserDelegate {
  private(set) var counts: [String: Int] = [:]
  private(set) var classes: [String: Int] = [:]
  private(set) var text = ""
  private(set) var paths: [String] = []

  init?(_ document: String) {
    super.init()
    let parser = XMLParser(data: Data(document.utf8))
    parser.delegate = self
    guard parser.parse() else { return nil }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    counts[name, default: 0] += 1
    for word in (attributes["class"] ?? "").split(separator: " ") { classes[String(word), default: 0] += 1 }
    if let data = attributes["d"] { paths.append(data) }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}

@Suite struct FigureTests {
  static let hostile = [
    "</text><script>alert(1)</script>", "\"' onload='x", "&amp; &#0; <!--", "a\u{0}b\u{1B}[31m", "\u{202E}gnp.cod",
    "日本語のとても長い名前", "",
  ]

  @Test(arguments: hostile)
  func `a text is no markup, and comes back as it was but for what no document may hold`(text: String) throws {
    let escaped = Markup.escaped(text)
    #expect(!escaped.contains("<") && !escaped.contains("\"") && !escaped.contains("'"))
    let parsed = try #require(Elements("<a b=\"\(escaped)\">\(escaped)</a>"))
    let kept = String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x202e ? "\u{FFFD}" : $0 }))
    #expect(parsed.text == kept && parsed.counts == ["a": 1])
  }

  @Test func `ticks are round, and lie in the range`() {
    for (low, high, unit) in [
      (0.0, 2.3, Axis.Unit.number), (0, 1, .share), (0.87, 0.91, .share), (0, 1e-5, .number), (3, 3, .number),
      (0, 30, .count), (0, 1, .count), (.nan, .infinity, .number), (0, 1e9, .number),
    ] {
      let axis = Axis(from: low, to: high, unit)
      #expect((2...12).contains(axis.ticks.count), "\(low) \(high): \(axis.ticks)")
      #expect(axis.ticks.allSatisfy { axis.place($0) > -1e-9 && axis.place($0) < 1 + 1e-9 })
      let labels = axis.ticks.map(axis.label)
      #expect(Set(labels).count == labels.count, "\(labels)")
    }
    #expect(
      Axis(from: 0, to: 1, .share).ticks.map(Axis(from: 0, to: 1, .share).label) == [
        "0 %", "20 %", "40 %", "60 %", "80 %", "100 %",
      ])
  }

  @Test func `the recall of each class is a line, of many classes the lowest are`() throws {
    let few = (1...3).map { epoch in
      ClassRecalls(epoch: epoch, step: epoch, recall: ["cat": 0.5, Self.hostile[0]: 0.2 + Double(epoch) / 10])
    }
    let figure = try #require(Elements(Figure.recall(few, name: Self.hostile[1]).svg))
    #expect(figure.counts["path"] == 2 && figure.text.contains("cat 50 %"))
    let many = [
      ClassRecalls(
        epoch: 1, step: 1,
        recall: Dictionary(uniqueKeysWithValues: (0..<40).map { ("class \($0)", Double($0) / 40) }))
    ]
    let lowest = try #require(Elements(Figure.recall(many, name: "a").svg))
    #expect(lowest.text.contains("the 14 lowest of 40") && lowest.text.contains("class 13 "))
    #expect(!lowest.text.contains("class 14 "))
    #expect(Elements(Figure.recall([], name: "a").svg)?.text.contains("nothing was measured") == true)
  }

  static func curves(_ name: String, epochs: Int, stepsPerEpoch: Int = 10, bad: Int? = nil) -> RunCurves {
    let steps: [StepMetrics] = (1...max(1, epochs * stepsPerEpoch)).map { (number: Int) -> StepMetrics in
      let loss: Double = number == bad ? .nan : 2 / Double(number + 1)
      return StepMetrics(
        step: number, epoch: (number - 1) / stepsPerEpoch + 1, loss: loss,
        accuracy: 0.5, learningRate: 0.1, gradientNorm: 1, imagesPerSecond: 1, secondsLeft: nil)
    }
    let history: [EpochMetrics] = (0..<epochs).map { (number: Int) -> EpochMetrics in
      let validation = ValidationMetrics(loss: 1.1 / Double(number + 1), top1: 0.5 + Double(number) / 100, top5: 1)
      return EpochMetrics(
        epoch: number + 1, step: (number + 1) * stepsPerEpoch, trainLoss: 1 / Double(number + 1),
        trainAccuracy: 0.5,
        validation: validation,
        learningRate: 0.1, seconds: 1, skippedImages: 0)
    }
    let run = RunDescription(
      folder: name, settings: TrainingSettings(data: "d", network: NetworkSettings(name: "cifar20")),
      classes: ["a"],
      trainingImages: 1, validationImages: 1, stepsPerEpoch: stepsPerEpoch, parameters: 1, majorityBaseline: 0,
      history: history, steps: steps)
    return RunCurves(RunHistory(run: run, outcome: nil), name: name)
  }

  @Test func `steps lie between the epochs that they are of`() {
    let run = Self.curves("r", epochs: 3)
    #expect(run.place(ofStep: 0) == 0 && run.place(ofStep: 10) == 1 && run.place(ofStep: 15) == 1.5)
    #expect(run.place(ofStep: 35) == 3.5)
  }

  @Test func `a figure of one run has its steps, of several their epochs, and a mark for the best`() throws {
    let one = try #require(Elements(Figure.curves([Self.curves("first & only", epochs: 4)]).svg))
    #expect(one.classes["veil"] == 2 && one.classes["dashed"] == 3 && one.classes["solid"] == 5)
    #expect(
      one.text.contains("best 53.0 %, epoch 4") && one.text.contains("first & only")
        && one.text.contains("Learning rate"))
    let many = try #require(Elements(Figure.curves((1...14).map { Self.curves("run \($0)", epochs: 2) }).svg))
    #expect(many.classes["veil"] == nil && many.text.contains("run 14"))
    // A run that has no epoch yet shows its steps even so.
    let fresh = try #require(
      Elements(Figure.curves([Self.curves("a", epochs: 2), Self.curves("b", epochs: 0)]).svg))
    #expect(fresh.classes["veil"] == 2)
  }

  @Test func `a value that is no number is a gap, and one that is far off does not flatten the others`() throws {
    let whole = try #require(Elements(Figure.curves([Self.curves("r", epochs: 2)]).svg))
    let torn = try #require(Elements(Figure.curves([Self.curves("r", epochs: 2, bad: 5)]).svg))
    func starts(_ elements: Elements) -> Int { elements.paths.joined().count { $0 == "M" } }
    #expect(starts(torn) == starts(whole) + 1)
    #expect(!Figure.curves([Self.curves("r", epochs: 2, bad: 5)]).svg.contains("nan"))
  }

  @Test func `a run of which nothing was measured says so`() throws {
    let run = RunDescription(
      folder: "r", settings: TrainingSettings(data: "d", network: NetworkSettings(name: "cifar20")), classes: ["a"],
      trainingImages: 1, validationImages: 1, stepsPerEpoch: 1, parameters: 1, majorityBaseline: 0)
    let figure = Figure.curves([RunCurves(RunHistory(run: run, outcome: nil), name: "r")])
    #expect(try #require(Elements(figure.svg)).text.contains("nothing was measured yet"))
  }

  /// - Parameter truths: pairs of true class and predicted one.
  static func report(_ names: [String], _ pairs: [(Int, Int)], root: String = "/nowhere") throws -> EvaluationReport
  {
    var tally = ClassificationMetrics(classes: names)
    for (place, pair) in pairs.enumerated() {
      var logits = [Float](repeating: 0, count: names.count)
      logits[pair.1] = 2 + Float(place) / 100
      tally.add(logits: logits, truths: [pair.0], paths: ["\(names[pair.0].hashValue)/\(place).png"])
    }
    return try #require(tally.report(checkpoint: "c", data: root, split: .test, leftOut: .init(), seconds: 1))
  }

  @Test(arguments: [1, 3, 12, 13, 30, 61, 300])
  func `a matrix has a cell for every count, and names as far as they can be read`(classes: Int) throws {
    let names = (0..<classes).map { $0 < Self.hostile.count ? Self.hostile[$0] + "\($0)" : "class \($0)" }
    let pairs = (0..<classes).map { ($0, $0) } + (0..<classes).map { ($0, ($0 * 7 + 1) % classes) }
    let report = try Self.report(names, pairs)
    let elements = try #require(Elements(Figure.confusion(report, name: "<run>").svg))
    let cells = (elements.classes["right"] ?? 0) + (elements.classes["wrong"] ?? 0)
    #expect(cells == report.confusion.cells.count)
    #expect((elements.classes["name"] ?? 0) == (classes <= 60 ? classes * 2 : 0))
    #expect(elements.text.contains("<run>"))
  }

  @Test func `a sheet has a tile for each mistake, and says which images cannot be shown`() throws {
    let report = try Self.report(Self.hostile, (0..<60).map { ($0 % 7, ($0 + 1) % 7) } + [(0, 0)])
    var told: (Int, String)?
    let figure = Figure.mistakes(report, name: "run") { told = ($0, $1) }
    let elements = try #require(Elements(figure.svg))
    #expect(elements.text.contains("the worst 48 of 60 mistakes"))
    #expect(elements.text.components(separatedBy: "cannot be read").count == 49)
    #expect(told?.0 == 48 && told?.1.contains("/nowhere") == true)
    let none = Figure.mistakes(try Self.report(["a", "b"], [(0, 0)]), name: "run")
    #expect(try #require(Elements(none.svg)).text.contains("no image was given a wrong class"))
  }

  @Test func `a reliability diagram has a bar for each part with images, two in the histogram where both are`()
    throws
  {
    var reliability = Reliability()
    for number in 0..<40 { reliability.add(confidence: Double(number % 10) / 10 + 0.05, isRight: number % 4 != 0) }
    let elements = try #require(Elements(Figure.reliability(reliability, name: "<run>").svg))
    let parts = reliability.bins.filter { $0.images > 0 }
    let bars = parts.count + parts.reduce(0) { $0 + ($1.right > 0 ? 1 : 0) + ($1.wrong > 0 ? 1 : 0) }
    // And two in the legend.
    #expect((elements.classes["right"] ?? 0) + (elements.classes["wrong"] ?? 0) == bars + 2)
    #expect(elements.text.contains("<run>") && elements.text.contains("expected calibration error"))
    #expect(try #require(Elements(Figure.reliability(Reliability(), name: "").svg)).text.contains("no image"))
  }

  @Test func `a contact sheet says what each image was given, and how many are left out`() throws {
    let count = Figure.contactImages + 3
    let table = EvaluationTable(
      source: EvaluationSource(checkpoint: "c"), root: "/nowhere", classes: Self.hostile,
      paths: (0..<count).map { "\(Self.hostile[0])/\($0).png" }, splits: .init(repeating: .test, count: count),
      truths: .init(repeating: 0, count: count), predictions: (0..<count).map { Int32($0 % 3) - 1 },
      confidences: .init(repeating: 0.5, count: count), margins: .init(repeating: 0, count: count),
      losses: .init(repeating: 1, count: count), ranks: 0, topLabels: [], topProbabilities: [])
    var told = 0
    let elements = try #require(Elements(Figure.sheet(table, name: "run") { images, _ in told = images }.svg))
    #expect(elements.text.contains("the first 240 of 243 images") && told == Figure.contactImages)
    #expect(elements.text.contains("seen as nothing") && elements.text.contains("right, 50 %"))
  }
}

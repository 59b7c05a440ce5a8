// Thousands of random inputs, events and sizes: nothing traps, and every frame has the size that was asked for.

import Canvas
import Messages
import Testing

@testable import Workbench

/// SplitMix64, so that a failure can be repeated from its seed.
private struct Dice: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[Int.random(in: 0..<choices.count, using: &self)]
  }

  mutating func size() -> Size {
    Bool.random(using: &self)
      ? Size(width: Int.random(in: 0...30, using: &self), height: Int.random(in: 0...18, using: &self))
      : Size(width: Int.random(in: 60...170, using: &self), height: Int.random(in: 16...55, using: &self))
  }

  mutating func input() -> Canvas.Input {
    let (x, y) = (Int.random(in: -3...170, using: &self), Int.random(in: -3...60, using: &self))
    switch Int.random(in: 0..<20, using: &self) {
    case 0: return pick([.click(x: x, y: y), .doubleClick(x: x, y: y), .drag(x: x, y: y), .release(x: x, y: y)])
    case 1: return .scroll(x: x, y: y, rows: pick([-3, 3, .min, .max]))
    case 2: return .resized(size())
    case 3: return pick([.paste("a\nb\u{1B}[A"), .burst("/\u{202E}"), .burst("x\r"), .paste("")])
    default: return .key(key())
    }
  }

  mutating func key() -> Key {
    switch Int.random(in: 0..<4, using: &self) {
    case 0:
      return pick([
        .enter, .escape, .tab, .backTab, .backspace, .delete, .up, .down, .left, .right, .home, .end, .pageUp,
        .pageDown, .function(1), .function(9), .control("u"), .control("d"), .control("p"), .control("z"),
        .control("e"), .control("s"), .control("o"),
      ])
    case 1: return .character(pick(["1", "2", "3", "4", "v", "[", "o", ":", "/", "é", "日", "\u{301}", "z"]))
    default: return .character(Character(Unicode.Scalar(UInt8.random(in: 32...126, using: &self))))
    }
  }

  mutating func number() -> Double { pick([0, 0.5, -1, 1e9, .nan, .infinity, -.infinity, 1e-300, 3.7]) }

  mutating func event() -> Messages.Event {
    let number = Int.random(in: 0...400, using: &self)
    switch Int.random(in: 0..<42, using: &self) {
    case 40:
      var statistics = Fixtures.layers(step: number)
      statistics.layers.removeLast(Int.random(in: 0...statistics.layers.count, using: &self))
      for index in statistics.layers.indices {
        statistics.layers[index].weights?.updateRatio = self.number()
        statistics.layers[index].balance?.residual = self.number()
      }
      return .training(.layers(statistics))
    case 41:
      var network = Fixtures.summary
      network.layers.removeLast(Int.random(in: 0...network.layers.count, using: &self))
      let report = LayerReport(
        checkpoint: "a/b", data: "", split: .all, images: number, network: network,
        layers: Fixtures.layers(step: 1).layers)
      return .inspection(
        .measureLayers(checkpoint: "runs/cifar20-3/checkpoints/best.safetensors"), .layers(report))
    case 0:
      return .state(
        pick([.idle, .preparing, .training, .paused, .validating, .evaluating(checkpoint: "x"), .stopping]))
    case 1: return .datasetProgress(.scanning(files: number, classes: []))
    case 2:
      var report = Fixtures.dataset
      report.classes.removeLast(Int.random(in: 0...report.classes.count, using: &self))
      return .dataset(report)
    case 3:
      var summary = Fixtures.summary
      summary.layers.removeLast(Int.random(in: 0...summary.layers.count, using: &self))
      return .network(summary)
    case 4: return .checkpoints(Array(Fixtures.checkpoints.prefix(number % 5)))
    case 5: return .preview(path: pick(["", "data/sign-digits/zero/IMG_1100.JPG"]), Fixtures.picture, reason: nil)
    case 6: return .training(.started(Fixtures.run(history: number < 200 ? [] : [Fixtures.epoch(1)])))
    case 7: return .training(.validating(done: number, total: number % 7))
    case 8: return .training(.epoch(Fixtures.epoch(number % 15)))
    case 9:
      let ranks = (0..<number % 90).map { rank in
        RankReading(
          machine: pick(["", "node\(rank)", "\u{1B}[2J\u{202E}" + String(repeating: "日本", count: 30)]),
          imagesPerSecond: pick([nil, self.number()]), waiting: self.number(), lag: self.number())
      }
      return pick([
        .training(.learningRateChanged(self.number())), .training(.ranks(RankReport(step: number, ranks: ranks))),
      ])
    case 10: return .training(.checkpointSaved(Fixtures.checkpoint("last", epoch: number, minute: 1)))
    case 11:
      return .training(
        .finished(
          RunOutcome(
            folder: "", reason: .stopped, epochs: number, steps: 0, bestValidationAccuracy: self.number(),
            seconds: self.number())))
    case 12: return .evaluationProgress(done: number, total: number % 3)
    case 13: return .evaluation(evaluation())
    case 14: return .warning("\u{1B}[2J\u{202E}" + String(repeating: "日本 ", count: number % 60))
    case 15: return .failure(String(repeating: "x", count: number))
    case 16: return .preview(path: "", nil, reason: nil)
    case 17: return .readingCancelled
    case 18: return .datasetProgress(pick([.checking(done: number, total: number % 5), progress(number)]))
    case 19:
      return .preparing(
        pick([
          .scanning(files: number), .caching(done: number, total: number % 9, bytes: .max),
          .measuring(done: -1, total: 0),
        ]))
    case 20, 21: return .dataset(report())
    case 22, 23:
      var report = Fixtures.divergence(
        pick([.loss, .gradient, .weights]), savedStep: pick([nil, 0, .max]),
        best: pick([nil, Fixtures.best]), canLeaveOut: pick([true, false]), files: number)
      if number % 4 == 0 { (report.step, report.batch, report.learningRate) = (.min, -1, self.number()) }
      return .training(.diverged(report))
    case 24:
      var report = Fixtures.dataChange
      report.classesChanged = number % 2 == 0
      if number % 3 == 0 { report.groups = [.init(kind: .moved, count: -3, paths: ["\u{1B}[2J", "", "日本"])] }
      return .dataChanged(report)
    case 25:
      let folder = pick(["", "runs/cifar20-3", "runs/resnet18-1"])
      let history = RunHistory(
        run: Fixtures.run(history: (0..<number % 9).map { Fixtures.epoch($0) }), outcome: nil)
      return .runHistory(folder: folder, pick([nil, history]), reason: pick([nil, "\u{1B}[2J"]))
    case 26: return .training(.warningEased(pick(["", "日本 "])))
    case 27:
      var checkpoint = Fixtures.checkpoint(pick(["best", "last", "x"]), run: "other", epoch: number, minute: 1)
      (checkpoint.fit, checkpoint.data) = (pick([nil, .own, .otherData, .otherClasses]), pick([nil, "\u{1B}[2J"]))
      return .checkpoints(Fixtures.checkpoints + [checkpoint])
    case 28:
      var summary = Fixtures.summary
      (summary.trainingMemory, summary.availableMemory) = (.max, pick([nil, 0, .max, number]))
      return .network(summary)
    case 29, 30:
      let source = Fixtures.table.source
      return .inspection(
        .openEvaluation(source),
        pick([.table(Fixtures.table), .missingEvaluation(source, reason: nil), .failure("\u{1B}[2J")]))
    case 31: return .inspection(.findLabelErrors([Fixtures.table.source]), .labelErrors(Fixtures.suspects))
    case 32:
      return .thumbnail(
        path: pick(["", "data/sign-digits/six/IMG_1201.JPG"]), pick([nil, Fixtures.picture]), reason: nil)
    case 33: return .evaluationKept(Fixtures.table.source)
    case 34: return .training(.validated(validated(number)))
    case 35:
      var runs = ["runs/cifar20-3", "", "runs/\u{1B}[2J", "runs/other"].prefix(number % 5).map {
        RunSummary(folder: $0, state: pick(RunSummary.State.allCases), epoch: number, epochs: pick([nil, 0, -1]))
      }
      if !runs.isEmpty { (runs[0].note, runs[0].age) = (pick([nil, "日本\u{1B}[2J"]), self.number()) }
      return .runs(project: "runs", runs)
    case 36:
      let run = RunSummary(folder: "runs/other", state: .finished)
      return .runTable(
        pick([
          nil,
          RunTable(
            runs: [run, run], results: [.init("x", [.share(self.number()), .loss(self.number())])], settings: []),
        ]), reason: nil)
    case 38:
      let recipe = RecipeListing(
        name: "\u{1B}[2J", file: "", recipe: pick([nil, SavedRecipe(use: .auto, entries: [])]), problem: nil)
      return .recipes(
        pick([
          .list([]), .list([recipe, recipe]), .exists(name: "日本"), .loaded(name: "", Fixtures.settings),
          .failed("\u{1B}[2J"),
        ]))
    case 39:
      let plan = LabPlan(
        name: "lab-1", depths: pick([.small, .all]), settings: Fixtures.settings, budget: nil, given: [],
        fingerprint: "", trainingImages: number, validationImages: 0, testImages: pick([0, 1]),
        seconds: self.number())
      let rows = plan.depths.networks.map { network in
        var row = LabReport.Row(
          network: network, run: pick(["", "runs/lab-1-x"]),
          state: pick([.missing, .unfinished, .finished]), parameters: number, epoch: pick([0, -1, .max]))
        (row.trainingError, row.testError) = (pick([nil, self.number()]), self.number())
        return row
      }
      return .lab(pick([.report(LabReport(plan: plan, rows: rows)), .failed("\u{1B}[2J")]))
    case 37: return .runChanged(.remove(folder: "runs/other"), folder: "runs/.trash/other")
    default:
      var step = Fixtures.step(number)
      if number % 3 == 0 { step.loss = self.number() }
      if number % 5 == 0 {
        (step.accuracy, step.gradientNorm, step.imagesPerSecond) = (self.number(), self.number(), self.number())
      }
      if number % 7 == 0 { step.secondsLeft = self.number() }
      return .training(.step(step))
    }
  }

  /// Also of classes and images that there are none of.
  private mutating func validated(_ number: Int) -> ValidationDetails {
    var details = Fixtures.validated(number % 15 + 1)
    switch Int.random(in: 0..<5, using: &self) {
    case 0: details.hardest = []
    case 1: (details.recalls, details.recallsBefore) = ([self.number(), nil], [self.number()])
    case 2:
      details.confused = ConfusedClasses(first: -1, second: .max, count: .max)
      details.hardest.append(
        HardImage(
          path: "\u{1B}[2J\u{202E}日本", truth: -3, predicted: pick([nil, .max]), probability: self.number(),
          loss: self.number(), change: .fixed))
    case 3: (details.images, details.wrong, details.fixed, details.epoch) = (-1, .max, .min, .max)
    default: break
    }
    return details
  }

  private func progress(_ number: Int) -> DatasetProgress {
    .scanning(
      files: number, classes: (0..<(number % 80)).map { .init(name: "class \u{1B}\($0)", images: $0 * $0 - 4) })
  }

  /// Also with findings about files that are not there, and figures of nothing.
  private mutating func report() -> DatasetReport {
    var report = Fixtures.decided
    report.findings.shuffle(using: &self)
    report.classes.shuffle(using: &self)
    switch Int.random(in: 0..<4, using: &self) {
    case 0: report.statistics = nil
    case 1:
      report.statistics?.images = 0
      report.statistics?.mean = [.nan]
      report.statistics?.commonSizes = []
      report.statistics?.width = .init(least: .nan, median: .infinity, greatest: -1)
    case 2: report.classes.removeLast(Int.random(in: 0...report.classes.count, using: &self))
    default:
      report.findings += [
        DatasetFinding(kind: .duplicate, severity: .error, paths: ["gone", ""], message: "", advice: "")
      ]
    }
    return report
  }

  /// Also with rows of the wrong length and labels out of range, as a foreign file could have them.
  mutating func evaluation() -> EvaluationReport {
    var report = Fixtures.evaluation
    switch Int.random(in: 0..<5, using: &self) {
    case 0: report.confusion = ConfusionMatrix(classes: 3, cells: report.confusion.cells)
    case 1: report.classes.removeLast(7)
    case 2: (report.misclassified, report.confusion, report.classes) = ([], [], [])
    case 3:
      report.misclassified = [Misclassification(path: "", truth: -5, top: [], truthProbability: .nan)]
    default: break
    }
    return report
  }
}

@Suite struct `Whatever comes in` {
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `nothing traps and every frame has its size`(seed: UInt64) {
    var dice = Dice(state: seed)
    var state = Fixtures.state()
    for index in 0..<700 {
      let event: WorkbenchEvent =
        switch Int.random(in: 0..<12, using: &dice) {
        case 0: .tick(seconds: dice.pick([0, 5, Double(index), .nan, 1e18]))
        case 1...4: .engine(dice.event())
        default: .input(dice.input())
        }
      _ = update(&state, event)
      #expect(state.dataset.classes.selected >= 0)
      guard index % 4 == 0 else { continue }
      let size = index % 8 == 0 ? state.size : dice.size()
      let theme: Theme = index % 16 == 0 ? .monochrome.with(glyphs: .ascii) : .dark
      let frame = render(state, size: size, theme: theme)
      #expect(frame.size == size, "seed \(seed), event \(index)")
      #expect(frame.cells.count == size.width * size.height, "seed \(seed), event \(index)")
    }
  }

  @Test func `every size from 1x1 is drawn in every overlay and every pane`() {
    var states: [WorkbenchState] = [.opened(), .training(), .evaluated()]
    for keys in [
      "?", "!", ":", "o", "L", "q", "X", " ", "/", "vvv", "z", "4vz", "4zvvv", "4zw", "4zvvvv>r", "3z", "w", "f",
      "wz", "fz", "wl", "l", "lm",
    ] {
      var state = WorkbenchState.training()
      state.hear(.dataset(Fixtures.decided))
      state.hear(.evaluation(Fixtures.evaluation))
      state.type(keys)
      states.append(state)
    }
    states.append(.diverged(Fixtures.divergence(files: 0)))
    states.append(.diverged())
    var asked = WorkbenchState.opened()
    asked.hear(.dataChanged(Fixtures.dataChange))
    states.append(asked)
    for state in states {
      for (width, height) in [(1, 1), (2, 3), (9, 2), (59, 16), (60, 15), (60, 16), (61, 17), (73, 19), (250, 16)] {
        let size = Size(width: width, height: height)
        #expect(render(state, size: size, theme: .dark).size == size)
      }
    }
  }

  @Test func `the same state gives the same frame`() {
    let state = WorkbenchState.training()
    let size = Size(width: 97, height: 31)
    #expect(render(state, size: size, theme: .dark) == render(state, size: size, theme: .dark))
  }
}

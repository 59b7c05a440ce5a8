// A small invented world for the tests: a dataset of ten classes, a network, a run with its figures, an evaluation.
// Every number is a formula, so that frames are the same on every machine.

import Canvas
import Messages

@testable import Workbench

enum Fixtures {
  static let settings = TrainingSettings(
    data: "data/sign-digits", network: NetworkSettings(name: "cifar20"),
    preprocessing: PreprocessingSettings(imageSize: 32), augmentation: AugmentationSettings(horizontalFlip: false),
    epochs: 12)

  static let classNames = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]

  static func state(
    size: Size = Size(width: 80, height: 24),
    refusing: @escaping @Sendable (TrainingSettings) -> String? = { _ in nil }
  ) -> WorkbenchState {
    WorkbenchState(
      data: "data/sign-digits", settings: settings,
      rules: TrainingRules(
        networks: ["resnet18", "resnet34", "resnet50", "cifar20", "cifar56", "plain34", "vgg19", "vgg19_bn"],
        refusing: refusing, resolving: { _, _ in ["shortcut": "A"] }),
      themeNames: ["Dark", "Light", "Monochrome"], theme: "Dark", size: size)
  }

  static let dataset: DatasetReport = {
    let classes = classNames.enumerated().map { index, name in
      let counts = SplitCounts(train: 150 + index * 3, validation: 18 + index % 3, test: index == 7 ? 9 : 21)
      let splits = Split.allCases.flatMap { [Split](repeating: $0, count: counts[$0]) }
      let images = splits.enumerated().map { number, split in
        ImageEntry(path: "\(name)/IMG_\(1100 + number * 7 + index).JPG", split: split)
      }
      return ClassReport(name: name, counts: counts, images: images)
    }
    return DatasetReport(
      root: "data/sign-digits", splitSource: .hash, classes: classes,
      findings: [
        DatasetFinding(
          kind: .missingInSplit, severity: .warning, subject: "seven",
          message: "the class \"seven\" has 9 test images: its metrics will be uncertain",
          advice: "add images or choose another split"),
        DatasetFinding(
          kind: .ignoredFile, severity: .note,
          message: "2 files are no images and are ignored: notes.txt, Thumbs.db",
          advice: ""),
      ])
  }()

  static let summary: NetworkSummary = {
    var layers: [LayerRow] = []
    var field = 1
    func add(
      _ name: String, _ kind: LayerRow.Kind, _ shape: FeatureShape, kernel: String? = nil, parameters: Int = 0,
      multiplyAdds: Int = 0, depth: Int = 0, inputs: [Int]? = nil, block: String? = nil
    ) {
      if kind == .convolution { field += 2 * 32 / shape.height }
      layers.append(
        LayerRow(
          name: name, kind: kind, kernel: kernel, output: shape, parameters: parameters, multiplyAdds: multiplyAdds,
          depth: depth, inputs: inputs ?? [layers.count], block: block, receptiveField: field))
    }
    let first = FeatureShape(height: 32, width: 32, channels: 16)
    add("conv1", .convolution, first, kernel: "3x3/1", parameters: 432, multiplyAdds: 442_368)
    add("bn1", .batchNorm, first, parameters: 32)
    add("relu", .relu, first)
    for stage in 1...3 {
      let (side, channels) = (64 >> stage, 8 << stage)
      let shape = FeatureShape(height: side, width: side, channels: channels)
      for block in 0..<3 {
        let incoming = block == 0 && stage > 1 ? channels / 2 : channels
        let name = "layer\(stage).\(block)"
        let entry = layers.count
        add(
          name + ".conv1", .convolution, shape, kernel: block == 0 && stage > 1 ? "3x3/2" : "3x3/1",
          parameters: 9 * incoming * channels, multiplyAdds: 9 * incoming * channels * side * side, depth: 1,
          block: name)
        add(name + ".bn1", .batchNorm, shape, parameters: 2 * channels, depth: 1, block: name)
        let body = layers.count
        let isPadded = block == 0 && stage > 1
        if isPadded { add(name + ".pad", .zeroPad, shape, depth: 2, inputs: [entry], block: name) }
        add(
          name + ".add", .addition, shape, depth: 1, inputs: [body, isPadded ? layers.count : entry], block: name)
      }
    }
    add(
      "fc", .dense, FeatureShape(height: 1, width: 1, channels: 10), parameters: 650, multiplyAdds: 640)
    return NetworkSummary(
      network: NetworkSettings(name: "cifar20"), input: FeatureShape(height: 32, width: 32, channels: 3),
      classes: 10,
      layers: layers, batchSize: 64, trainingMemory: 123_456_789)
  }()

  static let published = PublishedFigures(
    imageSize: 32, classes: 10, size: PublishedSize(parameters: 270_000, source: "He et al. 2015, table 6"),
    error: PublishedError(top1: 8.75, data: "CIFAR-10", source: "He et al. 2015, table 6"))

  /// The layers of the run at a step: the second stage learns slowly, and in its last block most channels are dead.
  static func layers(step: Int) -> LayerStatistics {
    let measures = summary.layers.enumerated().compactMap { row, layer -> LayerMeasure? in
      let name = layer.kind == .relu ? "bn1.relu" : layer.name
      let wave = { (shift: Int) in (0..<16).map { 1 + ($0 * (17 - $0) + row * 7 + shift) % 73 } }
      let channels = layer.output.channels
      switch layer.kind {
      case .convolution, .dense, .batchNorm:
        let isSlow = layer.name.hasPrefix("layer2.2.conv")
        return LayerMeasure(
          row: row, name: name,
          weights: LayerWeights(
            norm: 3 + Double(row) / 8, gradientNorm: 0.4 - Double(row) / 200,
            updateRatio: (isSlow ? 4e-5 : 9e-4) * (1 + Double(row % 5) / 4),
            histogram: LayerHistogram(low: -0.4, high: 0.4, counts: wave(0))), condition: isSlow ? .slow : .ok)
      case .addition:
        let isDead = layer.name == "layer2.2.add"
        return LayerMeasure(
          row: row, name: name,
          activations: LayerActivations(
            mean: 0.4, std: 0.7, channels: channels, dead: isDead ? channels / 2 : 0,
            histogram: LayerHistogram(low: 0, high: 3, counts: wave(9))),
          balance: ResidualBalance(shortcut: 1.56, residual: 1 + Double(row % 3) / 4),
          condition: isDead ? .dead : .ok)
      case .relu:
        return LayerMeasure(
          row: row, name: name,
          activations: LayerActivations(
            mean: 0.3, std: 0.5, channels: channels, dead: 1,
            histogram: LayerHistogram(low: 0, high: 2, counts: wave(3))))
      default: return nil
      }
    }
    return LayerStatistics(epoch: 7, step: step, layers: measures)
  }

  static func run(history: [EpochMetrics] = []) -> RunDescription {
    var run = RunDescription(
      folder: "runs/cifar20-3", settings: settings, classes: classNames, trainingImages: 1635,
      validationImages: 189,
      stepsPerEpoch: 26, parameters: 269_722, majorityBaseline: 0.108, history: history)
    run.network = summary
    return run
  }

  static func step(_ step: Int) -> StepMetrics {
    let wobble = Double((step * 37) % 17) / 17 - 0.5
    let decay = 1 / (1 + Double(step) / 40)
    return StepMetrics(
      step: step, epoch: (step - 1) / 26 + 1, loss: 0.15 + 2.2 * decay + 0.2 * wobble * decay,
      accuracy: min(1, max(0, 0.98 - 0.88 * decay + 0.05 * wobble)), learningRate: 0.1 * (1 - Double(step) / 400),
      gradientNorm: 1.5 + wobble, imagesPerSecond: 412.4 + wobble, secondsLeft: Double(312 - step) * 0.155)
  }

  static func epoch(_ epoch: Int, validated: Bool = true) -> EpochMetrics {
    let last = step(epoch * 26)
    return EpochMetrics(
      epoch: epoch, step: epoch * 26, trainLoss: last.loss, trainAccuracy: last.accuracy,
      validation: validated
        ? ValidationMetrics(
          loss: last.loss + 0.1 + 0.02 * Double(epoch % 3), top1: last.accuracy - 0.04, top5: 0.99)
        : nil, learningRate: last.learningRate, seconds: 4.2, skippedImages: 0)
  }

  static func checkpoint(_ name: String, run: String = "cifar20-3", epoch: Int, minute: Int) -> CheckpointInfo {
    CheckpointInfo(
      path: "runs/\(run)/checkpoints/\(name).safetensors", name: name, epoch: epoch, step: epoch * 26,
      validationAccuracy: epoch == 0 ? nil : 0.5 + Double(epoch) * 0.031,
      savedAt: "2026-03-14T09:\(minute < 10 ? "0" : "")\(minute):12Z")
  }

  static let checkpoints = [
    checkpoint("epoch-0005", epoch: 5, minute: 40), checkpoint("last", epoch: 6, minute: 41),
    checkpoint("best", epoch: 6, minute: 42), checkpoint("last", run: "resnet18-1", epoch: 0, minute: 2),
  ]

  static let evaluation: EvaluationReport = {
    let n = classNames.count
    var confusion = [[Int]](repeating: [Int](repeating: 0, count: n), count: n)
    for truth in 0..<n { confusion[truth][truth] = 17 + truth % 4 }
    for (truth, predicted, count) in [(0, 8, 1), (1, 7, 2), (6, 8, 5), (7, 1, 3), (9, 4, 1)] {
      confusion[truth][predicted] = count
    }
    let mistakes = confusion.enumerated().flatMap { truth, row in
      row.enumerated().flatMap { predicted, count in
        (0..<(truth == predicted ? 0 : count)).map { number in
          Misclassification(
            path: "\(classNames[truth])/IMG_\(1201 + number * 31).JPG", truth: truth,
            top: [
              ClassProbability(label: predicted, probability: 0.61 - Double(number) * 0.05),
              ClassProbability(label: truth, probability: 0.24), ClassProbability(label: 5, probability: 0.08),
              ClassProbability(label: 2, probability: 0.04), ClassProbability(label: 3, probability: 0.01),
            ], truthProbability: 0.24)
        }
      }
    }
    let classes = classNames.enumerated().map { label, name in
      let support = confusion[label].reduce(0, +)
      let answered = confusion.reduce(0) { $0 + $1[label] }
      let recall = Double(confusion[label][label]) / Double(support)
      let precision = Double(confusion[label][label]) / Double(answered)
      return ClassMetrics(
        name: name, support: support, precision: precision, recall: recall,
        f1: 2 * precision * recall / (precision + recall))
    }
    let images = confusion.flatMap { $0 }.reduce(0, +)
    return EvaluationReport(
      checkpoint: "runs/cifar20-3/checkpoints/best.safetensors", data: "data/sign-digits", split: .test,
      images: images, loss: 0.2134, top1: 1 - Double(mistakes.count) / Double(images), top5: 0.995,
      classes: classes,
      confusion: ConfusionMatrix(rows: confusion), misclassified: mistakes, skipped: ["six/broken.jpg"],
      unknownClasses: [],
      imagesPerSecond: 1312)
  }()

  /// Every image of the evaluation, the mistakes as it names them; the less confident the later in its class.
  static let table: EvaluationTable = {
    struct Row {
      var path: String
      var truth: Int
      var top: [ClassProbability]
      var truthProbability: Double
    }
    var rows = evaluation.misclassified.map {
      Row(path: $0.path, truth: $0.truth, top: $0.top, truthProbability: $0.truthProbability)
    }
    for (label, name) in classNames.enumerated() {
      for number in 0..<evaluation.confusion[label, label] {
        let probability = 0.99 - Double(number * (label + 2)) * 0.003
        let others = (1...4).map { place in
          ClassProbability(label: (label + place) % 10, probability: (1 - probability) * Double(5 - place) / 10)
        }
        rows.append(
          Row(
            path: "\(name)/IMG_\(2001 + number * 7).JPG", truth: label,
            top: [ClassProbability(label: label, probability: probability)] + others, truthProbability: probability)
        )
      }
    }
    rows.sort { $0.path < $1.path }
    let losses: [Float] = rows.map { row in
      // Near enough to the negative logarithm for an order of its own.
      Float((1 - row.truthProbability) * 2 + (row.top[0].label == row.truth ? 0 : 1 + row.top[0].probability))
    }
    return EvaluationTable(
      source: EvaluationSource(checkpoint: evaluation.checkpoint, data: evaluation.data, split: evaluation.split),
      root: evaluation.data, classes: classNames, paths: rows.map(\.path),
      splits: [Split](repeating: .test, count: rows.count), truths: rows.map { Int32($0.truth) },
      predictions: rows.map { Int32($0.top[0].label) }, confidences: rows.map { Float($0.top[0].probability) },
      margins: rows.map { Float($0.top[0].probability - $0.top[1].probability) }, losses: losses, ranks: 5,
      topLabels: rows.flatMap { $0.top.map { Int32($0.label) } },
      topProbabilities: rows.flatMap { $0.top.map { Float($0.probability) } })
  }()

  static let suspects = LabelErrorReport(
    data: evaluation.data, checkpoints: [evaluation.checkpoint], classes: classNames, heldOut: 206, inSample: 0,
    notJudged: 3, estimatedErrors: 4,
    suspects: [
      ("six/IMG_1201.JPG", 6, 8, 0.93, 9), ("six/IMG_1232.JPG", 6, 8, 0.71, 6),
      ("nine/IMG_1201.JPG", 9, 4, 0.55, 4),
    ]
    .map { path, label, suggested, score, neighbors in
      SuspectedLabel(
        path: path, split: .test, label: label, suggested: suggested, score: score, labelProbability: 0.24,
        suggestedProbability: 0.61, neighbors: 10, labelNeighbors: 10 - neighbors, suggestedNeighbors: neighbors,
        isConfident: score > 0.6, isInSample: false)
    })

  static let comparison: EvaluationComparison = {
    func answer(_ name: String, _ probability: Double) -> Prediction.NamedProbability {
      .init(name: name, probability: probability)
    }
    func image(_ path: String, _ truth: String, _ first: String, _ second: String, _ one: Double, _ other: Double)
      -> ComparedImage
    {
      ComparedImage(
        path: path, truth: truth, first: answer(first, 0.7), second: answer(second, 0.8),
        firstTruthProbability: one, secondTruthProbability: other)
    }
    return EvaluationComparison(
      first: EvaluationSource(checkpoint: checkpoints[3].path, data: evaluation.data, split: .test),
      second: EvaluationSource(checkpoint: evaluation.checkpoint, data: evaluation.data, split: .test), images: 206,
      leftOut: 0, firstAccuracy: 0.85, secondAccuracy: 0.94, rightInBoth: 170,
      fixed: (0..<22).map { image("two/IMG_\(2001 + $0 * 7).JPG", "two", "five", "two", 0.2, 0.8) },
      broken: [image("one/IMG_1201.JPG", "one", "one", "seven", 0.7, 0.1)],
      stillWrong: [image("six/IMG_1201.JPG", "six", "eight", "eight", 0.2, 0.24)])
  }()

  /// A disc on a slope of color.
  static let picture: PixelImage = {
    let side = 24
    var pixels: [UInt8] = []
    for y in 0..<side {
      for x in 0..<side {
        let (dx, dy) = (x - 12, y - 12)
        let inside = dx * dx + dy * dy < 64
        pixels += inside ? [230, 190, 80] : [UInt8(x * 8), 60, UInt8(y * 8)]
      }
    }
    return PixelImage(width: side, height: side, pixels: pixels)
  }()
}

extension WorkbenchState {
  /// Presses keys, one after the other.
  /// - Returns: what the workbench wants done.
  @discardableResult
  mutating func press(_ keys: Key...) -> [Effect] {
    keys.flatMap { update(&self, .input(.key($0))) }
  }

  /// Presses the characters of a text.
  @discardableResult
  mutating func type(_ text: String) -> [Effect] {
    text.flatMap { update(&self, .input(.key(.character($0)))) }
  }

  /// Tells it what the engine says.
  @discardableResult
  mutating func hear(_ events: Messages.Event...) -> [Effect] {
    events.flatMap { update(&self, .engine($0)) }
  }

  /// With dataset, network and checkpoints as the engine answers at the start.
  static func opened(
    size: Size = Size(width: 80, height: 24),
    refusing: @escaping @Sendable (TrainingSettings) -> String? = { _ in nil }
  ) -> WorkbenchState {
    var state = Fixtures.state(size: size, refusing: refusing)
    state.hear(
      .dataset(Fixtures.dataset), .network(Fixtures.summary), .checkpoints(Fixtures.checkpoints),
      .state(.idle))
    return state
  }

  /// In the seventh epoch of a run.
  static func training(size: Size = Size(width: 80, height: 24)) -> WorkbenchState {
    var state = WorkbenchState.opened(size: size)
    state.press(.character(" "), .enter)
    state.hear(.state(.preparing), .training(.started(Fixtures.run())), .state(.training))
    for epoch in 1...6 {
      for step in ((epoch - 1) * 26 + 1)...(epoch * 26) { state.hear(.training(.step(Fixtures.step(step)))) }
      state.hear(.training(.epoch(Fixtures.epoch(epoch))))
    }
    for step in 157...170 { state.hear(.training(.step(Fixtures.step(step)))) }
    state.message = nil
    return state
  }

  /// With an evaluation in the inspector.
  static func evaluated(size: Size = Size(width: 80, height: 24)) -> WorkbenchState {
    var state = WorkbenchState.opened(size: size)
    state.press(.character("4"), .enter)
    state.hear(.state(.evaluating(checkpoint: Fixtures.evaluation.checkpoint)))
    state.hear(.evaluation(Fixtures.evaluation), .state(.idle))
    state.message = nil
    return state
  }

  /// With every image of that evaluation, as the engine answers where it was kept.
  static func measured(size: Size = Size(width: 80, height: 24)) -> WorkbenchState {
    var state = WorkbenchState.evaluated(size: size)
    state.hear(.inspection(.openEvaluation(Fixtures.table.source), .table(Fixtures.table)))
    return state
  }

  /// Answers every request for a picture with the same one.
  mutating func answerPictures(_ effects: [Effect]) {
    var effects = effects
    // A sheet asks for the next few once the last ones are there.
    for _ in 0..<100 where !effects.isEmpty {
      var next: [Effect] = []
      for effect in effects {
        switch effect {
        case .browse(.preview(let path, _)): next += hear(.preview(path: path, Fixtures.picture, reason: nil))
        case .browse(.thumbnails(let paths, _)):
          for path in paths { next += hear(.thumbnail(path: path, Fixtures.picture, reason: nil)) }
        default: break
        }
      }
      effects = next
    }
  }
}

extension SettingsField {
  /// The field of a row; one that has none is a mistake of the test.
  static func of(_ row: some SettingRow) -> SettingsField {
    guard let field = all.first(where: { $0.row.option == row.option }) else {
      preconditionFailure("--\(row.option) is not in the form")
    }
    return field
  }
}

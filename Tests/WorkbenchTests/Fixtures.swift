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
        refusing: refusing),
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
    var layers = [
      LayerRow(
        name: "conv1", kind: .convolution, kernel: "3x3/1",
        output: FeatureShape(height: 32, width: 32, channels: 16),
        parameters: 432, multiplyAdds: 442_368),
      LayerRow(
        name: "bn1", kind: .batchNorm, output: FeatureShape(height: 32, width: 32, channels: 16), parameters: 32),
      LayerRow(name: "relu", kind: .relu, output: FeatureShape(height: 32, width: 32, channels: 16)),
    ]
    for stage in 1...3 {
      let (side, channels) = (64 >> stage, 8 << stage)
      let shape = FeatureShape(height: side, width: side, channels: channels)
      for block in 0..<3 {
        let incoming = block == 0 && stage > 1 ? channels / 2 : channels
        let name = "layer\(stage).\(block)"
        layers.append(
          LayerRow(
            name: name + ".conv1", kind: .convolution, kernel: block == 0 && stage > 1 ? "3x3/2" : "3x3/1",
            output: shape, parameters: 9 * incoming * channels, multiplyAdds: 9 * incoming * channels * side * side,
            depth: 1))
        layers.append(
          LayerRow(name: name + ".bn1", kind: .batchNorm, output: shape, parameters: 2 * channels, depth: 1))
        if block == 0, stage > 1 {
          layers.append(LayerRow(name: name + ".pad", kind: .zeroPad, output: shape, depth: 2))
        }
        layers.append(LayerRow(name: name + ".add", kind: .addition, output: shape, depth: 1))
      }
    }
    layers.append(
      LayerRow(
        name: "fc", kind: .dense, output: FeatureShape(height: 1, width: 1, channels: 10), parameters: 650,
        multiplyAdds: 640))
    return NetworkSummary(
      network: NetworkSettings(name: "cifar20"), input: FeatureShape(height: 32, width: 32, channels: 3),
      classes: 10,
      layers: layers, batchSize: 64, trainingMemory: 123_456_789)
  }()

  static func run(history: [EpochMetrics] = []) -> RunDescription {
    RunDescription(
      folder: "runs/cifar20-3", settings: settings, classes: classNames, trainingImages: 1635,
      validationImages: 189,
      stepsPerEpoch: 26, parameters: 269_722, majorityBaseline: 0.108, history: history)
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

  /// Answers every request for a picture with the same one.
  mutating func answerPictures(_ effects: [Effect]) {
    for case .browse(.preview(let path, _)) in effects { hear(.preview(path: path, Fixtures.picture, reason: nil)) }
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

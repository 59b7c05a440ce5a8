// Messages as JSON: every one comes back the same, and the text of those that are saved or sent to another version
// of the program does not change by accident.

import Foundation
import Messages
import Testing

@Suite struct CodingTests {
  private func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private func isRestored<Value: Codable & Equatable>(_ value: Value) throws -> Bool {
    try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value)) == value
  }

  /// Settings in which no field has its default.
  static let settings = TrainingSettings(
    data: "images/übung \"1\"", split: SplitSettings(train: 70, validation: 20, test: 10),
    network: NetworkSettings(
      name: "resnet50", shortcut: .zeroPadding, zeroPlacement: .end, version: .v2, stem: .small,
      widthMultiplier: 0.5, head: .regularized, variant: .article),
    preprocessing: PreprocessingSettings(
      imageSize: 96, resize: .pad, padColor: .edge, background: .black,
      normalization: .given(mean: [0.5, 0.25, 0.125], std: [1, 2, 4])),
    augmentation: AugmentationSettings(
      crop: .randomResized, cropScale: 0.625, horizontalFlip: false, alternatesFlip: true, verticalFlip: true,
      rotation: 12.5, automatic: .trivial, colorJitter: 0.25, erasing: 0.5, erasingFill: .mean, mixup: 0.75,
      cutMix: 1.5),
    optimizer: OptimizerSettings(
      method: .muon, momentum: 0.75, nesterov: true, betas: AdamBetas(0.75, 0.5), epsilon: 0.25,
      weightDecay: 0.125, decayNormsAndBiases: false, gradientClip: 5,
      lookahead: LookaheadSettings(steps: 3, share: 0.25)), ema: 0.875, accumulate: 3,
    learningRate: 0.5, schedule: .step(epochs: [30, 60], factor: 0.5), labelSmoothing: 0.0625, batchSize: 32,
    precision: .bf16,
    epochs: 90, timeBudget: 3600, earlyStoppingPatience: 7, seed: .max, threads: 3, workers: 2,
    cache: CacheSettings(isEnabled: false, limit: 1 << 30), keep: KeepPolicy(everyEpochs: 2, newest: nil),
    safety: SafetySettings(saveMinutes: 0.5, divergence: .rollback, ignoresMemory: true, acceptsErrors: true),
    logEvery: 5, layerStats: 50, tensorBoard: true, project: "runs/a", name: "first")

  static let step = StepMetrics(
    step: 12, epoch: 2, loss: 1.5, accuracy: 0.25, learningRate: 0.125, gradientNorm: 3, imagesPerSecond: 640,
    secondsLeft: 7.5)
  static let epoch = EpochMetrics(
    epoch: 2, step: 20, trainLoss: 1.25, trainAccuracy: 0.5,
    validation: ValidationMetrics(loss: 1.75, top1: 0.375, top5: 0.75), learningRate: 0.125, seconds: 60,
    skippedImages: 1)

  @Test func `settings with every field changed come back the same`() throws {
    #expect(try isRestored(Self.settings))
    #expect(try isRestored(TrainingSettings(data: "d", network: NetworkSettings(name: "cifar20"))))
  }

  @Test func `the JSON of settings is stable`() throws {
    let parts = [
      #"{"accumulate":3,"augmentation":{"alternatesFlip":true,"automatic":"trivial","colorJitter":0.25,"crop":"resized","#,
      #""cropScale":0.625,"cutMix":1.5,"erasing":0.5,"erasingFill":"mean","horizontalFlip":false,"mixup":0.75,"#,
      #""rotation":12.5,"verticalFlip":true},"automatic":[],"backboneRate":1,"balance":"none","batchSize":32,"best":"top1","#,
      #""cache":{"isEnabled":false,"limit":1073741824},"convolutionInitialization":"he","#,
      #""data":"images/übung \"1\"","earlyStoppingPatience":7,"#,
      #""ema":0.875,"epochs":90,"featureViews":4,"freeze":{"layers":"none"},"#,
      #""keep":{"everyEpochs":2},"labelSmoothing":0.0625,"layerStats":50,"learningRate":0.5,"logEvery":5,"name":"first","#,
      #""network":{"dropPath":0,"head":"regularized","isWhitened":false,"name":"resnet50","shortcut":"A","stem":"small","variant":"article","version":"v2","#,
      #""widthMultiplier":0.5,"zeroPlacement":"end"},"normStatistics":"batch","#,
      #""optimizer":{"betas":{"first":0.75,"second":0.5},"decayNormsAndBiases":false,"epsilon":0.25,"#,
      #""gradientClip":5,"lookahead":{"share":0.25,"steps":3},"method":"muon","momentum":0.75,"nesterov":true,"#,
      #""normBiasRate":1,"weightDecay":0.125},"precision":"bf16","preprocessing":{"background":"black","imageSize":96,"#,
      #""normalization":{"given":{"mean":[0.5,0.25,0.125],"#,
      #""std":[1,2,4]}},"padColor":"edge","resize":"pad"},"project":"runs/a","#,
      #""safety":{"acceptsErrors":true,"divergence":"rollback","ignoresMemory":true,"saveMinutes":0.5},"#,
      #""schedule":{"step":{"epochs":[30,60],"factor":0.5}},"seed":18446744073709551615,"#,
      #""split":{"test":10,"train":70,"validation":20},"tensorBoard":true,"threads":3,"timeBudget":3600,"workers":2}"#,
    ]
    #expect(try json(Self.settings) == parts.joined())
  }

  @Test(arguments: [
    (Schedule.constant, #"{"constant":{}}"#), (.cosine(warmUp: 0.25), #"{"cosine":{"warmUp":0.25}}"#),
    (.plateau(factor: 0.5, patience: 5), #"{"plateau":{"factor":0.5,"patience":5}}"#),
    (.linear(warmUp: 0.25), #"{"linear":{"warmUp":0.25}}"#),
    (.oneCycle(warmUp: 0.25, divisor: 10), #"{"oneCycle":{"divisor":10,"warmUp":0.25}}"#),
    (.restarts(epochs: 3, factor: 2), #"{"restarts":{"epochs":3,"factor":2}}"#),
  ])
  func `the JSON of schedules is stable`(schedule: Schedule, text: String) throws {
    #expect(try json(schedule) == text)
    #expect(try isRestored(schedule))
  }

  @Test func `the JSON of metrics is stable`() throws {
    #expect(
      try json(Self.step)
        == #"{"accuracy":0.25,"epoch":2,"gradientNorm":3,"imagesPerSecond":640,"learningRate":0.125,"loss":1.5,"#
        + #""secondsLeft":7.5,"step":12}"#)
    var mixed = Self.epoch
    mixed.isMixed = true
    #expect(try json(mixed).contains(#""learningRate":0.125,"mixed":true,"#) && isRestored(mixed))
    #expect(
      try json(Self.epoch)
        == #"{"epoch":2,"learningRate":0.125,"seconds":60,"skippedImages":1,"step":20,"trainAccuracy":0.5,"#
        + #""trainLoss":1.25,"validation":{"loss":1.75,"top1":0.375,"top5":0.75}}"#)
  }

  @Test(arguments: [
    WorkCommand.start(settings), .resumeRun(folder: "runs/a"),
    .resumeRun(folder: "a", changes: ResumeChanges(epochs: 3, learningRate: 0.5, acceptsData: true)),
    .training(.recover(.rollBack)), .training(.pause),
    .training(.resume), .training(.stop), .training(.saveCheckpoint), .training(.saveMoment),
    .training(.setLearningRate(0.01)),
    .evaluate(checkpoint: "c", data: nil, split: .test), .evaluate(checkpoint: "c", data: "d", split: .validation),
  ])
  func `commands come back the same`(command: WorkCommand) throws { #expect(try isRestored(command)) }

  @Test func `the JSON of commands is stable`() throws {
    #expect(try json(WorkCommand.training(.pause)) == #"{"training":{"_0":{"pause":{}}}}"#)
    #expect(
      try json(WorkCommand.evaluate(checkpoint: "c", data: nil, split: .validation))
        == #"{"evaluate":{"checkpoint":"c","split":"val"}}"#)
  }

  static let layers = LayerStatistics(
    epoch: 2, step: 200,
    layers: [
      LayerMeasure(
        row: 0, name: "conv1",
        weights: LayerWeights(
          norm: 2, gradientNorm: 0.5, updateRatio: 0.125,
          histogram: LayerHistogram(low: -1, high: 1, counts: [1, 2])
        ), condition: .exploding),
      LayerMeasure(
        row: 2, name: "bn1.relu",
        activations: LayerActivations(mean: 0.5, std: 1, channels: 4, dead: 1, nonFinite: 2),
        condition: .nan),
      LayerMeasure(row: 5, name: "layer1.0.add", balance: ResidualBalance(shortcut: 3, residual: 1)),
    ], omitted: 1)

  @Test func `layers add up to what is told of all of them`() {
    #expect(Self.layers.layers.deadShare == 0.25 && Self.layers.layers.nonFinite == 2)
    #expect(Self.layers.layers.gradientNorm == 0.5 && [LayerMeasure]().gradientNorm == nil)
    #expect(Self.layers.layers[2].balance?.shortcutShare == 0.75)
    #expect(ResidualBalance(shortcut: 0, residual: 0).shortcutShare == nil)
    #expect(LayerCondition.allCases.filter(\.isFault) == [.vanishing, .dead, .exploding, .nan])
  }

  private static let labPlan = LabPlan(
    name: "lab-1", depths: .small, settings: settings, budget: 60, given: ["seed"], fingerprint: "f",
    trainingImages: 3, validationImages: 2, testImages: 1, seconds: 4)
  private static let labRow = LabReport.Row(
    network: LabNetwork(depth: 20, isResidual: true, isLarge: false), run: "runs/lab-1-cifar20", state: .unfinished,
    parameters: 5, epoch: 1)

  static let events: [Event] = [
    .state(.idle), .state(.evaluating(checkpoint: "best")), .datasetProgress(.scanning(files: 3, classes: [])),
    .dataset(
      DatasetReport(
        root: "d", splitSource: .folders,
        classes: [
          ClassReport(
            name: "a", counts: SplitCounts(train: 1), images: [ImageEntry(path: "train/a/1.png", split: .train)])
        ],
        findings: [
          DatasetFinding(kind: .imbalance, severity: .warning, subject: "a", message: "m", advice: "a")
        ])),
    .network(
      NetworkSummary(
        network: settings.network, input: FeatureShape(height: 32, width: 32, channels: 3), classes: 10,
        layers: [
          LayerRow(
            name: "conv1", kind: .convolution, kernel: "3x3/1",
            output: FeatureShape(height: 32, width: 32, channels: 16), parameters: 432, multiplyAdds: 442_368)
        ], batchSize: 8, trainingMemory: 1 << 40)),
    .checkpoints([
      CheckpointInfo(path: "p", name: "last", epoch: 1, step: 2, validationAccuracy: nil, savedAt: "2026-01-31")
    ]),
    .preview(path: "p", PixelImage(width: 1, height: 1, pixels: [0, 128, 255]), reason: nil),
    .preview(path: "p", nil, reason: "truncated"),
    .thumbnail(path: "p", PixelImage(width: 1, height: 1, pixels: [0, 128, 255]), reason: nil),
    .training(
      .started(
        RunDescription(
          folder: "runs/a", settings: settings, classes: ["a", "b"], trainingImages: 80, validationImages: 10,
          stepsPerEpoch: 10, parameters: 100, majorityBaseline: 0.5, history: [epoch]))),
    .training(.step(step)), .training(.validating(done: 1, total: 2)), .training(.epoch(epoch)),
    .training(
      .validated(
        ValidationDetails(
          epoch: 2, step: 20, images: 10, wrong: 1, fixed: 2, broken: 0, recalls: [1, nil],
          recallsBefore: [0.5, nil],
          confused: ConfusedClasses(first: 0, second: 1, count: 1),
          hardest: [
            HardImage(path: "p", truth: 0, predicted: 1, probability: 0.5, loss: 1, change: .new),
            HardImage(path: "q", truth: 0, predicted: nil, probability: 0, loss: nil, change: .fixed),
          ]))),
    .training(.layers(layers)),
    .training(
      .ranks(
        RankReport(
          step: 20,
          ranks: [
            RankReading(machine: "a", imagesPerSecond: 80, waiting: 0.25, lag: 0),
            RankReading(machine: "b", imagesPerSecond: nil, waiting: 0, lag: 0.5),
          ]))),
    .training(.paused), .training(.resumed), .training(.learningRateChanged(0.5)),
    .training(
      .checkpointSaved(
        CheckpointInfo(path: "p", name: "best", epoch: 1, step: 2, validationAccuracy: 0.5, savedAt: "2026-01-31"))),
    .training(
      .diverged(
        DivergenceReport(
          cause: .gradient, step: 3, epoch: 1, loss: 1, gradientNorm: 2, learningRate: 0.5, batch: 3, files: ["f"],
          canLeaveOut: true, savedStep: nil,
          best: CheckpointInfo(
            path: "b", name: "best", epoch: 1, step: 2, validationAccuracy: nil, savedAt: "2026-01-01T00:00:00Z")))),
    .training(.folderMoved(to: "p")),
    .dataChanged(
      DataChangeReport(
        run: "r", data: "d", groups: [.init(kind: .relabeled, count: 2, paths: ["p"])], classesChanged: true)),
    .training(.checkpointRemoved(path: "p")), .training(.warning("w")), .training(.warningEased("w")),
    .checkpoints([
      CheckpointInfo(
        path: "p", name: "last", epoch: 1, step: 2, validationAccuracy: nil, savedAt: "2026-01-31", data: "d",
        fit: .otherClasses)
    ]), .runHistory(folder: "r", nil, reason: "gone"),
    .runs(
      project: "runs",
      [
        RunSummary(folder: "runs/a", state: .finished, epoch: 1, epochs: 2, step: 3),
        RunSummary(folder: "b", state: .inUse),
      ]),
    .runTable(
      RunTable(
        runs: [RunSummary(folder: "a", state: .training)], results: [.init("time", [.seconds(3)])],
        settings: [.init("lr", [.text("0.1"), nil])]), reason: nil),
    .runTable(nil, reason: "gone"), .runChanged(.rename(folder: "a", name: "b"), folder: "b"),
    .recipes(
      .list([
        RecipeListing(
          name: "a", file: "a.json", recipe: SavedRecipe(use: .none, entries: [.init(option: "lr", text: "0.1")]),
          problem: nil), RecipeListing(name: "b", file: "b.json", recipe: nil, problem: "damaged"),
      ])), .recipes(.loaded(name: "a", settings)), .recipes(.exists(name: "a")), .recipes(.failed("gone")),
    .lab(.failed("gone")), .lab(.planned(LabRequest(depths: .large, settings: settings), nil, reason: "gone")),
    .lab(.report(LabReport(plan: labPlan, rows: [labRow]))),
    .runHistory(
      folder: "r",
      RunHistory(
        run: RunDescription(
          folder: "r", settings: settings, classes: ["a"], trainingImages: 1, validationImages: 0, stepsPerEpoch: 1,
          parameters: 1, majorityBaseline: 1, history: [epoch], steps: [step]),
        outcome: RunOutcome(
          folder: "r", reason: .stopped, epochs: 1, steps: 2, bestValidationAccuracy: nil, seconds: 3)), reason: nil
    ),
    .training(
      .finished(
        RunOutcome(
          folder: "f", reason: .earlyStopping, epochs: 1, steps: 2, bestValidationAccuracy: 0.5, seconds: 3))),
    .evaluationProgress(done: 1, total: 2),
    .evaluation(
      EvaluationReport(
        checkpoint: "c", data: "d", split: .test, images: 1, loss: 0.5, top1: 0, top5: 1,
        classes: [ClassMetrics(name: "a", support: 1, precision: nil, recall: 0, f1: 0)],
        confusion: [[0, 1], [0, 0]],
        misclassified: [
          Misclassification(
            path: "p", truth: 0, top: [ClassProbability(label: 1, probability: 0.75)], truthProbability: 0.25)
        ], skipped: ["s"], unknownClasses: ["u"], imagesPerSecond: 10, precision: .bf16,
        comparison: PrecisionComparison(
          checkpoint: "f", images: 1, loss: nil, top1: 0.5, top5: 1, agreement: 0.75, meanDifference: 0.125,
          largestDifference: 0.25))),
    .inspectionProgress(.compare(.init(checkpoint: "c"), .init(checkpoint: "b")), done: 1, total: 2),
    .inspection(.openEvaluation(.init(checkpoint: "c")), .table(TableFixture.table)),
    .inspection(
      .explain(checkpoint: "c", file: "f", classes: [1]),
      .explanation(
        Explanation(
          checkpoint: "c", path: "f", classes: ["a"], top: [ClassProbability(label: 0, probability: 1)],
          seen: PixelImage(width: 1, height: 1, pixels: [1, 2, 3]),
          heats: [ClassHeat(label: 0, probability: 1, map: HeatMap(height: 1, width: 1, values: [0.5]))]))),
    .inspection(
      .findSimilar(.init(checkpoint: "c", data: "d", split: .train), file: "f", count: 3),
      .similarImages([SimilarImage(path: "p", similarity: 0.5, className: "a", split: .train)])),
    .inspection(
      .findLabelErrors([.init(checkpoint: "c")], inSample: true),
      .missingEvaluation(.init(checkpoint: "c"), reason: nil)),
    .evaluationKept(.init(checkpoint: "c", data: "d", split: .validation)),
    .inspection(.computeFeatures(checkpoint: "c", file: "f"), .failure("f")),
    .warning("w"), .failure("f"),
  ]

  @Test(arguments: events)
  func `events come back the same`(event: Event) throws { #expect(try isRestored(event)) }

  @Test func `the steps of a run come back bit for bit, in 64 bytes each`() throws {
    let steps = [0.25, Double.nan, .infinity, -0.0, .leastNonzeroMagnitude].enumerated().map { index, value in
      StepMetrics(
        step: index == 0 ? Int.max : index, epoch: 1, loss: value, accuracy: 0.5, learningRate: 0.1,
        gradientNorm: value,
        imagesPerSecond: 1e300, secondsLeft: index == 1 ? nil : value == value ? value : 0)
    }
    let coded = try JSONEncoder().encode(CompactSteps(wrappedValue: steps))
    #expect(coded.count <= 2 + (steps.count * 64 + 2) / 3 * 4 * 2)
    let back = try JSONDecoder().decode(CompactSteps.self, from: coded).wrappedValue
    #expect(back.map(\.step) == steps.map(\.step))
    #expect(back.map(\.loss.bitPattern) == steps.map(\.loss.bitPattern))
    #expect(back.map { $0.secondsLeft?.bitPattern } == steps.map { $0.secondsLeft?.bitPattern })
    for length in [1, 63, 65] {
      let odd = try JSONEncoder().encode(Data(count: length))
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(CompactSteps.self, from: odd) }
    }
  }

  @Test func `the most confused pairs come first, the diagonal never`() {
    let report = EvaluationReport(
      checkpoint: "c", data: "d", split: .test, images: 12, loss: 0, top1: 0, top5: 0, classes: [],
      confusion: [[9, 1, 2], [3, 9, 0], [2, 0, 9]], misclassified: [], skipped: [], unknownClasses: [],
      imagesPerSecond: 0)
    let pairs = report.confusedPairs(limit: 3).map { [$0.truth, $0.predicted, $0.count] }
    #expect(pairs == [[1, 0, 3], [0, 2, 2], [2, 0, 2]])
  }
}

// Looks at the layers of a run: each number against the run's own weights and steps, the same bits with and without, what
// is written down of them, and which words they get.

import Foundation
import Messages
import Networks
import TestSupport
import Testing

@testable import Training

@Suite struct LayerWatchTests {
  private let project: ToyProject

  init() throws { project = try ToyProject() }

  private func looks(_ run: ToyRun) -> [LayerStatistics] {
    run.events.compactMap { if case .layers(let statistics) = $0 { statistics } else { nil } }
  }

  typealias Change = @Sendable (inout TrainingSettings) -> Void

  private static func optimizer(_ method: OptimizerMethod, _ settings: inout TrainingSettings) {
    settings.optimizer = method.usual
    settings.learningRate = method.usualRate
  }

  /// All that changes weights, or the gradient that a step is taken by.
  static let methods: [(name: String, change: Change)] = [
    ("sgd", { _ in }), ("adamw", { optimizer(.adamw, &$0) }), ("muon", { optimizer(.muon, &$0) }),
    ("ema", { $0.ema = 0.9 }), ("lookahead", { $0.optimizer.lookahead = LookaheadSettings(steps: 3) }),
    ("accumulate", { $0.accumulate = 2 }), ("clip", { $0.optimizer.gradientClip = 0.1 }),
    ("drop path", { $0.network.dropPath = 0.3 }),
  ]

  @Test(arguments: methods.indices)
  func `norms, gradients and updates are those of the run's weights, and the run has the bits of one without`(
    index: Int
  ) throws {
    let change = Self.methods[index].change
    let plain = try project.train(
      project.settings {
        change(&$0)
        $0.layerStats = 0
      })
    #expect(looks(plain).isEmpty)
    var before: [[Float]] = []
    var step: StepMetrics?
    let watched = try project.trainReached(
      project.settings {
        change(&$0)
        $0.layerStats = 1
      }
    ) { event, loop in
      if case .started = event { before = loop.network.parameters.map(\.value.values) }
      if case .step(let metrics) = event { step = metrics }
      guard case .layers(let statistics) = event, let step else { return [] }
      let now = loop.network.parameters.map(\.value.values)
      #expect(statistics.step == step.step && statistics.epoch == step.epoch)
      #expect(abs((statistics.layers.gradientNorm ?? 0) / step.gradientNorm - 1) < 1e-6)
      for layer in statistics.layers {
        guard let weights = layer.weights else { continue }
        let own = loop.network.parameters.indices.filter {
          loop.network.parameters[$0].name.hasPrefix(layer.name + ".")
        }
        func norm(_ values: ([Float], Int) -> Double) -> Double {
          own.reduce(0.0) { $0 + values(now[$1], $1) }.squareRoot()
        }
        let length = norm { values, _ in values.reduce(0.0) { $0 + Double($1) * Double($1) } }
        let old = norm { _, index in before[index].reduce(0.0) { $0 + Double($1) * Double($1) } }
        let moved = norm { values, index in
          zip(values, before[index]).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
        }
        #expect(!own.isEmpty && abs(weights.norm - length) < 1e-5 * length, "\(layer.name)")
        #expect(abs((weights.updateRatio ?? -1) - moved / old) < 1e-5 * (moved / old) + 1e-12, "\(layer.name)")
        #expect(weights.histogram?.counts.reduce(0, +) == now[own[0]].count)
      }
      before = now
      return []
    }
    #expect(looks(watched).map(\.step) == Array(1...plain.outcome.steps))
    let comparison = try RunComparison(plain.run, watched.run)
    #expect(comparison.isSame, "\(Self.methods[index].name): \(comparison.differences)")
  }

  @Test func `every so many steps are looked at, and a resumed run looks at the same`() throws {
    let settings = project.settings(epochs: 3) {
      $0.layerStats = 4
      $0.tensorBoard = true
    }
    let whole = try project.train(settings)
    let steps = Array(stride(from: 4, through: whole.outcome.steps, by: 4))
    #expect(looks(whole).map(\.step) == steps && steps.count > 2)
    let written = try MetricsLog.read(path: whole.run.metricsPath).layers
    #expect(written.map(\.step) == steps)
    #expect(written.map(\.layers.count) == looks(whole).map(\.layers.count))
    // The one of the step before the end that is not saved is made again, and stands there once.
    let stopped = try project.train(settings) { $0.isStep(9) ? [.stop] : [] }
    let resumed = try project.resume(stopped.run, ResumeChanges(threads: 2))
    #expect(try MetricsLog.read(path: resumed.run.metricsPath).layers == written)
    #expect(try RunComparison(whole.run, resumed.run).isSame)
    let started = resumed.events.compactMap { if case .started(let run) = $0 { run.layers } else { nil } }
    #expect(started.map(\.step) == [8])
    #expect(try whole.run.history().run.layers == written.last)
  }

  @Test func `the classifier alone, and layers that are frozen`() throws {
    let first = try project.train(project.settings(epochs: 1))
    func frozen(_ views: Int) throws -> ToyRun {
      try project.train(
        project.settings(epochs: 2) {
          $0.initialWeights = first.run.path
          $0.freeze = FreezeSettings(layers: FreezeSettings.backbone)
          $0.featureViews = views
          $0.layerStats = 1
        })
    }
    for views in [0, 2] {
      let run = try frozen(views)
      let last = try #require(looks(run).last)
      let classifier = try #require(last.layers.first { $0.name == "fc" })
      #expect(classifier.condition == .ok && (classifier.weights?.updateRatio ?? 0) > 0)
      #expect(abs((last.layers.gradientNorm ?? 0) / (run.steps.last?.gradientNorm ?? 0) - 1) < 1e-6)
      let convolution = try #require(last.layers.first { $0.name == "conv1" })
      #expect(convolution.condition == .frozen && convolution.weights?.gradientNorm == nil)
      #expect((last.layers.first { $0.name == "bn1.relu" }?.activations != nil) == (views == 0))
    }
  }

  // MARK: What is written

  private func large(_ count: Int) -> LayerStatistics {
    LayerStatistics(
      epoch: 1, step: 100,
      layers: (0..<count).map { row in
        LayerMeasure(
          row: row, name: "layer3.\(row).conv2",
          weights: LayerWeights(
            norm: 1.23456789, gradientNorm: 0.000123456789, updateRatio: 1.0 / 3,
            histogram: LayerHistogram(low: -1.0 / 3, high: 2.0 / 3, counts: Array(repeating: 12_345, count: 16))),
          condition: row == 17 ? .dead : .ok)
      })
  }

  @Test(arguments: [10, 300, 4000])
  func `a line stays short: histograms go first, then layers, never those with a fault`(count: Int) throws {
    let folder = try TemporaryFolder()
    let log = MetricsLog(path: folder.file("m.jsonl")) { Issue.record("\($0)") }
    log.append(large(count))
    #expect(try folder.text("m.jsonl").utf8.count <= LayerStatistics.longestLine + 100)
    let read = try #require(try MetricsLog.read(path: folder.file("m.jsonl")).layers.first)
    #expect(read.layers.count + (read.omitted ?? 0) == count)
    #expect(read.layers.map(\.row) == read.layers.map(\.row).sorted())
    if count > 17 { #expect(read.layers.contains { $0.row == 17 && $0.condition == .dead }) }
    #expect((read.layers[0].weights?.histogram != nil) == (count == 10))
    #expect(read.layers[0].weights?.norm == 1.235 && read.layers[0].weights?.gradientNorm == 1.235e-4)
    if count == 10 { #expect(read.layers[0].weights?.histogram?.counts.first == 63) }
  }

  @Test func `of many looks some are written, at steps that depend on nothing else`() {
    func written(_ looks: Int) -> [Int] {
      (1...looks).filter { LayerStatistics(epoch: 1, step: $0 * 10, layers: []).isWritten(interval: 10) }
    }
    #expect(written(256) == Array(1...256))
    let many = written(100_000)
    #expect(many.prefix(256).elementsEqual(1...256) && many.count < 2000 && many.last! > 99_000)
  }

  @Test func `numbers that JSON has not are kept, and are no steps to whoever reads curves`() throws {
    let folder = try TemporaryFolder()
    let log = MetricsLog(path: folder.file("m.jsonl")) { Issue.record("\($0)") }
    var statistics = large(1)
    statistics.layers[0].weights?.norm = .infinity
    statistics.layers[0].weights?.gradientNorm = .nan
    log.append(statistics)
    let read = try #require(try MetricsLog.read(path: folder.file("m.jsonl")).layers.first?.layers[0].weights)
    #expect(read.norm == .infinity && read.gradientNorm?.isNaN == true)
    let reader = try MetricsReader.reading(folder.file("m.jsonl"))
    #expect(reader.layers?.step == 100 && reader.allSteps.isEmpty)
  }

  @Test func `TensorBoard shows a value a layer, of up to 200 layers`() {
    let values = large(10).summaryValues
    #expect(values.count == 30 && values.map(\.tag).contains("updateRatio/layer3.7.conv2"))
    #expect(large(201).summaryValues.isEmpty)
    let histogram = ValueHistogram(
      LayerActivations(
        mean: 0.5, std: 0.25, channels: 1, histogram: LayerHistogram(low: 0, high: 1, counts: [1, 3])))
    #expect(histogram?.count == 4 && histogram?.sum == 2 && histogram?.squares == 1.25)
  }

  // MARK: Words

  private func layer(
    gradient: Double? = 1, update: Double? = 1e-3, trained: Bool = true, nonFinite: Int = 0,
    activations: LayerActivations? = nil
  ) -> LayerMeasure {
    LayerMeasure(
      row: 0, name: "a",
      weights: LayerWeights(
        norm: 1, gradientNorm: gradient, updateRatio: update, nonFinite: nonFinite, isTrained: trained),
      activations: activations)
  }

  @Test func `a word for each fault, at its threshold`() {
    func output(mean: Double = 0, std: Double = 1, dead: Int? = nil, nonFinite: Int = 0) -> LayerActivations {
      LayerActivations(mean: mean, std: std, channels: 10, dead: dead, nonFinite: nonFinite)
    }
    let cases: [(LayerMeasure, LayerCondition)] = [
      (layer(), .ok), (layer(update: 0.099), .ok), (layer(update: 0.11), .exploding),
      (layer(update: 0.5e-4), .slow), (layer(update: 2e-4), .ok), (layer(update: 0), .frozen),
      (layer(gradient: nil, update: nil, trained: false), .frozen),
      (layer(gradient: 0.9e-4), .vanishing), (layer(gradient: 1.1e-4), .ok),
      (layer(gradient: .nan), .nan), (layer(nonFinite: 1), .nan), (layer(activations: output(nonFinite: 1)), .nan),
      (layer(activations: output(dead: 4)), .ok), (layer(activations: output(dead: 5)), .dead),
      (layer(activations: output(std: 2e4)), .exploding), (layer(activations: output(mean: -2e4)), .exploding),
    ]
    for (measure, condition) in cases {
      var layers = [measure, layer(), layer(), layer()]
      LayerHealth.assess(&layers, learns: true)
      #expect(layers[0].condition == condition, "\(measure)")
      #expect(layers[1].condition == .ok)
    }
    // Nothing is said of updates where nothing was to change.
    var still = [layer(update: 0), layer(update: 0)]
    LayerHealth.assess(&still, learns: false)
    #expect(still.allSatisfy { $0.condition == .ok })
    var none: [LayerMeasure] = []
    LayerHealth.assess(&none, learns: true)
  }

  @Test func `a step that is not taken leaves nothing behind, and is not told`() throws {
    var steps: [Int] = []
    var looks: [Int] = []
    var failures = 0
    let settings = project.settings(epochs: 2) {
      $0.layerStats = 1
      $0.learningRate = 1e20
      $0.safety.divergence = .lower
    }
    // Whether it comes to an end by lower rates does not matter here.
    _ = try? project.trainReached(settings) { event, _ in
      switch event {
      case .step(let metrics): steps.append(metrics.step)
      case .layers(let statistics): looks.append(statistics.step)
      case .diverged: failures += 1
      default: break
      }
      return []
    }
    #expect(failures > 0 && looks == steps && !steps.isEmpty)
  }
}

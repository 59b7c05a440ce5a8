// Training the classifier alone on features: they are what the network computes, the same whenever they are computed,
// and the loop around them is that of any run.

import Datasets
import Files
import Messages
import Networks
import Tensors
import Testing
import TestSupport

@testable import Training

@Suite struct FeatureTests {
  private let project: ToyProject
  private let source: ToyRun

  init() throws {
    project = try ToyProject()
    source = try project.train(project.settings(epochs: 1) { $0.name = "source" })
  }

  private func settings(
    epochs: Int = 6, views: Int = 3, frozen: Int? = nil, change: (inout TrainingSettings) -> Void = { _ in }
  ) -> TrainingSettings {
    project.settings(epochs: epochs) {
      $0.initialWeights = source.run.path(of: .best)
      $0.freeze = FreezeSettings(layers: "backbone", epochs: frozen)
      $0.featureViews = views
      $0.schedule = .cosine(warmUp: 0.05)
      change(&$0)
    }
  }

  @Test func `features are computed once, and then every epoch is steps and validation as ever`() throws {
    let run = try project.train(settings(epochs: 2))
    let labels = run.events.map(\.label).filter { !$0.hasPrefix("saved") }
    let images = run.steps.isEmpty ? 0 : 18
    #expect(labels.prefix(2) == ["started", "features 0/\(3 * images + 6)"], "\(labels)")
    #expect(labels.count { $0.hasPrefix("features \(3 * images + 6)/") } == 1)
    #expect(labels.drop { !$0.hasPrefix("step") }.allSatisfy { !$0.hasPrefix("features") })
    #expect(run.epochs.count == 2 && run.epochs.allSatisfy { $0.validation != nil })
  }

  @Test(arguments: [1, 3])
  func `a validation on features is that of the whole network`(views: Int) throws {
    let run = try project.train(settings(views: views))
    let report = try EvaluationJob(checkpoint: run.run.path(of: .last), data: nil, split: .validation).run(
      threads: 1)
    #expect(report?.top1 == run.epochs.last?.validation?.top1)
    let best = try EvaluationJob(checkpoint: run.run.path(of: .best), data: nil, split: .validation).run(threads: 1)
    #expect(best?.top1 == run.outcome.best?.value)
  }

  @Test func `without random changes the loss falls as it would without features`() throws {
    let run = try project.train(
      settings(epochs: 40) { ($0.augmentation.crop, $0.augmentation.horizontalFlip) = (.none, false) })
    let losses = run.epochs.map(\.trainLoss)
    #expect(try #require(losses.last) < 0.8 * losses[0], "\(losses)")
  }

  @Test(
    arguments: [(1, nil, 2), (7, nil, 1), (13, nil, 2), (4, 3, 1), (15, 3, 2), (18, 3, 2)] as [(Int, Int?, Int)])
  func `a run that is stopped goes on to the same bits, on any number of threads`(
    step: Int, frozen: Int?, threads: Int
  ) throws {
    let settings = settings(epochs: 4, frozen: frozen)
    let reference = try project.train(settings)
    let stopped = try project.train(settings) { $0.isStep(step) ? [.stop] : [] }
    let resumed = try project.resume(stopped.run, ResumeChanges(threads: threads))
    let comparison = try RunComparison(reference.run, resumed.run)
    #expect(comparison.isSame, "\(comparison.differences)")
  }

  @Test func `a stop while features are computed ends the run, which can be resumed`() throws {
    let settings = settings()
    let reference = try project.train(settings)
    let stopped = try project.train(settings) {
      if case .computingFeatures(let done, _) = $0, done > 0 { [.stop] } else { [] }
    }
    #expect(stopped.outcome.reason == .stopped && stopped.steps.isEmpty)
    let comparison = try RunComparison(reference.run, try project.resume(stopped.run).run)
    #expect(comparison.isSame, "\(comparison.differences)")
  }

  /// What a step is taken for and what is made of its weights has no part in how its images come.
  @Test(arguments: ["accumulate", "ema", "both", "sampling", "adamw"], [1, 4, 12])
  func `other methods go with features, and such a run goes on to the same bits`(method: String, step: Int) throws {
    let settings = settings(epochs: 6, frozen: 4) {
      if ["accumulate", "both"].contains(method) { $0.accumulate = 2 }
      if ["ema", "both"].contains(method) { $0.ema = 0.75 }
      if method == "sampling" { $0.balance = .sampling }
      if method == "adamw" { ($0.optimizer, $0.learningRate) = (OptimizerMethod.adamw.usual, 0.003) }
    }
    let reference = try project.train(settings)
    #expect(reference.outcome.reason == .completed && reference.epochs.count == 6)
    let stopped = try project.train(settings) { $0.isStep(step) ? [.stop] : [] }
    let resumed = try project.resume(stopped.run, ResumeChanges(threads: 2))
    let comparison = try RunComparison(reference.run, resumed.run)
    #expect(comparison.isSame, "\(comparison.differences)")
    let best = try EvaluationJob(checkpoint: reference.run.path(of: .best), data: nil, split: .validation).run(
      threads: 1)
    #expect(best?.top1 == reference.outcome.best?.value)
  }

  /// Two batches of a step have the gradient of one twice as large; the orders of sums differ.
  @Test func `a step on features for two batches is that for one of twice the size`() throws {
    func losses(_ batch: Int, _ accumulate: Int) throws -> [Double] {
      try project.train(
        settings(epochs: 3) {
          ($0.batchSize, $0.accumulate) = (batch, accumulate)
          ($0.augmentation.crop, $0.augmentation.horizontalFlip) = (.none, false)
        }
      ).steps.map(\.loss)
    }
    let (one, two) = (try losses(6, 1), try losses(3, 2))
    #expect(one.count == two.count && zip(one, two).allSatisfy { abs($0 - $1) < 1e-4 }, "\(one), \(two)")
  }

  @Test func `what changes images in every step, or looks into the classifier's coordinates, is refused`() throws {
    for (option, change) in [
      ("--mixup", { $0.augmentation.mixup = 0.5 }), ("--cutmix", { $0.augmentation.cutMix = 1 }),
      ("--progressive", { $0.progressiveStart = 0.5 }),
      ("--lookahead", { $0.optimizer.lookahead = LookaheadSettings(steps: 2, share: 0.5) }),
    ] as [(String, (inout TrainingSettings) -> Void)] {
      let error = #expect(throws: SettingsError.self) { try project.train(settings(change: change)) }
      #expect(error?.description.contains(option) == true && error?.description.contains("--views 0") == true)
      let run = try project.train(settings(epochs: 2, views: 0, change: change))
      #expect(run.outcome.reason == .completed)
    }
    let error = #expect(throws: SettingsError.self) {
      var budget = settings(frozen: 2)
      (budget.budget, budget.automatic) = (60, .all)
      try budget.checkBudget()
    }
    #expect(error?.description.contains("--budget") == true)
    #expect(throws: SettingsError.self) {
      try LearningRateFinder(try RunSetup(settings(), caches: nil)).curve()
    }
  }

  @Test func `only the classifier changes, and its own coordinates leave no trace in the file`() throws {
    let run = try project.train(settings())
    let (before, after) = (try source.arrays(.best), try run.arrays(.best))
    #expect(before.keys.sorted() == after.keys.sorted())
    for (name, array) in before { #expect((after[name] == array) == !name.hasPrefix("fc."), "\(name)") }
  }

  @Test func `best is the network of the epoch that it names, however far the run went on`() throws {
    let settings = settings(epochs: 12) {
      $0.learningRate = 2
      $0.schedule = .constant
    }
    let run = try project.train(settings)
    let best = try #require(run.run.checkpoints().first { CheckpointName(path: $0.path) == .best })
    try #require(best.epoch < 12)
    let stopped = try project.train(settings) { $0.isStep(best.step) ? [.stop] : [] }
    let (kept, then) = (try run.arrays(.best), try stopped.arrays(.last))
    for (name, array) in kept { #expect(then[name] == array, "\(name)") }
    #expect(try run.arrays(.last)["fc.weight"] != kept["fc.weight"])
  }

  @Test func `images that do not decode are skipped and named as ever`() throws {
    try project.data.addBroken("train/red/broken.png")
    let run = try project.train(settings(epochs: 2))
    #expect(run.epochs.map(\.skippedImages) == [1, 1])
    #expect(run.warnings.count { $0.contains("broken.png") } == 1)
    #expect(run.outcome.reason == .completed)
  }

  @Test func `as many views as fit, one of images that never change, none where not one fits`() {
    let changing = Augmentation(resolving: AugmentationSettings(), resize: .pad)
    let still = Augmentation(resolving: AugmentationSettings(crop: .none, horizontalFlip: false), resize: .pad)
    func count(_ asked: Int, _ augmentation: Augmentation, bytes: Int) -> Int {
      FeatureSet.viewCount(
        asked: asked, augmentation: augmentation, items: 10, validation: 5, width: 100, mostBytes: bytes)
    }
    #expect(count(4, changing, bytes: 1 << 30) == 4 && count(4, still, bytes: 1 << 30) == 1)
    #expect(count(0, changing, bytes: 1 << 30) == 0 && count(0, still, bytes: 1 << 30) == 0)
    #expect(count(4, changing, bytes: 25 * 400) == 2 && count(4, changing, bytes: 24 * 400) == 1)
    #expect(count(4, changing, bytes: 14 * 400) == 0)
  }

  /// In these coordinates logits are the same, and the gradient is that of the chain rule.
  @Test func `standardized coordinates change nothing but the shape of the problem`() throws {
    let run = try project.train(settings(epochs: 1, views: 0))
    #expect(!run.events.contains { if case .computingFeatures = $0 { true } else { false } })
    #expect(run.outcome.reason == .completed, "the frozen layers are run in every step")
    let before: (weights: [Float], shifts: [Float]) = ([0.5, -1, 2, 0.25], [0.125, -0.5])
    let weight = Parameter(
      name: "fc.weight", role: .denseWeight(map: [1, 1, 2]), value: Tensor([2, 2], before.weights))
    let bias = Parameter(name: "fc.bias", role: .bias, value: Tensor([2], before.shifts))
    weight.gradient = Tensor([2, 2], [3, 4, -1, 2])
    bias.gradient = Tensor([2], [1, -1])
    let coordinates = StandardizedClassifier(mean: [2, -4], scale: [0.5, 8])
    let original = coordinates.enter(weight, bias)
    // w' = scale * w; b' = b + mean . w; g' = (g - mean * gb) / scale.
    let (weights, slopes): ([Float], [Float]) = ([0.25, -0.5, 16, 2], [2, 12, 0.375, -0.25])
    // 0.125 + 2 * 0.5 - 4 * 2, and -0.5 - 2 - 4 * 0.25.
    let shifts: [Float] = [-6.875, -3.5]
    #expect(weight.value.values == weights)
    #expect(bias.value.values == shifts)
    #expect(weight.gradient.values == slopes)
    coordinates.leave(weight, bias)
    #expect(weight.value.values == before.weights)
    #expect(bias.value.values == before.shifts)
    bias.value = Tensor([2], [9, 9])
    coordinates.restore(original, weight, bias)
    #expect(bias.value.values == before.shifts)
  }
}

// The recipe's rules on made-up facts and a made-up machine: what they choose, that they leave alone what was asked for,
// and that they keep to the time.

import Messages
import Networks
import Testing

@testable import Training

@Suite struct RecipeTests {
  /// Of a machine that computes so many multiply-adds a second.
  private func machine(_ speed: Double, fitting: Int = .max, bf16Gain: Double? = nil) -> RecipePlanner.Machine {
    RecipePlanner.Machine(
      threads: 2, hasFastBFloat16: bf16Gain != nil,
      cost: { plan, _, precision in
        let inference = Double(plan.summary(batchSize: 1).multiplyAdds) / speed
        let gain = precision == .bf16 ? bf16Gain ?? 1 : 1
        return StepCost(training: 3 * inference / gain, inference: inference / gain)
      },
      memory: { _, settings in settings.batchSize << 20 }, largestBatch: { _, _ in fitting })
  }

  private func facts(
    _ images: Int, side: Int = 32, aspect: Double = 1, classes: Int = 10, isGray: Bool = false, harm: String? = nil
  ) -> DataFacts {
    DataFacts(
      trainingImages: images, validationImages: images / 8, testImages: images / 8, classes: classes,
      smallestClass: images / classes, largestClass: images / classes, shorterSide: side, aspect: aspect,
      isGray: isGray,
      decodingSeconds: 1e-4, mirroringHarm: harm)
  }

  private func request(_ edit: (inout TrainingSettings) -> Void = { _ in }) -> TrainingSettings {
    var settings = Settings.usual
    settings.data = "data"
    edit(&settings)
    return settings
  }

  private func plan(
    _ facts: DataFacts, _ settings: TrainingSettings, speed: Double = 1e11
  ) throws -> RunPlan {
    var planner = RecipePlanner(settings, facts: facts, machine: machine(speed))
    return try planner.plan()
  }

  @Test(arguments: [50, 300, 1000, 5000, 60_000, 500_000], [28, 64, 400])
  func `every set gets a plan that is complete, gives a reason each, and keeps to its time`(
    images: Int, side: Int
  ) throws {
    for budget in [60.0, 600, 36_000] {
      let plan = try plan(facts(images, side: side), request { $0.budget = budget })
      #expect(plan.settings.automatic.isEmpty)
      #expect(throws: Never.self) { try plan.settings.validate() }
      #expect(throws: Never.self) { try plan.settings.checkNumbers() }
      let chosen = Set(plan.recipe.choices.map(\.option))
      #expect(chosen.count == plan.recipe.choices.count)
      #expect(plan.recipe.choices.allSatisfy { !$0.reason.isEmpty && !$0.value.isEmpty })
      // One epoch is trained however short the time is.
      if plan.settings.epochs > 1 { #expect(plan.recipe.cost.total <= budget) }
      for choice in plan.recipe.choices {
        let row = try #require(Settings.all.first { $0.option == choice.option })
        #expect(row.text(in: plan.settings) == choice.value)
      }
    }
  }

  @Test func `more time never means a smaller network or fewer epochs than enough`() throws {
    var last = 0
    for budget in [10.0, 60, 300, 1200, 7200] {
      let plan = try plan(facts(10_000, side: 300), request { $0.budget = budget }, speed: 1e12)
      let network = try NetworkPlan(
        plan.settings.network, imageSize: plan.settings.preprocessing.imageSize, classes: 10)
      let multiplyAdds = network.summary(batchSize: 1).multiplyAdds
      #expect(multiplyAdds >= last)
      last = multiplyAdds
    }
    #expect(last > 1_000_000_000)
  }

  @Test func `much time for many small images goes into a wider network, many epochs and erased parts`() throws {
    var last = (width: 0.0, epochs: 0)
    for budget in stride(from: 100.0, through: 5000, by: 100) {
      let plan = try plan(facts(53_000, side: 28), request { $0.budget = budget }, speed: 2.5e11)
      let (width, epochs) = (plan.settings.network.widthMultiplier, plan.settings.epochs)
      #expect(plan.settings.network.name == "resnet9")
      #expect(plan.settings.augmentation.erasing == (epochs >= Recipe.epochsToErase ? 0.5 : 0))
      if width > 0.5 { #expect(epochs >= Recipe.epochsToErase) }
      #expect(width >= last.width)
      if width == last.width { #expect(epochs >= last.epochs) }
      // No time is left unused before the widest has all the epochs that help.
      if width < 1 { #expect(plan.recipe.cost.total > 0.7 * budget, "\(budget) s") }
      last = (width, epochs)
    }
    #expect(last.width == 1 && last.epochs >= Recipe.epochsToErase)
    let few = try plan(facts(5_000, side: 28), request { $0.budget = 5000 }, speed: 1e12)
    #expect(few.settings.augmentation.erasing == 0 && few.settings.epochs > Recipe.epochsToErase)
    let unerased = request {
      $0.budget = 5000
      Settings.erase.put(value: 0.0, in: &$0)
    }
    let asked = try plan(facts(53_000, side: 28), unerased, speed: 1e12)
    #expect(asked.settings.augmentation.erasing == 0, "somebody asked for none")
  }

  @Test func `weights whose norms were folded are trained without them, gently`() throws {
    var weights = WeightsFacts()
    weights.hasFoldedNorms = true
    func settings(_ facts: DataFacts, _ weights: WeightsFacts) throws -> TrainingSettings {
      var planner = RecipePlanner(
        request {
          $0.initialWeights = "weights"
          $0.network.name = "resnet18"
          $0.automatic.remove(Settings.network.option)
        }, facts: facts, weights: weights, machine: machine(1e11))
      return try planner.plan().settings
    }
    let (folded, usual) = (try settings(facts(5000), weights), try settings(facts(5000), WeightsFacts()))
    #expect(folded.normStatistics == .running && usual.normStatistics == .batch)
    #expect(folded.learningRate == usual.learningRate / 5)
    // A classifier alone has nothing to do with them.
    #expect(try settings(facts(500), weights) == settings(facts(500), WeightsFacts()))
  }

  @Test func `what was asked for is left alone`() throws {
    let asked = request {
      Settings.network.put(value: "vgg19_bn", in: &$0)
      Settings.epochs.put(value: 7, in: &$0)
      Settings.learningRate.put(value: 0.3, in: &$0)
      Settings.flip.put(value: false, in: &$0)
    }
    let plan = try plan(facts(1000, side: 200), asked)
    #expect(plan.settings.network.name == "vgg19_bn")
    #expect(plan.settings.epochs == 7)
    #expect(plan.settings.learningRate == 0.3)
    #expect(!plan.settings.augmentation.horizontalFlip)
    #expect(Set(plan.recipe.choices.map(\.option)).isDisjoint(with: ["net", "epochs", "lr", "flip"]))
    #expect(plan.recipe.choices.contains { $0.option == "imgsz" })
  }

  @Test(arguments: [("resnet18", 0.05), ("resnet9", 0.1), ("vgg11", 0.01), ("vgg11_bn", 0.05), ("alexnet", 0.01)])
  func `networks without batch norms get a lower rate`(name: String, rate: Double) throws {
    let plan = try NetworkPlan(NetworkSettings(name: name), imageSize: 64, classes: 10)
    #expect(Recipe.learningRate(plan, batchSize: 32) == rate)
    #expect(Recipe.learningRate(plan, batchSize: 16) == rate / 2)
  }

  @Test func `few images are not learned by heart`() throws {
    let few = try plan(facts(60), request()).settings
    #expect(
      few.augmentation.automatic == .trivial && few.augmentation.mixup > 0 && few.augmentation.colorJitter == 0)
    #expect(few.optimizer.weightDecay == 0.005 && few.epochs > 200)
    let many = try plan(facts(1000), request()).settings
    #expect(many.augmentation.automatic == .none && many.augmentation.mixup == 0)
    #expect(many.optimizer.weightDecay == 5e-4)
    let transferred = try plan(facts(60), request { $0.initialWeights = "weights" }).settings
    #expect(transferred.augmentation.automatic == .none && transferred.augmentation.mixup == 0)
    #expect(throws: Never.self) { try transferred.validate() }
  }

  @Test func `few validation images choose no epoch`() throws {
    #expect(try plan(facts(1000), request()).settings.best == .last)
    #expect(try plan(facts(1000), request { $0.earlyStoppingPatience = 3 }).settings.best == .loss)
    #expect(try plan(facts(100_000), request()).settings.best == .top1)
    for images in [100, 60_000] {
      #expect(throws: Never.self) {
        try plan(facts(images), request { $0.earlyStoppingPatience = 3 }).settings.validate()
      }
    }
  }

  @Test func `short epochs keep fewer checkpoints, and every run some`() throws {
    func every(_ images: Int) throws -> (every: Int, epochs: Int) {
      let settings = try plan(facts(images), request()).settings
      return (settings.keep.everyEpochs, settings.epochs)
    }
    let (few, epochs) = try every(1000)
    #expect(few > 1 && few <= epochs / 10)
    #expect(try every(500_000).every == 1)
    #expect(
      try plan(
        facts(1000),
        request {
          $0.epochs = 3; $0.automatic.remove(Settings.epochs.option)
        }
      ).settings.keep.everyEpochs == 1)
  }

  @Test func `features are of images as large as the time has room for`() throws {
    #expect(Recipe.sizesOfFeatures(upTo: 224) == [224, 192, 160, 128])
    #expect(Recipe.sizesOfFeatures(upTo: 100) == [100, 96, 64])
    #expect(Recipe.sizesOfFeatures(upTo: 20) == [20])
    func size(_ budget: Double?) throws -> Int {
      let plan = try plan(
        facts(300, side: 400),
        request {
          $0.initialWeights = "weights"
          Settings.network.put(value: "resnet50", in: &$0)
          $0.preprocessing.imageSize = 224
          $0.budget = budget
        }, speed: 1e11)
      if let budget, plan.settings.preprocessing.imageSize > 128 { #expect(plan.recipe.cost.total <= budget) }
      return plan.settings.preprocessing.imageSize
    }
    #expect(try size(nil) == 224)
    #expect(try size(600) == 224)
    #expect(try size(20) == 160)
    #expect(try size(1) == 128)
  }

  @Test func `features are of whole images where a crop to the center would lose much of them`() throws {
    func resize(_ aspect: Double, asked: PreprocessingSettings.Resize? = nil) throws -> String? {
      let plan = try plan(
        facts(300, side: 400, aspect: aspect),
        request {
          $0.initialWeights = "weights"
          Settings.network.put(value: "resnet18", in: &$0)
          $0.preprocessing.imageSize = 224
          if let asked { Settings.resize.put(value: asked, in: &$0) }
        })
      return Settings.resize.text(in: plan.settings)
    }
    #expect(try [1, 1.05, 1.33, 4].map { try resize($0) } == ["auto", "auto", "stretch", "stretch"])
    #expect(try resize(1.33, asked: .crop) == "crop")
  }

  @Test func `what features cost is part of the whole`() throws {
    let plan = try plan(
      facts(300, side: 400),
      request {
        $0.initialWeights = "weights"
        Settings.network.put(value: "resnet18", in: &$0)
      })
    let features = try #require(plan.recipe.cost.features)
    // Two views of each training image, and one of each for validation.
    let passes = features / Double(2 * 300 + 37)
    #expect(abs(passes * 37 - (plan.recipe.cost.evaluation - 37 * 1e-4 / 2)) < 1e-6)
    #expect(plan.recipe.cost.total > features)
  }

  @Test func `without a recipe nothing is chosen`() {
    let settings = request { $0.automatic = .none }
    #expect(settings.commandLine == "skipline train data --recipe none --net cifar20")
    #expect(request().commandLine == "skipline train data")
  }

  @Test func `a resolved command line says all that was chosen, and reads back`() throws {
    let plan = try plan(facts(2000, side: 100), request())
    let words = plan.settings.commandLine.split(separator: " ").map(String.init)
    #expect(words.contains("--recipe") && words.contains("none"))
    var read = request { $0.automatic = .none }
    for row in Settings.all where row.option != "recipe" {
      if let place = words.firstIndex(of: "--\(row.option)") {
        if row.choices == ["on", "off"] || row.choices == ["auto", "on", "off"] {
          try row.put("on", in: &read)
        } else {
          try row.put(words[place + 1], in: &read)
        }
      } else if words.contains("--no-\(row.option)") {
        try row.put("off", in: &read)
      }
    }
    #expect(read == plan.settings)
  }

  @Test func `the batch shrinks to what fits into memory, and the rate with it`() throws {
    var planner = RecipePlanner(request(), facts: facts(60_000), machine: machine(1e11, fitting: 16))
    let plan = try planner.plan()
    #expect(plan.settings.batchSize == 16)
    #expect(plan.settings.learningRate == 0.05, "half of that of resnet9 for 32")
  }

  @Test(arguments: [(1.1, TrainingPrecision.fp32), (1.4, .bf16)])
  func `rounded factors are taken where they are a good deal faster`(
    gain: Double, precision: TrainingPrecision
  ) throws {
    var planner = RecipePlanner(request(), facts: facts(1000), machine: machine(1e11, bf16Gain: gain))
    #expect(try planner.plan().settings.precision == precision)
  }

  @Test func `gray images are not jittered, and signs not mirrored`() throws {
    let plan = try plan(facts(1000, isGray: true, harm: "they are digits"), request())
    #expect(plan.settings.augmentation.colorJitter == 0)
    #expect(!plan.settings.augmentation.horizontalFlip)
    #expect(plan.recipe.choices.first { $0.option == "flip" }?.reason == "they are digits")
  }

  @Test func `images smaller than a network needs are said to be so`() {
    #expect(throws: NetworkError.self) {
      try plan(
        facts(100, side: 20),
        request {
          Settings.network.put(value: "vgg19", in: &$0)
          Settings.imageSize.put(value: 8, in: &$0)
        })
    }
  }

  // MARK: Mirroring

  @Test(arguments: [
    ["0", "1", "2", "3"], ["a", "b", "c"], ["turn_left", "turn_right", "straight"], ["00001", "00002", "00003"],
    ["digit zero", "digit one"], ["arrow-left", "arrow-up"], ["one", "two", "three"],
  ])
  func `classes that a mirror changes are found by their names`(classes: [String]) {
    #expect(MirroringHarm.suggested(by: classes) != nil)
  }

  @Test(arguments: [
    ["0_T-shirt_top", "1_Trouser"], ["glass", "metal", "paper"], ["cat", "dog"], ["disc", "star", "x"],
    ["n01440764", "n01443537"], ["leftover food", "bright"],
  ])
  func `others are not`(classes: [String]) { #expect(MirroringHarm.suggested(by: classes) == nil) }
}

@Suite struct TimeFitTests {
  @Test func `without a change it counts as the run does`() {
    let fit = TimeFit(steps: 100)
    for step in [0, 1, 50, 99, 100] { #expect(fit.scheduled(step) == step) }
  }

  @Test func `a slower machine gets fewer steps, and the schedule still ends at its end`() {
    var fit = TimeFit(steps: 1000)
    let isChanged = fit.refit(step: 100, needed: 900, available: 720)
    #expect(isChanged && fit.steps == 820)
    #expect(fit.scheduled(100) == 100)
    #expect(fit.scheduled(460) == 550)
    #expect(fit.scheduled(820) == 1000)
    let steps = (100...820).map(fit.scheduled)
    #expect(zip(steps, steps.dropFirst()).allSatisfy { $0 <= $1 })
  }

  @Test func `a moment is not believed, and small differences are left`() {
    var fit = TimeFit(steps: 1000)
    let small = fit.refit(step: 100, needed: 100, available: 101)
    #expect(!small)
    let large = fit.refit(step: 100, needed: 1000, available: 1)
    #expect(large && fit.steps == 700)
    let late = fit.refit(step: 700, needed: 1, available: 100)
    #expect(!late)
  }
}

@Suite struct LearningRateFinderTests {
  /// The loss of a bowl that is left where the rate is too large.
  private func points(lowestAt best: Double) -> [LearningRateCurve.Point] {
    (0..<LearningRateFinder.steps).map { step in
      let rate = LearningRateFinder.rate(step: step)
      let loss = rate <= best ? 2.3 - 1.5 * rate / best : 0.8 + (rate / best - 1)
      return .init(rate: rate, loss: loss, smoothed: loss)
    }
  }

  @Test(arguments: [0.01, 0.2, 1.5])
  func `a quarter of the rate at which the loss was lowest is suggested`(best: Double) throws {
    let curve = LearningRateFinder.judged(points(lowestAt: best), diverged: true)
    let suggestion = try #require(curve.suggestion)
    #expect(abs(suggestion / (best / 4) - 1) < 0.2)
  }

  @Test func `of a loss that never falls nothing is suggested`() {
    let flat = (0..<100).map {
      LearningRateCurve.Point(rate: LearningRateFinder.rate(step: $0), loss: 2, smoothed: 2)
    }
    #expect(LearningRateFinder.judged(flat, diverged: false).suggestion == nil)
    #expect(LearningRateFinder.judged([], diverged: true).suggestion == nil)
  }
}

@Suite struct LengthAdviceTests {
  private func epochs(_ losses: [Double?], accuracy: Double, isMixed: Bool = false) -> [EpochMetrics] {
    losses.enumerated().map { place, loss in
      EpochMetrics(
        epoch: place + 1, step: place + 1, trainLoss: 1, trainAccuracy: accuracy,
        validation: ValidationMetrics(loss: loss, top1: 0.5, top5: 1), learningRate: 0.1, seconds: 1,
        skippedImages: 0,
        isMixed: isMixed)
    }
  }

  private func isTooShort(_ losses: Double?..., accuracy: Double = 0.8, isMixed: Bool = false) -> Bool {
    LengthAdvice(epochs: epochs(losses, accuracy: accuracy, isMixed: isMixed)).isTooShort
  }

  @Test func `a run is too short where the loss fell to the end and there is more to learn`() {
    #expect(isTooShort(1, 0.9, 0.8, 0.7, 0.6))
    #expect(!isTooShort(1, 0.9, 0.8, 0.7, 0.6, accuracy: 0.995), "the training images are known by heart")
    #expect(isTooShort(1, 0.9, 0.8, 0.7, 0.6, accuracy: 1, isMixed: true), "of mixed images that says nothing")
    #expect(!isTooShort(1, 0.9, 0.6, 0.7, 0.6), "no better than before")
    #expect(!isTooShort(1, 0.9, 0.8, 0.7, 0.695), "by less than noise")
    #expect(!isTooShort(1, 0.9, 0.8, 0.7), "too few epochs")
    #expect(!isTooShort(1, 0.9, 0.8, nil, 0.6), "not every epoch was validated")
  }

  @Test func `the advice names an option with twice the length`() throws {
    let advice = LengthAdvice(epochs: epochs([1, 0.9, 0.8, 0.7, 0.6], accuracy: 0.8))
    var settings = Settings.usual
    settings.epochs = 12
    #expect(try #require(advice.text(settings)).contains("--epochs 24"))
    settings.budget = 300
    #expect(try #require(advice.text(settings)).contains("--budget 10m"))
    settings.timeBudget = 20
    #expect(advice.text(settings) == nil, "the run was ended on purpose")
  }
}

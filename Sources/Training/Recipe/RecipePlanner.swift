// Puts a recipe's rules together with what things cost on this machine: the network that there is time for, the epochs
// that fit into the budget, the batch that fits into memory.

import Messages
import Networks

/// Chooses all that is left to the recipe, and says what the run will cost.
struct RecipePlanner {
  /// What can be asked of the machine.
  struct Machine {
    /// Processors that compute and decode.
    var threads: Int
    var hasFastBFloat16: Bool
    /// What an image costs; asked once for each network, size and precision.
    var cost: (_ plan: NetworkPlan, _ batch: Int, TrainingPrecision) -> StepCost
    /// Bytes that training takes.
    var memory: (_ plan: NetworkPlan, TrainingSettings) -> Int
    /// The largest batch that fits into memory; nil where not even one image does.
    var largestBatch: (_ plan: NetworkPlan, TrainingSettings) -> Int?
  }

  /// A network that may be trained, at a size of images.
  private struct Candidate {
    var plan: NetworkPlan
    var settings: TrainingSettings
    var multiplyAdds: Int { plan.summary(batchSize: 1).multiplyAdds }
  }

  private let facts: DataFacts
  private let weights: WeightsFacts
  private let recipe: Recipe
  var machine: Machine
  private let budget: Double
  private var draft: RecipeDraft

  /// - Parameter request: the settings, with what is left to the recipe among them.
  init(
    _ request: TrainingSettings, facts: DataFacts, weights: WeightsFacts = WeightsFacts(), machine: Machine
  ) {
    self.facts = facts
    self.weights = weights
    self.machine = machine
    recipe = Recipe(facts: facts)
    budget = request.budget ?? recipe.usualBudget
    draft = RecipeDraft(request)
  }

  /// - Throws: `NetworkError` for a network that was asked for and cannot be built for these images.
  mutating func plan() throws -> RunPlan {
    if draft.settings.initialWeights != nil {
      let isAlone = recipe.isClassifierAlone(draft.settings)
      recipe.chooseForWeights(weights, &draft)
      recipe.chooseTransfer(&draft)
      if isAlone { return try classifierPlan() }
      // What is learned with images of one size is of little use with another.
      draft.choose(Settings.imageSize, draft.settings.preprocessing.imageSize, "what such weights are used to")
    }
    if draft.settings.initialWeights == nil { recipe.chooseForFew(&draft) }
    recipe.choosePlain(&draft)
    recipe.chooseJudging(&draft)
    let images = facts.trainingImages
    let size = whole(min(recipe.batchSize, max(1, images)))
    draft.choose(
      Settings.batchSize, size, "\(images) training images: \(max(1, images / size)) steps an epoch")
    let (chosen, cost) = try chooseNetwork()
    chooseBatch(chosen.plan)
    let batch = draft.settings.batchSize
    func rate(_ batchSize: Int) -> Double {
      Recipe.learningRate(chosen.plan, batchSize: batchSize, hasFoldedNorms: weights.hasFoldedNorms)
    }
    draft.choose(
      Settings.learningRate, rate(batch), "in proportion to the batch, \(rate(32).plain) for one of 32")
    recipe.chooseBeginning(&draft)
    let step = choosePrecision(chosen.plan, cost)
    chooseEpochs(step)
    recipe.chooseErasing(&draft)
    recipe.chooseSaving(&draft, epochSeconds: epoch(step))
    let (settings, choices) = draft.finished()
    return RunPlan(
      settings: settings,
      recipe: RecipeReport(
        choices: choices, facts: facts, cost: runCost(settings, chosen.plan, step), budget: budget, alternatives: []
      ))
  }

  /// The classifier alone, on features that are computed once.
  private mutating func classifierPlan() throws -> RunPlan {
    recipe.choosePlain(&draft)
    recipe.chooseJudging(&draft)
    draft.choose(Settings.precision, .fp32, "features are computed in it in any case")
    let trial = try FeatureTrial(draft.settings, classes: facts.classes, machine)
    try chooseSizeOfFeatures(trial)
    let (settings, choices) = draft.finished()
    return RunPlan(
      settings: settings,
      recipe: RecipeReport(
        choices: choices, facts: facts, cost: try classifierCost(settings, trial), budget: budget, alternatives: [])
    )
  }

  /// What features of an image cost: tried at one size, told from the multiply-adds for others. A trial of each would
  /// take as much time as many images do.
  private struct FeatureTrial {
    private let cost: StepCost
    private let multiplyAdds: Int

    init(_ settings: TrainingSettings, classes: Int, _ machine: Machine) throws {
      let plan = try NetworkPlan(settings.network, imageSize: settings.preprocessing.imageSize, classes: classes)
      cost = machine.cost(plan, settings.batchSize, .fp32)
      multiplyAdds = plan.summary(batchSize: 1).multiplyAdds
    }

    func cost(of plan: NetworkPlan) -> StepCost {
      let share = Double(plan.summary(batchSize: 1).multiplyAdds) / Double(max(1, multiplyAdds))
      return StepCost(training: cost.training * share, inference: cost.inference * share)
    }
  }

  /// As large as the weights are used to, or where a time was given, as large as it has room for.
  private mutating func chooseSizeOfFeatures(_ trial: FeatureTrial) throws {
    guard draft.isOpen(Settings.imageSize), let budget = draft.settings.budget else { return }
    let usual = draft.settings.preprocessing.imageSize
    var sized = draft.settings
    for size in Recipe.sizesOfFeatures(upTo: usual) {
      sized.preprocessing.imageSize = size
      guard try classifierCost(sized, trial).total <= budget * (1 - Recipe.reserve) else { continue }
      break
    }
    let size = sized.preprocessing.imageSize
    draft.choose(
      Settings.imageSize, size,
      size == usual ? "what such weights are used to" : "what the time has room for, of \(usual) pixels")
  }

  /// Features of every image once, a few multiplications an epoch, and the test images at the end.
  private func classifierCost(_ settings: TrainingSettings, _ trial: FeatureTrial) throws -> RunCost {
    let plan = try NetworkPlan(
      settings.network, imageSize: settings.preprocessing.imageSize, classes: facts.classes)
    let cost = trial.cost(of: plan)
    let views = max(1, settings.featureViews)
    var whole = runCost(settings, plan, cost)
    whole.features = cost.inference * Double(views * facts.trainingImages + facts.validationImages)
    let frozen = try plan.freezing(FreezeSettings.backbone)
    whole.memory =
      machine.memory(frozen, settings)
      + FeatureSet.bytes(
        views: views, items: facts.trainingImages, validation: facts.validationImages, width: frozen.features.count)
    // A multiplication by a matrix of features and classes.
    whole.epoch = Self.classifierEpoch
    return whole
  }

  /// Seconds of an epoch of a classifier on features, more or less.
  private static let classifierEpoch = 0.01

  // MARK: Others

  /// What other networks and sizes would take with the settings that were chosen, and what was chosen as its plan has it,
  /// cheapest first.
  func alternatives(to made: RunPlan) -> [RecipeReport.Alternative] {
    let chosen = made.settings
    var found: [RecipeReport.Alternative] = []
    for size in recipe.sizesToCompare(with: chosen.preprocessing.imageSize) {
      for network in Recipe.networksToCompare + [chosen.network] {
        var settings = chosen
        settings.network = network
        settings.preprocessing.imageSize = size
        let isChosen = network == chosen.network && size == chosen.preprocessing.imageSize
        guard !found.contains(where: { $0.network == network && $0.imageSize == size }),
          let plan = try? NetworkPlan(network, imageSize: size, classes: facts.classes)
        else { continue }
        let seconds: (epoch: Double, evaluation: Double)
        if isChosen, made.recipe.cost.features == nil {
          seconds = (made.recipe.cost.epoch, made.recipe.cost.evaluation)
        } else {
          let cost = machine.cost(plan, settings.batchSize, settings.precision)
          seconds = (epoch(cost), evaluation(cost))
        }
        found.append(
          .init(
            network: network, imageSize: size,
            multiplyAdds: plan.summary(batchSize: 1).multiplyAdds, epoch: seconds.epoch,
            epochsInBudget: max(0, epochs(of: seconds.epoch, evaluation: seconds.evaluation)),
            memory: machine.memory(plan, settings), isChosen: isChosen)
        )
      }
    }
    return found.sorted { $0.epoch < $1.epoch }
  }

  // MARK: Network and size

  /// The highest rung of the ladder on which enough epochs fit into the budget, the lowest where none has.
  private mutating func chooseNetwork() throws -> (Candidate, StepCost) {
    let candidates = try self.candidates()
    func wanted(_ place: Int) -> Int {
      draft.isOpen(Settings.epochs)
        ? recipe.epochs(toChoose: candidates[place].settings.network) : draft.settings.epochs
    }
    // The first trial is of a network in the middle; what the others cost is told from their multiply-adds, until a
    // trial tells it better.
    var place = candidates.count / 2
    var costs: [Int: StepCost] = [:]
    func fits(_ cost: StepCost, _ place: Int) -> Bool { epochs(at: cost) >= wanted(place) }
    while true {
      let cost =
        costs[place] ?? machine.cost(candidates[place].plan, draft.settings.batchSize, draft.settings.precision)
      costs[place] = cost
      if fits(cost, place) {
        guard place + 1 < candidates.count, costs[place + 1].map({ fits($0, place + 1) }) != false else { break }
        // Twice as dear as it would be by its multiply-adds, it would not be tried.
        let dearer = Double(candidates[place + 1].multiplyAdds) / Double(candidates[place].multiplyAdds)
        let guess = StepCost(training: cost.training * dearer / 2, inference: cost.inference * dearer / 2)
        guard fits(guess, place + 1) else { break }
        place += 1
      } else {
        guard place > 0 else { break }
        place -= 1
        if let known = costs[place], fits(known, place) { break }
      }
    }
    let chosen = candidates[place]
    let cost = costs[place] ?? StepCost(training: 0, inference: 0)
    let why =
      fits(cost, place)
      ? place + 1 < candidates.count
        ? "the largest that does \(wanted(place)) epochs in the time"
        : "nothing larger learns more from such images"
      : "the fastest: the time is short for \(facts.trainingImages) images"
    let (open, network) = (draft.isOpen(Settings.network), chosen.settings.network)
    if open { draft.settings.network.widthMultiplier = network.widthMultiplier }
    if network.isWhitened {
      draft.choose(Settings.whiten, true, "a first layer that is measured instead of learned saves time")
    }
    draft.choose(
      Settings.network, network.name,
      network.optionWords.joined(separator: " ") + (network.optionWords.isEmpty ? "" : ": ") + why)
    let side = chosen.settings.preprocessing.imageSize
    let natural = facts.shorterSide <= 64
    draft.choose(
      Settings.imageSize, side,
      natural
        ? "the images are \(facts.shorterSide) pixels high"
        : "what the time has room for, of \(facts.shorterSide) pixels")
    return (chosen, cost)
  }

  /// The ladder, or what of it was asked for.
  /// - Throws: `NetworkError` where nothing can be built of it.
  private func candidates() throws -> [Candidate] {
    var candidates: [Candidate] = []
    var refusal: (any Error)?
    let (anyNetwork, anySize) = (draft.isOpen(Settings.network), draft.isOpen(Settings.imageSize))
    for rung in recipe.ladder {
      var settings = draft.settings
      if anyNetwork {
        settings.network.name = rung.network
        if settings.network.widthMultiplier == 1 { settings.network.widthMultiplier = rung.width }
        if Recipe.isFast(settings.network), draft.isOpen(Settings.whiten) { settings.network.isWhitened = true }
      }
      if anySize { settings.preprocessing.imageSize = rung.imageSize }
      guard !candidates.contains(where: { $0.settings == settings }) else { continue }
      do {
        try Architecture.check(settings.network)
        candidates.append(
          Candidate(
            plan: try NetworkPlan(
              settings.network, imageSize: settings.preprocessing.imageSize, classes: facts.classes),
            settings: settings))
      } catch {
        refusal = error
      }
    }
    if candidates.isEmpty, let refusal { throw refusal }
    return candidates.sorted { $0.multiplyAdds < $1.multiplyAdds }
  }

  // MARK: The rest

  /// The batch of so many images or a few less, at least one for each replica, that has equal parts for all.
  private func whole(_ batch: Int) -> Int {
    let replicas = draft.settings.replicaCount
    return max(1, batch / replicas) * replicas
  }

  private mutating func chooseBatch(_ plan: NetworkPlan) {
    guard draft.wasChosen(Settings.batchSize),
      let fitting = machine.largestBatch(plan, draft.settings), fitting < draft.settings.batchSize
    else { return }
    draft.choose(Settings.batchSize, fitting, "more images a step do not fit into memory", again: true)
  }

  /// Rounded factors only where they make a step a good deal faster.
  private mutating func choosePrecision(_ plan: NetworkPlan, _ exact: StepCost) -> StepCost {
    guard draft.isOpen(Settings.precision) else { return exact }
    guard machine.hasFastBFloat16 else {
      draft.choose(Settings.precision, .fp32, "this processor computes nothing faster")
      return exact
    }
    let rounded = machine.cost(plan, draft.settings.batchSize, .bf16)
    let gain = exact.training / rounded.training
    let percent = Int(((gain - 1) * 100).rounded())
    guard gain >= 1.2 else {
      draft.choose(Settings.precision, .fp32, "bf16 would be only \(max(0, percent)) % faster")
      return exact
    }
    draft.choose(Settings.precision, .bf16, "\(percent) % faster on this processor")
    return rounded
  }

  private mutating func chooseEpochs(_ cost: StepCost) {
    guard draft.isOpen(Settings.epochs) else { return }
    let (fitting, enough) = (epochs(at: cost), recipe.enoughEpochs)
    // Where a time was given, it is used, as long as it gains anything.
    let most = recipe.mostEpochs(of: draft.settings.network, hasBudget: draft.settings.budget != nil)
    if fitting >= most {
      draft.choose(Settings.epochs, most, "more would hardly help with \(facts.trainingImages) images")
    } else {
      draft.choose(
        Settings.epochs, max(1, fitting),
        "what fits into the time" + (fitting < enough ? "; \(enough) would be better" : ""))
    }
  }

  // MARK: What it costs

  /// Epochs for which the budget has room; fewer than one where not even that fits.
  private func epochs(at cost: StepCost) -> Int { epochs(of: epoch(cost), evaluation: evaluation(cost)) }

  /// - Parameters: seconds of an epoch, and of measuring the test images.
  private func epochs(of epoch: Double, evaluation: Double) -> Int {
    Int((budget * (1 - Recipe.reserve) - preparation - evaluation) / epoch)
  }

  /// Every image is decoded once: into the cache, or for the mean and std.
  private var preparation: Double {
    let images = facts.trainingImages + facts.validationImages
    return Double(images) * facts.decodingSeconds / Double(machine.threads)
  }

  private func epoch(_ cost: StepCost) -> Double {
    Double(facts.trainingImages) * cost.training + Double(facts.validationImages) * cost.inference
  }

  private func evaluation(_ cost: StepCost) -> Double {
    Double(facts.testImages) * (cost.inference + facts.decodingSeconds / Double(machine.threads))
  }

  private func runCost(_ settings: TrainingSettings, _ plan: NetworkPlan, _ cost: StepCost) -> RunCost {
    let stepsPerEpoch = (facts.trainingImages + settings.batchSize - 1) / settings.batchSize
    return RunCost(
      epochs: settings.epochs, steps: settings.epochs * stepsPerEpoch, preparation: preparation, epoch: epoch(cost),
      evaluation: evaluation(cost), memory: machine.memory(plan, settings))
  }
}

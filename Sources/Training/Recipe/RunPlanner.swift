// A plan for a dataset on this machine: what the images are like is measured, the steps of networks are tried, and the
// recipe's rules are asked.

import Datasets
import Messages
import Networks
import Resources
import Tensors

/// Completes settings of which something is left to the recipe. What it measured it keeps: the next plan for the same
/// data takes no time.
///
/// Not `Sendable`: it belongs to one thread.
public final class RunPlanner {
  private var lastFacts: (fingerprint: String, facts: DataFacts)?
  private var lastWeights: (question: WeightsQuestion, facts: WeightsFacts)?
  private var costs: [Trial: StepCost] = [:]

  /// What facts about weights depend on.
  private struct WeightsQuestion: Hashable {
    var path: String
    var fingerprint: String
    var network: NetworkSettings
    var imageSize: Int
    var asksInput: Bool
    var trains: Bool
  }

  /// A trial of a network.
  private struct Trial: Hashable {
    var network: NetworkSettings
    var imageSize: Int
    var classes: Int
    var batch: Int
    var threads: Int
    var precision: TrainingPrecision
    var trains: Bool
  }

  public init() {}

  /// What a run with these settings would do and take. Nothing is written.
  /// - Parameters:
  ///   - comparing: whether to try other networks and sizes too, which takes some ten seconds more.
  ///   - progress, isCancelled: see `RunSetup`.
  /// - Throws: `SettingsError`, `DatasetError`, `NetworkError`, `CancellationError`, or `ResourceShortage`.
  public func plan(
    _ settings: TrainingSettings, comparing: Bool = false, decisions: DecisionStore = .standard,
    progress: @Sendable (PreparationProgress) -> Void = { _ in }, isCancelled: @Sendable () -> Bool = { false }
  ) throws -> RunPlan {
    try settings.validate()
    try Architecture.check(settings.network)
    try settings.checkBudget()
    let index = try RunSetup.open(
      settings, decisions: decisions, progress: progress, isCancelled: isCancelled)
    guard index.items.contains(where: { $0.split == .train }) else {
      throw SettingsError("\(settings.data) has no training images; add some, or change --split")
    }
    progress(.planning)
    return try plan(settings, for: index, comparing: comparing, isCancelled: isCancelled)
  }

  /// The same for a dataset that has been read and has training images.
  func plan(
    _ request: TrainingSettings, for index: DatasetIndex, comparing: Bool = false,
    isCancelled: @Sendable () -> Bool = { false }
  ) throws -> RunPlan {
    let settings = try request.adoptingWeights()
    let facts = try facts(of: index, isCancelled: isCancelled)
    let pool = try ThreadPool(reserving: settings.threads)
    let trains = settings.initialWeights == nil || !Recipe(facts: facts).isClassifierAlone(settings)
    let weights = try weights(settings, index, trains: trains, pool)
    if isCancelled() { throw CancellationError() }
    // What a trial that was ended makes of it is no plan, and no error either.
    let plan = Result {
      try withoutActuallyEscaping(isCancelled) { isCancelled in
        let trial = StepTrial(pool: pool, isCancelled: isCancelled)
        let short = StepTrial(pool: pool, seconds: 0.1, mostImages: 8, isCancelled: isCancelled)
        var planner = RecipePlanner(
          settings, facts: facts, weights: weights,
          machine: machine(settings, trains ? trial : short, trains: trains))
        var plan = try planner.plan()
        if comparing, !isCancelled() {
          planner.machine = machine(settings, short, trains: true)
          plan.recipe.alternatives = planner.alternatives(to: plan)
        }
        return plan
      }
    }
    if isCancelled() { throw CancellationError() }
    return try plan.get()
  }

  /// What steps of a planned run would take on several machines, each with a rank that computes a replica as this one
  /// does: for each network a row for each number of ranks.
  /// - Throws: `SettingsError` for a run of which layers stay frozen, `NetworkError`, or `ResourceShortage`.
  public func scaling(
    of plan: RunPlan, ranks: [Int], networks: [RankNetwork]
  ) throws -> [[ScaledStep]] {
    let settings = plan.settings
    guard !settings.freeze.isFrozen(epoch: settings.epochs - 1) else {
      throw SettingsError(
        "--ranks: --freeze \(settings.freeze) leaves little to compute and to exchange, which is faster on one machine; "
          + "plan several with --freeze none")
    }
    let network = try NetworkPlan(
      settings.network, imageSize: settings.preprocessing.imageSize, classes: plan.recipe.facts.classes)
    let trial = StepTrial(pool: try ThreadPool(reserving: settings.threads))
    let cost = machine(settings, trial, trains: true).cost(network, settings.partSize, settings.precision)
    let model = ScalingModel(
      network, cost: cost, batch: settings.partSize, rounds: settings.accumulate,
      additionSpeed: trial.additionSpeed())
    return networks.map { network in ranks.map { model.step(ranks: $0, network: network) } }
  }

  private func facts(of index: DatasetIndex, isCancelled: () -> Bool) throws -> DataFacts {
    if let lastFacts, lastFacts.fingerprint == index.fingerprint { return lastFacts.facts }
    // That it found nothing is no error where it was not to look.
    let facts = Result { try DataFacts(measuring: index, isCancelled: isCancelled) }
    if isCancelled() { throw CancellationError() }
    let found = try facts.get()
    lastFacts = (index.fingerprint, found)
    return found
  }

  private func weights(
    _ settings: TrainingSettings, _ index: DatasetIndex, trains: Bool, _ pool: ThreadPool
  ) throws -> WeightsFacts {
    let question = WeightsQuestion(
      path: settings.initialWeights ?? "", fingerprint: index.fingerprint, network: settings.network,
      imageSize: settings.preprocessing.imageSize, asksInput: settings.automatic.contains(Settings.mean),
      trains: trains)
    // A file of many megabytes is read only where something is to be learned from it.
    guard question.asksInput || trains else { return WeightsFacts() }
    if let lastWeights, lastWeights.question == question { return lastWeights.facts }
    let facts = try WeightsFacts(settings, index: index, asksInput: question.asksInput, pool: pool)
    lastWeights = (question, facts)
    return facts
  }

  /// This machine, as far as settings allow to use it.
  private func machine(
    _ settings: TrainingSettings, _ trial: StepTrial, trains: Bool
  ) -> RecipePlanner.Machine {
    RecipePlanner.Machine(
      threads: trial.pool.threads,
      hasFastBFloat16: OperandPrecision.hasFastBFloat16,
      cost: { [self] plan, batch, precision in
        let key = Trial(
          network: plan.settings, imageSize: plan.input.height, classes: plan.classes,
          batch: min(batch, trial.mostImages), threads: trial.pool.threads, precision: precision,
          trains: trains)
        if let known = costs[key] { return known }
        let cost = trial.cost(plan, batch: batch, precision: precision, trains: trains)
        if !trial.isCancelled() { costs[key] = cost }
        return cost
      },
      memory: { plan, settings in
        // As a start reckons it.
        let check = MemoryCheck(plan, settings)
        return check.tightest(SystemMemory.limits())?.needed ?? check.needed(batch: settings.partSize)
      },
      largestBatch: { plan, settings in
        let check = MemoryCheck(plan, settings)
        guard !settings.safety.ignoresMemory, let (limit, needed) = check.tightest(SystemMemory.limits()),
          needed > limit.bytes
        else { return settings.batchSize }
        return check.largestBatch(within: limit)
      })
  }
}

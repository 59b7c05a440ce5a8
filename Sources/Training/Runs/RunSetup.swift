// From settings to something that can be trained: the data indexed, measured and divided, the network planned. No
// file is written here and no weight made.

import Datasets
import Messages
import Networks
import Resources
import Support
import Tensors

/// Everything a training loop needs to know before its first step.
public struct RunSetup: Sendable {
  public let settings: TrainingSettings
  public let index: DatasetIndex
  public let model: ModelDescription
  /// With every layer trained.
  public let plan: NetworkPlan
  /// With those frozen that the settings freeze.
  private let frozenPlan: NetworkPlan
  public let training: BatchLoader
  public let validation: BatchLoader
  /// Of each class in the loss; nil where they weigh the same.
  let classWeights: [Double]?
  /// Steps of an epoch, as a schedule counts them: at least 1.
  var stepsPerEpoch: Int { max(1, steps(batches: training.batchCount)) }

  /// Steps that so many batches of an epoch make; the last may be of fewer batches. With replicas, each part of a batch
  /// is one for the loader.
  func steps(batches: Int) -> Int {
    let size = settings.accumulate * settings.replicaCount
    return (batches + size - 1) / size
  }

  /// The batches of a step of replicas.
  /// - Parameter batch: the first one's place in the epoch.
  func batches(ofStepFrom batch: Int) -> StepBatches {
    StepBatches(
      from: batch, layout: ReplicaLayout(replicas: settings.replicaCount), rounds: settings.accumulate,
      of: training.batchCount)
  }

  /// What was left to the recipe, and what it chose; nil where nothing was.
  public let recipe: RecipeReport?
  /// What to know before training: why there is no image cache, for instance.
  public let notes: [String]

  /// - Parameters:
  ///   - ranks: how many processes train it together.
  ///   - preprocessing: what to use instead of measuring the data, when a run is resumed.
  ///   - recipe: what was chosen when it was started.
  ///   - recorded: the splits that the images had when a run was started, when it is resumed.
  ///   - decisions: where the user's decisions about the images are kept.
  ///   - caches: where caches are kept; nil for none. The run's results do not depend on it.
  ///   - progress: told what is going on now and then, from any thread but never from two at a time.
  ///   - isCancelled: asked now and then, from any thread; true ends the preparation.
  /// - Throws: `SettingsError`, `DatasetError`, `UnacceptedErrors`, `NetworkError` or `MemoryShortage`;
  ///   `CancellationError` when it was cancelled.
  public init(
    _ settings: TrainingSettings, ranks: Int = 1, preprocessing known: Preprocessing? = nil,
    recipe: RecipeReport? = nil,
    recorded: RecordedSplits? = nil, decisions: DecisionStore = .standard, caches: ImageCacheFolder? = .user,
    progress: @Sendable (PreparationProgress) -> Void = { _ in },
    isCancelled: @Sendable () -> Bool = { false }
  ) throws {
    let (clock, start) = (ContinuousClock(), ContinuousClock.now)
    try settings.validate()
    if known == nil {
      try Architecture.check(settings.network)
      try settings.checkBudget()
    }
    let index = try Self.open(
      settings, recorded: recorded, decisions: decisions, progress: progress, isCancelled: isCancelled)
    self.index = index
    var settings = settings
    // Who takes the weights knows the classes' names, and not how their folders are spelled.
    if known == nil { settings.initialClasses = try index.resolved(settings.initialClasses) }
    if !settings.safety.acceptsErrors { try UnacceptedErrors.check(index) }
    let trainingItems = index.items(in: .train)
    guard !trainingItems.isEmpty else {
      throw SettingsError("\(settings.data) has no training images; add some, or change --split")
    }
    var recipe = recipe
    if known == nil, !settings.automatic.isEmpty {
      progress(.planning)
      let plan = try RunPlanner().plan(settings, for: index, isCancelled: isCancelled)
      (settings, recipe) = (plan.settings, plan.recipe)
    }
    self.settings = settings
    if settings.best != .top1, !index.items.contains(where: { $0.split == .validation }) {
      throw SettingsError(
        "--best \(settings.best.rawValue): \(settings.data) has no validation images to judge by; add some, or change "
          + "--split")
    }
    // The network is planned first: an image too small for it is told before the images are measured.
    plan = try NetworkPlan(
      settings.network, imageSize: settings.preprocessing.imageSize, classes: index.classes.count)
    try settings.checkProgressiveResizing(plan)
    try settings.checkSyncNorm(plan)
    // A run that is resumed has weights of its own.
    if known == nil, let weights = settings.initialWeights {
      try InitialWeights(weights).check(plan, classes: index.classes, naming: settings.initialClasses)
    }
    frozenPlan = try plan.freezing(settings.freeze.layers)
    try settings.checkFreezing(frozenPlan)
    // The most that it takes: everything is trained in the end.
    try MemoryCheck(
      settings.freeze.isFrozen(epoch: settings.epochs - 1) ? frozenPlan : plan, settings, ranks: ranks
    ).require()
    let decoders = settings.threads ?? SystemProcessors.available
    var cached = PreparedImageCache()
    if settings.cache.isEnabled, let caches {
      cached = try caches.prepare(
        index: index, preprocessing: try known ?? Preprocessing(unmeasured: settings.preprocessing),
        limit: settings.cache.limit, workers: decoders, progress: progress, isCancelled: isCancelled)
    }
    let preprocessing: Preprocessing
    do {
      preprocessing =
        try known
        ?? Preprocessing(
          resolving: settings.preprocessing, items: trainingItems, root: index.root, cache: cached.cache,
          workers: decoders, progress: { progress(.measuring(done: $0, total: $1)) }, isCancelled: isCancelled)
    } catch  where isCancelled() {
      // What a cut-off measurement complains of is not the matter.
      throw CancellationError()
    }
    if isCancelled() { throw CancellationError() }
    let loss = preprocessing.cropLoss(index: index, cache: cached.cache, workers: decoders)
    let cropNote = loss.flatMap { loss in
      loss.isWorthSaying
        ? "the crop to the center \(loss.text): validation and predictions do not see it; --resize pad or --resize stretch keeps all"
        : nil
    }
    notes = [cached.warning, cropNote].compactMap { $0 }
    model = ModelDescription(network: plan.settings, classes: index.classes, preprocessing: preprocessing)
    training = BatchLoader(
      items: trainingItems, root: index.root, cache: cached.cache, preprocessing: preprocessing,
      batchSize: settings.partSize,
      mode: .training(
        augmentation: Augmentation(resolving: settings.augmentation, resize: preprocessing.resize),
        seed: settings.seed, mixing: BatchMixing(settings.augmentation)),
      balancesClasses: settings.balance == .sampling, workers: settings.workers)
    classWeights =
      settings.balance == .loss
      ? ClassWeights.balanced(labels: trainingItems.map(\.label), classes: index.classes.count) : nil
    validation = BatchLoader(
      items: index.items(in: .validation), root: index.root, cache: cached.cache, preprocessing: preprocessing,
      batchSize: settings.partSize, mode: .evaluation, workers: settings.workers)
    if known == nil { recipe?.cost.preparation = (clock.now - start).seconds }
    self.recipe = recipe
  }

  /// Reads the dataset that settings name, divided as they say.
  static func open(
    _ settings: TrainingSettings, recorded: RecordedSplits? = nil, decisions: DecisionStore,
    progress: @Sendable (PreparationProgress) -> Void,
    isCancelled: () -> Bool
  ) throws -> DatasetIndex {
    do {
      return try DatasetIndex.open(
        root: settings.data, split: settings.split, recorded: recorded, decisions: decisions,
        progress: { if case .scanning(let files, _) = $0 { progress(.scanning(files: files)) } },
        isCancelled: isCancelled)
    } catch DatasetError.cancelled {
      throw CancellationError()
    }
  }

  /// Where a run begins.
  var firstState: TrainingState {
    var state = TrainingState(peak: settings.learningRate, splitFingerprint: index.fingerprint)
    if trainingTime != nil { state.fit = TimeFit(steps: stepsPerEpoch * settings.epochs) }
    return state
  }

  /// Seconds that steps and validations may take, where the whole run has to end at a time.
  var trainingTime: Double? {
    guard let budget = settings.budget, let recipe else { return nil }
    // Checkpoints are written between steps.
    return max(1, 0.98 * budget - recipe.cost.preparation - recipe.cost.evaluation)
  }

  /// The network as an epoch trains it.
  /// - Parameter epochsDone: epochs before it.
  func plan(epochsDone: Int) -> NetworkPlan {
    settings.freeze.isFrozen(epoch: epochsDone) ? frozenPlan : plan
  }

  /// The share of the most frequent training class: what always answering it would get.
  public var majorityBaseline: Double {
    var counts = [Int](repeating: 0, count: index.classes.count)
    for item in training.items { counts[item.label] += 1 }
    return Double(counts.max() ?? 0) / Double(max(1, training.items.count))
  }
}

/// Settings that make no sense.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

extension TrainingSettings {
  /// - Throws: `SettingsError` naming the option and what it may be.
  public func validate() throws {
    func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
      if !condition { throw SettingsError(message()) }
    }
    do { try checkNumbers() } catch { throw SettingsError("\(error)") }
    try optimizer.validate()
    try checkReplicas()
    try require(
      !syncsNorms || replicaCount > 1,
      "--sync-norm: a batch of one part is normalized as a whole anyway; leave it out, or give --replicas")
    try require(
      !syncsNorms || normStatistics == .batch,
      "--sync-norm: with --norm-stats running, batch norms do not go by the batch; leave one of them out")
    try augmentation.require(preprocessing, batchSize: partSize, require)
    if case .oneCycle = schedule, optimizer.method != .muon {
      let highest = 1 - Schedule.momentumShift
      let wrong = "--schedule one-cycle raises it by \(Schedule.momentumShift), so it must be below \(highest)"
      try require(optimizer.momentum ?? 0 < highest, "--momentum: \(wrong)")
      try require(optimizer.betas?.first ?? 0 < highest, "--betas, the first: \(wrong)")
    }
    try require(
      best != .last || (earlyStoppingPatience ?? 0) == 0,
      "--patience waits for a better figure than that of the best epoch, and --best last compares none; choose another "
        + "--best, such as loss")
    try require(
      normStatistics == .batch || initialWeights != nil,
      "--norm-stats running: without --weights nothing was measured yet; name weights to start from")
    try require(
      !freeze.freezes || initialWeights != nil,
      "--freeze \(freeze): without --weights these layers would keep random weights; name weights to start from")
    try require(
      precision != .bf16 || OperandPrecision.hasFastBFloat16,
      "--precision bf16: this processor has no AVX512-BF16, which makes it faster; train with fp32")
  }

  /// - Throws: `SettingsError` where the batch cannot be cut into equal parts.
  private func checkReplicas() throws {
    let count = replicaCount
    guard count > 1, !automatic.contains(Settings.batchSize), batchSize % count != 0 else { return }
    let (below, above) = (batchSize / count * count, (batchSize / count + 1) * count)
    let fitting = below > 0 ? "\(below) and \(above) would do" : "\(above) is the smallest that would do"
    throw SettingsError(
      "--replicas \(count): --batch \(batchSize) cannot be cut into \(count) equal parts; \(fitting)")
  }

  /// - Throws: `SettingsError` where a network has nothing that could be normalized by the whole batch.
  fileprivate func checkSyncNorm(_ plan: NetworkPlan) throws {
    let hasNorms = plan.lowered.operations.contains { if case .batchNorm = $0.kind { true } else { false } }
    guard syncsNorms, !hasNorms else { return }
    throw SettingsError("--sync-norm: \(network.name) has no batch norm; leave it out, or choose another --net")
  }

  /// - Throws: `SettingsError` for a time that nothing can be fitted into.
  func checkBudget() throws {
    guard budget != nil else { return }
    if freeze.freezes, freeze.epochs != nil {
      throw SettingsError(
        "--budget fits a run of one phase into its time, and --freeze \(freeze) has two: freeze for the whole run, as "
          + "--freeze \(freeze.layers), or end the run after a time with --time")
    }
    guard !automatic.contains(Settings.epochs) else { return }
    throw SettingsError(
      automatic.isEmpty
        ? "--budget goes with --recipe auto: without a recipe nothing is fitted into a time (--time ends a run after it)"
        : "--budget chooses the epochs: leave --epochs out, or end the run after a time with --time")
  }

  /// - Parameter plan: with the layers frozen that these settings freeze.
  /// - Throws: `SettingsError` for what does not go with frozen layers.
  fileprivate func checkFreezing(_ plan: NetworkPlan) throws {
    guard freeze.freezes, plan.trainsClassifierAlone else { return }
    if backboneRate != 1, freeze.isFrozen(epoch: epochs - 1) {
      throw SettingsError(
        "--backbone-lr \(backboneRate): --freeze \(freeze) leaves the classifier alone to be trained; leave "
          + "--backbone-lr out, or end the freezing before the last epoch, as --freeze "
          + "\(freeze.layers):\(max(1, epochs / 2))")
    }
    guard featureViews > 0 else { return }
    if replicaCount > 1 {
      throw SettingsError(
        "--replicas \(replicaCount): --freeze \(freeze) with --views \(featureViews) trains the classifier alone on "
          + "features that are computed once, which has no parts: leave --replicas out, or use --views 0, which runs "
          + "the frozen layers in every step")
    }
    let views = "--freeze \(freeze) with --views \(featureViews)"
    // What changes images in each step has no part in features that are computed once.
    let changing = [
      augmentation.mixup > 0 ? "--mixup" : nil, augmentation.cutMix > 0 ? "--cutmix" : nil,
      progressiveStart == nil ? nil : "--progressive",
    ].compactMap { $0 }
    if !changing.isEmpty {
      throw SettingsError(
        "\(changing.joined(separator: ", ")): \(views) computes the features of images once, and this changes the "
          + "images in every step: leave it out, or use --views 0, which runs the frozen layers in every step")
    }
    if optimizer.lookahead != nil {
      throw SettingsError(
        "--lookahead: \(views) trains the classifier in coordinates of its own, of which it knows nothing: leave it "
          + "out, or use --views 0, which runs the frozen layers in every step")
    }
  }

  /// Whether a new run could be started with these settings, as far as that does not depend on the data.
  /// - Throws: `SettingsError` or `NetworkError`, as starting it would.
  public func requireTrainable() throws {
    try validate()
    try Architecture.check(network)
    let plan = try NetworkPlan(network, imageSize: preprocessing.imageSize, classes: 2)
    try checkProgressiveResizing(plan)
    try checkSyncNorm(plan)
    try checkFreezing(try plan.freezing(freeze.layers))
  }

  /// Why none could, in the same words; nil where one could.
  public var refusal: String? {
    do {
      try requireTrainable()
      return nil
    } catch {
      return "\(error)"
    }
  }
}

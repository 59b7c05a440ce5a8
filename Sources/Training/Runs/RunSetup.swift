// From settings to something that can be trained: the data indexed, measured and divided, the network planned. No
// file is written here and no weight made.

import Datasets
import Messages
import Networks
import Resources
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
  /// Steps of an epoch, as a schedule counts them: at least 1.
  var stepsPerEpoch: Int { max(1, training.batchCount) }
  /// What to know before training: why there is no image cache, for instance.
  public let notes: [String]

  /// - Parameters:
  ///   - preprocessing: what to use instead of measuring the data, when a run is resumed.
  ///   - recorded: the splits that the images had when a run was started, when it is resumed.
  ///   - decisions: where the user's decisions about the images are kept.
  ///   - caches: where caches are kept; nil for none. The run's results do not depend on it.
  ///   - progress: told what is going on now and then, from any thread but never from two at a time.
  ///   - isCancelled: asked now and then, from any thread; true ends the preparation.
  /// - Throws: `SettingsError`, `DatasetError`, `UnacceptedErrors`, `NetworkError` or `MemoryShortage`;
  ///   `CancellationError` when it was cancelled.
  public init(
    _ settings: TrainingSettings, preprocessing known: Preprocessing? = nil, recorded: RecordedSplits? = nil,
    decisions: DecisionStore = .standard, caches: ImageCacheFolder? = .user,
    progress: @Sendable (PreparationProgress) -> Void = { _ in },
    isCancelled: @Sendable () -> Bool = { false }
  ) throws {
    try settings.validate()
    if known == nil { try Architecture.check(settings.network) }
    let index = try Self.open(
      settings, recorded: recorded, decisions: decisions, progress: progress, isCancelled: isCancelled)
    self.index = index
    var settings = settings
    // Who takes the weights knows the classes' names, and not how their folders are spelled.
    if known == nil { settings.initialClasses = try index.resolved(settings.initialClasses) }
    self.settings = settings
    if !settings.safety.acceptsErrors { try UnacceptedErrors.check(index) }
    let trainingItems = index.items(in: .train)
    guard !trainingItems.isEmpty else {
      throw SettingsError("\(settings.data) has no training images; add some, or change --split")
    }
    // The network is planned first: an image too small for it is told before the images are measured.
    plan = try NetworkPlan(
      settings.network, imageSize: settings.preprocessing.imageSize, classes: index.classes.count)
    // A run that is resumed has weights of its own.
    if known == nil, let weights = settings.initialWeights {
      try InitialWeights(weights).check(plan, classes: index.classes, naming: settings.initialClasses)
    }
    frozenPlan = try plan.freezing(settings.freeze.layers)
    try settings.checkRates(frozenPlan)
    // The most that it takes: everything is trained in the end.
    try MemoryCheck(settings.freeze.isFrozen(epoch: settings.epochs - 1) ? frozenPlan : plan, settings).require()
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
        ? "the crop to the center \(loss.text): validation and predictions do not see it; --resize stretch keeps all"
        : nil
    }
    notes = [cached.warning, cropNote].compactMap { $0 }
    model = ModelDescription(network: plan.settings, classes: index.classes, preprocessing: preprocessing)
    training = BatchLoader(
      items: trainingItems, root: index.root, cache: cached.cache, preprocessing: preprocessing,
      batchSize: settings.batchSize,
      mode: .training(
        augmentation: Augmentation(resolving: settings.augmentation, resize: preprocessing.resize),
        seed: settings.seed), workers: settings.workers)
    validation = BatchLoader(
      items: index.items(in: .validation), root: index.root, cache: cached.cache, preprocessing: preprocessing,
      batchSize: settings.batchSize, mode: .evaluation, workers: settings.workers)
  }

  private static func open(
    _ settings: TrainingSettings, recorded: RecordedSplits?, decisions: DecisionStore,
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
    try require(
      normStatistics == .batch || initialWeights != nil,
      "--norm-stats running: without --weights nothing was measured yet; name weights to start from")
    try require(
      !freeze.freezes || initialWeights != nil,
      "--freeze \(freeze): without --weights these layers would keep random weights; name weights to start from")
    try require(!optimizer.nesterov || optimizer.momentum > 0, "--nesterov needs a --momentum above 0")
    try require(
      precision != .bf16 || OperandPrecision.hasFastBFloat16,
      "--precision bf16: this processor has no AVX512-BF16, which makes it faster; train with fp32")
  }

  /// - Parameter plan: with the layers frozen that these settings freeze.
  /// - Throws: `SettingsError` for a learning rate of the backbone where none of it is ever trained.
  fileprivate func checkRates(_ plan: NetworkPlan) throws {
    guard backboneRate != 1, plan.trainsClassifierAlone, freeze.isFrozen(epoch: epochs - 1) else { return }
    throw SettingsError(
      "--backbone-lr \(backboneRate): --freeze \(freeze) leaves the classifier alone to be trained; leave --backbone-lr "
        + "out, or end the freezing before the last epoch, as --freeze \(freeze.layers):\(max(1, epochs / 2))")
  }

  /// Whether a new run could be started with these settings, as far as that does not depend on the data.
  /// - Throws: `SettingsError` or `NetworkError`, as starting it would.
  public func requireTrainable() throws {
    try validate()
    try Architecture.check(network)
    let plan = try NetworkPlan(network, imageSize: preprocessing.imageSize, classes: 2)
    try checkRates(try plan.freezing(freeze.layers))
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

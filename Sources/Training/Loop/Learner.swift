// What learns: the network with its optimizer, the batches of the step under way, the weights that are evaluated in the
// place of those that are trained, and which layers are trained at all. When all this happens is the loop's.

import Datasets
import Images
import Messages
import Networks
import Tensors

/// A network that is being trained.
final class Learner {
  let network: Network
  private(set) var optimizer: any Optimizer
  /// What is evaluated and saved in the place of the weights; nil where they are.
  private(set) var average: WeightAverage?
  /// The batches of the step under way.
  private(set) var group: BatchGroup
  /// What the frozen layers make of the images, while only the classifier is trained.
  private(set) var features: ClassifierFeatures?
  /// The weights that are trained, while the network has those that are evaluated.
  private var trained: NetworkWeights?

  /// What looks at the layers now and then.
  private var watch: LayerWatch
  private let setup: RunSetup
  private let pool: ThreadPool
  private let clock = ContinuousClock()
  private var settings: TrainingSettings { setup.settings }

  /// With weights as a new network has them.
  init(_ setup: RunSetup, _ pool: ThreadPool) {
    let settings = setup.settings
    self.setup = setup
    self.pool = pool
    watch = LayerWatch(interval: settings.layerStats)
    network = Network(
      setup.plan(epochsDone: 0), seed: settings.seed,
      convolutions: settings.precision == .bf16 ? .bfloat16 : .fastest,
      initialization: settings.convolutionInitialization)
    network.prepareForTransfer(setup, epochsDone: 0)
    optimizer = settings.optimizer.optimizer(for: network.trainedParameters)
    group = BatchGroup(size: settings.accumulate, batchSize: settings.batchSize)
    average = settings.ema.map { WeightAverage(decay: $0, of: network) }
  }

  // MARK: A step

  /// Forward and backward: a batch's gradient, added to those of the step under way.
  /// - Parameters:
  ///   - step: steps done.
  ///   - skipped: images of the batch that do not decode.
  ///   - start: when it was asked for.
  ///   - waiting: seconds until it came.
  /// - Throws: `Divergence`; the network is then as before the step.
  func learn(
    from batch: Batch, step: Int, skipped: Int, startedAt start: ContinuousClock.Instant, waiting: Double
  ) throws(Divergence) {
    let count = batch.labels.count
    let number = UInt64(step) &* UInt64(settings.accumulate) &+ UInt64(group.batches)
    let pass = Pass(.training, pool, seed: settings.seed &+ number)
    let probe = watch.begin(step: step + 1, isFirst: group.isEmpty)
    group.begin(batch, of: network, startedAt: start)

    let (logits, heads) = network.probed(by: probe) { () -> (Tensor, [Tensor]) in
      guard let features else {
        return network.forwardWithHeads(Tensor([count, batch.side, batch.side, 3], batch.images), pass)
      }
      return (network.forward(features: Tensor([count, features.set.width], batch.images), pass), [])
    }
    let loss = TrainingLoss(
      logits, heads: heads, labels: batch.mixedLabels, smoothing: settings.labelSmoothing,
      weights: setup.classWeights, pass.ops)
    network.backward(
      group.weighted(loss.gradient, images: count, pass.ops),
      heads: loss.heads.map { group.weighted($0, images: count, pass.ops) }, pass)
    group.add(
      network, images: count, loss: loss.loss, correct: loss.correct, skipped: skipped, waiting: waiting, pass.ops)
    if !loss.loss.isFinite {
      let (norm, original) = takeGradient()
      throw divergence(.loss, loss: loss.loss, gradientNorm: norm, original)
    }
  }

  /// A step that was taken.
  struct Step {
    /// The mean over its images, nats, and those of them that were predicted rightly.
    var loss: Double
    var correct: Double
    var images: Int
    var skipped: Int
    var gradientNorm: Double
    var rate: Double
    /// The number of its last batch in the epoch.
    var lastBatch: Int
    var items: [Int]
    /// Of wall time, and of it, waiting for batches.
    var seconds: Double
    var waiting: Double
    /// What the layers were like; nil where nobody has looked.
    var layers: [LayerMeasure]?
  }

  /// The update by the gradient of the batches since the last one.
  /// - Throws: `Divergence`; the network is then as before the step.
  func step(_ state: TrainingState, _ schedule: LearningRateSchedule) throws(Divergence) -> Step {
    watch.keepWeights(of: network)
    let (norm, original) = takeGradient()
    guard norm.isFinite else { throw divergence(.gradient, loss: group.loss, gradientNorm: norm, original) }
    watch.keepGradients(of: network, scale: group.gradientScale, pool)
    let numbers = StepNumbers(
      rate: schedule.rate(state),
      gradientScale: group.gradientScale * settings.optimizer.clippingScale(gradientNorm: norm),
      momentumShift: schedule.momentumShift(state), done: state.optimizerSteps)
    optimizer.step(network.trainedParameters, numbers, pool)
    features?.leave(network)
    average?.add(network, averaged: state.averagedSteps, Ops(pool))
    let layers = watch.end(network, rate: numbers.rate, pool)
    defer { group.clear() }
    return Step(
      loss: group.loss, correct: group.correct, images: group.images, skipped: group.skipped, gradientNorm: norm,
      rate: numbers.rate, lastBatch: group.lastBatch, items: group.items,
      seconds: group.start.map { (clock.now - $0).seconds } ?? 0, waiting: group.waiting,
      layers: layers)
  }

  /// Ends the batches since the last step without another.
  func abandonStep() {
    group.abandon(network)
    watch.abandon()
  }

  private func divergence(
    _ cause: DivergenceReport.Cause, loss: Double, gradientNorm: Double,
    _ original: StandardizedClassifier.Original?
  ) -> Divergence {
    defer { abandonStep() }
    if let original { features?.restore(original, network) }
    return Divergence(
      cause: cause, loss: loss, gradientNorm: gradientNorm, batch: group.lastBatch,
      files: group.items.map { setup.training.items[$0].path })
  }

  /// Puts the group's gradient into the network, and both into the coordinates in which a step is taken.
  /// - Returns: the gradient's norm there; where the classifier is trained on features, its values as they were.
  private func takeGradient() -> (norm: Double, original: StandardizedClassifier.Original?) {
    group.putGradient(into: network)
    let original = features?.enter(network)
    return (network.gradientNorm(pool) * group.gradientScale, original)
  }

  // MARK: What is evaluated

  /// What is validated and saved where that is not what is trained.
  var evaluated: (weights: NetworkWeights, kind: SavedWeights)? {
    if let average { return (average.weights, .averaged) }
    return optimizer.evaluated.map { (NetworkWeights($0, inPlaceOfTrained: network), .slow) }
  }

  /// Measures images with the weights that are evaluated.
  /// - Parameter take: given each batch with its logits; false ends it.
  /// - Returns: what did not decode.
  func evaluate(_ loader: BatchLoader, _ take: (Batch, [Float]) -> Bool) -> [DecodingFailure] {
    if let evaluated {
      trained = NetworkWeights(of: network)
      evaluated.weights.put(into: network)
    }
    defer {
      trained?.put(into: network)
      trained = nil
    }
    return features?.set.evaluate(network, pool, loader, take)
      ?? BatchEvaluator(network: network, pool: pool).run(loader, take)
  }

  /// As it is saved.
  func snapshot(_ state: TrainingState) -> TrainingSnapshot {
    TrainingSnapshot(
      network: network, model: setup.model, state: state, optimizer: optimizer, pool: pool, evaluated: evaluated,
      trained: trained)
  }

  // MARK: Frozen layers

  /// Trains what is trained in the epoch that comes next. Where that is more or less than before, the optimizer and the
  /// groups of batches begin anew.
  /// - Returns: whether it is.
  @discardableResult
  func enterPhase(epochsDone: Int) -> Bool {
    guard network.prepareForTransfer(setup, epochsDone: epochsDone) else { return false }
    optimizer = settings.optimizer.optimizer(for: network.trainedParameters)
    group = BatchGroup(size: settings.accumulate, batchSize: settings.batchSize)
    watch.abandon()
    features = nil
    return true
  }

  /// Of how many views of each image features are to be computed before the next epoch; 0 where there are some, and
  /// where the layers are run in every step.
  var missingViews: Int {
    guard features == nil, network.plan.lowered.frozen > 0, network.plan.trainsClassifierAlone,
      case .training(let augmentation, _, _) = setup.training.mode
    else { return 0 }
    return FeatureSet.viewCount(
      asked: settings.featureViews, augmentation: augmentation, items: setup.training.items.count,
      validation: setup.validation.items.count, width: network.plan.features.count)
  }

  /// Runs the frozen layers once for every image.
  /// - Parameter progress: told of images that are done; false ends it.
  /// - Returns: whether it came to the end.
  func computeFeatures(views: Int, progress: (_ done: Int, _ total: Int) -> Bool) -> Bool {
    guard case .training(let augmentation, _, _) = setup.training.mode else { return true }
    let set = FeatureSet(
      network, training: setup.training, validation: setup.validation, augmentation: augmentation, views: views,
      pool: pool, goesOn: progress)
    features = set.map(ClassifierFeatures.init)
    return set != nil
  }

  /// The batches that are left of the epoch.
  func batches(_ state: TrainingState) -> any TrainingBatches {
    guard let features else {
      return setup.training.epoch(
        state.epochsDone, fromBatch: state.batch, side: settings.side(epoch: state.epochsDone))
    }
    return FeatureStream(
      features.set, of: setup.training, seed: settings.seed, epoch: state.epochsDone, fromBatch: state.batch)
  }

  // MARK: Beginning, and going back

  /// Begins a run: with the weights that it was given, or those of a new network.
  /// - Returns: what became of the classifier of given weights.
  /// - Throws: what reading them throws.
  @discardableResult
  func begin() throws -> InitialWeights.Classifier? {
    setup.whiten(network)
    let classifier = try settings.initialWeights.map { path in
      try InitialWeights(path).load(
        into: network, classes: setup.index.classes, naming: settings.initialClasses)
    }
    beginFromWeights()
    return classifier
  }

  /// Puts everything to where a new run begins.
  /// - Throws: as `begin`.
  func beginAgain() throws {
    let fresh = Network(
      setup.plan(epochsDone: 0), seed: settings.seed, initialization: settings.convolutionInitialization)
    for (parameter, new) in zip(network.parameters, fresh.parameters) { parameter.value = new.value }
    RunningStatistics(of: fresh).restore(to: network)
    enterPhase(epochsDone: 0)
    try begin()
  }

  /// Forgets where the steps so far led to, but the weights.
  func resetOptimizer() { optimizer.reset(network.trainedParameters) }

  /// What is remembered besides the weights begins anew with them.
  func beginFromWeights() {
    resetOptimizer()
    average?.set(NetworkWeights(of: network))
  }

  /// Trains other layers from here on, from what was validated.
  /// - Returns: false where they are the same, and nothing changes.
  func enterPhaseFromEvaluated(epochsDone: Int) -> Bool {
    let validated = evaluated?.weights
    guard enterPhase(epochsDone: epochsDone) else { return false }
    validated?.put(into: network)
    beginFromWeights()
    return true
  }

  /// Restores weights and what is remembered besides them from the run's `last` checkpoint.
  /// - Returns: where that stands; nil where nothing was saved yet.
  /// - Throws: as `Checkpointer.restoreLast`.
  func restoreLast(_ checkpointer: Checkpointer) throws -> TrainingState? {
    // A file that cannot be read is told below.
    if let saved = try? checkpointer.run.savedState() { enterPhase(epochsDone: saved.epochsDone) }
    return try checkpointer.restoreLast(into: network, &optimizer, &average)
  }
}

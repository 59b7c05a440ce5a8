// What learns: the network with its optimizer, the batches of the step under way, the weights that are evaluated in the
// place of those that are trained, and which layers are trained at all. When all this happens is the loop's.

import Datasets
import Images
import Messages
import Networks
import Ranks
import Tensors

/// A network that is being trained.
final class Learner {
  let network: Network
  var optimizer: any Optimizer
  /// What is evaluated and saved in the place of the weights; nil where they are.
  var average: WeightAverage?
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
  /// Images of the step under way that this rank has computed.
  private var ownImages = 0
  /// Whether no batches of the step under way went through the network together yet.
  private var isFirstRound = true
  /// Those with whom it learns.
  let consensus: Consensus
  /// What adds up gradients over ranks; nil on one that is alone.
  private var exchange: ReplicaExchange?
  /// Where the batch norms of replicas go by the whole batch; else nil.
  private var together: ReplicasTogether?
  /// What is measured of the ranks.
  var watchedRanks = RankWatch()
  private let clock = ContinuousClock()
  private var settings: TrainingSettings { setup.settings }

  /// With weights as a new network has them.
  init(_ setup: RunSetup, _ pool: ThreadPool, _ consensus: Consensus) {
    let settings = setup.settings
    let communicator = consensus.communicator
    self.setup = setup
    self.pool = pool
    self.consensus = consensus
    // Rank 0's first batch stands for all.
    watch = LayerWatch(interval: consensus.leads ? settings.layerStats : 0)
    network = Self.newNetwork(setup)
    network.prepareForTransfer(setup, epochsDone: 0)
    optimizer = settings.optimizer.optimizer(for: network.trainedParameters)
    group = BatchGroup(settings, rank: communicator.rank, of: communicator.size)
    average = settings.ema.map { WeightAverage(decay: $0, of: network) }
    exchange = ReplicaExchange(communicator, network, settings)
    makeTogether(epochsDone: 0)
  }

  private func makeTogether(epochsDone: Int) {
    guard settings.syncsNorms, settings.replicaCount > 1 else { return }
    together = ReplicasTogether(
      network, settings, consensus.communicator,
      make: {
        let copy = Self.newNetwork(setup)
        copy.prepareForTransfer(setup, epochsDone: epochsDone)
        return copy
      }, waiting: { [weak self] in self?.watchedRanks.waited(seconds: $0) })
  }

  /// With weights of its own.
  private static func newNetwork(_ setup: RunSetup) -> Network {
    Network(
      setup.plan(epochsDone: 0), seed: setup.settings.seed,
      convolutions: setup.settings.precision.convolutions,
      initialization: setup.settings.convolutionInitialization)
  }

  // MARK: A step

  /// Forward and backward: a batch's gradient, added to those of the step under way.
  /// - Parameters:
  ///   - step: steps done.
  ///   - place: the batch's place in the step, where it has one; nil for the next.
  ///   - skipped: images that do not decode, of the batch and of batches before it that were passed over.
  ///   - start: when it was asked for.
  ///   - waiting: seconds until it came.
  ///   - isLast: whether it is the last that this rank has for the step, of the last of its replicas.
  /// - Throws: `Divergence`; the network is then as before the step. With replicas, only `step` says so.
  ///   `RankFailure`.
  func learn(
    from batch: Batch, step: Int, place: Int? = nil, skipped: [DecodingFailure],
    startedAt start: ContinuousClock.Instant, waiting: Double, isLast: Bool = false
  ) throws {
    let count = batch.labels.count
    let slot = place ?? group.batches
    // Where it is computed has no part in it.
    let number = UInt64(step) &* UInt64(group.size) &+ UInt64(slot)
    let pass = Pass(.training, pool, seed: settings.seed &+ number)
    let probe = watch.begin(step: step + 1, isFirst: group.isEmpty)
    group.begin(batch, slot: slot, of: network, startedAt: start, pass.ops)

    let (logits, headLogits) = network.probed(by: probe) { () -> (Tensor, [Tensor]) in
      guard let features else {
        return network.forwardWithHeads(Tensor([count, batch.side, batch.side, 3], batch.images), pass)
      }
      return (network.forward(features: Tensor([count, features.set.width], batch.images), pass), [])
    }
    let loss = TrainingLoss(
      logits, heads: headLogits, labels: batch.mixedLabels, smoothing: settings.labelSmoothing,
      weights: setup.classWeights, pass.ops)
    let tally = BatchTally(
      slot: slot, images: count, loss: loss.loss, correct: loss.correct, items: batch.items, skipped: skipped)
    let gradient = group.weighted(loss.gradient, images: count, pass.ops)
    let heads = loss.heads.map { group.weighted($0, images: count, pass.ops) }
    if isLast, let exchange, group.endsBlock(slot) {
      try exchange.backward(network, gradient, heads: heads, &group, pass)
      group.endLast(tally, waiting: waiting)
    } else {
      network.backward(gradient, heads: heads, pass)
      group.add(network, tally, waiting: waiting, pass.ops)
    }
    if place == nil, !loss.loss.isFinite {
      let (norm, original) = takeGradient()
      throw divergence(.loss, loss: loss.loss, gradientNorm: norm, original)
    }
  }

  /// Whether the replicas of this rank go through the network together, a batch of each at a time.
  var goesTogether: Bool { together != nil }

  /// Forward and backward of a batch of each replica of this rank, all at a time: batch norms go by the whole batch.
  /// - Parameters:
  ///   - step: steps done.
  ///   - isLast: whether it is the last round of the step, on all ranks.
  /// - Throws: `RankFailure`.
  func learnTogether(_ batches: [PlacedBatch], step: Int, waiting: Double, isLast: Bool) throws {
    guard let together else { preconditionFailure("replicas that go one after the other") }
    let ops = Ops(pool)
    let probe = watch.begin(step: step + 1, isFirst: isFirstRound && batches.contains { !$0.batch.items.isEmpty })
    isFirstRound = false
    group.waited(seconds: waiting)
    let size = group.size
    try together.learn(
      batches, isLast: isLast, probe: probe, &group, ops,
      pass: { slot in
        Pass(.training, pool, seed: settings.seed &+ UInt64(step) &* UInt64(size) &+ UInt64(slot))
      },
      judge: { logits, heads, batch, group in
        let images = batch.batch.labels.count
        let loss = TrainingLoss(
          logits, heads: heads, labels: batch.batch.mixedLabels, smoothing: settings.labelSmoothing,
          weights: setup.classWeights, ops)
        return (
          group.weighted(loss.gradient, images: images, ops),
          loss.heads.map { group.weighted($0, images: images, ops) },
          BatchTally(
            slot: batch.slot, images: images, loss: loss.loss, correct: loss.correct, items: batch.batch.items,
            skipped: batch.batch.skipped)
        )
      },
      left: { keys, group in try exchange?.begin(keys, group, ops) })
    guard isLast else { return }
    for tally in together.takeTallies() { group.count(tally, waiting: 0) }
  }

  /// Begins a step of replicas.
  func open(_ step: StepBatches, startedAt start: ContinuousClock.Instant) {
    group.open(step, of: network, startedAt: start)
    watchedRanks.begin(at: start)
    isFirstRound = true
  }

  /// Counts a batch of a replica's of which no image decodes.
  func passOver(_ batch: Batch, place: Int, waiting: Double) {
    group.count(
      BatchTally(slot: place, images: 0, loss: 0, correct: 0, items: [], skipped: batch.skipped), waiting: waiting)
  }

  /// Has all ranks know what each has counted of the step.
  /// - Throws: `RankFailure`.
  func gather() throws(RankFailure) {
    guard !consensus.isAlone else { return }
    // All ranks make the same calls in the same order: whoever had nothing to send on the way back sends it now.
    group.endReplicas(network, Ops(pool))
    try exchange?.beginAll(group, Ops(pool))
    watchedRanks.waited(seconds: exchange?.takeWaiting() ?? 0)
    ownImages = group.images
    var words = WordWriter()
    watchedRanks.arrived().put(into: &words)
    group.tally.put(into: &words)
    let told = try watchedRanks.waiting { () throws(RankFailure) in
      try consensus.communicator.allGather(words.bytes)
    }
    var tally = StepTally()
    var times: [RankTimes] = []
    for (rank, bytes) in told.enumerated() {
      var words = WordReader(bytes)
      times.append(RankTimes(&words))
      try tally.add(&words, of: rank)
    }
    group.take(tally)
    watchedRanks.take(times)
  }

  /// Ends the sums over all replicas: what is on its way to other ranks arrives.
  /// - Throws: `RankFailure`.
  func endSums() throws(RankFailure) {
    group.endReplicas(network, Ops(pool))
    try exchange?.end(&group, Ops(pool))
    watchedRanks.waited(seconds: exchange?.takeWaiting() ?? 0)
  }

  /// How the ranks are doing, where it is time to tell it; nil on a rank that is alone.
  func takeRankReport(step: Int) -> RankReport? { consensus.isAlone ? nil : watchedRanks.report(step: step) }

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
  /// - Throws: `Divergence`; the network is then as before the step. `RankFailure`.
  func step(_ state: TrainingState, _ schedule: LearningRateSchedule) throws -> Step {
    try endSums()
    watch.keepWeights(of: network)
    let (norm, original) = takeGradient()
    guard group.loss.isFinite else { throw divergence(.loss, loss: group.loss, gradientNorm: norm, original) }
    guard norm.isFinite else { throw divergence(.gradient, loss: group.loss, gradientNorm: norm, original) }
    group.putStatistics(into: network, Ops(pool))
    watch.keepGradients(of: network, scale: group.gradientScale, pool)
    let numbers = StepNumbers(
      rate: schedule.rate(state),
      gradientScale: group.gradientScale * settings.optimizer.clippingScale(gradientNorm: norm),
      momentumShift: schedule.momentumShift(state), done: state.optimizerSteps)
    optimizer.step(network.trainedParameters, numbers, pool)
    features?.leave(network)
    average?.add(network, averaged: state.averagedSteps, Ops(pool))
    let layers = watch.end(network, rate: numbers.rate, pool)
    watchedRanks.end(images: ownImages)
    defer { group.clear() }
    return Step(
      loss: group.loss, correct: group.tally.correct, images: group.images, skipped: group.skipped,
      gradientNorm: norm,
      rate: numbers.rate, lastBatch: group.lastBatch, items: group.items,
      seconds: group.start.map { (clock.now - $0).seconds } ?? 0, waiting: group.waiting,
      layers: layers)
  }

  /// Ends the batches since the last step without another.
  func abandonStep() {
    group.abandon(network)
    together?.end()
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
    together?.end()
    let original = features?.enter(network)
    return (network.gradientNorm(pool) * group.gradientScale, original)
  }

  // MARK: What is evaluated

  /// What is validated and saved where that is not what is trained.
  var evaluated: (weights: NetworkWeights, kind: SavedWeights)? {
    if let average { return (average.weights, .averaged) }
    return optimizer.evaluated.map { (NetworkWeights($0, inPlaceOfTrained: network), .slow) }
  }

  /// Measures images with the weights that are evaluated, each rank its share of the batches.
  /// - Parameters:
  ///   - take: given each batch with its logits, in order, on all ranks.
  ///   - goesOn: asked after each batch, or after one of each rank; false ends it.
  /// - Returns: what did not decode.
  /// - Throws: what `goesOn` throws; `RankFailure`.
  func evaluate(
    _ loader: BatchLoader, _ take: (Batch, [Float]) -> Void, goesOn: () throws -> Bool
  ) throws -> [DecodingFailure] {
    if let evaluated {
      trained = NetworkWeights(of: network)
      evaluated.weights.put(into: network)
    }
    defer {
      trained?.put(into: network)
      trained = nil
    }
    func takeOne(_ batch: Batch, _ logits: [Float]) throws -> Bool {
      take(batch, logits)
      return try goesOn()
    }
    if let features { return try features.set.evaluate(network, pool, loader, takeOne) }
    let evaluator = BatchEvaluator(
      network: InferenceNetwork(network, convolutions: settings.precision.convolutions), pool: pool)
    guard consensus.isAlone else {
      return try evaluator.run(loader, among: consensus.communicator, take, goesOn: goesOn)
    }
    return try evaluator.run(loader, takeOne)
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
    group = BatchGroup(settings, rank: consensus.communicator.rank, of: consensus.communicator.size)
    exchange = ReplicaExchange(consensus.communicator, network, settings)
    makeTogether(epochsDone: epochsDone)
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

  /// The batches of this rank's replicas that are left of the epoch, also those of which no image decodes.
  func replicaBatches(_ state: TrainingState) -> BatchStream {
    var batches: [Int] = []
    var next = state.batch
    while next < setup.training.batchCount {
      let step = setup.batches(ofStepFrom: next)
      if goesTogether {
        for round in 0..<step.roundCount { batches += own(step, round: round) }
      } else {
        batches += own(step)
      }
      next = step.range.upperBound
    }
    return setup.training.epoch(
      state.epochsDone, batches: batches, side: settings.side(epoch: state.epochsDone))
  }

  /// The batches of a step that this rank computes.
  func own(_ step: StepBatches) -> Range<Int> { step.of(replicas.block(of: consensus.communicator.rank)) }

  /// Those of a round: one at most of each replica.
  func own(_ step: StepBatches, round: Int) -> [Int] {
    replicas.block(of: consensus.communicator.rank).flatMap { step.of($0..<($0 + 1)).dropFirst(round).prefix(1) }
  }

  private var replicas: ReplicaLayout {
    ReplicaLayout(replicas: settings.replicaCount, ranks: consensus.communicator.size)
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

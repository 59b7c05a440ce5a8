// The training loop. It is synchronous and knows neither thread nor screen: it reports events and asks for commands
// between steps. The headless command, the tests and the engine behind the screen all run this one.

import Files
import Images
import Datasets
import Logging
import Messages
import Networks
import Tensors

/// Trains one network, from its first step or from where an earlier loop stopped.
public final class TrainingLoop {
  /// Who listens, and who may steer.
  public struct Hooks {
    /// Called with everything that happens, in order.
    public var report: (TrainingEvent) -> Void
    /// The next command, nil if there is none. With `waiting` the loop is paused and has nothing else to do: the hook
    /// sleeps until there is one; nil then means that nobody will send any more, and ends the run.
    public var nextCommand: (_ waiting: Bool) -> TrainingCommand?
    /// Whether somebody is there who can be asked. A loop that has to ask waits for as long as this holds.
    public var isAttended: () -> Bool

    public init(
      report: @escaping (TrainingEvent) -> Void = { _ in },
      nextCommand: @escaping (_ waiting: Bool) -> TrainingCommand? = { _ in nil },
      isAttended: @escaping () -> Bool = { false }
    ) {
      self.report = report
      self.nextCommand = nextCommand
      self.isAttended = isAttended
    }
  }

  /// It follows its folder when that is renamed.
  public internal(set) var run: RunFolder
  public let network: Network
  public internal(set) var state: TrainingState
  let prepared: PreparedRun
  let workers: WorkerPool
  let hooks: Hooks
  var optimiser: SGD
  var schedule: LearningRateSchedule
  var earlyStopping: EarlyStopping
  var estimate: ProgressEstimate
  let place: RunPlace
  var metrics: MetricsLog
  var results: ResultsTable
  var log: Logger
  private var history = MetricsHistory()
  private let isResumed: Bool
  /// The last step that was taken, and its images.
  private(set) var lastStep: (figures: StepMetrics, items: [Int])?
  let clock = ContinuousClock()
  /// How files are written; tests make it fail.
  var calls = FileCalls.system
  var saves: SaveSchedule
  var unsaved = UnsavedCheckpoints()
  var failedSaves = 0
  /// What `last` on disk holds; nil before the first save.
  var savedState: TrainingState?
  /// Whether the state at the end is worth saving; false for one that training cannot go on from.
  var savesAtEnd = true
  var recoveryPlan = RecoveryPlan()
  var lossWatch: LossWatch
  var oneClassWatch = OneClassWatch()
  /// Whether it was told that threads are lacking to prepare images.
  private var toldOfLoaders = false
  /// Set by a command; the run ends after the step under way.
  var stopping = false
  /// What is said before a resumed run goes on.
  var noticesAtResume: [String] = []

  /// - Parameters:
  ///   - run: the folder made for it.
  ///   - workers: the threads to compute with; nil for new ones as the settings say.
  ///   - resuming: go on from the run's `last` checkpoint.
  /// - Throws: what reading a checkpoint or the initial weights throws.
  public init(
    _ prepared: PreparedRun, run: RunFolder, workers: WorkerPool? = nil, resuming: Bool = false,
    hooks: Hooks = Hooks()
  ) throws {
    self.prepared = prepared
    self.run = run
    self.hooks = hooks
    let settings = prepared.settings
    self.workers = try workers ?? WorkerPool(reserving: settings.threads)
    network = Network(
      prepared.plan, seed: settings.seed, convolutions: settings.precision == .bf16 ? .bfloat16 : .fastest)
    optimiser = SGD(settings.optimiser, network.parameters)
    schedule = LearningRateSchedule(
      settings: settings.schedule, peak: settings.learningRate, stepsPerEpoch: max(1, prepared.training.batchCount),
      epochs: settings.epochs)
    earlyStopping = EarlyStopping(patience: settings.earlyStoppingPatience)
    place = try RunPlace(run)
    (metrics, results, log) = Self.records(of: run, report: hooks.report)
    saves = SaveSchedule(interval: .seconds(settings.safety.saveMinutes * 60), now: clock.now)
    lossWatch = LossWatch(classes: prepared.index.classes.count, stepsPerEpoch: prepared.training.batchCount)
    let fingerprint = prepared.index.fingerprint
    isResumed = resuming
    state = TrainingState(
      schedule: schedule.state, earlyStopping: earlyStopping.state, splitFingerprint: fingerprint)
    estimate = ProgressEstimate(steps: 0, validations: 0, validationImages: 0)
    if resuming {
      for folder in [run.path, run.checkpointsPath] { AtomicFile.sweepLeftovers(in: folder) }
      try restore()
      // Where changed data were accepted, the position may lie behind the end of the epoch.
      state.batch = min(state.batch, prepared.training.batchCount)
      state.splitFingerprint = fingerprint
      history = try MetricsLog.read(path: run.metricsPath, atMost: MetricsLog.shown)
    } else if let path = settings.initialWeights {
      let classifier = try InitialWeights(path).load(
        into: network, classes: prepared.index.classes, naming: settings.initialClasses)
      if let note = classifier.note(prepared.plan) { hooks.report(.warning(note)) }
    }
    estimate = freshEstimate()
  }

  /// Trains until the epochs, the time budget or the patience are used up, or a command stops it. A run that had
  /// ended already ends again at once.
  /// - Throws: `TrainingError` where training cannot go on, the `last` checkpoint then holds the last good state, unless
  ///   the run's folder is gone (see `RunPlace`);
  ///   `TrainingError.notSaved` where the state at the end cannot be saved.
  public func train() throws -> RunOutcome {
    let description = description()
    log.info("started: \(description.trainingImages) training images, \(description.parameters) parameters")
    hooks.report(.started(description))
    if isResumed {
      try warnAboutResuming()
      for notice in noticesAtResume { warn(notice) }
      if schedule.state.peak != prepared.settings.learningRate {
        hooks.report(.learningRateChanged(schedule.state.peak))
      }
    }
    warnAboutSpace()
    if let shortage = workers.shortage {
      warn("computing with \(workers.threads) of the threads asked for: \(shortage)")
    }
    for note in prepared.notes { warn(note) }
    let stepBefore = state.step
    let reason = try trainEpochs()
    let unsaved = try saveAtEnd()
    let outcome = RunOutcome(
      folder: run.path, reason: reason, epochs: state.epochsDone, steps: state.step,
      bestValidationAccuracy: state.earlyStopping.bestAccuracy, seconds: state.seconds, failedSaves: failedSaves,
      unsaved: unsaved, advice: advice(after: reason, trainedNothing: state.step == stepBefore))
    log.info("finished: \(reason.rawValue) after \(outcome.epochs) epochs, \(outcome.steps) steps")
    hooks.report(.finished(outcome))
    return outcome
  }

  // MARK: An epoch

  private func trainEpochs() throws -> RunOutcome.Reason {
    while true {
      do {
        if let reason = reasonToEnd {
          // A run that ended in this way ends so again, however often it is resumed.
          if state.validationDiverged == true { throw validationFailure(images: nil) }
          return reason
        }
        guard try trainEpoch() else { return .stopped }
        // Before validating, so that nothing is lost if that fails.
        try attempt { try saveLast() }
        guard try finishEpoch() else { return .stopped }
      } catch let divergence as Divergence {
        let failure =
          divergence.cause == .validation
          ? validationFailure(images: divergence.files)
          : TrainingError.diverged(step: state.step + 1, loss: divergence.loss, files: divergence.files)
        guard try recover(from: divergence, failure: failure) else { return .stopped }
      } catch TrainingError.weightsOverflowed(let step, let array) {
        let divergence = Divergence(
          cause: .weights, loss: lastStep?.figures.loss ?? 0, gradientNorm: lastStep?.figures.gradientNorm ?? 0,
          batch: max(0, state.batch - 1), files: paths(of: lastStep?.items ?? []))
        let failure = TrainingError.weightsOverflowed(step: step, array: array)
        guard try recover(from: divergence, failure: failure) else { return .stopped }
      }
    }
  }

  /// - Parameter images: those whose outputs are no numbers; nil where that is not known any more.
  private func validationFailure(images: [String]?) -> TrainingError {
    .validationDiverged(
      run: run.path, epoch: state.epochsDone, images: images, of: prepared.validation.items.count)
  }

  /// What keeps the next epoch from starting. An epoch that was begun is finished or, out of time, validated.
  private var reasonToEnd: RunOutcome.Reason? {
    if state.epochsDone >= prepared.settings.epochs {
      return state.wasCutShort == true ? .timeBudget : .completed
    }
    if isOutOfTime && state.batch == 0 { return .timeBudget }
    return earlyStopping.isExhausted ? .earlyStopping : nil
  }

  var isOutOfTime: Bool { prepared.settings.timeBudget.map { state.seconds >= $0 } ?? false }

  /// Seconds until the run ends, by its epochs or by its time budget.
  private var secondsLeft: Double? {
    let budget = prepared.settings.timeBudget.map { max(0, $0 - state.seconds) }
    return [estimate.secondsLeft, budget].compactMap { $0 }.min()
  }

  /// Goes through the batches of the epoch that are left.
  /// - Returns: false when a command stopped it.
  private func trainEpoch() throws -> Bool {
    let stream = prepared.training.epoch(state.epochsDone, fromBatch: state.batch)
    if let shortage = stream.shortage, !toldOfLoaders {
      toldOfLoaders = true
      warn("images are prepared on fewer threads than asked for, which may be slower: \(shortage)")
    }
    var named = 0
    state.wasCutShort = nil
    while !isOutOfTime {
      let start = clock.now
      let batch = stream.next()
      let waited = (clock.now - start).seconds
      // Counted at the stream: a batch without any image that decodes is passed over, at the end without another.
      let skipped = stream.skipped.dropFirst(named)
      named += skipped.count
      name(skipped)
      try refuseTooManyBad(skipped)
      if let warning = prepared.training.source.pack?.takeWarning() { hooks.report(.warning(warning)) }
      guard let batch else {
        state.epochTotals.skipped += skipped.count
        state.batch = prepared.training.batchCount
        break
      }
      try step(batch, startedAt: start)
      // Only now: the totals of a step that cannot be taken are those before it.
      state.epochTotals.skipped += skipped.count
      state.epochTotals.secondsWaiting? += waited
      try endIfRemoved()
      if clock.now >= saves.due { try saveWhatIsDue() }
      guard obeyCommands() else { return false }
    }
    // Also where a run that was stopped while validating is resumed.
    if isOutOfTime, state.batch < prepared.training.batchCount { state.wasCutShort = true }
    guard state.epochTotals.images > 0 else {
      throw TrainingError.nothingDecodes(data: prepared.settings.data, skipped: state.epochTotals.skipped)
    }
    return true
  }

  /// So many images of an epoch may be skipped: a tenth, but always ten.
  static func skippedLimit(images: Int) -> Int { max(10, images / 10) }

  /// Saves and ends the run when so much of the data is bad that the network would not learn what was asked for. A few
  /// bad files are none of the user's business at night; thousands are a folder that went wrong.
  /// - Parameter skipped: of the batch under way; not counted yet, since a resumed run meets them again.
  private func refuseTooManyBad(_ skipped: some Collection<DecodingFailure>) throws {
    let count = state.epochTotals.skipped + skipped.count
    let images = prepared.training.items.count
    // Where nothing at all was read, `nothingDecodes` says it better.
    guard count > Self.skippedLimit(images: images), state.epochTotals.images > 0 || count < images else { return }
    if savedState != state { try attempt { try saveLast() } }
    throw TrainingError.tooManyBadImages(
      data: prepared.settings.data, skipped: count, images: images, first: skipped.first, run: run.path)
  }

  /// Names each bad file once, in the first epoch.
  func name(_ failures: some Sequence<DecodingFailure>) {
    guard state.epochsDone == 0 else { return }
    for failure in failures {
      log.warning("skipped: \(failure)")
      hooks.report(.warning("skipped: \(failure)"))
    }
  }

  /// Forward, backward, update.
  private func step(_ batch: Batch, startedAt start: ContinuousClock.Instant) throws {
    let settings = prepared.settings
    let size = prepared.model.preprocessing.imageSize
    let count = batch.labels.count
    let pass = Pass(.training, workers, seed: settings.seed &+ UInt64(state.step))
    let before = RunningStatistics(of: network)
    let logits = network.forward(Tensor([count, size, size, 3], batch.images), pass)
    let loss = SoftmaxCrossEntropy(logits: logits, labels: batch.labels, smoothing: settings.labelSmoothing)
    network.backward(loss.gradient, pass)
    let norm = network.gradientNorm(workers)
    guard loss.loss.isFinite, norm.isFinite else {
      before.restore(to: network)
      throw Divergence(
        cause: loss.loss.isFinite ? .gradient : .loss, loss: loss.loss, gradientNorm: norm, batch: batch.index,
        files: paths(of: batch.items))
    }
    let rate = schedule.rate(step: state.step)
    optimiser.step(
      network.parameters, rate: rate, gradientScale: optimiser.clippingScale(gradientNorm: norm), workers)

    let seconds = (clock.now - start).seconds
    state.step += 1
    state.batch = batch.index + 1
    state.seconds += seconds
    state.epochTotals.images += count
    state.epochTotals.loss += loss.loss * Double(count)
    state.epochTotals.correct += loss.correct
    state.epochTotals.seconds += seconds
    estimate.stepEnded(images: count, seconds: seconds)
    let figures = StepMetrics(
      step: state.step, epoch: state.epochsDone + 1, loss: loss.loss,
      accuracy: Double(loss.correct) / Double(count), learningRate: rate, gradientNorm: norm,
      imagesPerSecond: estimate.imagesPerSecond ?? 0, secondsLeft: secondsLeft)
    if state.step % settings.logEvery == 0 { metrics.append(figures) }
    lastStep = (figures, batch.items)
    hooks.report(.step(figures))
    if let notice = lossWatch.add(loss.loss) { warn(notice.text) }
    if let over = lossWatch.eased() { hooks.report(.warningEased(over.text)) }
  }

  private func paths(of items: [Int]) -> [String] { items.map { prepared.training.items[$0].path } }

  /// Something to know that training goes on after.
  func warn(_ text: String) {
    log.warning("\(text)")
    hooks.report(.warning(text))
  }

  private func description() -> RunDescription {
    RunDescription(
      folder: run.path, settings: prepared.settings, classes: prepared.index.classes,
      trainingImages: prepared.training.items.count, validationImages: prepared.validation.items.count,
      stepsPerEpoch: prepared.training.batchCount, parameters: network.parameters.reduce(0) { $0 + $1.value.count },
      chance: prepared.chance, history: history.epochs, steps: history.steps)
  }
}

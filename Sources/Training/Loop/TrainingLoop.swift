// The training loop, to be read from top to bottom: train, epoch, step, validate. It is synchronous and knows neither
// thread nor screen: it reports events and asks for commands between steps. The headless command, the tests and the
// engine behind the screen all run this one.
//
// What is saved and when is the `Checkpointer`'s, what follows a divergence the `DivergenceRecovery`'s; where training
// stands is one value, the `TrainingState`, of which learning rate and early stopping are functions.

import Datasets
import Files
import FoundationEssentials
import Glibc
import Images
import Messages
import Networks
import Tensors

/// Trains one network, from its first step or from where an earlier loop stopped.
///
///     let job = try TrainingJob.new(settings, commandLine: [])
///     let outcome = try job.loop(hooks: .init(report: { print($0) })).train()
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

  public let network: Network
  /// Where training stands.
  public private(set) var state: TrainingState
  let pool: ThreadPool
  let checkpointer: Checkpointer
  private(set) var optimizer: any Optimizer
  /// What is evaluated and saved in the place of the weights; nil where they are.
  private(set) var average: WeightAverage?

  private let setup: RunSetup
  private let hooks: Hooks
  private let resuming: Resumption?
  private let schedule: LearningRateSchedule
  private let earlyStopping: EarlyStopping
  private let records: RunRecords
  private let clock = ContinuousClock()
  private var recovery: DivergenceRecovery
  private var estimate: ProgressEstimate
  private var lossWatch: LossWatch
  private var oneClassWatch = OneClassWatch()
  private var history = MetricsReader()
  /// The batches of the step under way.
  private var group: BatchGroup
  /// The weights that are trained, while the network has those that are evaluated.
  private var trained: NetworkWeights?
  /// What the frozen layers make of the images, while only the classifier is trained.
  private var features: ClassifierFeatures?
  /// The last step that was taken, and its images.
  private var lastStep: (metrics: StepMetrics, items: [Int])?
  /// Whether the state at the end is worth saving; false for one that training cannot go on from.
  private var savesAtEnd = true
  /// When it was last looked whether the run fits into its time.
  private var lastFit = ContinuousClock.now
  /// Images whose failure was told.
  private var toldFailures: Set<String> = []
  /// Whether it was told that threads are lacking to prepare images.
  private var toldOfLoaders = false
  /// Set by a command; the run ends after the step under way.
  private var stopping = false
  /// What is said before a resumed run goes on.
  private var noticesAtResume: [String] = []

  /// The run's folder, which is followed when it is renamed.
  public var run: RunFolder { checkpointer.run }
  private var settings: TrainingSettings { setup.settings }

  /// - Parameters:
  ///   - run: the folder made for it.
  ///   - pool: the threads to compute with; nil for new ones as the settings say.
  ///   - resuming: go on from the run's `last` checkpoint.
  /// - Throws: what reading a checkpoint or the initial weights throws.
  public init(
    _ setup: RunSetup, run: RunFolder, pool: ThreadPool? = nil, resuming: Resumption? = nil,
    hooks: Hooks = Hooks()
  ) throws {
    let settings = setup.settings
    self.setup = setup
    self.hooks = hooks
    self.resuming = resuming
    self.pool = try pool ?? ThreadPool(reserving: settings.threads)
    network = Network(
      setup.plan(epochsDone: 0), seed: settings.seed,
      convolutions: settings.precision == .bf16 ? .bfloat16 : .fastest,
      initialization: settings.convolutionInitialization)
    network.prepareForTransfer(setup, epochsDone: 0)
    optimizer = settings.optimizer.optimizer(for: network.trainedParameters)
    group = BatchGroup(size: settings.accumulate, batchSize: settings.batchSize)
    schedule = LearningRateSchedule(
      settings: settings.schedule, stepsPerEpoch: setup.stepsPerEpoch, epochs: settings.epochs,
      frozenEpochs: settings.freeze.epochs)
    earlyStopping = EarlyStopping(patience: settings.earlyStoppingPatience, metric: settings.best)
    records = RunRecords(run, report: hooks.report)
    checkpointer = try Checkpointer(
      run, keep: settings.keep, interval: .seconds(settings.safety.saveMinutes * 60), records: records,
      report: hooks.report)
    recovery = DivergenceRecovery(policy: settings.safety.divergence)
    lossWatch = LossWatch(
      classes: setup.index.classes.count, stepsPerEpoch: setup.stepsPerEpoch,
      floor: settings.lossFloor(classes: setup.index.classes.count))
    state = setup.firstState
    estimate = ProgressEstimate(steps: 0, validations: 0, validationImages: 0)
    average = settings.ema.map { WeightAverage(decay: $0, of: network) }
    if let resuming {
      try resume(resuming)
    } else {
      setup.whiten(network)
      let classifier = try settings.initialWeights.map { path in
        try InitialWeights(path).load(
          into: network, classes: setup.index.classes, naming: settings.initialClasses)
      }
      beginFromWeights()
      if let note = classifier?.note(setup.plan) { hooks.report(.warning(note)) }
    }
    estimate = freshEstimate()
  }

  /// Trains until the epochs, the time budget or the patience are used up, or a command stops it. A run that had
  /// ended already ends again at once.
  /// - Throws: `TrainingError` where training cannot go on, the `last` checkpoint then holds the last good state,
  ///   unless the run's folder is gone (see `RunPlace`); `TrainingError.notSaved` where the state at the end cannot be
  ///   saved.
  public func train() throws -> RunOutcome {
    try begin()
    let stepBefore = state.step
    let reason = try trainEpochs()
    let unsaved = try checkpointer.saveAtEnd(snapshot, savesLast: savesAtEnd)
    let advice = ResumeAdvice(settings: settings, state: state, run: run.path)
    let outcome = RunOutcome(
      folder: run.path, reason: reason, epochs: state.epochsDone, steps: state.step,
      best: state.earlyStopping.best.map { Score(settings.best, $0) }, seconds: state.seconds,
      failedSaves: checkpointer.failures, unsaved: unsaved,
      advice: advice.text(after: reason, trainedNothing: state.step == stepBefore))
    records.log.info("finished: \(reason.rawValue) after \(outcome.epochs) epochs, \(outcome.steps) steps")
    hooks.report(.finished(outcome))
    return outcome
  }

  /// Says what is trained, and what to know beforehand.
  private func begin() throws {
    let description = description()
    let frozen = description.frozenParameters > 0 ? ", \(description.frozenParameters) of them frozen" : ""
    records.log.info(
      "started: \(description.trainingImages) training images, \(description.parameters) parameters\(frozen)")
    hooks.report(.started(description))
    if resuming != nil {
      for text in try checkpointer.resumeWarnings(state) { hooks.report(.warning(text)) }
      for notice in noticesAtResume { warn(notice) }
      if state.schedule.peak != settings.learningRate { hooks.report(.learningRateChanged(state.schedule.peak)) }
    }
    if let text = checkpointer.spaceWarning(
      weights: snapshot.weightBytes, last: snapshot.lastBytes, epochs: settings.epochs)
    {
      warn(text)
    }
    if let shortage = pool.shortage {
      warn("computing with \(pool.threads) of the threads asked for: \(shortage)")
    }
    for note in setup.notes { warn(note) }
  }

  // MARK: Epochs

  private func trainEpochs() throws -> RunOutcome.Reason {
    while true {
      do {
        if let reason = reasonToEnd {
          // A run that ended in this way ends so again, however often it is resumed.
          if state.validationDiverged == true { throw validationFailure(images: nil) }
          return reason
        }
        if features == nil, featureViews > 0 {
          guard computeFeatures() else { return .stopped }
          continue
        }
        guard try trainEpoch() else { return .stopped }
        // Before validating, so that nothing is lost if that fails. On features an epoch takes milliseconds.
        if features == nil || checkpointer.savedState == nil { try checkpointer.saveLast(snapshot) }
        guard try finishEpoch() else { return .stopped }
      } catch let divergence as Divergence {
        let failure =
          divergence.cause == .validation
          ? validationFailure(images: divergence.files)
          : TrainingError.diverged(step: state.step + 1, loss: divergence.loss, files: divergence.files)
        guard try recover(from: divergence, failure: failure) else { return .stopped }
      } catch TrainingError.weightsOverflowed(let step, let array) {
        let divergence = Divergence(
          cause: .weights, loss: lastStep?.metrics.loss ?? 0, gradientNorm: lastStep?.metrics.gradientNorm ?? 0,
          batch: max(0, state.batch - 1), files: paths(of: lastStep?.items ?? []))
        let failure = TrainingError.weightsOverflowed(step: step, array: array)
        guard try recover(from: divergence, failure: failure) else { return .stopped }
      }
    }
  }

  /// What keeps the next epoch from starting. An epoch that was begun is finished or, out of time, validated.
  private var reasonToEnd: RunOutcome.Reason? {
    if state.batch == 0, !hasMore { return state.wasCutShort == true ? .timeBudget : .completed }
    if isOutOfTime && state.batch == 0 { return .timeBudget }
    return earlyStopping.isExhausted(state.earlyStopping) ? .earlyStopping : nil
  }

  /// Whether there is anything left of what was planned.
  private var hasMore: Bool { state.fit.map { state.step < $0.steps } ?? (state.epochsDone < settings.epochs) }

  /// Epochs in all, the last of which may be a part of one.
  private var plannedEpochs: Int {
    guard let left = state.fit.map({ max(0, $0.steps - state.step) }) else { return settings.epochs }
    return state.epochsDone + (setup.steps(batches: state.batch) + left + setup.stepsPerEpoch - 1)
      / setup.stepsPerEpoch
  }

  private var isOutOfTime: Bool { settings.timeBudget.map { state.seconds >= $0 } ?? false }

  /// Goes through the batches of the epoch that are left.
  /// - Returns: false when a command stopped it.
  private func trainEpoch() throws -> Bool {
    let stream = batches()
    tellOfLoaders(stream)
    var named = 0
    state.wasCutShort = nil
    while !isOutOfTime, state.fit == nil || hasMore {
      let start = clock.now
      let batch = stream.next()
      let waiting = (clock.now - start).seconds
      // Counted at the stream: a batch without any image that decodes is passed over, at the end without another.
      let skipped = stream.skipped.dropFirst(named)
      named += skipped.count
      name(skipped)
      try refuseTooManyBad(skipped)
      if let warning = setup.training.source.cache?.takeWarning() { hooks.report(.warning(warning)) }
      if let batch { try learn(from: batch, skipped: skipped.count, startedAt: start, waiting: waiting) }
      if group.isWhole || (batch == nil && !group.isEmpty) {
        try step()
        try checkpointer.endIfRemoved(step: state.step)
        if checkpointer.isDue { try checkpointer.saveDue(snapshot) }
        guard obeyCommands() else { return false }
      }
      if batch == nil {
        state.epochTotals.skipped += skipped.count
        state.batch = setup.training.batchCount
        break
      }
    }
    // Also where a run that was stopped while validating is resumed.
    if isOutOfTime, state.batch < setup.training.batchCount { state.wasCutShort = true }
    guard state.epochTotals.images > 0 else {
      throw TrainingError.nothingDecodes(data: settings.data, skipped: state.epochTotals.skipped)
    }
    return true
  }

  // MARK: A step

  /// Forward and backward: a batch's gradient, added to those of the step under way.
  /// - Parameters:
  ///   - skipped: images of the batch that do not decode.
  ///   - start: when it was asked for.
  ///   - waiting: seconds until it came.
  /// - Throws: `Divergence`; network and state are then those before the step.
  private func learn(
    from batch: Batch, skipped: Int, startedAt start: ContinuousClock.Instant, waiting: Double
  ) throws {
    let count = batch.labels.count
    let number = UInt64(state.step) &* UInt64(settings.accumulate) &+ UInt64(group.batches)
    let pass = Pass(.training, pool, seed: settings.seed &+ number)
    group.begin(batch, of: network, startedAt: start)

    let logits =
      if let features {
        network.forward(features: Tensor([count, features.set.width], batch.images), pass)
      } else {
        network.forward(Tensor([count, batch.side, batch.side, 3], batch.images), pass)
      }
    let loss = pass.ops.softmaxCrossEntropy(
      logits: logits, labels: batch.mixedLabels, smoothing: settings.labelSmoothing, weights: setup.classWeights)
    network.backward(group.weighted(loss.gradient, images: count, pass.ops), pass)
    group.add(
      network, images: count, loss: loss.loss, correct: loss.correct, skipped: skipped, waiting: waiting, pass.ops)
    if !loss.loss.isFinite {
      let (norm, original) = takeGradient()
      throw divergence(.loss, loss: loss.loss, gradientNorm: norm, original)
    }
  }

  /// Ends the group of batches without a step.
  private func divergence(
    _ cause: DivergenceReport.Cause, loss: Double, gradientNorm: Double,
    _ original: StandardizedClassifier.Original?
  ) -> Divergence {
    defer { group.abandon(network) }
    if let original { features?.restore(original, network) }
    return Divergence(
      cause: cause, loss: loss, gradientNorm: gradientNorm, batch: group.lastBatch, files: paths(of: group.items))
  }

  /// Puts the group's gradient into the network, and both into the coordinates in which a step is taken.
  /// - Returns: the gradient's norm there; where the classifier is trained on features, its values as they were.
  private func takeGradient() -> (norm: Double, original: StandardizedClassifier.Original?) {
    group.putGradient(into: network)
    let original = features?.enter(network)
    return (network.gradientNorm(pool) * group.gradientScale, original)
  }

  /// The update; then everything that counts the step.
  /// - Throws: `Divergence`; network and state are then those before the step.
  private func step() throws {
    let (norm, original) = takeGradient()
    guard norm.isFinite else { throw divergence(.gradient, loss: group.loss, gradientNorm: norm, original) }
    let numbers = StepNumbers(
      rate: schedule.rate(state),
      gradientScale: group.gradientScale * settings.optimizer.clippingScale(gradientNorm: norm),
      momentumShift: schedule.momentumShift(state), done: state.optimizerSteps)
    optimizer.step(network.trainedParameters, numbers, pool)
    features?.leave(network)
    average?.add(network, averaged: state.averagedSteps, Ops(pool))

    let (loss, images, correct) = (group.loss, group.images, group.correct)
    let seconds = group.start.map { (clock.now - $0).seconds } ?? 0
    state.stepEnded(
      batch: group.lastBatch, images: images, loss: loss, correct: correct, skipped: group.skipped,
      seconds: seconds, waiting: group.waiting)
    estimate.stepEnded(images: images, seconds: seconds)
    fitIntoTime()
    let metrics = StepMetrics(
      step: state.step, epoch: state.epochsDone + 1, loss: loss,
      accuracy: correct / Double(images), learningRate: numbers.rate, gradientNorm: norm,
      imagesPerSecond: estimate.imagesPerSecond ?? 0, secondsLeft: secondsLeft)
    lastStep = (metrics, group.items)
    group.clear()
    if state.step % settings.logEvery == 0 { records.metrics.append(metrics) }
    hooks.report(.step(metrics))
    if let notice = lossWatch.add(loss) { warn(notice.text) }
    if let over = lossWatch.eased() { hooks.report(.warningEased(over.text)) }
  }

  /// Where the run has to end at a time, gives it the steps for which there is time, now and then.
  private func fitIntoTime() {
    guard var fit = state.fit, let time = setup.trainingTime, let needed = estimate.secondsLeft,
      (clock.now - lastFit).seconds >= max(1, time / 30)
    else { return }
    lastFit = clock.now
    guard fit.refit(step: state.step, needed: needed, available: time - state.seconds) else { return }
    state.fit = fit
    estimate.plan(steps: fit.steps - state.step, validations: plannedEpochs - state.epochsDone)
    records.log.info("fitted into the time: \(fit.steps) steps, \(plannedEpochs) epochs in all")
    hooks.report(.lengthChanged(epochs: plannedEpochs, steps: fit.steps))
  }

  // MARK: Validation

  /// Validates, records the epoch and saves what is to be kept. An epoch after which the outputs for some validation
  /// image are not finite is recorded as such, is never `best`, and says nothing to patience and schedule.
  /// - Returns: false when a command stopped the validation; the epoch is then validated anew when the run is resumed.
  /// - Throws: `Divergence` after such an epoch; `TrainingError`.
  private func finishEpoch() throws -> Bool {
    guard let (validation, nonFinite, seconds) = validate() else { return false }
    let judged = validation.flatMap { $0.isFinite ? $0 : nil }
    let rate = schedule.lastRate(state)
    let totals = state.epochEnded(validation: validation, metric: settings.best, seconds: seconds)
    schedule.epochEnded(&state.schedule, validationLoss: judged?.loss)
    let validated = evaluated?.weights
    if enterPhase(of: state) {
      // What was validated is what is saved, and what training goes on from.
      validated?.put(into: network)
      beginFromWeights()
      (state.optimizerSteps, state.averagedSteps) = (0, 0)
    }
    let verdict = earlyStopping.epochEnded(&state.earlyStopping, value: state.score?.value)

    let metrics = EpochMetrics(
      epoch: state.epochsDone, step: state.step, trainLoss: totals.loss / Double(max(1, totals.images)),
      trainAccuracy: totals.correct / Double(max(1, totals.images)), validation: validation,
      learningRate: rate, seconds: totals.seconds + seconds, skippedImages: totals.skipped,
      dataWait: totals.dataWait, isMixed: settings.augmentation.mixesImages)
    records.append(metrics)
    if let wait = totals.dataWait {
      records.log.info(
        "epoch \(state.epochsDone): \((wait * 1000).rounded() / 10) % of the steps' time was waiting for images")
    }
    hooks.report(.epoch(metrics))
    if features == nil || !setup.settings.freeze.isFrozen(epoch: state.epochsDone) {
      checkpointer.saveKept()
      try checkpointer.saveEpoch(snapshot, improved: verdict == .improved)
    } else {
      try checkpointer.keepEpoch(snapshot, improved: verdict == .improved)
    }
    if !nonFinite.isEmpty {
      throw Divergence(
        cause: .validation, loss: metrics.trainLoss, gradientNorm: lastStep?.metrics.gradientNorm ?? 0,
        batch: setup.training.batchCount - 1, files: nonFinite)
    }
    return true
  }

  /// Measures every validation image.
  /// - Returns: the means, nil where there is no image to measure, the images whose outputs are not finite, and the
  ///   seconds it took, pauses left out; nil when a command stopped it.
  private func validate() -> (metrics: ValidationMetrics?, nonFinite: [String], seconds: Double)? {
    let loader = setup.validation
    guard !loader.items.isEmpty else { return (nil, [], 0) }
    var tally = ClassificationMetrics(classes: setup.index.classes)
    var done = 0
    var seconds = 0.0
    var start = clock.now
    hooks.report(.validating(done: 0, total: loader.items.count))
    if let evaluated {
      trained = NetworkWeights(of: network)
      evaluated.weights.put(into: network)
    }
    defer {
      trained?.put(into: network)
      trained = nil
    }
    func take(_ batch: Batch, _ logits: [Float]) -> Bool {
      tally.add(logits: logits, truths: batch.labels, paths: batch.items.map { loader.items[$0].path })
      done += batch.labels.count + batch.skipped.count
      let elapsed = (clock.now - start).seconds
      seconds += elapsed
      estimate.validated(images: batch.labels.count, seconds: elapsed)
      hooks.report(.validating(done: done, total: loader.items.count))
      let goesOn = obeyCommands()
      start = clock.now
      return goesOn
    }
    let skipped =
      features?.set.evaluate(network, pool, loader, take)
      ?? BatchEvaluator(network: network, pool: pool).run(loader, take)
    if stopping { return nil }
    estimate.validationEnded()
    let only = tally.onlyPrediction
    if let text = oneClassWatch.notice(only: only, epoch: state.epochsDone + 1, of: plannedEpochs) { warn(text) }
    if let over = oneClassWatch.eased(only: only) { hooks.report(.warningEased(over)) }
    name(skipped)
    return (tally.metrics, tally.nonFinite, seconds)
  }

  // MARK: Commands

  /// Carries out what was asked since the last step; while paused, waits for more.
  /// - Returns: false when the run is to end.
  private func obeyCommands() -> Bool {
    var paused = false
    while !stopping {
      guard let command = hooks.nextCommand(paused) else {
        if paused { stopping = true }
        break
      }
      switch command {
      case .pause where !paused:
        paused = true
        records.log.info("paused at step \(state.step)")
        hooks.report(.paused)
      case .resume where paused:
        paused = false
        records.log.info("resumed")
        hooks.report(.resumed)
      case .pause, .resume: break
      case .stop: stopping = true
      case .saveCheckpoint:
        // A failure to write is told like any other.
        do { try checkpointer.saveLast(snapshot) } catch { hooks.report(.warning("not saved: \(error)")) }
      case .recover: hooks.report(.warning("the run has not diverged: there is nothing to recover from"))
      case .setLearningRate(let rate): setLearningRate(rate)
      }
    }
    return !stopping
  }

  private func setLearningRate(_ rate: Double) {
    guard rate > 0, rate.isFinite else {
      hooks.report(.warning("the learning rate must be a number above 0, not \(rate)"))
      return
    }
    state.schedule.peak = rate
    checkpointer.changed()
    records.log.info("learning rate set to \(rate)")
    hooks.report(.learningRateChanged(rate))
  }

  // MARK: Divergence

  /// Tells of a divergence and does about it what was chosen.
  /// - Returns: false when somebody ended the run.
  /// - Throws: `failure` where nobody chose to go on; what reading a checkpoint throws.
  private func recover(from divergence: Divergence, failure: TrainingError) throws -> Bool {
    let earlier =
      divergence.cause == .validation
      ? checkpointer.checkpointBefore(step: state.step, isJudged: !setup.validation.items.isEmpty) : nil
    let report = self.report(of: divergence, earlier: earlier)
    let (step, rate, files) = (report.step, report.learningRate, report.files.prefix(100))
    records.log.error("diverged (\(report.cause.rawValue)) at step \(step), rate \(rate), on \(files)")
    hooks.report(.diverged(report))
    let conversation = DivergenceRecovery.Conversation(
      isAttended: hooks.isAttended, nextCommand: { [hooks] in hooks.nextCommand(false) },
      setLearningRate: setLearningRate, warn: { [hooks] in hooks.report(.warning($0)) })
    switch recovery.decide(report, among: conversation) {
    case .end:
      stopping = true
      holdBack(divergence)
      return false
    case .fail:
      holdBack(divergence)
      if savesAtEnd { try checkpointer.saveLastIfChanged(snapshot) }
      throw failure
    case .go(let way):
      try go(on: way, report, to: earlier)
      return true
    }
  }

  /// - Parameter earlier: what to roll back to instead of `last`.
  private func go(on recovery: Recovery, _ report: DivergenceReport, to earlier: CheckpointInfo?) throws {
    let peak = state.schedule.peak * Recovery.loweredTo
    if recovery.goesBack { try checkpointer.keepToFolder(step: state.step) }
    switch recovery {
    case .rollBack: if let earlier { try restore(earlier) } else { try restoreLast() }
    case .rollBackToBest: if let best = report.best { try restore(best) }
    case .beginAgain: try beginAgain()
    case .lowerRate, .stop:
      // After a validation the next epoch begins.
      if report.cause != .validation { state.batch = report.batch }
      // The momentum is what led here.
      optimizer.reset(network.trainedParameters)
      state.optimizerSteps = 0
    }
    state.schedule.peak = peak
    lossWatch.restart()
    estimate = freshEstimate()
    records.log.warning("\(recovery.rawValue): goes on from step \(state.step) with the peak rate \(peak)")
    hooks.report(.recovered(RecoveryReport(recovery: recovery, step: state.step, learningRate: peak)))
    if recovery.goesBack {
      // So that a crash does not lead through the same again.
      try checkpointer.saveLast(snapshot)
      checkpointer.setAsideLater(than: state)
    } else {
      // Not before a step was taken: if it cannot be, `last` is what to go back to.
      checkpointer.changed()
    }
  }

  /// So many images are named at most.
  private static let mostFiles = 1000

  private func report(of divergence: Divergence, earlier: CheckpointInfo?) -> DivergenceReport {
    let isValidation = divergence.cause == .validation
    return DivergenceReport(
      cause: divergence.cause,
      step: [.weights, .validation].contains(divergence.cause) ? state.step : state.step + 1,
      epoch: isValidation ? state.epochsDone : state.epochsDone + 1, loss: divergence.loss,
      gradientNorm: divergence.gradientNorm,
      learningRate: isValidation ? schedule.lastRate(state) : schedule.rate(state), batch: divergence.batch + 1,
      files: Array(divergence.files.prefix(Self.mostFiles)), images: divergence.files.count,
      canLeaveOut: canLeaveOut(divergence), savedStep: isValidation ? earlier?.step : checkpointer.savedState?.step,
      best: checkpointer.bestToGoBackTo(step: state.step))
  }

  /// Whether the run can go on behind the batch.
  private func canLeaveOut(_ divergence: Divergence) -> Bool {
    if divergence.cause == .validation { return hasMore }
    // An epoch without a single image that was trained on would be none.
    return divergence.cause != .weights
      && (state.epochTotals.images > 0 || divergence.batch + 1 < setup.training.batchCount)
  }

  /// Keeps the `last` that is on disk instead of a state that training cannot go on from.
  private func holdBack(_ divergence: Divergence) {
    if divergence.cause == .weights || lossWatch.isDiverging { savesAtEnd = false }
  }

  /// - Parameter images: those whose outputs are not finite; nil where that is not known any more.
  private func validationFailure(images: [String]?) -> TrainingError {
    .validationDiverged(run: run.path, epoch: state.epochsDone, images: images, of: setup.validation.items.count)
  }

  // MARK: Frozen layers

  /// Trains what is trained in the epoch that comes next. Where that is more or less than before, the optimizer and the
  /// groups of batches begin anew.
  /// - Returns: whether it is.
  @discardableResult
  private func enterPhase(of state: TrainingState) -> Bool {
    guard network.prepareForTransfer(setup, epochsDone: state.epochsDone) else { return false }
    optimizer = settings.optimizer.optimizer(for: network.trainedParameters)
    group = BatchGroup(size: settings.accumulate, batchSize: settings.batchSize)
    features = nil
    estimate = freshEstimate()
    return true
  }

  /// Of how many views of each image features are computed; 0 where the layers are run in every step.
  private var featureViews: Int {
    guard network.plan.lowered.frozen > 0, network.plan.trainsClassifierAlone,
      case .training(let augmentation, _, _) = setup.training.mode
    else { return 0 }
    return FeatureSet.viewCount(
      asked: settings.featureViews, augmentation: augmentation, items: setup.training.items.count,
      validation: setup.validation.items.count, width: network.plan.features.count)
  }

  /// Runs the frozen layers once for every image.
  /// - Returns: false when a command stopped it.
  private func computeFeatures() -> Bool {
    guard case .training(let augmentation, _, _) = setup.training.mode else { return true }
    var start = clock.now
    let views = featureViews
    let set = FeatureSet(
      network, training: setup.training, validation: setup.validation, augmentation: augmentation, views: views,
      pool: pool
    ) { done, total in
      state.seconds += (clock.now - start).seconds
      hooks.report(.computingFeatures(done: done, total: total))
      let goesOn = obeyCommands()
      start = clock.now
      return goesOn
    }
    guard let set else { return false }
    records.log.info("features of \(setup.training.items.count) images, \(views) views each, computed")
    features = ClassifierFeatures(set)
    return true
  }

  /// The batches that are left of the epoch.
  private func batches() -> any TrainingBatches {
    guard let features else {
      return setup.training.epoch(
        state.epochsDone, fromBatch: state.batch, side: settings.side(epoch: state.epochsDone))
    }
    return FeatureStream(
      features.set, of: setup.training, seed: settings.seed, epoch: state.epochsDone, fromBatch: state.batch)
  }

  // MARK: Going back, and resuming

  /// Puts the loop to where the run's `last` checkpoint stands, and changes what is to be otherwise from there on.
  private func resume(_ resuming: Resumption) throws {
    for folder in [run.path, run.checkpointsPath] { AtomicFile.sweepLeftovers(in: folder) }
    try restoreLast()
    // Where changed data were accepted, the position may lie behind the end of the epoch.
    state.batch = min(state.batch, setup.training.batchCount)
    state.splitFingerprint = setup.index.fingerprint
    // Somebody gave the run a number of epochs instead of a time.
    if setup.trainingTime == nil { state.fit = nil }
    history = try MetricsReader.reading(run.metricsPath, best: settings.best)
    let peakBefore = state.schedule.peak
    if let rate = resuming.newPeak {
      state.schedule.peak = rate
      checkpointer.changed()
      records.log.info("resumed with the learning rate \(rate)")
    }
    if let epochs = resuming.epochs, epochs != settings.epochs {
      noticesAtResume.append(
        ResumeAdvice(settings: settings, state: state, run: run.path)
          .rateText(epochsBefore: epochs, peakBefore: peakBefore, stepsPerEpoch: setup.stepsPerEpoch))
    }
  }

  /// Restores weights, the optimizer's state, statistics and position, and cuts the records back to them; to the first
  /// step where nothing was saved yet.
  /// - Throws: `CheckpointError`, `SafetensorsError` or `FileOperationError`.
  private func restoreLast() throws {
    // A file that cannot be read is told below.
    if let saved = try? run.savedState() { enterPhase(of: saved) }
    var optimizer = optimizer
    guard let saved = try checkpointer.restoreLast(into: network, &optimizer, &average) else {
      return try beginAgain()
    }
    self.optimizer = optimizer
    state = saved
    try records.rewind(to: state)
  }

  /// Goes back to the end of an epoch of which only the weights are kept: the momentum is forgotten.
  /// - Throws: `CheckpointError.lost`, `.doesNotFit` or `FileOperationError`.
  private func restore(_ checkpoint: CheckpointInfo) throws {
    try checkpointer.restore(checkpoint, into: network)
    state.goBack(to: checkpoint)
    enterPhase(of: state)
    beginFromWeights()
    try records.rewind(to: state)
  }

  /// Puts everything to where a new run begins, and the records with it.
  private func beginAgain() throws {
    let fresh = Network(
      setup.plan(epochsDone: 0), seed: settings.seed, initialization: settings.convolutionInitialization)
    setup.whiten(fresh)
    if let path = settings.initialWeights {
      try InitialWeights(path).load(
        into: fresh, classes: setup.index.classes, naming: settings.initialClasses)
    }
    for (parameter, new) in zip(network.parameters, fresh.parameters) { parameter.value = new.value }
    RunningStatistics(of: fresh).restore(to: network)
    state = setup.firstState
    enterPhase(of: state)
    beginFromWeights()
    checkpointer.forgetSaved()
    try records.rewind(to: state)
  }

  /// What is remembered besides the weights begins anew with them.
  private func beginFromWeights() {
    optimizer.reset(network.trainedParameters)
    average?.set(NetworkWeights(of: network))
  }

  // MARK: Images that do not decode

  /// So many images of an epoch may be skipped: a tenth, but always ten.
  static func skippedLimit(images: Int) -> Int { max(10, images / 10) }

  /// Saves and ends the run when so much of the data is bad that the network would not learn what was asked for. A few
  /// bad files are none of the user's business at night; thousands are a folder that went wrong.
  /// - Parameter skipped: of the batch under way; not counted yet, since a resumed run meets them again.
  private func refuseTooManyBad(_ skipped: some Collection<DecodingFailure>) throws {
    let count = state.epochTotals.skipped + group.skipped + skipped.count
    let images = setup.training.items.count
    // Where nothing at all was read, `nothingDecodes` says it better.
    guard count > Self.skippedLimit(images: images), state.epochTotals.images > 0 || count < images else { return }
    group.abandon(network)
    try checkpointer.saveLastIfChanged(snapshot)
    throw TrainingError.tooManyBadImages(
      data: settings.data, skipped: count, images: images, first: skipped.first, run: run.path)
  }

  /// Names each bad file once, in the first epoch.
  private func name(_ failures: some Sequence<DecodingFailure>) {
    guard state.epochsDone == 0 else { return }
    // An epoch that draws images has some more than once.
    for failure in failures where toldFailures.insert(failure.path).inserted { warn("skipped: \(failure)") }
  }

  private func tellOfLoaders(_ stream: any TrainingBatches) {
    guard let shortage = stream.shortage, !toldOfLoaders else { return }
    toldOfLoaders = true
    warn("images are prepared on fewer threads than asked for, which may be slower: \(shortage)")
  }

  // MARK: In other words

  private var snapshot: TrainingSnapshot {
    TrainingSnapshot(
      network: network, model: setup.model, state: state, optimizer: optimizer, pool: pool, evaluated: evaluated,
      trained: trained)
  }

  /// What is validated and saved where that is not what is trained.
  private var evaluated: (weights: NetworkWeights, kind: SavedWeights)? {
    if let average { return (average.weights, .averaged) }
    return optimizer.evaluated.map { (NetworkWeights($0, inPlaceOfTrained: network), .slow) }
  }

  private func paths(of items: [Int]) -> [String] { items.map { setup.training.items[$0].path } }

  /// Something to know that training goes on after.
  private func warn(_ text: String) {
    records.log.warning("\(text)")
    hooks.report(.warning(text))
  }

  /// Seconds until the run ends, by its epochs or by its time budget.
  private var secondsLeft: Double? {
    let budget = settings.timeBudget.map { max(0, $0 - state.seconds) }
    return [estimate.secondsLeft, budget].compactMap { $0 }.min()
  }

  /// How long the rest takes, before anything of it is measured.
  private func freshEstimate() -> ProgressEstimate {
    let epochsLeft = max(0, plannedEpochs - state.epochsDone)
    let steps =
      state.fit.map { $0.steps - state.step } ?? epochsLeft * setup.stepsPerEpoch
      - setup.steps(batches: state.batch)
    return ProgressEstimate(
      steps: max(0, steps), validations: epochsLeft,
      validationImages: setup.validation.items.count)
  }

  private func description() -> RunDescription {
    RunDescription(
      folder: run.path, settings: settings, recipe: setup.recipe, classes: setup.index.classes,
      trainingImages: setup.training.items.count, validationImages: setup.validation.items.count,
      stepsPerEpoch: setup.stepsPerEpoch, parameters: network.parameters.reduce(0) { $0 + $1.value.count },
      frozenParameters: network.parameters.reduce(0) { $0 + ($1.isTrained ? 0 : $1.value.count) },
      majorityBaseline: setup.majorityBaseline, history: history.allEpochs, steps: history.allSteps)
  }
}

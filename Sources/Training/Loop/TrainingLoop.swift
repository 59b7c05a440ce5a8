// The training loop, to be read from top to bottom: train, epoch, step, validate. It is synchronous and knows neither
// thread nor screen: it reports events and asks for commands between steps. The headless command, the tests and the
// engine behind the screen all run this one.
//
// What learns is the `Learner`, what is saved and when the `Checkpointer`'s, what follows a divergence the
// `DivergenceRecovery`'s; where training stands is one value, the `TrainingState`, of which learning rate and early
// stopping are functions.

import Datasets
import Files
import FoundationEssentials
import Glibc
import Images
import Messages
import Networks
import Ranks
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

  /// Where training stands.
  public internal(set) var state: TrainingState
  let pool: ThreadPool
  /// nil on a rank that writes no files.
  let checkpointer: Checkpointer?
  let learner: Learner

  let setup: RunSetup
  let hooks: Hooks
  private let resuming: Resumption?
  let schedule: LearningRateSchedule
  private let earlyStopping: EarlyStopping
  let records: RunRecords
  let consensus: Consensus
  private let firstRun: RunFolder
  let clock = ContinuousClock()
  var recovery: DivergenceRecovery
  var estimate: ProgressEstimate
  var lossWatch: LossWatch
  var oneClassWatch = OneClassWatch()
  /// What happened to it besides.
  var marks: [RunMark] = []
  var validationWatch = ValidationWatch()
  var history = MetricsReader()
  /// The last step that was taken, and its images.
  var lastStep: (metrics: StepMetrics, items: [Int])?
  /// Whether the state at the end is worth saving; false for one that training cannot go on from.
  var savesAtEnd = true
  /// Seconds of saves since the last step.
  var savingSeconds = 0.0
  /// When it was last looked whether the run fits into its time.
  private var lastFit = ContinuousClock.now
  /// Images whose failure was told.
  var toldFailures: Set<String> = []
  /// Whether it was told that threads are lacking to prepare images.
  var toldOfLoaders = false
  /// Set by a command; the run ends after the step under way.
  var stopping = false
  /// What is said before a resumed run goes on.
  var noticesAtResume: [String] = []

  /// The run's folder, which is followed when it is renamed.
  public var run: RunFolder { checkpointer?.run ?? firstRun }
  public var network: Network { learner.network }
  var settings: TrainingSettings { setup.settings }

  /// - Parameters:
  ///   - run: the folder made for it.
  ///   - pool: the threads to compute with; nil for new ones as the settings say.
  ///   - resuming: go on from the run's `last` checkpoint.
  ///   - communicator: the ranks that train it together. Rank 0 has the hooks that are heard, reads and writes the
  ///     run's folder, and decides; the others need no folder.
  /// - Throws: what reading a checkpoint or the initial weights throws.
  public init(
    _ setup: RunSetup, run: RunFolder, pool: ThreadPool? = nil, resuming: Resumption? = nil,
    communicator: any Communicator = Loopback(), hooks: Hooks = Hooks()
  ) throws {
    let settings = setup.settings
    let consensus = try Consensus(communicator)
    self.setup = setup
    self.consensus = consensus
    self.hooks = consensus.leads ? hooks : Hooks()
    self.resuming = resuming
    firstRun = run
    self.pool = try pool ?? ThreadPool(reserving: settings.threads)
    learner = Learner(setup, self.pool, consensus)
    schedule = LearningRateSchedule(
      settings: settings.schedule, stepsPerEpoch: setup.stepsPerEpoch, epochs: settings.epochs,
      frozenEpochs: settings.freeze.epochs)
    earlyStopping = EarlyStopping(patience: settings.earlyStoppingPatience, metric: settings.best)
    let records =
      consensus.leads
      ? RunRecords(run, tensorBoard: settings.tensorBoard, report: hooks.report) : RunRecords()
    self.records = records
    checkpointer = try consensus.together {
      guard consensus.leads else { return nil }
      return try Checkpointer(
        run, keep: settings.keep, interval: .seconds(settings.safety.saveMinutes * 60), records: records,
        report: hooks.report)
    }
    recovery = DivergenceRecovery(policy: settings.safety.divergence)
    lossWatch = LossWatch(
      classes: setup.index.classes.count, stepsPerEpoch: setup.stepsPerEpoch,
      floor: settings.lossFloor(classes: setup.index.classes.count))
    state = setup.firstState
    estimate = ProgressEstimate(steps: 0, validations: 0, validationImages: 0)
    try lead { _ in
      if let resuming {
        try resume(resuming)
      } else if let note = try learner.begin()?.note(setup.plan) {
        hooks.report(.warning(note))
      }
    }
    try learner.spread(state)
    estimate = freshEstimate()
  }

  /// Trains until the epochs, the time budget or the patience are used up, or a command stops it. A run that had
  /// ended already ends again at once.
  /// - Throws: `TrainingError` where training cannot go on, the `last` checkpoint then holds the last good state,
  ///   unless the run's folder is gone (see `RunPlace`); `TrainingError.notSaved` where the state at the end cannot be
  ///   saved.
  public func train() throws -> RunOutcome {
    do { return try trainToEnd() } catch {
      // What all ranks run into is a `TrainingError` on each.
      if !(error is TrainingError) { consensus.abandon(error) }
      throw error
    }
  }

  private func trainToEnd() throws -> RunOutcome {
    try lead(begin)
    let stepBefore = state.step
    let reason = try trainEpochs()
    if let last = validationWatch.postponed {
      hooks.report(.validated(validationWatch.details(of: last.measured, epoch: last.epoch, step: last.step)))
    }
    var unsaved: [String] = []
    try lead { unsaved = try $0.saveAtEnd(snapshot, savesLast: savesAtEnd) }
    let advice =
      ResumeAdvice(settings: settings, state: state, run: run.path)
      .text(after: reason, trainedNothing: state.step == stepBefore)
      ?? (reason == .completed ? LengthAdvice(epochs: recordedEpochs()).text(settings) : nil)
    let outcome = RunOutcome(
      folder: run.path, reason: reason, epochs: state.epochsDone, steps: state.step,
      best: state.earlyStopping.best.map { Score(settings.best, $0) }, seconds: state.seconds + savingSeconds,
      failedSaves: checkpointer?.failures ?? 0, unsaved: unsaved, advice: advice)
    records.log.info("finished: \(reason.rawValue) after \(outcome.epochs) epochs, \(outcome.steps) steps")
    hooks.report(.finished(outcome))
    return outcome
  }

  /// The epochs of the run, from its records; none where they cannot be read.
  private func recordedEpochs() -> [EpochMetrics] {
    consensus.leads ? (try? run.history())?.run.history ?? [] : []
  }

  /// Says what is trained, and what to know beforehand.
  private func begin(_ checkpointer: Checkpointer) throws {
    let description = description()
    let frozen = description.frozenParameters > 0 ? ", \(description.frozenParameters) of them frozen" : ""
    if resuming == nil, let weights = settings.initialWeights {
      records.log.info("begins with the weights of \(weights)")
    }
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
        if learner.missingViews > 0 {
          guard computeFeatures() else { return .stopped }
          continue
        }
        guard try trainEpoch() else { return .stopped }
        // Before validating, so that nothing is lost if that fails. On features an epoch takes milliseconds.
        try lead { checkpointer in
          guard learner.features == nil || checkpointer.savedState == nil else { return }
          try saving { try checkpointer.saveLast(snapshot) }
        }
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
  var hasMore: Bool { state.fit.map { state.step < $0.steps } ?? (state.epochsDone < settings.epochs) }

  /// Epochs in all, the last of which may be a part of one.
  var plannedEpochs: Int {
    guard let left = state.fit.map({ max(0, $0.steps - state.step) }) else { return settings.epochs }
    return state.epochsDone + (setup.steps(batches: state.batch) + left + setup.stepsPerEpoch - 1)
      / setup.stepsPerEpoch
  }

  var isOutOfTime: Bool { settings.timeBudget.map { state.seconds + savingSeconds >= $0 } ?? false }

  /// Goes through the batches of the epoch that are left.
  /// - Returns: false when a command stopped it.
  private func trainEpoch() throws -> Bool {
    state.wasCutShort = nil
    guard try settings.replicaCount > 1 ? trainReplicas() : trainBatches() else { return false }
    // Also where a run that was stopped while validating is resumed.
    if isOutOfTime, state.batch < setup.training.batchCount { state.wasCutShort = true }
    guard state.epochTotals.images > 0 else {
      throw TrainingError.nothingDecodes(data: settings.data, skipped: state.epochTotals.skipped)
    }
    return true
  }

  /// Steps of batches as they come.
  private func trainBatches() throws -> Bool {
    let stream = learner.batches(state)
    tellOfLoaders(stream)
    var named = 0
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
      if let batch {
        try learner.learn(
          from: batch, step: state.step, skipped: Array(skipped), startedAt: start, waiting: waiting)
      }
      if learner.group.isWhole || (batch == nil && !learner.group.isEmpty) {
        guard try endStep() else { return false }
      }
      if batch == nil {
        state.epochTotals.skipped += skipped.count
        state.batch = setup.training.batchCount
        break
      }
    }
    return true
  }

  /// Takes the step, and does what is done between two.
  /// - Returns: false when a command stopped it.
  func endStep() throws -> Bool {
    try step()
    try lead { checkpointer in
      try checkpointer.endIfRemoved(step: state.step)
      if checkpointer.isDue { try saving { try checkpointer.saveDue(snapshot) } }
      obeyCommands()
    }
    return !stopping
  }

  /// Has rank 0 do what it does alone: read clocks, hear commands, write files. All go on from where that leaves
  /// training.
  /// - Throws: as `Consensus.decide`.
  func lead(_ body: (Checkpointer) throws -> Void) throws {
    let turn = try consensus.decide {
      // Who decides has the files.
      if let checkpointer { try body(checkpointer) }
      return Turn(state: state, savingSeconds: savingSeconds, stopping: stopping)
    }
    (state, savingSeconds, stopping) = (turn.state, turn.savingSeconds, turn.stopping)
  }

  /// What rank 0 decides by itself.
  private struct Turn: Codable {
    var state: TrainingState
    var savingSeconds: Double
    var stopping: Bool
  }

  // MARK: A step

  /// The update; then everything that counts the step.
  /// - Throws: `Divergence`; network and state are then those before the step.
  private func step() throws {
    let step = try learner.step(state, schedule)
    state.seconds += savingSeconds
    savingSeconds = 0
    state.stepEnded(
      batch: step.lastBatch, images: step.images, loss: step.loss, correct: step.correct, skipped: step.skipped,
      seconds: step.seconds, waiting: step.waiting)
    estimate.stepEnded(images: step.images, seconds: step.seconds)
    fitIntoTime()
    let metrics = StepMetrics(
      step: state.step, epoch: state.epochsDone + 1, loss: step.loss,
      accuracy: step.correct / Double(step.images), learningRate: step.rate, gradientNorm: step.gradientNorm,
      imagesPerSecond: estimate.imagesPerSecond ?? 0, secondsLeft: secondsLeft)
    lastStep = (metrics, step.items)
    if state.step % settings.logEvery == 0 { records.append(metrics) }
    hooks.report(.step(metrics))
    if let layers = step.layers {
      let statistics = LayerStatistics(epoch: metrics.epoch, step: metrics.step, layers: layers)
      records.append(statistics, interval: settings.layerStats)
      hooks.report(.layers(statistics))
    }
    if let notice = lossWatch.add(step.loss) { warn(notice.text) }
    if let over = lossWatch.eased() { hooks.report(.warningEased(over.text)) }
  }

  /// Where the run has to end at a time, gives it the steps for which there is time, now and then.
  private func fitIntoTime() {
    guard var fit = state.fit, let time = setup.trainingTime, let needed = estimate.secondsLeft,
      (clock.now - lastFit).seconds >= max(1, time / 30)
    else { return }
    lastFit = clock.now
    guard fit.refit(step: state.step, needed: needed, available: time - state.seconds - savingSeconds)
    else { return }
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
    guard let (validation, measured, seconds) = try validate() else { return false }
    let tally = measured?.tally
    let nonFinite = tally?.nonFinite ?? []
    let judged = validation.flatMap { $0.isFinite ? $0 : nil }
    let rate = schedule.lastRate(state)
    let totals = state.epochEnded(validation: validation, metric: settings.best, seconds: seconds)
    schedule.epochEnded(&state.schedule, validationLoss: judged?.loss)
    // What was validated is what is saved, and what training goes on from.
    if learner.enterPhaseFromEvaluated(epochsDone: state.epochsDone) {
      (state.optimizerSteps, state.averagedSteps) = (0, 0)
      estimate = freshEstimate()
    }
    let verdict = earlyStopping.epochEnded(&state.earlyStopping, value: state.score?.value)

    let metrics = EpochMetrics(
      epoch: state.epochsDone, step: state.step, trainLoss: totals.loss / Double(max(1, totals.images)),
      trainAccuracy: totals.correct / Double(max(1, totals.images)), validation: validation,
      learningRate: rate, seconds: totals.seconds + seconds, skippedImages: totals.skipped,
      dataWait: totals.dataWait, isMixed: settings.augmentation.mixesImages)
    records.append(metrics) { [network] in
      network.histograms
        + (tally.map { $0.mistakes(root: setup.index.root).values("validation") + $0.classValues } ?? [])
    }
    if let tally { records.append(ClassRecalls(epoch: metrics.epoch, step: metrics.step, tally)) }
    if let wait = totals.dataWait, learner.features == nil {
      records.log.info(
        "epoch \(state.epochsDone): \((wait * 1000).rounded() / 10) % of the steps' time was waiting for images")
    }
    logRanks(seconds: totals.seconds)
    hooks.report(.epoch(metrics))
    if let measured { tell(measured, epoch: metrics.epoch, step: metrics.step) }
    try lead { checkpointer in
      if learner.features == nil || !settings.freeze.isFrozen(epoch: state.epochsDone) {
        try saving {
          try checkpointer.saveKept()
          try checkpointer.saveEpoch(snapshot, improved: verdict == .improved)
        }
        estimate.saved(seconds: savingSeconds)
      } else {
        try checkpointer.keepEpoch(snapshot, improved: verdict == .improved)
      }
    }
    if !nonFinite.isEmpty {
      throw Divergence(
        cause: .validation, loss: metrics.trainLoss, gradientNorm: lastStep?.metrics.gradientNorm ?? 0,
        batch: setup.training.batchCount - 1, files: nonFinite)
    }
    return true
  }

  /// Counts the time that saving takes: it is part of the run's, from the next step on.
  private func saving(_ body: () throws -> Void) rethrows {
    let start = clock.now
    defer { savingSeconds += (clock.now - start).seconds }
    try body()
  }

  // MARK: Frozen layers

  /// Runs the frozen layers once for every image.
  /// - Returns: false when a command stopped it.
  private func computeFeatures() -> Bool {
    let views = learner.missingViews
    var start = clock.now
    let isComplete = learner.computeFeatures(views: views) { done, total in
      state.seconds += (clock.now - start).seconds
      hooks.report(.computingFeatures(done: done, total: total))
      let goesOn = obeyCommands()
      start = clock.now
      return goesOn
    }
    guard isComplete else { return false }
    records.log.info("features of \(setup.training.items.count) images, \(views) views each, computed")
    return true
  }

  // MARK: In other words

  var snapshot: TrainingSnapshot { learner.snapshot(state) }

  private func paths(of items: [Int]) -> [String] { items.map { setup.training.items[$0].path } }

  /// Writes down what happened to the run, for its curves.
  func mark(_ kind: RunMark.Kind, _ value: Double? = nil) {
    let mark = RunMark(kind, step: state.step, value: value)
    records.append(mark)
    marks.append(mark)
  }

  /// Something to know that training goes on after.
  func warn(_ text: String) {
    records.log.warning("\(text)")
    hooks.report(.warning(text))
  }

  /// Seconds until the run ends, by its epochs or by its time budget.
  private var secondsLeft: Double? {
    let budget = settings.timeBudget.map { max(0, $0 - state.seconds - savingSeconds) }
    return [estimate.secondsLeft, budget].compactMap { $0 }.min()
  }

  /// How long the rest takes, before anything of it is measured.
  func freshEstimate() -> ProgressEstimate {
    let epochsLeft = max(0, plannedEpochs - state.epochsDone)
    let steps =
      state.fit.map { $0.steps - state.step } ?? epochsLeft * setup.stepsPerEpoch
      - setup.steps(batches: state.batch)
    return ProgressEstimate(
      steps: max(0, steps), validations: epochsLeft,
      validationImages: setup.validation.items.count)
  }

  private func description() -> RunDescription {
    var description = RunDescription(
      folder: run.path, settings: settings, recipe: setup.recipe, classes: setup.index.classes,
      trainingImages: setup.training.items.count, validationImages: setup.validation.items.count,
      stepsPerEpoch: setup.stepsPerEpoch, parameters: network.parameters.reduce(0) { $0 + $1.value.count },
      frozenParameters: network.parameters.reduce(0) { $0 + ($1.isTrained ? 0 : $1.value.count) },
      majorityBaseline: setup.majorityBaseline, history: history.allEpochs, steps: history.allSteps)
    description.marks = marks
    description.classFigures = history.allClassFigures
    description.layers = history.layers
    description.network = network.plan.tellableSummary
    return description
  }
}

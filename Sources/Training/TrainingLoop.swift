// The training loop. It is synchronous and knows neither thread nor screen: it reports events and asks for commands
// between steps. The headless command, the tests and the engine behind the screen all run this one.

import Datasets
import Foundation
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

    public init(
      report: @escaping (TrainingEvent) -> Void = { _ in },
      nextCommand: @escaping (_ waiting: Bool) -> TrainingCommand? = { _ in nil }
    ) {
      self.report = report
      self.nextCommand = nextCommand
    }
  }

  public let run: RunFolder
  public let network: Network
  public private(set) var state: TrainingState
  private let prepared: PreparedRun
  private let workers: WorkerPool
  private let hooks: Hooks
  private var optimiser: SGD
  private var schedule: LearningRateSchedule
  private var earlyStopping: EarlyStopping
  private var estimate: ProgressEstimate
  private let metrics: MetricsLog
  private let results: ResultsTable
  private let log: Logger
  private let history: [EpochMetrics]
  private let clock = ContinuousClock()
  private var lastSave: ContinuousClock.Instant
  /// Set by a command; the run ends after the step under way.
  private var stopping = false

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
    self.workers = workers ?? WorkerPool(threads: settings.threads)
    network = Network(prepared.plan, seed: settings.seed)
    optimiser = SGD(settings.optimiser, network.parameters)
    schedule = LearningRateSchedule(
      settings: settings.schedule, peak: settings.learningRate, stepsPerEpoch: max(1, prepared.training.batchCount),
      epochs: settings.epochs)
    earlyStopping = EarlyStopping(patience: settings.earlyStoppingPatience)
    let report = hooks.report
    metrics = MetricsLog(path: run.metricsPath) { report(.warning($0)) }
    results = ResultsTable(path: run.resultsPath) { report(.warning($0)) }
    log = Logger(label: run.name) { [path = run.logPath] _ in FileLogHandler(path: path) }
    let fingerprint = prepared.index.fingerprint
    if resuming {
      state = try Checkpoint.resume(path: run.path(of: .last), network: network, optimiser: &optimiser)
      guard state.splitFingerprint == fingerprint else {
        throw SettingsError(
          "the images in \(settings.data) changed since \(run.path) was started; start a new run with --weights "
            + "\(run.path(of: .last)), or restore the images")
      }
      schedule.state = state.schedule
      earlyStopping.state = state.earlyStopping
      try metrics.rewind(toStep: state.step, epoch: state.epochsDone)
      try results.rewind(toStep: state.step, epoch: state.epochsDone)
      history = try MetricsLog.read(path: run.metricsPath).epochs
    } else {
      state = TrainingState(
        schedule: schedule.state, earlyStopping: earlyStopping.state, splitFingerprint: fingerprint)
      history = []
      if let weights = settings.initialWeights { try Self.start(network, from: weights, report) }
    }
    let epochsLeft = settings.epochs - state.epochsDone
    estimate = ProgressEstimate(
      steps: epochsLeft * prepared.training.batchCount - state.batch, validations: epochsLeft,
      validationImages: prepared.validation.items.count)
    lastSave = clock.now
  }

  /// Takes weights from a file; a classifier for other classes begins anew.
  private static func start(_ network: Network, from path: String, _ report: (TrainingEvent) -> Void) throws {
    let file = try Safetensors.read(path: path)
    guard let classifier = network.parameters.last(where: { $0.role != .bias }) else { return }
    let fits = file.names.contains { $0.hasSuffix(classifier.name) && file.shape(of: $0) == classifier.fileShape }
    try network.loadState(file, exceptClassifier: !fits)
    if !fits { report(.warning("\(path) has other classes: '\(classifier.name)' begins with random weights")) }
  }

  /// Trains until the epochs, the time budget or the patience are used up, or a command stops it.
  /// - Throws: `TrainingError` where training cannot go on; the `last` checkpoint then holds the last good state.
  public func train() throws -> RunOutcome {
    let description = description()
    log.info("started: \(description.trainingImages) training images, \(description.parameters) parameters")
    hooks.report(.started(description))
    var reason = RunOutcome.Reason.completed
    while state.epochsDone < prepared.settings.epochs {
      let ending = try trainEpoch()
      if ending == .stopped {
        reason = .stopped
        break
      }
      // Before validating, so that nothing is lost if that fails.
      try saveLast()
      guard try finishEpoch() else {
        reason = .stopped
        break
      }
      if ending == .outOfTime {
        reason = .timeBudget
        break
      }
      if wantsEarlyStop {
        reason = .earlyStopping
        break
      }
    }
    try saveLast()
    let outcome = RunOutcome(
      folder: run.path, reason: reason, epochs: state.epochsDone, steps: state.step,
      bestValidationAccuracy: state.earlyStopping.bestAccuracy, seconds: state.seconds)
    log.info("finished: \(reason.rawValue) after \(outcome.epochs) epochs, \(outcome.steps) steps")
    hooks.report(.finished(outcome))
    return outcome
  }

  private var wantsEarlyStop = false

  private enum EpochEnding { case completed, outOfTime, stopped }

  // MARK: An epoch

  private func trainEpoch() throws -> EpochEnding {
    let settings = prepared.settings
    let stream = prepared.training.epoch(state.epochsDone, fromBatch: state.batch)
    while true {
      let start = clock.now
      guard let batch = stream.next() else { break }
      try step(batch, startedAt: start)
      if clock.now - lastSave > Self.saveInterval { try saveLast() }
      guard obeyCommands() else { return .stopped }
      if let budget = settings.timeBudget, state.seconds >= budget { return .outOfTime }
    }
    // Batches of undecodable images only are passed over: the epoch is done all the same.
    state.batch = prepared.training.batchCount
    guard state.epochTotals.images > 0 else {
      throw TrainingError.nothingDecodes(data: settings.data, skipped: state.epochTotals.skipped)
    }
    return .completed
  }

  /// Forward, backward, update.
  private func step(_ batch: Batch, startedAt start: ContinuousClock.Instant) throws {
    let settings = prepared.settings
    let size = prepared.model.preprocessing.imageSize
    let count = batch.labels.count
    let pass = Pass(.training, workers, seed: settings.seed &+ UInt64(state.step))
    let logits = network.forward(Tensor([count, size, size, 3], batch.images), pass)
    let loss = SoftmaxCrossEntropy(logits: logits, labels: batch.labels, smoothing: settings.labelSmoothing)
    network.backward(loss.gradient, pass)
    let norm = network.gradientNorm(workers)
    guard loss.loss.isFinite, norm.isFinite else {
      throw TrainingError.diverged(
        step: state.step + 1, loss: loss.loss, files: batch.items.map { prepared.training.items[$0].path })
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
    note(batch.skipped)
    estimate.stepEnded(images: count, seconds: seconds)
    let figures = StepMetrics(
      step: state.step, epoch: state.epochsDone + 1, loss: loss.loss,
      accuracy: Double(loss.correct) / Double(count), learningRate: rate, gradientNorm: norm,
      imagesPerSecond: estimate.imagesPerSecond ?? 0, secondsLeft: estimate.secondsLeft)
    if state.step % settings.logEvery == 0 { metrics.append(figures) }
    hooks.report(.step(figures))
  }

  private func note(_ failures: [DecodingFailure]) {
    state.epochTotals.skipped += failures.count
    // Each bad file is named once, in the first epoch.
    for failure in failures where state.epochsDone == 0 {
      log.warning("skipped: \(failure)")
      hooks.report(.warning("skipped: \(failure)"))
    }
  }

  /// Validates, records the epoch and saves what is to be kept.
  /// - Returns: false when a command stopped the validation.
  private func finishEpoch() throws -> Bool {
    let settings = prepared.settings
    let start = clock.now
    let (validation, completed) = try validate()
    guard completed else { return false }
    let seconds = (clock.now - start).seconds
    let totals = state.epochTotals
    state.seconds += seconds
    state.epochsDone += 1
    state.batch = 0
    state.epochTotals = EpochTotals()
    state.validationAccuracy = validation?.top1
    let rate = schedule.rate(step: max(0, state.step - 1))
    schedule.epochEnded(validationLoss: validation?.loss)
    let verdict = earlyStopping.epochEnded(validationAccuracy: validation?.top1)
    wantsEarlyStop = verdict == .stop
    state.schedule = schedule.state
    state.earlyStopping = earlyStopping.state

    let figures = EpochMetrics(
      epoch: state.epochsDone, step: state.step, trainLoss: totals.loss / Double(max(1, totals.images)),
      trainAccuracy: Double(totals.correct) / Double(max(1, totals.images)), validation: validation,
      learningRate: rate, seconds: totals.seconds + seconds, skippedImages: totals.skipped)
    metrics.append(figures)
    results.append(figures)
    hooks.report(.epoch(figures))
    if verdict == .improved { try save(.best) }
    if settings.keep.savesNumbered(epoch: state.epochsDone) {
      try save(.epoch(state.epochsDone))
      try run.applyKeepPolicy(settings.keep)
    }
    return true
  }

  private func validate() throws -> (ValidationMetrics?, completed: Bool) {
    let loader = prepared.validation
    guard !loader.items.isEmpty else { return (nil, true) }
    var tally = EvaluationTally(classes: prepared.index.classes)
    var done = 0
    var completed = true
    var start = clock.now
    hooks.report(.validating(done: 0, total: loader.items.count))
    _ = BatchEvaluator(network: network, workers: workers).run(loader) { batch, logits in
      tally.add(logits: logits, truths: batch.labels, paths: batch.items.map { loader.items[$0].path })
      done += batch.labels.count + batch.skipped.count
      let now = clock.now
      estimate.validated(images: batch.labels.count, seconds: (now - start).seconds)
      hooks.report(.validating(done: done, total: loader.items.count))
      completed = obeyCommands()
      start = clock.now
      return completed
    }
    if completed { estimate.validationEnded() }
    return (tally.metrics, completed)
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
        log.info("paused at step \(state.step)")
        hooks.report(.paused)
      case .resume where paused:
        log.info("resumed")
        hooks.report(.resumed)
        paused = false
      case .pause, .resume: break
      case .stop: stopping = true
      case .saveCheckpoint:
        do { try saveLast() } catch { hooks.report(.warning("could not save: \(error)")) }
      case .setLearningRate(let rate):
        guard rate > 0, rate.isFinite else {
          hooks.report(.warning("the learning rate must be a number above 0, not \(rate)"))
          break
        }
        schedule.setPeak(rate)
        state.schedule = schedule.state
        log.info("learning rate set to \(rate)")
        hooks.report(.learningRateChanged(rate))
      }
    }
    return !stopping
  }

  // MARK: Saving

  /// The longest time between two saves of `last`, within an epoch.
  private static let saveInterval = Duration.seconds(300)

  private func saveLast() throws {
    try save(.last, resumable: (state, optimiser))
    lastSave = clock.now
  }

  private func save(_ name: CheckpointName, resumable: (TrainingState, SGD)? = nil) throws {
    let info = CheckpointInfo(
      path: run.path(of: name), name: name.stem, epoch: state.epochsDone, step: state.step,
      validationAccuracy: state.validationAccuracy, savedAt: Date().formatted(.iso8601))
    try Checkpoint.save(network, prepared.model, info: info, resumable: resumable)
    hooks.report(.checkpointSaved(info))
  }

  private func description() -> RunDescription {
    RunDescription(
      folder: run.path, settings: prepared.settings, classes: prepared.index.classes,
      trainingImages: prepared.training.items.count, validationImages: prepared.validation.items.count,
      stepsPerEpoch: prepared.training.batchCount, parameters: network.parameters.reduce(0) { $0 + $1.value.count },
      chance: prepared.chance, history: history)
  }
}

/// Why training could not go on.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
  case diverged(step: Int, loss: Double, files: [String])
  case nothingDecodes(data: String, skipped: Int)

  public var description: String {
    switch self {
    case .diverged(let step, let loss, let files):
      "training diverged at step \(step) (loss \(loss)) on the batch of \(files.prefix(3).joined(separator: ", "))"
        + (files.count > 3 ? " and \(files.count - 3) more" : "")
        + "; this step was not taken: lower the learning rate and start again, or look at these images"
    case .nothingDecodes(let data, let skipped):
      "none of the training images in \(data) decodes (\(skipped) tried); see log.txt in the run's folder"
    }
  }
}

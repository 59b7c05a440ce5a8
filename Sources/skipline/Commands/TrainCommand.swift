// `skipline train`: the training loop in the foreground, its events as lines.

import ArgumentParser
import Canvas
import Messages
import Support
import Training
import Workbench

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a network on a dataset, or goes on with a run.")

  @Argument(help: "The dataset's folder; not with --resume.", transform: given) var data: String?
  @Option(help: "Go on with this run from its last checkpoint, with its own settings.") var resume: String?
  @Option(help: "Start a run with the settings of this one, where no other option says otherwise.") var like:
    String?
  @Option(name: .customLong("data"), help: "With --resume: where the run's images are now, if they were moved.")
  var movedData: String?
  @OptionGroup var options: TrainingOptions
  @Flag(help: "With --resume: go on although images were added, removed or changed.") var acceptChanges = false
  @Flag(help: "With --weights: say what becomes of each array of the file.") var verbose = false
  @Option(
    help: ArgumentHelp(
      "Save the settings as a recipe, for --recipe NAME: what is given, without data, project and name.",
      valueName: "name"),
    transform: recipeName) var saveRecipe: String?
  @Flag(
    help:
      "On several ranks whose processors are not alike: compute by the best kernels that all have, for the same bits."
  )
  var commonKernels = false
  @Flag(help: "Print a JSON line an epoch, and the outcome.") var json = false
  @Option(Limits.untilStep, visibility: .hidden) var untilStep: Int?

  func validate() throws {
    if let like, let refused = options.refusedBeside(like: like, resume: resume) { throw ValidationError(refused) }
    if (data == nil) == (resume == nil), like == nil || resume != nil {
      throw ValidationError(
        "name a dataset's folder to start a run, or a run with --resume (and, if its images were moved, their folder "
          + "with --data)")
    }
    if resume != nil {
      _ = try options.resumeChanges(
        acceptingData: acceptChanges, besides: saveRecipe == nil ? [] : ["--save-recipe"])
    }
    if resume == nil, movedData != nil {
      throw ValidationError("--data goes with --resume; a new run is started with: skipline train FOLDER")
    }
    if verbose, options.weights == nil { throw ValidationError("--verbose goes with --weights") }
    if commonKernels, ProgramRanks.launch == nil {
      throw ValidationError("--common-kernels goes with several ranks: start them by mpirun or srun")
    }
    if resume == nil && acceptChanges { throw ValidationError("--accept-changes goes with --resume") }
  }

  func run() throws {
    do { try train() } catch {
      guard let status = ExitStatus(of: error) else { throw error }
      // Paths of the run go from the root, and are read by whoever wrote them otherwise.
      ProgramRanks.tell("\(error)".shownPaths(from: WorkingFolder.path))
      throw ExitCode(status.rawValue)
    }
  }

  private func train() throws {
    // Who does not read does not stop training.
    Console.stopWaiting()
    let signals = try SignalWatcher()
    let ranks = try ProgramRanks.join()
    let job = try signals.cancelling { isCancelled in
      try TrainingJob.together(ranks, usesCommonKernels: commonKernels, isCancelled: isCancelled) {
        try prepared(ranks: ranks.size, isCancelled: isCancelled)
      }
    }
    // What is told of the run is rank 0's to tell.
    guard ranks.rank == 0 else {
      if let untilStep, try job.savedStep() >= untilStep { return }
      _ = try job.train(hooks: TrainingLoop.Hooks())
      if let signal = signals.received { throw ExitCode(128 + signal) }
      return
    }
    for line in FindingLines(job.setup.index.findings, data: job.setup.index.root).short {
      Console.progress("! \(line)")
    }
    let setup = job.setup
    if verbose, resume == nil, let weights = setup.settings.initialWeights {
      printArrays(
        try InitialWeights(weights).report(
          setup.plan, classes: setup.index.classes, naming: setup.settings.initialClasses))
    }
    // Commands are heard between steps: the loop would take one more.
    if let untilStep, try job.savedStep() >= untilStep { return }
    let (outcome, printer) = try ForegroundTraining(signals: signals, json: json).train(job, untilStep: untilStep)
    if let signal = signals.received { throw ExitCode(128 + signal) }
    printer.conclude(outcome.shown(from: WorkingFolder.path))
    if !outcome.unsaved.isEmpty { throw ExitCode(ExitStatus.inputOutput.rawValue) }
  }

  /// Starts or resumes the run.
  /// - Parameter ranks: how many train it together.
  private func prepared(ranks: Int, isCancelled: @escaping @Sendable () -> Bool) throws -> TrainingJob {
    let preparation = PreparationPrinter()
    if let resume {
      var changes = try options.resumeChanges(acceptingData: acceptChanges)
      changes.data = movedData.map { $0.path(from: WorkingFolder.path) }
      return try TrainingJob.resumed(
        folder: foundRun(resume).path(from: WorkingFolder.path), ranks: ranks, changes: changes,
        progress: { preparation.report($0) }, isCancelled: isCancelled)
    }
    let given =
      try like.map { try options.settings(like: RunFolder(existing: foundRun($0)).record(), data: data) }
      ?? options.settings(data: data ?? "", tell: { Console.progress($0) })
    let settings = given.onRanks(ranks)
    if settings.replicas != given.replicas { Console.progress("\(ranks) ranks: --replicas \(ranks)") }
    if options.project == nil, settings.project != ProjectFolder.usual {
      Console.progress("! the working folder lies in the dataset; the run is made in \(settings.project)")
    }
    if let saveRecipe {
      try RecipeShelf.standard.place(for: SavedRecipe(of: settings), as: saveRecipe, replaces: false)
    }
    let job = try TrainingJob.new(
      // From the root, because what is told of the run reaches processes with other working folders.
      settings.absolute(from: WorkingFolder.path), ranks: ranks, commandLine: options.recorded(),
      progress: { preparation.report($0) }, isCancelled: isCancelled)
    // Of settings that no run could be started with, none is kept.
    if let saveRecipe {
      let path = try RecipeShelf.standard.save(settings, as: saveRecipe)
      Console.progress("saved the recipe \(saveRecipe): \(path)")
    }
    return job
  }
}

/// Trains a run in this process, where others can attach to it.
struct ForegroundTraining {
  let signals: SignalWatcher
  let json: Bool

  /// - Parameter untilStep: ends the run, saved, after this step.
  /// - Throws: what training throws; whoever is attached was told.
  func train(_ job: TrainingJob, untilStep: Int? = nil) throws -> (outcome: RunOutcome, printer: TrainingPrinter) {
    var steps = try job.savedStep()
    var printer = TrainingPrinter(json: json)
    let served = ServedRun()
    defer { served.close() }
    // A first ctrl-c or a termination ends the run after the step under way, saved; a second one ends the process.
    signals.onFirst { [stop = served.stopper] in stop() }
    let hooks = TrainingLoop.Hooks(
      report: { event in
        if case .step(let step) = event { steps = step.step }
        printer.report(event.shown(from: WorkingFolder.path))
        served.report(event)
      },
      nextCommand: { [untilStep] waiting in
        if signals.received != nil || steps >= untilStep ?? .max { return .stop }
        return served.nextCommand(waiting: waiting)
      }, isAttended: { signals.received == nil && served.isAttended })
    do {
      return (try job.train(hooks: hooks), printer)
    } catch {
      served.report(failure: "\(error)")
      throw error
    }
  }
}

/// Prints a run's events for people on standard error, or as JSON on standard output.
struct TrainingPrinter {
  private let json: Bool
  private let clock = ContinuousClock()
  private var lastLine: ContinuousClock.Instant?
  private var run: RunDescription?

  init(json: Bool) { self.json = json }

  mutating func report(_ event: TrainingEvent) {
    switch event {
    case .started(let run):
      self.run = run
      let frozen =
        run.frozenParameters > 0 ? " (\(Format.count(run.parameters - run.frozenParameters)) trained)" : ""
      Console.progress(
        "\(run.settings.network.name), \(Format.count(run.parameters)) parameters\(frozen), "
          + "\(run.classes.count) classes, \(Format.count(run.trainingImages)) training and "
          + "\(Format.count(run.validationImages)) validation images; run \(run.folder)")
      if let recipe = run.recipe, run.history.isEmpty, run.steps.isEmpty {
        for line in RecipeText.lines(recipe) { Console.progress(line) }
        Console.progress("the same again: " + run.settings.commandLine)
      }
    case .step(let step): progress(step)
    case .computingFeatures(let done, let total): progress(features: done, of: total)
    case .epoch(let epoch):
      if json { try? Console.print(json: Line(kind: "epoch", epoch: epoch), indented: false) }
      Console.progress(line(epoch))
    case .warning(let message): Console.progress("! \(message)")
    case .saveFailed(let failure):
      Console.progress(
        "! not saved, training goes on"
          + (failure.retrySeconds > 0 ? " and tries again in \(Format.duration(failure.retrySeconds))" : "")
          + ": \(failure.reason)")
    case .diverged(let report): Console.progress("! " + Self.text(report))
    case .recovered(let report):
      Console.progress(
        "! goes on from step \(report.step) with the peak learning rate \(Format.general(report.learningRate))")
    case .lengthChanged(let epochs, let steps):
      self.run?.settings.epochs = epochs
      Console.progress(
        "fitted into the time: \(Format.counted(epochs, "epoch")), \(Format.counted(steps, "step")) in all")
    case .validating, .validated, .layers, .ranks, .paused, .resumed, .learningRateChanged, .checkpointSaved,
      .checkpointRemoved,
      .folderMoved,
      .warningEased, .finished:
      break
    }
  }

  private struct Line: Encodable {
    var kind: String
    var epoch: EpochMetrics?
    var outcome: RunOutcome?
  }

  private static func text(_ report: DivergenceReport) -> String {
    let what =
      switch report.cause {
      case .loss: "the loss became NaN or infinite"
      case .gradient: "the grad norm became NaN or infinite"
      case .weights: "weights became NaN"
      case .validation: "the outputs for validation images became NaN or infinite"
      }
    let files = report.files.prefix(5).joined(separator: ", ") + (report.files.count > 5 ? " and others" : "")
    if report.cause == .validation {
      return "diverged at step \(report.step), after epoch \(report.epoch): \(what), "
        + "\(Format.counted(report.images, "image")) (\(files)); it counts as no improvement"
    }
    return "diverged at step \(report.step): \(what), on the batch of \(files)"
  }

  func conclude(_ outcome: RunOutcome) {
    if !outcome.unsaved.isEmpty {
      Console.complain(
        "skipline: the run's end is saved, but these checkpoints never could be: "
          + outcome.unsaved.joined(separator: ", ") + "; \(outcome.folder)/log.txt says why")
    } else if outcome.failedSaves > 0 {
      Console.progress(
        "! \(Format.counted(outcome.failedSaves, "save")) failed, and what they were of is saved now")
    }
    defer { advise(outcome) }
    if json {
      try? Console.print(json: Line(kind: "outcome", outcome: outcome), indented: false)
      return
    }
    let best = outcome.best.map { ", " + $0.rankedText } ?? ""
    Console.print(
      "\(outcome.reason.text(outcome.best?.metric)) after \(Format.counted(outcome.epochs, "epoch")) and "
        + "\(Format.counted(outcome.steps, "step")), "
        + "\(Format.duration(outcome.seconds))\(best)")
    Console.print("run: \(outcome.folder)")
  }

  private func advise(_ outcome: RunOutcome) {
    if let advice = outcome.advice { Console.progress(advice) }
  }

  private mutating func progress(features done: Int, of total: Int) {
    if let lastLine, clock.now - lastLine < .seconds(5), done < total { return }
    lastLine = done < total ? clock.now : nil
    Console.progress("features of images from the frozen layers: \(Format.count(done)) of \(Format.count(total))")
  }

  /// A line every five seconds, and for the first step.
  private mutating func progress(_ step: StepMetrics) {
    if let lastLine, clock.now - lastLine < .seconds(5) { return }
    lastLine = clock.now
    guard let run else { return }
    let left = step.secondsLeft.map { ", \(Format.duration($0)) left" } ?? ""
    Console.progress(
      "epoch \(step.epoch)/\(run.settings.epochs)  step \(step.step)/\(run.stepsPerEpoch * run.settings.epochs)  "
        + "loss \(Format.fixed(step.loss, 4))  accuracy \(Format.percent(step.accuracy, decimals: 2))  "
        + "lr \(Format.fixed(step.learningRate, 5))  \(Format.fixed(step.imagesPerSecond, 1)) images/s\(left)")
  }

  private func line(_ epoch: EpochMetrics) -> String {
    let validation =
      epoch.validation.map {
        "; validation loss \($0.loss.map { Format.fixed($0, 4) } ?? Format.absent), top-1 \(Format.percent($0.top1, decimals: 2)), "
          + "top-5 \(Format.percent($0.top5, decimals: 2))"
          + ($0.balancedAccuracy.map { ", balanced \(Format.percent($0, decimals: 2))" } ?? "")
          + ($0.macroF1.map { ", macro F1 \(Format.percent($0, decimals: 2))" } ?? "")
          + ($0.nonFinite > 0
            ? ", \(Format.counted($0.nonFinite, "image")) with outputs that are NaN or infinite" : "")
      } ?? ""
    let skipped = epoch.skippedImages > 0 ? "; \(Format.counted(epoch.skippedImages, "image")) skipped" : ""
    let mixed = epoch.isMixed ? " (on mixed images)" : ""
    let wait = epoch.dataWait.map { ", \(Format.percent($0)) of the steps waiting for images" } ?? ""
    return
      "epoch \(epoch.epoch)/\(run?.settings.epochs ?? epoch.epoch)  train loss \(Format.fixed(epoch.trainLoss, 4)), "
      + "accuracy \(Format.percent(epoch.trainAccuracy, decimals: 2))\(mixed)\(validation)\(skipped); "
      + "\(Format.duration(epoch.seconds))\(wait)"
  }
}

extension RunOutcome.Reason {
  fileprivate func text(_ metric: BestMetric?) -> String {
    switch self {
    case .completed: "completed"
    case .timeBudget: "ended by the time budget"
    case .earlyStopping: "ended early, no better \((metric ?? .top1).name),"
    case .stopped: "stopped"
    }
  }
}

// `skipline train`: the training loop in the foreground, its events as lines.

import ArgumentParser
import Canvas
import Foundation
import Messages
import Training

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a network on a dataset, or goes on with a run.")

  @Argument(help: "The dataset's folder; not with --resume.") var data: String?
  @Option(help: "Go on with this run from its last checkpoint, with its own settings.") var resume: String?
  @OptionGroup var options: TrainingOptions
  @Flag(help: "Print a JSON line an epoch, and the outcome.") var json = false

  func validate() throws {
    if (data == nil) == (resume == nil) {
      throw ValidationError("name a dataset's folder to start a run, or a run with --resume")
    }
  }

  func run() throws {
    let signals = SignalWatcher()
    let preparation = PreparationPrinter()
    let job =
      try signals.cancelling { isCancelled in
        guard let data else {
          return try TrainingJob.resumed(
            folder: resume ?? "", progress: { preparation.report($0) }, isCancelled: isCancelled)
        }
        return try TrainingJob.new(
          try options.settings(data: data), commandLine: ProgramArguments.all,
          progress: { preparation.report($0) }, isCancelled: isCancelled)
      }
    for finding in job.prepared.index.findings { Console.progress("! \(finding.text)") }
    var printer = TrainingPrinter(json: json)
    let served = ServedRun()
    defer { served.close() }
    // A first ctrl-c or a termination ends the run after the step under way, saved; a second one ends the process.
    signals.onFirst { [stop = served.stopper] in stop() }
    let hooks = TrainingLoop.Hooks(
      report: { event in
        printer.report(event)
        served.report(event)
      },
      nextCommand: { waiting in signals.received == nil ? served.nextCommand(waiting: waiting) : .stop })
    let outcome: RunOutcome
    do {
      outcome = try job.train(hooks: hooks)
    } catch {
      served.report(failure: "\(error)")
      throw error
    }
    if let signal = signals.received { throw ExitCode(128 + signal) }
    printer.conclude(outcome)
  }
}

/// Prints a run's events for people on standard error, or as JSON on standard output.
private struct TrainingPrinter {
  private let json: Bool
  private let clock = ContinuousClock()
  private var lastLine: ContinuousClock.Instant?
  private var run: RunDescription?

  init(json: Bool) { self.json = json }

  mutating func report(_ event: TrainingEvent) {
    switch event {
    case .started(let run):
      self.run = run
      Console.progress(
        "\(run.settings.network.name), \(Format.count(run.parameters)) parameters, "
          + "\(run.classes.count) classes, \(Format.count(run.trainingImages)) training and "
          + "\(Format.count(run.validationImages)) validation images; run \(run.folder)")
    case .step(let step): progress(step)
    case .epoch(let epoch):
      if json { try? Console.print(json: Line(kind: "epoch", epoch: epoch), indented: false) }
      Console.progress(line(epoch))
    case .warning(let message): Console.progress("! \(message)")
    case .validating, .paused, .resumed, .learningRateChanged, .checkpointSaved, .checkpointRemoved, .finished:
      break
    }
  }

  private struct Line: Encodable {
    var kind: String
    var epoch: EpochMetrics?
    var outcome: RunOutcome?
  }

  func conclude(_ outcome: RunOutcome) {
    if json {
      try? Console.print(json: Line(kind: "outcome", outcome: outcome), indented: false)
      return
    }
    let best =
      outcome.bestValidationAccuracy.map { ", best validation accuracy \(Format.percent($0, decimals: 2))" } ?? ""
    Console.print(
      "\(outcome.reason.text) after \(Format.counted(outcome.epochs, "epoch")) and "
        + "\(Format.counted(outcome.steps, "step")), "
        + "\(Format.duration(outcome.seconds))\(best)")
    Console.print("run: \(outcome.folder)")
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
        "; validation loss \(Format.fixed($0.loss, 4)), top-1 \(Format.percent($0.top1, decimals: 2)), "
          + "top-5 \(Format.percent($0.top5, decimals: 2))"
      } ?? ""
    let skipped = epoch.skippedImages > 0 ? "; \(Format.counted(epoch.skippedImages, "image")) skipped" : ""
    let wait = epoch.dataWait.map { ", \(Format.percent($0)) of the steps waiting for images" } ?? ""
    return
      "epoch \(epoch.epoch)/\(run?.settings.epochs ?? epoch.epoch)  train loss \(Format.fixed(epoch.trainLoss, 4)), "
      + "accuracy \(Format.percent(epoch.trainAccuracy, decimals: 2))\(validation)\(skipped); "
      + "\(Format.duration(epoch.seconds))\(wait)"
  }
}

extension RunOutcome.Reason {
  fileprivate var text: String {
    switch self {
    case .completed: "completed"
    case .timeBudget: "ended by the time budget"
    case .earlyStopping: "ended early, no better validation accuracy,"
    case .stopped: "stopped"
    }
  }
}

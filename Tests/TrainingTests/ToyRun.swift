// Runs of a training loop on a toy dataset, with everything that happened in them.

import Datasets
import Files
import Foundation
import Messages
import Testing
import TestSupport
import WeightFiles

@testable import Training

extension ToyProject {
  /// Starts a run and trains it.
  func train(
    _ settings: TrainingSettings, calls: FileCalls = .system, reply: @escaping Session.Reply = { _ in [] }
  ) throws -> ToyRun {
    try train(try TrainingJob.new(settings, commandLine: [], caches: caches), Session(reply: reply), calls)
  }

  /// Goes on with a run.
  func resume(
    _ run: RunFolder, _ changes: ResumeChanges = ResumeChanges(), reply: @escaping Session.Reply = { _ in [] }
  ) throws -> ToyRun {
    try train(
      try TrainingJob.resumed(folder: run.path, changes: changes, caches: caches), Session(reply: reply), .system)
  }

  /// Starts a run that somebody watches.
  func trainWatched(
    _ settings: TrainingSettings, reply: @escaping (TrainingEvent, TrainingLoop) -> [TrainingCommand]
  ) throws -> ToyRun {
    try trainReached(settings, isAttended: true, reply: reply)
  }

  /// Where caches are made by settings that want one.
  var caches: ImageCacheFolder { ImageCacheFolder(path: folder.file("cache")) }

  /// Starts a run into whose loop a test may reach.
  func trainReached(
    _ settings: TrainingSettings, isAttended: Bool = false,
    reply: @escaping (TrainingEvent, TrainingLoop) -> [TrainingCommand]
  ) throws -> ToyRun {
    let job = try TrainingJob.new(settings, commandLine: [], caches: caches)
    var loop: TrainingLoop?
    let session = Session { event in loop.map { reply(event, $0) } ?? [] }
    session.isAttended = isAttended
    let watched = try job.loop(hooks: session.hooks)
    loop = watched
    return ToyRun(run: job.run, outcome: try watched.train(), events: session.events)
  }

  private func train(_ job: TrainingJob, _ session: Session, _ calls: FileCalls) throws -> ToyRun {
    let loop = try job.loop(hooks: session.hooks)
    loop.checkpointer?.calls = calls
    return ToyRun(run: job.run, outcome: try loop.train(), events: session.events)
  }
}

/// What a finished loop reported.
struct ToyRun {
  let run: RunFolder
  let outcome: RunOutcome
  let events: [TrainingEvent]

  var steps: [StepMetrics] { events.compactMap { if case .step(let metrics) = $0 { metrics } else { nil } } }
  var epochs: [EpochMetrics] { events.compactMap { if case .epoch(let metrics) = $0 { metrics } else { nil } } }
  var failures: [SaveFailure] {
    events.compactMap { if case .saveFailed(let failure) = $0 { failure } else { nil } }
  }
  var warnings: [String] { events.compactMap { if case .warning(let text) = $0 { text } else { nil } } }

  /// Every array of a checkpoint, momentum and running statistics included.
  func arrays(_ name: CheckpointName = .last) throws -> [String: NamedArray] {
    let file = try Safetensors.read(path: run.path(of: name))
    return Dictionary(uniqueKeysWithValues: try file.names.map { ($0, try file.array($0)) })
  }

  var checkpointNames: [String] {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: run.checkpointsPath).sorted()
    }
  }
}

/// The two ends of a loop's hooks: keeps every event, and sends the commands that a test answers it with.
final class Session {
  typealias Reply = (TrainingEvent) -> [TrainingCommand]

  private(set) var events: [TrainingEvent] = []
  var isAttended = false
  private var commands: [TrainingCommand] = []
  private let reply: Reply

  init(reply: @escaping Reply) { self.reply = reply }

  var hooks: TrainingLoop.Hooks {
    TrainingLoop.Hooks(
      report: { [self] event in
        events.append(event)
        commands += reply(event)
      },
      nextCommand: { [self] _ in commands.isEmpty ? nil : commands.removeFirst() },
      isAttended: { [self] in isAttended })
  }
}

extension TrainingEvent {
  /// The event's name, for comparing orders; steps and batches of a validation carry their number.
  var label: String {
    switch self {
    case .started: "started"
    case .computingFeatures(let done, let total): "features \(done)/\(total)"
    case .step(let metrics): "step \(metrics.step)"
    case .validating(let done, let total): "validating \(done)/\(total)"
    case .epoch(let metrics): "epoch \(metrics.epoch)"
    case .validated(let details): "validated \(details.epoch)"
    case .layers(let statistics): "layers \(statistics.step)"
    case .ranks: "ranks"
    case .paused: "paused"
    case .resumed: "resumed"
    case .learningRateChanged(let rate): "rate \(rate)"
    case .lengthChanged(let epochs, let steps): "length \(epochs)/\(steps)"
    case .checkpointSaved(let info): "saved \(info.name)"
    case .checkpointRemoved(let path): "removed \(CheckpointName(path: path).stem)"
    case .saveFailed(let failure): "not saved \(CheckpointName(path: failure.path).stem)"
    case .diverged(let report): "diverged \(report.step)"
    case .recovered(let report): "recovered \(report.step)"
    case .folderMoved: "moved"
    case .warning: "warning"
    case .warningEased: "warning eased"
    case .finished(let outcome): "finished \(outcome.reason.rawValue)"
    }
  }

  func isStep(_ number: Int) -> Bool {
    if case .step(let metrics) = self { metrics.step == number } else { false }
  }
}

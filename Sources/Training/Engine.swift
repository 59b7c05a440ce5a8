// The engine behind the screen: two threads that are reached only through messages. One trains and evaluates; one
// answers what a person browses, so that a picture or a list never waits for a step.

import Datasets
import Foundation
import Messages
import Networks
import Tensors

/// Takes commands and reports events.
///
/// `send` may be called from any thread. The engine ends after `.shutDown`, having stopped and saved what was under
/// way; `waitUntilEnded` waits for that.
public final class Engine: Sendable {
  private let work = Mailbox<Command>(capacity: 64)
  /// Of pictures that were not decoded yet, only the newest is still wanted.
  private let browsing = Mailbox<Command>(
    capacity: 64,
    coalescing: { newest, next in
      if case (.preview, .preview) = (newest, next) { next } else { nil }
    })
  private let ended = DispatchGroup()

  /// - Parameters:
  ///   - events: where everything is reported; closed when the engine has ended.
  ///   - commandLine: recorded in the runs that it starts.
  public init(events: Mailbox<Event>, commandLine: [String]) {
    start("training") { [work] in
      WorkThread(commands: work, events: events, commandLine: commandLine).run()
    }
    start("browsing") { [browsing] in
      BrowsingThread(commands: browsing, events: events).run()
    }
    ended.notify(queue: .global()) { events.close() }
  }

  /// Hands over a command; never waits.
  /// - Returns: false when so many are waiting already that it was not taken.
  @discardableResult
  public func send(_ command: Command) -> Bool {
    switch command {
    case .openDataset, .describeNetwork, .listCheckpoints, .preview: return browsing.offer(command)
    case .start, .resumeRun, .training, .evaluate: return work.offer(command)
    case .shutDown:
      browsing.close()
      return work.send(command)
    }
  }

  public func waitUntilEnded() { ended.wait() }

  private func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
    ended.enter()
    let thread = Thread { [ended] in
      body()
      ended.leave()
    }
    thread.name = name
    // Deep networks are built by recursion over blocks; the default stack is small for debug builds.
    thread.stackSize = 8 << 20
    thread.start()
  }
}

/// The thread that trains and evaluates, one thing at a time.
private final class WorkThread {
  private let commands: Mailbox<Command>
  private let events: Mailbox<Event>
  private let commandLine: [String]
  /// Commands that came while something was under way that must end first.
  private var postponed: [Command] = []
  private var shuttingDown = false

  init(commands: Mailbox<Command>, events: Mailbox<Event>, commandLine: [String]) {
    self.commands = commands
    self.events = events
    self.commandLine = commandLine
  }

  func run() {
    events.send(.state(.idle))
    while !shuttingDown {
      guard let command = postponed.isEmpty ? commands.receive() : postponed.removeFirst() else { return }
      switch command {
      case .start(let settings): train { try TrainingJob.new(settings, commandLine: self.commandLine) }
      case .resumeRun(let folder): train { try TrainingJob.resumed(folder: folder) }
      case .evaluate(let checkpoint, let data, let split):
        evaluate(checkpoint: checkpoint, data: data, split: split, afterwards: .idle)
      case .training: events.send(.warning("no training is under way"))
      case .shutDown: shuttingDown = true
      case .openDataset, .describeNetwork, .listCheckpoints, .preview:
        preconditionFailure("browsing commands go to the browsing thread")
      }
    }
  }

  private func train(_ prepare: () throws -> TrainingJob) {
    events.send(.state(.preparing))
    do {
      let job = try prepare()
      let loop = try job.loop(
        hooks: TrainingLoop.Hooks(
          report: { [events] event in
            events.send(.training(event))
            if let state = event.engineState { events.send(.state(state)) }
          },
          nextCommand: { waiting in self.nextTrainingCommand(waiting: waiting) }))
      _ = try loop.train()
    } catch {
      events.send(.failure("\(error)"))
    }
    StoragePool.trim()
    events.send(.state(.idle))
  }

  /// Between steps: evaluations are made on the spot, training commands handed on.
  private func nextTrainingCommand(waiting: Bool) -> TrainingCommand? {
    while let command = waiting ? commands.receive() : commands.poll() {
      switch command {
      case .training(let command):
        if command == .stop { events.send(.state(.stopping)) }
        return command
      case .evaluate(let checkpoint, let data, let split):
        evaluate(checkpoint: checkpoint, data: data, split: split, afterwards: waiting ? .paused : .training)
        if shuttingDown { return .stop }
      case .start, .resumeRun:
        events.send(.failure("a run is under way: stop it first"))
      case .shutDown:
        shuttingDown = true
        events.send(.state(.stopping))
        return .stop
      case .openDataset, .describeNetwork, .listCheckpoints, .preview:
        preconditionFailure("browsing commands go to the browsing thread")
      }
    }
    return nil
  }

  private func evaluate(checkpoint: String, data: String?, split: Split, afterwards: EngineState) {
    events.send(.state(.evaluating(checkpoint: checkpoint)))
    do {
      let job = try EvaluationJob(checkpoint: checkpoint, data: data, split: split)
      let report = try job.run(threads: nil) { done, total in
        events.send(.evaluationProgress(done: done, total: total))
        return goesOnEvaluating()
      }
      if let report {
        events.send(.evaluation(report))
      } else {
        events.send(.warning("the evaluation was stopped"))
      }
    } catch {
      events.send(.failure("\(error)"))
    }
    events.send(.state(afterwards))
  }

  /// While evaluating, a stop ends the evaluation only; everything else waits its turn.
  private func goesOnEvaluating() -> Bool {
    while let command = commands.poll() {
      switch command {
      case .training(.stop): return false
      case .shutDown:
        shuttingDown = true
        return false
      default: postponed.append(command)
      }
    }
    return true
  }
}

extension TrainingEvent {
  /// What the engine is doing from this event on, where it changes.
  var engineState: EngineState? {
    switch self {
    case .started, .resumed, .epoch: .training
    case .paused: .paused
    case .validating: .validating
    case .step, .learningRateChanged, .checkpointSaved, .warning, .finished: nil
    }
  }
}

/// The thread that answers what a person browses.
private struct BrowsingThread {
  let commands: Mailbox<Command>
  let events: Mailbox<Event>
  private let decoder = ImageDecoder()

  init(commands: Mailbox<Command>, events: Mailbox<Event>) {
    self.commands = commands
    self.events = events
  }

  func run() {
    while let command = commands.receive() {
      do {
        try answer(command)
      } catch {
        events.send(.failure("\(error)"))
      }
    }
  }

  private func answer(_ command: Command) throws {
    switch command {
    case .openDataset(let path, let split, let checkDecoding):
      let index = try DatasetIndex.scan(root: path, split: split) { events.send(.datasetProgress(files: $0)) }
      events.send(.dataset(index.report()))
      if checkDecoding { events.send(.dataset(index.report(decoding: index.checkDecoding()))) }
    case .describeNetwork(let settings, let imageSize, let classes, let batchSize):
      let plan = try NetworkPlan(settings, imageSize: imageSize, classes: classes)
      events.send(.network(plan.summary(batchSize: batchSize)))
    case .listCheckpoints(let project):
      var found: [CheckpointInfo] = []
      for run in try RunFolder.listRuns(project: project) {
        let listing = run.checkpointListing()
        found += listing.usable
        for damaged in listing.damaged { events.send(.warning(damaged.reason)) }
      }
      events.send(.checkpoints(found))
    case .preview(let path, let side): preview(path, side)
    case .start, .resumeRun, .training, .evaluate, .shutDown:
      preconditionFailure("work goes to the training thread")
    }
  }

  private func preview(_ path: String, _ side: Int) {
    do throws(DecodingFailure) {
      let image = try decoder.decode(path: path, minimumSide: side)
      let scale = min(1, Double(side) / Double(max(image.width, image.height)))
      let small = image.resized(
        width: max(1, Int(Double(image.width) * scale)), height: max(1, Int(Double(image.height) * scale)))
      events.send(.preview(path: path, small, reason: nil))
    } catch {
      events.send(.preview(path: path, nil, reason: error.reason))
    }
  }
}

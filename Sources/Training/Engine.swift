// The engine behind the screen: two threads that are reached only through messages. One trains and evaluates; one
// answers what a person browses, so that a picture or a list never waits for a step.

import Images
import Datasets
import Foundation
import Messages
import Networks
import Synchronization
import Tensors

/// Takes commands and reports events.
///
/// `send` may be called from any thread. The engine ends after `.shutDown`, having stopped and saved what was under
/// way; commands that were still waiting are dropped. `waitUntilEnded` waits for that; meanwhile somebody must go on
/// reading the events, or close their mailbox.
public final class Engine: Sendable {
  private let work = Inbox()
  /// Of pictures that were not decoded yet, only the newest is still wanted.
  private let browsing = Inbox(coalescing: { newest, next in
    if case (.preview, .preview) = (newest, next) { next } else { nil }
  })
  private let ended = DispatchGroup()

  /// - Parameters:
  ///   - events: where everything is reported; closed when the engine has ended.
  ///   - commandLine: recorded in the runs that it starts.
  ///   - isAttended: whether somebody is there who can be asked about a run that has its own policy for when nobody
  ///     is; called from any thread.
  public init(
    events: Mailbox<Event>, commandLine: [String], isAttended: @escaping @Sendable () -> Bool = { true }
  ) {
    start("training") { [work] in
      WorkThread(commands: work, events: events, commandLine: commandLine, isAttended: isAttended).run()
    }
    start("browsing") { [browsing] in
      BrowsingThread(commands: browsing, events: events).run()
    }
    ended.notify(queue: .global()) { events.close() }
  }

  /// Hands over a command; never waits.
  /// - Returns: false when it was not taken: too many are waiting already, or the engine is ending.
  @discardableResult
  public func send(_ command: Command) -> Bool {
    switch command {
    case .openDataset, .cancelReading, .decide, .describeNetwork, .listCheckpoints, .preview:
      return browsing.offer(command)
    case .start, .resumeRun, .training, .evaluate: return work.offer(command)
    case .shutDown:
      // Not one command in a line of others: it must neither wait for them nor for room among them.
      browsing.close()
      work.close()
      return true
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

/// The commands for one thread. Once closed, those that still wait are not given out any more.
private final class Inbox: Sendable {
  private let commands: Mailbox<Command>
  private let closed = Atomic(false)

  init(coalescing: @escaping @Sendable (_ newest: Command, _ next: Command) -> Command? = { _, _ in nil }) {
    commands = Mailbox(capacity: 64, coalescing: coalescing)
  }

  var isClosed: Bool { closed.load(ordering: .acquiring) }

  func offer(_ command: Command) -> Bool { commands.offer(command) }

  func close() {
    closed.store(true, ordering: .releasing)
    commands.close()
  }

  /// The oldest command; nil when the box is closed, or empty where there is no waiting.
  func next(waiting: Bool) -> Command? {
    let command = waiting ? commands.receive() : commands.poll()
    return isClosed ? nil : command
  }
}

/// The thread that trains and evaluates, one thing at a time.
private final class WorkThread {
  private let commands: Inbox
  private let events: Mailbox<Event>
  private let commandLine: [String]
  private let isAttended: () -> Bool
  /// Commands that came during an evaluation and wait for its end.
  private var postponed: [Command] = []
  /// Told when it changes and not again, so that a row of progress events stays one and can coalesce.
  private var state = EngineState.idle {
    didSet { if state != oldValue { events.send(.state(state)) } }
  }

  init(commands: Inbox, events: Mailbox<Event>, commandLine: [String], isAttended: @escaping () -> Bool) {
    self.commands = commands
    self.events = events
    self.commandLine = commandLine
    self.isAttended = isAttended
  }

  func run() {
    events.send(.state(state))
    while let command = next(waiting: true) {
      switch command {
      case .start(let settings):
        train {
          try TrainingJob.new(
            settings, commandLine: self.commandLine, isCancelled: { [commands] in commands.isClosed })
        }
      case .resumeRun(let folder): train { try TrainingJob.resumed(folder: folder) }
      case .evaluate(let checkpoint, let data, let split):
        evaluate(checkpoint: checkpoint, data: data, split: split)
      case .training: events.send(.warning("no training is under way"))
      case .shutDown, .openDataset, .cancelReading, .decide, .describeNetwork, .listCheckpoints, .preview:
        preconditionFailure("work goes to this thread, browsing to the other, shutDown to neither")
      }
    }
  }

  private func next(waiting: Bool) -> Command? {
    guard !postponed.isEmpty, !commands.isClosed else { return commands.next(waiting: waiting) }
    return postponed.removeFirst()
  }

  private func train(_ prepare: () throws -> TrainingJob) {
    state = .preparing
    do {
      let job = try prepare()
      let loop = try job.loop(
        hooks: TrainingLoop.Hooks(
          report: { self.report($0) }, nextCommand: { self.nextTrainingCommand(waiting: $0) },
          // Without a policy of its own a run waits until somebody attaches.
          isAttended: { job.prepared.settings.safety.divergence == .stop || self.isAttended() }))
      _ = try loop.train()
    } catch is CancellationError {
      // The engine is ending, and nothing was begun that could be told of.
    } catch {
      events.send(.failure("\(error)"))
    }
    StoragePool.trim()
    state = .idle
  }

  private var phase = RunPhase()

  private func report(_ event: TrainingEvent) {
    events.send(.training(event))
    if let new = phase.state(after: event) { state = new }
  }

  /// Between steps: evaluations are made on the spot, training commands handed on.
  private func nextTrainingCommand(waiting: Bool) -> TrainingCommand? {
    while let command = next(waiting: waiting) {
      switch command {
      case .training(let command):
        if command == .stop { state = .stopping }
        return command
      case .evaluate(let checkpoint, let data, let split):
        evaluate(checkpoint: checkpoint, data: data, split: split)
      case .start, .resumeRun: events.send(.failure("a run is under way: stop it first"))
      case .shutDown, .openDataset, .cancelReading, .decide, .describeNetwork, .listCheckpoints, .preview:
        preconditionFailure("work goes to this thread, browsing to the other, shutDown to neither")
      }
    }
    guard commands.isClosed else { return nil }
    state = .stopping
    return .stop
  }

  private func evaluate(checkpoint: String, data: String?, split: Split) {
    let before = state
    state = .evaluating(checkpoint: checkpoint)
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
    state = before
  }

  /// While evaluating, a stop ends the evaluation only; everything else waits its turn.
  private func goesOnEvaluating() -> Bool {
    while let command = commands.next(waiting: false) {
      if case .training(.stop) = command { return false }
      postponed.append(command)
    }
    return !commands.isClosed
  }
}

/// The thread that answers what a person browses.
private struct BrowsingThread {
  let commands: Inbox
  let events: Mailbox<Event>
  private let decoder = ImageDecoder()

  init(commands: Inbox, events: Mailbox<Event>) {
    self.commands = commands
    self.events = events
  }

  func run() {
    while let command = commands.next(waiting: true) {
      do {
        try answer(command)
      } catch {
        events.send(.failure("\(error)"))
      }
    }
  }

  private func answer(_ command: Command) throws {
    switch command {
    case .openDataset(let path, let split, let inspect):
      let index = try DatasetIndex.scan(root: path, split: split) {
        events.send(.datasetProgress(.scanning(files: $0, classes: [])))
      }
      events.send(.dataset(index.report()))
      guard inspect else { return }
      let failures = index.checkDecoding(isCancelled: { [commands] in commands.isClosed })
      if !commands.isClosed { events.send(.dataset(index.report(decoding: failures))) }
    case .cancelReading, .decide: break
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

// The engine, the thread that trains and evaluates.

import Datasets
import Inspection
import Messages
import Support
import Tensors
import Training

/// The thread that trains and evaluates, one thing at a time.
final class WorkThread {
  private let commands: WorkInbox
  private let events: Mailbox<Event>
  private let commandLine: [String]
  private let decisions: DecisionStore
  private let isAttended: () -> Bool
  /// Takes what an evaluation found of each image.
  private let shelf: RecordShelf
  /// Told why a run failed.
  private let failed: (any Error) -> Void
  /// Commands that came during an evaluation and wait for its end.
  private var postponed: [WorkCommand] = []
  /// Told when it changes and not again, so that a row of progress events stays one and can coalesce.
  private var state = EngineState.idle {
    didSet { if state != oldValue { events.send(.state(state)) } }
  }

  init(
    commands: WorkInbox, events: Mailbox<Event>, commandLine: [String], decisions: DecisionStore,
    isAttended: @escaping () -> Bool, shelf: RecordShelf, failed: @escaping (any Error) -> Void
  ) {
    self.commands = commands
    self.events = events
    self.commandLine = commandLine
    self.decisions = decisions
    self.isAttended = isAttended
    self.shelf = shelf
    self.failed = failed
  }

  func run() {
    events.send(.state(state))
    while let command = next(waiting: true) {
      switch command {
      case .start(let settings):
        train {
          try TrainingJob.new(
            settings, commandLine: self.commandLine, decisions: self.decisions,
            progress: { [events] in events.send(.preparing($0)) },
            isCancelled: { [commands] in commands.isClosed || commands.stopIsWaiting })
        }
      case .resumeRun(let folder, let changes):
        train {
          try TrainingJob.resumed(
            folder: folder, changes: changes, decisions: self.decisions,
            progress: { [events] in events.send(.preparing($0)) },
            isCancelled: { [commands] in commands.isClosed || commands.stopIsWaiting })
        }
      case .evaluate(let checkpoint, let data, let split, let folders, let anew):
        evaluate(checkpoint: checkpoint, data: data, split: split, folders: folders, anew: anew == true)
      case .training: events.send(.warning("no training is under way"))
      }
    }
  }

  private func next(waiting: Bool) -> WorkCommand? {
    guard !postponed.isEmpty, !commands.isClosed else { return commands.next(waiting: waiting) }
    return postponed.removeFirst()
  }

  private func train(_ prepare: () throws -> TrainingJob) {
    state = .preparing
    do {
      let job = try prepare()
      let policy = job.setup.settings.safety.divergence
      let hooks = TrainingLoop.Hooks(
        report: { self.report($0) }, nextCommand: { self.nextTrainingCommand(waiting: $0) },
        // Without a policy of its own a run waits until somebody attaches.
        isAttended: { policy == .stop || self.isAttended() })
      _ = try job.train(hooks: hooks)
    } catch is CancellationError {
      // Nothing was begun that could be told of; the stop that asked for it is answered by the state.
      takeStop()
    } catch let error as DataChangedError {
      failed(error)
      events.send(.dataChanged(error.report))
    } catch {
      failed(error)
      events.send(.failure("\(error)"))
    }
    StoragePool.trim()
    state = .idle
  }

  /// Takes the stop that waits, and keeps what was sent before it.
  private func takeStop() {
    while let command = commands.next(waiting: false) {
      if case .training(.stop) = command { return }
      postponed.append(command)
    }
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
      case .evaluate(let checkpoint, let data, let split, let folders, let anew):
        evaluate(checkpoint: checkpoint, data: data, split: split, folders: folders, anew: anew == true)
      case .start, .resumeRun: events.send(.failure("a run is under way: stop it first"))
      }
    }
    guard commands.isClosed else { return nil }
    state = .stopping
    return .stop
  }

  private func evaluate(
    checkpoint: String, data: String?, split: EvaluationSplit?, folders: SplitFolders?, anew: Bool
  ) {
    let before = state
    state = .evaluating(checkpoint: checkpoint)
    do {
      // Whether its images are still the same is told once the dataset is read: with the images of it.
      if !anew, folders == nil, var report = try KeptRecords.report(of: checkpoint, on: data, split) {
        report.isKept = true
        events.send(.evaluation(report.limited()))
        state = before
        return
      }
      let job = try EvaluationJob(checkpoint: checkpoint, data: data, split: split, folders: folders)
      for note in job.notes { events.send(.warning(note)) }
      let evaluation = RecordedEvaluation(job, checkpoint: job.checkpoint)
      let measured = try evaluation.run(
        threads: nil, decisions: decisions,
        progress: { done, total in
          events.send(.evaluationProgress(done: done, total: total))
          return goesOnEvaluating()
        },
        preparation: {
          events.send(.preparing($0))
          return goesOnEvaluating()
        }, notice: { events.send(.warning($0.text)) })
      if let (report, record) = measured {
        events.send(.evaluation(report.limited()))
        // Whatever becomes of the files, the metrics are on the screen, and the images can be.
        shelf.put(record)
        do { try evaluation.keep(report, record) } catch {
          events.send(.warning("this evaluation is not kept: \(error)"))
        }
        events.send(.evaluationKept(record.table.source))
      } else {
        events.send(.warning("the evaluation was stopped"))
      }
    } catch RunFolderError.missing(let path) where path == checkpoint {
      // A newer one took its place since they were listed.
      events.send(.failure("checkpoint \(path) is gone; R in the inspector lists those that are there"))
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

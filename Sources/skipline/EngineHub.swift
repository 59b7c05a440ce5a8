// Which engine gets which command. Browsing, and evaluating while nothing is trained, is done in this process; each run
// is trained in a process of its own, so that it outlives the screen.

import Foundation
import Link
import Messages
import Synchronization
import Training
import Workbench

/// The engines behind one screen, used as if they were one. What all of them report arrives in one mailbox.
final class EngineHub: Sendable {
  private let events: Mailbox<Event>
  private let local: Engine
  /// The run that this screen is attached to.
  private let attached = Mutex<Attachment?>(nil)
  private let log: String

  private final class Attachment: Sendable {
    let engine: RemoteEngine
    init(_ connection: Connection, readOnly: Bool, hub: EngineHub) throws {
      let watcher = FinishWatcher()
      engine = try RemoteEngine(
        connection, readOnly: readOnly,
        report: { [events = hub.events] event in
          watcher.note(event)
          return events.send(event)
        }
      ) { [weak hub] ending in
        hub?.ended(ending, finished: watcher.isFinished)
      }
    }
  }

  /// - Parameter log: takes the standard error of engines that have no run's folder yet.
  init(events: Mailbox<Event>, log: String) {
    self.events = events
    self.log = log
    local = Engine(events: events, commandLine: [])
  }

  /// Whether a run is attached.
  var isAttached: Bool { attached.withLock { $0 != nil } }

  /// Hands over a command; never waits long.
  /// - Returns: false when it was not taken.
  func send(_ command: Command) -> Bool {
    let remote = attached.withLock { $0?.engine }
    switch command {
    case .openDataset, .cancelReading, .decide, .describeNetwork, .listCheckpoints, .preview:
      return local.send(command)
    case .training, .evaluate: return remote?.send(command) ?? local.send(command)
    case .start, .resumeRun:
      // The run's own engine says that it is busy.
      if let remote { return remote.send(command) }
      return begin(command)
    case .shutDown: preconditionFailure("a screen leaves with `leave`")
    }
  }

  /// Attaches to the engine that trains a run.
  /// - Throws: `LinkError`, or `NoLiveRun` where none does.
  func attach(to folder: String, readOnly: Bool = false) throws {
    guard let connection = try SocketFile(folder: folder).connect() else { throw NoLiveRun(folder: folder) }
    let attachment = try Attachment(connection, readOnly: readOnly, hub: self)
    attached.withLock { $0 = attachment }
  }

  /// The runs of a project that are being trained by other processes. It asks the locks only: an engine that hangs
  /// does not hold up the screen.
  func liveRuns(project: String) -> [LiveRun] {
    let runs = (try? RunFolder.listRuns(project: project)) ?? []
    return runs.filter { RunLock.holder(of: $0) != nil }.map { run in
      let settings = try? run.record().settings
      return LiveRun(folder: run.path, network: settings?.network.name ?? "", data: settings?.data ?? "")
    }
  }

  /// Detaches from the run, which goes on, and ends what is done in this process.
  func leave() {
    attached.withLock { $0.take() }?.engine.close()
    // Nobody reads any more; an engine that waits for room would never end.
    events.close()
    local.send(.shutDown)
    local.waitUntilEnded()
  }

  private func begin(_ command: Command) -> Bool {
    do {
      let attachment = try Attachment(
        try EngineProcess.start(log: log, commandLine: ProgramArguments.all), readOnly: false, hub: self)
      attached.withLock { $0 = attachment }
      return attachment.engine.send(command)
    } catch {
      events.send(.failure("\(error)"))
      events.send(.state(.idle))
      return true
    }
  }

  private func ended(_ ending: RemoteEngine.Ending, finished: Bool) {
    attached.withLock { $0 = nil }
    switch ending {
    case .detached: return
    case .closed where finished: break
    case .closed:
      events.send(
        .failure("the engine of the run has ended without a word; its last checkpoint is safe: resume the run"))
    case .failed(let reason): events.send(.failure("the connection to the run's engine failed: \(reason)"))
    }
    events.send(.state(.idle))
  }
}

/// Notes whether the job of an engine came to an end that was told, so that the end of the connection is no news.
private final class FinishWatcher: Sendable {
  private let state = Mutex((hasBegun: false, isOver: false))

  var isFinished: Bool { state.withLock { $0.isOver } }

  func note(_ event: Event) {
    guard case .state(let new) = event else { return }
    state.withLock { state in
      state.isOver = new == .idle && state.hasBegun
      state.hasBegun = state.hasBegun || new != .idle
    }
  }
}

/// A run that no engine trains.
struct NoLiveRun: Error, CustomStringConvertible {
  let folder: String

  var description: String {
    "\(folder) is not being trained; see its checkpoints with 'skipline runs', or go on with "
      + "'skipline train --resume \(folder)'"
  }
}

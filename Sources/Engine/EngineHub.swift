// Which engine gets which command. Browsing, and evaluating while nothing is trained, is done in this process; each run
// is trained in a process of its own, so that it outlives the screen.

import Messages
import Support
import Synchronization
import Training
import Transport

/// The engines behind one screen, used as if they were one. What all of them report arrives in one mailbox.
package final class EngineHub: Sendable {
  private let events: Mailbox<Event>
  private let local: LocalEngine
  /// The run that this screen is attached to.
  private let attached = Mutex<Attachment?>(nil)
  private let log: String
  private let workingFolder: String
  private let commandLine: [String]

  /// - Parameters:
  ///   - events: where all engines' events arrive.
  ///   - log: takes the standard error of engines that have no run's folder yet.
  ///   - workingFolder: where paths in commands begin.
  ///   - commandLine: recorded in the runs that are started.
  /// - Throws: `ResourceShortage`.
  package init(events: Mailbox<Event>, log: String, workingFolder: String, commandLine: [String]) throws {
    self.events = events
    self.log = log
    self.workingFolder = workingFolder
    self.commandLine = commandLine
    local = try LocalEngine(events: events, commandLine: [])
  }

  /// Whether a run is attached.
  package var isAttached: Bool { current != nil }

  /// The attachment, unless its job is over: its process then ends by itself.
  private var current: Attachment? {
    attached.withLock { attachment in attachment.flatMap { $0.progress.isOver ? nil : $0 } }
  }

  /// Hands over a command; never waits.
  /// - Returns: false when it was not taken.
  package func send(_ command: BrowsingCommand) -> Bool { local.send(command) }

  /// The same for what is asked before a run.
  package func send(_ command: PlanningCommand) -> Bool { local.send(command) }

  /// The same for a question about a model's answers.
  package func send(_ command: InspectionCommand) -> Bool { local.send(command) }

  /// The same for work; never waits long.
  package func send(_ command: WorkCommand) -> Bool {
    let remote = current?.engine
    switch command {
    // Another process may work in another folder.
    case .training, .evaluate:
      return remote?.send(command.absolute(from: workingFolder)) ?? local.send(command)
    case .start, .resumeRun:
      // The run's own engine says that it is busy.
      if let remote { return remote.send(command) }
      return begin(command.absolute(from: workingFolder))
    }
  }

  /// Attaches to the engine that trains a run.
  /// - Throws: `TransportError`, or `NoLiveRun` where none does.
  package func attach(to folder: String, readOnly: Bool = false) throws {
    guard let connection = try SocketFile(folder: folder).connect() else { throw NoLiveRun(folder: folder) }
    try adopt(Attachment(folder: folder, readOnly: readOnly, process: nil), over: connection)
  }

  /// The runs of a project that are being trained by other processes. It asks the locks only: an engine that hangs
  /// does not hold up the screen.
  package func liveRuns(project: String) -> [LiveRun] {
    let runs = (try? RunFolder.listRuns(project: project)) ?? []
    return runs.filter { RunLock.holder(of: $0) != nil }.map { run in
      let settings = try? run.record().settings
      return LiveRun(folder: run.path, network: settings?.network.name ?? "", data: settings?.data ?? "")
    }
  }

  /// Detaches from the run, which goes on, and ends what is done in this process.
  package func leave() {
    attached.withLock { $0.take() }?.engine?.close()
    // Nobody reads any more; an engine that waits for room would never end.
    events.close()
    local.shutDown()
    local.waitUntilEnded()
  }

  private func begin(_ command: WorkCommand) -> Bool {
    do {
      let process = try EngineProcess(log: log, commandLine: commandLine)
      let attachment = Attachment(folder: nil, readOnly: false, process: process)
      try adopt(attachment, over: process.connection)
      return attachment.engine?.send(command) ?? false
    } catch {
      events.send(.failure("\(error)"))
      events.send(.state(.idle))
      return true
    }
  }

  private func adopt(_ attachment: Attachment, over connection: Connection) throws {
    // Before it says anything, so that its end, however early, finds it here.
    let before = attached.withLock { attached in
      defer { attached = attachment }
      return attached
    }
    before?.engine?.close()
    do {
      try attachment.connect(over: connection, events: events) { [weak self, weak attachment] ending in
        if let attachment { self?.ended(attachment, ending) }
      }
    } catch {
      attached.withLock { if $0 === attachment { $0 = nil } }
      throw error
    }
  }

  /// On the thread that read the attachment's events.
  private func ended(_ attachment: Attachment, _ ending: RemoteEngine.Ending) {
    let wasCurrent = attached.withLock { attached in
      guard attached === attachment else { return false }
      attached = nil
      return true
    }
    // Another run is attached by now, or this end left.
    guard wasCurrent, ending != .detached else { return }
    if !attachment.progress.isOver {
      // An engine drops a screen that did not read for long, because it was stopped; then the run still goes on.
      if attachBackAgain(attachment) { return }
      events.send(.failure(loss(of: attachment, ending)))
    }
    events.send(.state(.idle))
  }

  private func attachBackAgain(_ attachment: Attachment) -> Bool {
    guard let folder = attachment.progress.folder, attachment.progress.hasLasted else { return false }
    do {
      try attach(to: folder, readOnly: attachment.readOnly)
      return true
    } catch {
      return false
    }
  }

  private func loss(of attachment: Attachment, _ ending: RemoteEngine.Ending) -> String {
    let run = attachment.progress.folder ?? "the run"
    if case .failed(let reason) = ending { return "the connection to the engine of \(run) failed: \(reason)" }
    let how = attachment.process?.badEnding.map { ": \($0)" } ?? ""
    return "the engine of \(run) has ended without a word\(how); go on from its last checkpoint with r (resume) in "
      + "the inspector"
  }
}

/// One connection to an engine, and what is known of its run.
private final class Attachment: Sendable {
  let readOnly: Bool
  /// The process that was started for it; nil where it was there before.
  let process: EngineProcess?
  let progress: JobProgress
  private let remote = Mutex<RemoteEngine?>(nil)

  init(folder: String?, readOnly: Bool, process: EngineProcess?) {
    self.readOnly = readOnly
    self.process = process
    progress = JobProgress(folder: folder)
  }

  /// nil until it is connected.
  var engine: RemoteEngine? { remote.withLock { $0 } }

  func connect(
    over connection: Connection, events: Mailbox<Event>, ended: @escaping @Sendable (RemoteEngine.Ending) -> Void
  ) throws {
    let engine = try RemoteEngine(
      connection, readOnly: readOnly, timeout: process == nil ? nil : EngineProcess.timeout,
      report: { [progress] event in
        progress.note(event)
        return events.send(event)
      }, ended: ended)
    remote.withLock { $0 = engine }
  }
}

/// How far the job of an engine is, by what it reports.
private final class JobProgress: Sendable {
  private struct State {
    var folder: String?
    var hasBegun = false
    var isOver = false
  }

  private let state: Mutex<State>
  private let start = ContinuousClock.now

  /// - Parameter folder: where it is known; else the run's own word for it is taken.
  init(folder: String?) { state = Mutex(State(folder: folder)) }

  var folder: String? { state.withLock { $0.folder } }

  /// Whether it came to an end that was told, so that the end of the connection is no news.
  var isOver: Bool { state.withLock { $0.isOver } }

  /// Whether trying again is no busy loop.
  var hasLasted: Bool { ContinuousClock.now - start > .seconds(1) }

  func note(_ event: Event) {
    state.withLock { state in
      switch event {
      case .training(.started(let run)): state.folder = state.folder ?? run.folder
      case .training(.folderMoved(let folder)): state.folder = folder
      case .state(let new):
        state.isOver = new == .idle && state.hasBegun
        state.hasBegun = state.hasBegun || new != .idle
      default: break
      }
    }
  }
}

/// A run that no engine trains.
package struct NoLiveRun: Error, CustomStringConvertible {
  package let folder: String

  package init(folder: String) { self.folder = folder }

  package var description: String {
    "\(folder) is not being trained; see its checkpoints with 'skipline runs', or go on with "
      + "'skipline train --resume \(folder)'"
  }
}

// Reaching a run that is being trained, by its folder: what `watch`, `pause`, `resume` and `stop` have in common.

import Engine
import Glibc
import Messages
import Support
import Synchronization
import Training
import Transport

/// The engine of a live run, for a command that asks one thing of it.
struct RunControl {
  private let engine: RemoteEngine
  private let events: Mailbox<Event>
  let folder: String

  /// - Parameters:
  ///   - name: the run's folder, or its name in the project's folder.
  ///   - readOnly: whether it only asks how the run is.
  /// - Throws: `RunFolderError` where there is no such run, `NoLiveRun` where nobody trains it, `TransportError`.
  init(_ name: String, project: String, readOnly: Bool = false) throws {
    folder = try Self.folder(name, project: project)
    let events = Mailbox<Event>.forEvents(capacity: 8192)
    self.events = events
    engine = try Self.insisting { [folder] in
      guard let connection = try SocketFile(folder: folder).connect() else {
        guard let holder = RunLock.holder(of: try RunFolder(existing: folder)) else {
          throw NoLiveRun(folder: folder)
        }
        throw RunNotReached(
          folder: folder, reason: "process \(holder) is preparing or ending the run; try again in a moment")
      }
      return try RemoteEngine(
        connection, readOnly: readOnly, purpose: .command, report: { events.send($0) }
      ) { _ in events.close() }
    }
  }

  /// A crowd at the socket may push somebody out before their turn: tries again a few times.
  private static func insisting<Result>(_ attach: () throws -> Result) throws -> Result {
    for _ in 0..<5 {
      do { return try attach() } catch TransportError.closed { usleep(50_000) }
    }
    return try attach()
  }

  /// The folder of a run that is named by its path, or by its name in a project.
  static func folder(_ name: String, project: String) throws -> String {
    do {
      return try RunFolder(existing: name).path
    } catch RunFolderError.missing {
      let found = ProjectFolder.run(named: name)
      if found != name { return try RunFolder(existing: found).path }
      return try RunFolder(existing: "\(project)/\(name)").path
    }
  }

  func send(_ command: TrainingCommand) { engine.send(.training(command)) }

  /// Reads events until one gives an answer.
  /// - Parameter seconds: how long that may take at most; nil for ever.
  /// - Returns: nil where the engine ended first, or time was up.
  func wait<Answer>(atMost seconds: Double? = nil, for answer: (Event) -> Answer?) -> Answer? {
    let deadline = seconds.map { ContinuousClock.now + .seconds($0) }
    while let event = deadline.map({ events.receive(until: $0) }) ?? events.receive() {
      if let found = answer(event) { return found }
    }
    return nil
  }

  /// Waits until no process trains the run any more, so that the next command finds it free.
  func waitUntilFree(atMost seconds: Double) {
    while events.receive() != nil {}
    guard let run = try? RunFolder(existing: folder) else { return }
    let deadline = ContinuousClock.now + .seconds(seconds)
    while RunLock.holder(of: run) != nil, ContinuousClock.now < deadline { usleep(20_000) }
  }

  func close() { engine.close() }
}

/// How a live run is.
struct LiveStatus {
  var state: EngineState
  var step: StepMetrics?
  /// Whether it diverged and waits for an answer.
  var hasDiverged = false

  /// An engine tells its state at once; one whose process was stopped never does.
  private static let timeout = 5.0

  /// Asks the engine; nil where nobody trains the run, or nobody can be asked.
  init?(folder: String) {
    guard let status = try? Self(asking: folder) else { return nil }
    self = status
  }

  /// Asks the engine.
  /// - Throws: as `RunControl`; `RunNotReached` where it does not answer.
  init(asking folder: String) throws {
    let control = try RunControl(folder, project: "", readOnly: true)
    defer { control.close() }
    var last: StepMetrics?
    var hasDiverged = false
    let found: EngineState? = control.wait(atMost: Self.timeout) { event in
      if case .training(.step(let step)) = event { last = step }
      if case .training(.diverged) = event { hasDiverged = true }
      if case .state(let state) = event { return state }
      return nil
    }
    guard let found else {
      throw RunNotReached(folder: folder, reason: "its engine does not answer; its process may be stopped")
    }
    state = found
    step = last
    self.hasDiverged = hasDiverged && found == .paused
  }
}

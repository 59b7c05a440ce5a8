// Reaching a run that is being trained, by its folder: what `watch`, `pause`, `resume` and `stop` have in common.

import Foundation
import Link
import Messages
import Synchronization
import Training

/// The engine of a live run, for a command that asks one thing of it.
struct RunControl {
  private let engine: RemoteEngine
  private let events: Mailbox<Event>
  let folder: String

  /// - Parameters:
  ///   - name: the run's folder, or its name in the project's folder.
  ///   - readOnly: whether it only asks how the run is.
  /// - Throws: `RunFolderError` where there is no such run, `NoLiveRun` where nobody trains it, `LinkError`.
  init(_ name: String, project: String, readOnly: Bool = false) throws {
    folder = try Self.folder(name, project: project)
    guard let connection = try SocketFile(folder: folder).connect() else { throw NoLiveRun(folder: folder) }
    let events = Mailbox<Event>.forEvents(capacity: 8192)
    self.events = events
    engine = try RemoteEngine(connection, readOnly: readOnly, report: { events.send($0) }) { _ in events.close() }
  }

  /// The folder of a run that is named by its path, or by its name in a project.
  static func folder(_ name: String, project: String) throws -> String {
    do {
      return try RunFolder(existing: name).path
    } catch RunFolderError.missing {
      return try RunFolder(existing: "\(project)/\(name)").path
    }
  }

  func send(_ command: TrainingCommand) { engine.send(.training(command)) }

  /// Reads events until one gives an answer.
  /// - Returns: nil where the engine ended first.
  func wait<Answer>(for answer: (Event) -> Answer?) -> Answer? {
    while let event = events.receive() {
      if let found = answer(event) { return found }
    }
    return nil
  }

  func close() { engine.close() }
}

/// How a live run is.
struct LiveStatus {
  var state: EngineState
  var step: StepMetrics?

  /// Asks the engine; nil where nobody trains the run, or nobody can be asked.
  init?(folder: String) {
    guard let control = try? RunControl(folder, project: "", readOnly: true) else { return nil }
    defer { control.close() }
    var last: StepMetrics?
    let found: EngineState? = control.wait { event in
      if case .training(.step(let step)) = event { last = step }
      if case .state(let state) = event { return state }
      return nil
    }
    guard let found else { return nil }
    state = found
    step = last
  }
}

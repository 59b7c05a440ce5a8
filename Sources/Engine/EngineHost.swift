// An engine that others attach to: its events go to everybody who listens, their commands to it.

import Files
import FoundationEssentials
import Glibc
import Messages
import Support
import Synchronization
import Training
import Transport

/// Runs an engine for one job and serves whoever attaches, until the job is over.
package final class EngineHost: Sendable {
  private let events = Mailbox<Event>.forEvents()
  private let engine: LocalEngine
  private let server: EngineServer
  /// Writes a line to standard error.
  private let complain: @Sendable (String) -> Void
  /// Whether anything was asked that the engine exists for.
  private let hasJob: SharedFlag
  /// Standard error as it was before the run's folder took it.
  private let firstErrors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, EngineProcess.connectionDescriptor + 1)

  /// - Parameters:
  ///   - commandLine: recorded in the runs that it starts.
  ///   - complain: writes a line to standard error.
  /// - Throws: `ResourceShortage`.
  package init(commandLine: [String], complain: @escaping @Sendable (String) -> Void) throws {
    self.complain = complain
    let attendance = Attendance()
    let engine = try LocalEngine(events: events, commandLine: commandLine, isAttended: { attendance.isAttended })
    self.engine = engine
    let hasJob = SharedFlag()
    self.hasJob = hasJob
    server = EngineServer(version: Skipline.version) { command in
      // Whoever leaves, detaches; the engine ends with its run.
      switch command {
      case .start, .resumeRun, .evaluate: hasJob.set()
      case .training: break
      }
      return engine.send(command) ? .taken : .busy
    }
    attendance.follow(server)
  }

  /// Serves the process that started this one. If that ends before it asked for anything, nobody ever will.
  package func attach(_ connection: Connection) {
    server.attach(connection) { [engine, hasJob] in
      if !hasJob.isSet { engine.shutDown() }
    }
  }

  /// Asks the run, if any, to end saved.
  package func stop() { engine.shutDown() }

  /// Passes events on until the job is over.
  package func serve() {
    var hasBegun = false
    while let event = events.receive() {
      if case .training(.started(let run)) = event { open(run.folder) }
      server.broadcast(event)
      guard case .state(let state) = event else { continue }
      if state == .idle, hasBegun { engine.shutDown() }
      hasBegun = hasBegun || state != .idle
    }
    server.close()
  }

  /// Why the run failed; nil where it did not.
  package var failure: (any Error)? { engine.failure }

  /// Says why the run failed in the run's folder, and where that is no more, in the log of the user.
  package func complain(of failure: any Error) {
    let line = "\(Date().formatted(.iso8601)) \(failure)"
    complain(line)
    guard firstErrors >= 0 else { return }
    dup2(firstErrors, STDERR_FILENO)
    complain(line)
  }

  private func open(_ folder: String) {
    do {
      try server.listen(inFolder: folder)
    } catch {
      server.broadcast(.warning("nobody else can attach to this run: \(error)"))
    }
    guard let log = try? openToAppend(folder + "/engine.log") else { return }
    dup2(log, STDERR_FILENO)
    close(log)
  }
}

/// Whether somebody is attached who may steer; the engine is made before the server that knows.
private final class Attendance: Sendable {
  private let server = Mutex<EngineServer?>(nil)

  func follow(_ new: EngineServer) { server.withLock { $0 = new } }
  var isAttended: Bool { server.withLock { $0 }?.isAttended ?? false }
}

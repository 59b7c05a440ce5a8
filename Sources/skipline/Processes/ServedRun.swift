// A run in the foreground that others can attach to, as to one of the workbench: `skipline watch`, `pause` and `stop`
// work on it.

import Engine
import Messages
import Support
import Training

/// The socket of a run that is trained in this process.
final class ServedRun {
  private let server: EngineServer
  private let commands = Mailbox<TrainingCommand>(capacity: 64)
  private var phase = RunPhase()

  init() {
    server = EngineServer(version: Skipline.version) { [commands] command in
      switch command {
      case .training(let command): commands.offer(command) ? .taken : .busy
      // Answered at once, whether steps are made or not.
      case .evaluate(let checkpoint, _, let split, _, _):
        .refused(
          "this run is trained by 'skipline train', which does nothing else meanwhile: evaluate it in a shell, "
            + "skipline evaluate \(shellQuoted(checkpoint))" + (split.map { " --split \($0.rawValue)" } ?? ""))
      case .start, .resumeRun:
        .refused("this run is trained by 'skipline train', which does nothing else meanwhile")
      }
    }
  }

  /// Tells everybody who is attached; the first event opens the socket.
  func report(_ event: TrainingEvent) {
    if case .started(let run) = event {
      // Nobody asked for it: a run whose folder takes no socket is trained all the same.
      do { try server.listen(inFolder: run.folder) } catch { Console.progress("! nobody can attach: \(error)") }
    }
    var told = event
    if case .started(var run) = event {
      run.evaluates = false
      told = .started(run)
    }
    server.broadcast(.training(told))
    if let state = phase.state(after: event) { server.broadcast(.state(state)) }
  }

  /// Tells everybody who is attached why the run ends.
  func report(failure: String) { server.broadcast(.failure(failure)) }

  /// What was asked since the last step.
  func nextCommand(waiting: Bool) -> TrainingCommand? {
    waiting ? commands.receive() : commands.poll()
  }

  /// Whether somebody is attached who can be asked.
  var isAttended: Bool { server.isAttended }

  /// Ends the run, also one that is paused; for any thread.
  var stopper: @Sendable () -> Void { { [commands] in _ = commands.offer(.stop) } }

  func close() {
    server.broadcast(.state(.idle))
    server.close()
  }
}

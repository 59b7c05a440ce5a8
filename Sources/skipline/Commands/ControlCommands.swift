// `skipline pause`, `resume` and `stop`: a live run told from a shell what a key tells it in the workbench.

import ArgumentParser
import Canvas
import Messages
import Training

/// The run that a command is about.
struct LiveRunOptions: ParsableArguments {
  @Argument(help: "The run's folder, or its name.", transform: given) var run: String
  @Option(help: "The folder that holds runs. (default: runs, here or in a folder above)") var project: String?

  var projectFolder: String { project ?? ProjectFolder.nearest }
}

struct PauseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Halts a run that is being trained; its memory stays taken.")

  @OptionGroup var options: LiveRunOptions

  func run() throws {
    try tell(options, .pause, done: "paused") { $0 == .state(.paused) }
  }
}

struct ResumeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Lets a paused run go on.",
    discussion: "For a run that is no longer in training: skipline train --resume RUN.")

  @OptionGroup var options: LiveRunOptions

  func run() throws {
    try tell(options, .resume, done: "goes on") { [.state(.training), .state(.validating)].contains($0) }
  }
}

struct StopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Ends a run with a checkpoint, from which it can be resumed.")

  @OptionGroup var options: LiveRunOptions

  func run() throws {
    try tell(options, .stop, done: "stopped and saved", isLast: true) { event in
      if case .training(.finished) = event { true } else { false }
    }
  }
}

/// Sends a command, waits until the engine says that it is done, and says so.
private func tell(
  _ options: LiveRunOptions, _ command: TrainingCommand, done: String, isLast: Bool = false, isDone: (Event) -> Bool
) throws {
  let control = try RunControl(options.run, project: options.projectFolder)
  defer { control.close() }
  control.send(command)
  var failure: String?
  let found: Bool? = control.wait { event in
    if case .failure(let text) = event { failure = text }
    return isDone(event) ? true : nil
  }
  guard found == true else {
    throw RunNotReached(folder: control.folder, reason: failure ?? "its engine ended before it answered")
  }
  // Whoever reads it may resume the run at once.
  if isLast { control.waitUntilFree(atMost: 30) }
  Console.print("\(control.folder) \(done)")
}

/// A live run that did not do as it was told.
struct RunNotReached: Error, CustomStringConvertible {
  let folder: String
  let reason: String

  var description: String { "\(folder): \(reason); see log.txt in the run's folder" }
}

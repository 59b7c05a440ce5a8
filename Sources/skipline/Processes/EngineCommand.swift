// `skipline engine`: what the workbench starts for each run. It is no command for people: it talks over a socket that
// whoever starts it hands it.

import ArgumentParser
import Engine
import Glibc
import Transport

struct EngineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: EngineProcess.subcommand, abstract: "Trains in the background for a workbench.",
    shouldDisplay: false)

  @Argument(parsing: .postTerminator, help: "The command that the run's record is to name.")
  var commandLine: [String] = []

  func run() throws {
    var status = stat()
    guard fstat(EngineProcess.connectionDescriptor, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
      throw ValidationError("an engine is started by the workbench; train without one with 'skipline train'")
    }
    EngineProcess.closeOtherDescriptors()
    let signals = try SignalWatcher()
    let host = try EngineHost(commandLine: commandLine, complain: Console.complain)
    signals.onFirst { host.stop() }
    host.attach(Connection(descriptor: EngineProcess.connectionDescriptor))
    host.serve()
    if let failure = host.failure {
      host.complain(of: failure)
      throw ExitCode((ExitStatus(of: failure) ?? .failure).rawValue)
    }
    if let signal = signals.received { throw ExitCode(128 + signal) }
  }
}

// The program: its subcommands, and the one place where errors become messages and exit statuses.

import ArgumentParser
import Foundation
import Images
import Messages
import Tensors
import Training

@main
struct SkiplineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skipline",
    abstract: "Trains residual networks on folders of images, in the terminal.",
    discussion: """
      skipline DATA opens the workbench on a folder that holds one folder of images for each class, or train, val \
      and test folders with those inside. Everything the workbench does, a subcommand does too.
      """,
    version: Skipline.version,
    subcommands: [
      WorkbenchCommand.self, CheckCommand.self, SummaryCommand.self, TrainCommand.self, EvaluateCommand.self,
      PredictCommand.self, RunsCommand.self, WatchCommand.self, PauseCommand.self, ResumeCommand.self,
      StopCommand.self, VerifyResumeCommand.self, EngineCommand.self,
      ExcludeCommand.self, IncludeCommand.self, RelabelCommand.self, DecisionsCommand.self,
      SplitCommand.self,
      PackCommand.self,
    ],
    defaultSubcommand: WorkbenchCommand.self)

  static func main() {
    // A reader that goes away (`| head`) must not kill a run; writes then fail instead.
    signal(SIGPIPE, SIG_IGN)
    // Nor must a limit on file sizes: a save that is too large fails as on a full disk.
    signal(SIGXFSZ, SIG_IGN)
    do {
      try Kernels.validate()
      try ProgramArguments.refuseEmptyValues()
      try refuseImpossibleEnvironment()
      var command = try parseAsRoot(ProgramArguments.words)
      try command.run()
    } catch let error where error is ExitCode || error is CleanExit || error is ValidationError {
      exit(withError: error)
    } catch {
      guard let status = ExitStatus(of: error) else { exit(withError: error) }
      Console.complain("skipline: \(error)")
      Foundation.exit(status.rawValue)
    }
  }

  /// A cap that is no number would else be none, or another one than was meant.
  private static func refuseImpossibleEnvironment() throws {
    guard let setting = PixelLimit.current.refusedSetting, !setting.isEmpty else { return }
    throw ValidationError(
      "\(PixelLimit.variable)=\(setting) in the environment: it must be \(Limits.maxPixels.range.requirement)")
  }
}

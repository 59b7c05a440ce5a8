// The program: its subcommands, and the one place where errors become messages and exit statuses.

import ArgumentParser
import Files
import Glibc
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
    version: Version().description,
    subcommands: [
      WorkbenchCommand.self, DemoCommand.self, CheckCommand.self, SummaryCommand.self, PlanCommand.self,
      LearningRateCommand.self, RecipeCommand.self, TrainCommand.self, CrossValidateCommand.self, LabCommand.self,
      EvaluateCommand.self,
      PredictCommand.self, CompareCommand.self, ExplainCommand.self, SimilarCommand.self, FeaturesCommand.self,
      LayersCommand.self, InspectCommand.self, ExportCommand.self, QuantizeCommand.self, PlotCommand.self,
      ReportCommand.self,
      RunsCommand.self, WatchCommand.self, PauseCommand.self, ResumeCommand.self,
      StopCommand.self, VerifyResumeCommand.self, EngineCommand.self,
      ExcludeCommand.self, IncludeCommand.self, RelabelCommand.self, ConfirmCommand.self,
      DecisionsCommand.self,
      SplitCommand.self,
      CacheCommand.self, DoctorCommand.self,
    ],
    defaultSubcommand: WorkbenchCommand.self)

  static func main() {
    Startup.run {
      let status = ProgramRanks.finish(status: run())
      let isRead = Console.finish()
      Glibc.exit(status == 0 && !isRead ? ExitStatus.inputOutput.rawValue : status)
    }
  }

  /// - Returns: the exit status.
  private static func run() -> Int32 {
    do {
      let words = ProgramArguments.words
      if let request = CompletionRequest(words) {
        CommandTree.ofProgram().map { Console.print(verbatim: request.answer(Completer(root: $0))) }
        return 0
      }
      if let script = CompletionScript.asked(by: words) {
        Console.print(verbatim: script)
        return 0
      }
      try Kernels.validate()
      try ProgramArguments.refuseEmptyValues()
      try refuseImpossibleEnvironment()
      try refuseUnknownCommand(words)
      try ProgramRanks.requireUsable(words)
      var command = try parsed(words)
      try Startup.requireFiles()
      try command.run()
      return 0
    } catch let error where error is ExitCode || error is CleanExit || error is ValidationError {
      return told(error)
    } catch {
      guard let status = ExitStatus(of: error) else { return told(error) }
      ProgramRanks.tell("\(error)")
      return status.rawValue
    }
  }

  /// The command with its options.
  ///
  /// Of the one that the first word names only its own options are looked at: going through the others as well can take
  /// longer than what is to be done. Help and mistakes are told by the whole program.
  private static func parsed(_ words: [String]) throws -> any ParsableCommand {
    switch words {
    case ["--version"]: throw CleanExit.message(configuration.version)
    case ["--help"], ["-h"]: throw CleanExit.helpRequest(self)
    default: break
    }
    let named = configuration.subcommands.first { $0._commandName == words.first }
    if let named, let command = try? named.parseAsRoot(Array(words.dropFirst())), type(of: command) == named {
      return command
    }
    return try parseAsRoot(words)
  }

  /// A mistyped command would else be a dataset that is not there.
  private static func refuseUnknownCommand(_ words: [String]) throws {
    let commands = configuration.subcommands.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
    let unknown = UnknownCommand(
      arguments: words, commands: commands + ["help"], exists: { (try? FilePath.kind(of: $0)) ?? nil != nil })
    if let unknown { throw unknown }
  }

  /// A cap that is no number would else be none, or another one than was meant.
  private static func refuseImpossibleEnvironment() throws {
    guard let setting = PixelLimit.current.refusedSetting, !setting.isEmpty else { return }
    throw ValidationError(
      "\(PixelLimit.variable)=\(setting) in the environment: it must be \(Limits.maxPixels.range.requirement)")
  }

  /// Says what the argument parser has to say of an error.
  private static func told(_ error: any Error) -> Int32 {
    let text = fullMessage(for: error)
    let status = exitCode(for: error)
    if !text.isEmpty { status == .success ? Console.print(verbatim: text) : Console.show(text + "\n") }
    return status.rawValue
  }
}

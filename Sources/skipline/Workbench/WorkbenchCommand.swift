// `skipline DATA`: checks what was asked for while there is still a plain terminal to say so, then opens the screen.

import ArgumentParser
import Canvas
import Datasets
import Files
import Messages
import Networks
import Terminal
import Training
import Workbench

struct WorkbenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workbench", abstract: "Opens the workbench on a dataset (what `skipline DATA` does).")

  @Argument(help: "The dataset's folder.", transform: given) var data: String
  @OptionGroup var options: TrainingOptions
  @OptionGroup var screen: ScreenOptions
  @Flag(help: "No screen: what happens is printed as lines, commands are typed as lines; for screen readers.")
  var plain = false

  func run() throws {
    let settings = try options.settings(data: data, tell: { _ in })
    // What cannot be trained is told here, not on a screen that vanishes.
    try settings.requireTrainable()
    guard try FilePath.kind(of: data) == .folder else { throw MissingFolder(path: data) }
    guard !plain else { return try PlainSession(settings: settings).run() }
    guard Terminal.isInteractive else { throw NoTerminal(command: settings.commandLine) }
    let session = try WorkbenchSession(settings: settings, options: screen)
    if let signal = session.run() { throw ExitCode(128 + signal) }
  }
}

extension ThemeShelf {
  /// The themes there are; complains of those that cannot be read.
  /// - Throws: `ValidationError` if the one asked for is not among them.
  init(for theme: String?) throws {
    self.init()
    for problem in problems { Console.complain("! \(problem)") }
    if let theme, self[theme] == nil {
      throw ValidationError("no theme is called '\(theme)'; there are \(names.joined(separator: ", "))")
    }
  }
}

/// A dataset's folder that is not there.
struct MissingFolder: Error, CustomStringConvertible {
  let path: String

  var description: String {
    "\(path) is not a folder; name one that holds a folder of images for each class, or see skipline --help"
  }
}

/// The workbench was asked for where there is no screen.
struct NoTerminal: Error, CustomStringConvertible {
  /// What trains without one.
  let command: String

  var description: String {
    "the workbench needs a terminal for input and output; open it in one (over ssh: ssh -t), or train without a "
      + "screen: \(command)"
  }
}

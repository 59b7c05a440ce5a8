// `skipline watch`: a screen for a run that is being trained elsewhere.

import ArgumentParser
import Foundation
import Messages
import Terminal
import Training

struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Opens the workbench on a run that is being trained.",
    discussion: "Several screens may watch one run. Leaving the screen leaves the run going.")

  @OptionGroup var options: LiveRunOptions
  @Flag(help: "Look on only: no key changes the run.") var readOnly = false
  @Option(help: "The theme to begin with: dark, light, monochrome, or a file's name in a themes folder.")
  var theme: String?

  func run() throws {
    let folder = try RunControl.folder(options.run, project: options.project)
    let record = try RunFolder(existing: folder).record()
    _ = try LiveStatus(asking: folder)
    guard Terminal.isInteractive else { throw NoTerminal(command: "skipline runs") }
    var settings = record.settings
    // The other runs beside it, wherever this is called.
    settings.project =
      folder.lastIndex(of: "/").map { $0 == folder.startIndex ? "/" : String(folder[..<$0]) } ?? "."
    let session = try WorkbenchSession(settings: settings, themes: try ThemeShelf(for: theme), theme: theme)
    try session.attach(to: folder, readOnly: readOnly)
    if let signal = session.run() { throw ExitCode(128 + signal) }
  }
}

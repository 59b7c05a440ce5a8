// `skipline watch`: a screen for a run that is being trained elsewhere, or for the curves of one that has ended.

import Engine
import ArgumentParser
import Messages
import Terminal
import Training

struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Opens the workbench on a run that is being trained, or has ended.",
    discussion:
      "Several screens may watch one run. Leaving the screen leaves the run going. Of a run that nobody trains "
      + "it shows the curves and checkpoints; such a screen is read-only.")

  @OptionGroup var options: LiveRunOptions
  @Flag(help: "Read-only: no key changes the run.") var readOnly = false
  @OptionGroup var screen: ScreenOptions

  func run() throws {
    let folder = try RunControl.folder(options.run, project: options.projectFolder)
    let record = try RunFolder(existing: folder).record()
    let isLive: Bool
    do {
      _ = try LiveStatus(asking: folder)
      isLive = true
    } catch let error as NoLiveRun {
      if let holder = RunLock.holder(of: try RunFolder(existing: folder)) {
        throw RunNotReached(folder: folder, reason: "process \(holder) does not answer; try again in a moment")
      }
      guard Terminal.isInteractive else { throw error }
      isLive = false
    }
    guard Terminal.isInteractive else { throw NoTerminal(command: "skipline runs") }
    var settings = record.settings
    // A new run that is begun there needs a name of its own.
    settings.name = nil
    // The other runs beside it, wherever this is called.
    settings.project =
      folder.lastIndex(of: "/").map { $0 == folder.startIndex ? "/" : String(folder[..<$0]) } ?? "."
    let session = try WorkbenchSession(
      settings: settings, options: screen, looksOnly: readOnly || !isLive)
    if isLive { try session.attach(to: folder, readOnly: readOnly) } else { session.show(ended: folder) }
    if let signal = session.run() { throw ExitCode(128 + signal) }
  }
}

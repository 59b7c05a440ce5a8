// `skipline check`: a dataset counted and looked through. What is found is for Datasets to say; CheckPrinter lays it
// out.

import ArgumentParser
import Canvas
import Datasets
import Glibc
import Messages
import Resources

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks every image of a dataset and says what is wrong with it.",
    discussion: """
      Counts classes and splits; finds files that do not decode, duplicates and near duplicates, classes that a split \
      lacks, unusual sizes. Exits with 65 if training, or the metrics it gives, would be wrong. Nothing is changed.
      """)

  @Argument(help: "The dataset's folder.", transform: given) var data: String
  @Option(help: ArgumentHelp(Settings.split.meaning)) var split = "80/10/10"
  @Option(Settings.groupBy) var groupBy: String?
  @OptionGroup var folders: SplitFolderOptions
  @Flag(inversion: .prefixedNo, help: "Read every file; --no-decode reads names only.") var decode = true
  @Flag(help: "Print every finding and every file of a group.") var all = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let signals = try SignalWatcher()
    let progress = ProgressLine()
    let index: DatasetIndex
    do {
      index = try DatasetIndex.open(
        root: data, split: try splitSettings(split, folders, groupBy: groupBy, in: data),
        progress: { told in
          if case .scanning(let files, _) = told {
            progress.show("reading folders: \(Format.counted(files, "image"))")
          }
        }, isCancelled: signals.hasReceived)
    } catch DatasetError.cancelled {
      progress.clear()
      throw ExitCode(128 + (signals.received ?? SIGINT))
    }
    var fileCheck: FileCheck?
    if decode {
      fileCheck = index.checkFiles(
        workers: SystemProcessors.available,
        progress: { done, total in
          progress.show("checking files: \(Format.count(done)) of \(Format.count(total))")
        },
        isCancelled: signals.hasReceived)
    }
    progress.clear()
    if let signal = signals.received { throw ExitCode(128 + signal) }
    let report = index.report(fileCheck: fileCheck)
    if json { try Console.print(json: report) } else { CheckPrinter(report: report, showsAll: all).print() }
    if report.hasErrors { throw ExitCode(ExitStatus.badData.rawValue) }
  }
}

// `skipline check`: a dataset counted and looked through. What is found is for Datasets to say; CheckPrinter lays it
// out.

import ArgumentParser
import Canvas
import Datasets
import Files
import Glibc
import Inspection
import Messages
import Reports
import Resources
import Support
import Tensors
import Training

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks every image of a dataset and says what is wrong with it.",
    discussion: """
      Counts classes and splits; finds files that do not decode, duplicates and near duplicates, classes that a split \
      lacks, unusual sizes. Exits with 65 if training, or the metrics it gives, would be wrong. Nothing is changed. With \
      --model also the labels that are probably wrong, by a model that was not trained on the images: those of a \
      cross-validation judge all of them.
      """)

  @Argument(help: "The dataset's folder.", transform: given) var data: String
  @Option(help: ArgumentHelp(Settings.split.meaning)) var split = "80/10/10"
  @Option(Settings.groupBy) var groupBy: String?
  @OptionGroup var folders: SplitFolderOptions
  @Flag(inversion: .prefixedNo, help: "Read every file; --no-decode reads names only.") var decode = true
  @Option(
    help: "A run or checkpoint that judges the labels; several, or the name of a cross-validation, for its folds.",
    transform: given)
  var model: [String] = []
  @Flag(help: "With --model: judge also images that every model was trained on, and may have learned by heart.")
  var inSample = false
  @Option(
    help: "With --model: write every image that was judged, the most suspicious first, to FILE.csv.",
    transform: given)
  var csvLabels: String?
  @Option(
    help:
      "With --model: write the suspects, the worst first, to FILE.csv or .json, or a sheet of them to FILE.png or .svg.",
    transform: given)
  var suspects: String?
  @OptionGroup var existing: OverwriteOption
  @Option(Settings.threads.number, instead: "default: one a processor") var threads: Int?
  @Flag(help: "Print every finding and every file of a group.") var all = false
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    let options = [
      ("--in-sample", inSample), ("--csv-labels", csvLabels != nil), ("--suspects", suspects != nil),
      ("--threads", threads != nil),
    ]
    guard model.isEmpty, let option = options.first(where: \.1)?.0 else { return }
    throw ValidationError("\(option) is about a model that judges: name it, with --model")
  }

  func run() throws {
    if let csvLabels {
      try TableTarget.check(csvLabels, option: "--csv-labels", data: data)
      try tellOfReplaced(csvLabels)
    }
    let target = try suspects.map {
      try ExportTarget(
        $0, option: "--suspects", formats: EvaluationExport.Format.allCases, replaces: existing.overwrite,
        data: data)
    }
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
    var report = index.report(fileCheck: fileCheck)
    if !model.isEmpty { try judgeLabels(&report, signals) }
    if let target, let suspects = report.labelErrors {
      try target.write(
        .suspects(suspects), name: FilePath.split(report.root).name, replaces: existing.overwrite)
    }
    if json { try Console.print(json: report) } else { CheckPrinter(report: report, showsAll: all).print() }
    if report.hasErrors { throw ExitCode(ExitStatus.badData.rawValue) }
  }
}

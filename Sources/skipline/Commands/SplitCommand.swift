// `skipline split`: how a dataset is divided, and the lists that keep it so.

import ArgumentParser
import Canvas
import Datasets
import Files
import FoundationEssentials
import Glibc
import Messages
import Support
import Training

struct SplitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "split", abstract: "Shows how a dataset is divided, and writes lists that keep it so.",
    discussion: """
      The lists are train.txt, val.txt and test.txt: a path below DATA on each line, in double quotes with escapes \
      where it would not be plain. Wherever --split takes percentages it takes their folder too; images in none of \
      them are left out, or divided by the rule where shares are given too: 80/10/10:FOLDER.
      """)

  @Argument(help: "The dataset's folder.", transform: given) var data: String
  @Option(help: ArgumentHelp(Settings.split.meaning)) var split = "80/10/10"
  @Option(Settings.groupBy) var groupBy: String?
  @OptionGroup var folders: SplitFolderOptions
  @Option(help: "Write the lists in this folder.") var export: String?
  @Flag(help: "Divide again, each class exactly by the percentages of --split.") var exact = false
  @Flag(help: "Replace lists that are there.") var force = false
  @Flag(help: "Divide the rest where a part of the data cannot be read.") var acceptErrors = false
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if exact, groupBy != nil {
      throw ValidationError(
        "--exact divides images one by one, --group-by keeps them together: give one of the two")
    }
  }

  func run() throws {
    let settings = try splitSettings(split, folders, groupBy: groupBy, in: data)
    var index = try DatasetIndex.open(root: data, split: settings)
    if !acceptErrors { try index.requireWhole() }
    let kinds: Set<DatasetFinding.Kind> = [
      .staleDecision, .splitList, .decisionsMoved, .layout, .unreadableFolder, .damagedShard, .groups,
      .groupAcrossSplits,
    ]
    let told = index.findings.filter { kinds.contains($0.kind) }
    for line in FindingLines(told, data: index.root).short { Console.progress("! \(line)") }
    if exact { index = index.dividedExactly(settings) }
    if let export { try write(index, to: export) }
    let report = index.report()
    if json { try Console.print(json: report) } else { print(report, settings) }
    if !json, let export {
      Console.print("")
      Console.print(
        "to train with it: skipline train \(shellQuoted(data)) --split \(option(export))\(settings.folderOptions)")
    }
  }

  /// The folder as `--split` takes it.
  private func option(_ folder: String) -> String { shellQuoted(SplitSettings(lists: folder).description) }

  private func write(_ index: DatasetIndex, to folder: String) throws {
    guard !FilePath.lies(folder, within: data) else {
      throw SettingsError("--export \(folder) lies in the dataset, where nothing is written; choose another folder")
    }
    let lists = index.splitLists
    if !force, let list = try lists.first(where: { try FilePath.kind(of: "\(folder)/\($0.name)") != nil }) {
      throw SettingsError(
        "\(folder)/\(list.name) is there already; choose another folder, or replace the lists with --force")
    }
    let made = folder.withPathCString { mkdir($0, 0o777) }
    guard made == 0 || errno == EEXIST else {
      throw FileOperationError(path: folder, step: .makeFolder, code: errno)
    }
    for list in lists { try AtomicFile.write(Data(list.text.utf8), to: "\(folder)/\(list.name)") }
  }

  private func print(_ report: DatasetReport, _ settings: SplitSettings) {
    func row(_ name: String, _ counts: SplitCounts) -> [String] {
      let shares = Split.allCases.map {
        Format.percent(Double(counts[$0]) / Double(max(1, counts.total)), decimals: 1)
      }
      return [name] + Split.allCases.map { Format.count(counts[$0]) } + shares
    }
    let rows = report.classes.map { row($0.name, $0.counts) }
    let heading = ["class", "train", "val", "test", "", "", ""]
    for line in Console.table([heading] + rows + [row("\(report.classes.count) classes", report.counts)]) {
      Console.print(line)
    }
    Console.print("")
    Console.print(
      exact
        ? "each class exactly by \(settings.train)/\(settings.validation)/\(settings.test)"
        : "split by \(settings.groups != nil && report.splitSource == .hash ? "a rule on each group's name" : report.splitSource.text)"
    )
    for finding in report.findings where finding.kind == .splitRatio { Console.print("! \(finding.text)") }
  }
}

extension SplitSource {
  /// What decides, in words.
  var text: String {
    switch self {
    case .folders: "folder"
    case .hash: "a rule on each file's path"
    case .lists: "lists"
    }
  }
}

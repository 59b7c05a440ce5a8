// `skipline compare`: what runs reached and in which settings they differ; of two of them also what one has right that
// the other had wrong, and whether that could be chance.

import ArgumentParser
import Canvas
import Files
import Inspection
import Messages
import Support
import Training
import Workbench

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Compares runs: results, settings, and of two of them every image.",
    discussion: """
      Prints what the runs reached, with the difference to the first, and the settings that are not the same in all of \
      them. Of two it then lists the images that the second has right and the first had wrong (fixed), those the other way round (broken), and \
      those that both have wrong, and says by McNemar's exact test whether the difference could be chance. Evaluations \
      that the runs keep are used where they are still of the same images, others are made.
      """)

  @Argument(help: "Runs' folders (their best checkpoints), or checkpoint files.", transform: given)
  var runs: [String]
  @Option(help: "The dataset's folder; the runs' own if not given.", transform: given) var data: String?
  @Option(help: "train, val, test or all.") var split = EvaluationSplit.test
  @Option(Settings.threads.number, instead: "default: one a processor") var threads: Int?
  @Flag(help: "Evaluate although memory seems too little.") var ignoreMemory = false
  @Option(help: "Write every image of each list to FILE.csv or FILE.json.", transform: given) var out: String?
  @OptionGroup var existing: OverwriteOption
  @Flag(help: "Print every image of each list.") var all = false
  @Flag(help: "Print JSON.") var json = false

  /// So many images of each list are printed.
  private static let shown = 10

  func validate() throws {
    if runs.count < 2 { throw ValidationError("name at least two runs or checkpoints to compare") }
  }

  func run() throws {
    let named = runs.map(foundRun)
    let folders = try named.compactMap { try CheckpointLocation($0).run }
    // Checkpoints that lie in no run have no settings, and two of one run have the same.
    let areRuns = folders.count == named.count && Set(folders).count > 1
    guard named.count == 2 else {
      if out != nil { throw SettingsError("--out writes the images of two runs or checkpoints: name two") }
      guard areRuns else {
        throw SettingsError("of more than two, runs are compared: name runs' folders, each once")
      }
      let table = try RunTable(folders)
      if json { return try Console.print(json: table) }
      return print(table)
    }
    var table: RunTable?
    do { table = areRuns ? try RunTable(folders) : nil } catch {
      // What the checkpoints answer can be compared without it.
      Console.complain("! settings and results are not compared: \(error)")
    }
    try compareImages(named[0], named[1], table)
  }

  private func print(_ table: RunTable) {
    for line in Console.table(table.texts, hasPaths: true) { Console.print(line) }
    if table.settings.isEmpty { Console.print("all settings are the same") }
  }

  private func compareImages(_ first: String, _ second: String, _ table: RunTable?) throws {
    let target = try out.map {
      try ExportTarget($0, option: "--out", formats: [.csv, .json], replaces: existing.overwrite, data: data)
    }
    if !json, let table {
      print(table)
      Console.print("")
    }
    let opener = EvaluationOpener(signals: try SignalWatcher(), threads: threads, ignoresMemory: ignoreMemory)
    let own = try CheckpointLocation(first).run.flatMap { try? $0.record().settings.data }
    let other = try CheckpointLocation(second).run.flatMap { try? $0.record().settings.data }
    let before = try opener.record(EvaluationSource(checkpoint: first, data: data, split: split))
    // A checkpoint of other data is measured on those of the first.
    let isSame = own.flatMap { own in other.map { FilePath.real($0) == FilePath.real(own) } } ?? false
    let after = try opener.record(
      EvaluationSource(checkpoint: second, data: data ?? (isSame ? nil : own), split: split))
    let comparison = EvaluationComparison(before.table, after.table)
    guard comparison.images > 0 else {
      throw SettingsError(
        "\(first) and \(second) have no image in common in their '\(split.rawValue)' images: name the images, with --data "
          + "and --split all")
    }
    if json { try Console.print(json: ComparisonDocument(comparison, table)) } else { print(comparison) }
    try target?.write(.comparison(comparison), name: second, replaces: existing.overwrite)
  }

  private func print(_ comparison: EvaluationComparison) {
    let part = split == .all ? "" : "\(split.rawValue) "
    Console.print("\(Format.counted(comparison.images, "\(part)image")) that both were measured on")
    if comparison.leftOut > 0 {
      Console.print(
        "! \(Format.counted(comparison.leftOut, "image")) of one of them only, or of another class there: not compared"
      )
    }
    let rows = [
      ["", "top-1"], [comparison.first.checkpoint, Format.percent(comparison.firstAccuracy, decimals: 2)],
      [comparison.second.checkpoint, Format.percent(comparison.secondAccuracy, decimals: 2)],
    ]
    for line in Console.table(rows, hasPaths: true) { Console.print(line) }
    Console.print("")
    let p = comparison.test.pValue
    Console.print("\(comparison.test.text) (p = \(p < 0.0001 ? "below 0.0001" : Format.fixed(p, 4)))")
    list("fixed", comparison.fixed)
    list("broken", comparison.broken)
    list("still wrong", comparison.stillWrong)
  }

  private func list(_ title: String, _ images: [ComparedImage]) {
    guard !images.isEmpty else { return Console.print("\(title): none") }
    let listed = all ? images[...] : images.prefix(Self.shown)
    Console.print("")
    Console.print(
      "\(title): \(Format.count(images.count))"
        + (listed.count < images.count ? ", the \(Self.shown) clearest of them (--all or --json for all)" : ""))
    func answer(_ prediction: Prediction.NamedProbability?) -> String {
      prediction.map { "\($0.name) \(Format.percent($0.probability))" } ?? "NaN"
    }
    let rows = listed.map { [$0.path, $0.truth, answer($0.first), answer($0.second)] }
    for line in Console.table([["image", "true", "first", "second"]] + rows, hasPaths: true) { Console.print(line) }
  }
}

/// A comparison as JSON.
private struct ComparisonDocument: Encodable {
  var answers: EvaluationComparison
  /// What the runs reached, and in which settings they differ; absent for checkpoints that lie in no runs.
  var table: RunTable?
  var pValue: Double
  var verdict: String

  init(_ comparison: EvaluationComparison, _ table: RunTable?) {
    answers = comparison
    self.table = table
    pValue = comparison.test.pValue
    verdict = comparison.test.text
  }
}

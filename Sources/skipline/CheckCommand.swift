// `skipline check`: a dataset counted and looked through. The counting is Datasets'; this file words it.

import Images
import ArgumentParser
import Canvas
import Datasets
import Foundation
import Messages

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Counts the images of a dataset and says what is wrong with it.",
    discussion: "Decodes every image. Exits with 65 if any does not decode.")

  @Argument(help: "The dataset's folder.") var data: String
  @Option(help: splitHelp) var split = "80/10/10"
  @Flag(inversion: .prefixedNo, help: "Decode every image to find broken ones.") var decode = true
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let index = try DatasetIndex.open(root: data, split: try parseSplit(split))
    let failures = decode ? index.checkDecoding(workers: ProcessInfo.processInfo.activeProcessorCount) : nil
    let report = index.report(decoding: failures)
    if json { try Console.print(json: report) } else { print(report, failures ?? []) }
    if report.hasErrors { throw ExitCode(ExitStatus.badData.rawValue) }
  }

  private func print(_ report: DatasetReport, _ failures: [DecodingFailure]) {
    func row(_ name: String, _ counts: SplitCounts) -> [String] {
      [name] + [counts.train, counts.validation, counts.test, counts.total].map(Format.count)
    }
    let rows = report.classes.map { row($0.name, $0.counts) }
    for line in Console.table(
      [["class", "train", "val", "test", "all"]] + rows
        + [row("\(report.classes.count) classes", report.counts)])
    {
      Console.print(line)
    }
    Console.print("")
    Console.print("split by \(report.splitSource.text)")
    for finding in report.findings { Console.print("! \(finding.text)") }
    if decode, failures.isEmpty { Console.print("every image decodes") }
  }
}

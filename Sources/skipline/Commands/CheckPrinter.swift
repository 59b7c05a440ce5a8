// The report on a dataset as text: a table of classes, statistics, findings, a verdict. It counts and judges nothing.

import Canvas
import Datasets
import Images
import Messages

/// Prints a report for people.
struct CheckPrinter {
  let report: DatasetReport
  /// Whether to print all findings of a kind, and all files of each.
  let showsAll: Bool

  private static let sizesShown = 5

  func print() {
    lines(classes)
    Console.print("")
    lines(statistics)
    for severity in DatasetFinding.Severity.allCases {
      let found = report.findings.filter { $0.severity == severity }
      guard !found.isEmpty else { continue }
      Console.print("")
      Console.print(severity.counted(found.count))
      lines(text(of: found, mark: severity.mark))
    }
    Console.print("")
    Console.print(verdict)
  }

  /// `clean`, or how many errors and warnings there are.
  var verdict: String {
    func count(_ severity: DatasetFinding.Severity) -> Int { report.findings.count { $0.severity == severity } }
    switch (count(.error), count(.warning)) {
    case (0, 0): return "clean"
    case (0, let warnings): return "no errors, " + DatasetFinding.Severity.warning.counted(warnings)
    case (let errors, 0): return DatasetFinding.Severity.error.counted(errors) + ": training would be wrong"
    case (let errors, let warnings):
      return DatasetFinding.Severity.error.counted(errors) + ", "
        + DatasetFinding.Severity.warning.counted(warnings) + ": training would be wrong"
    }
  }

  private var classes: [String] {
    let hasExcluded = report.excluded > 0
    func row(_ name: String, _ counts: SplitCounts, excluded: Int) -> [String] {
      [name] + [counts.train, counts.validation, counts.test, counts.total].map(Format.count)
        + (hasExcluded ? [Format.count(excluded)] : [])
    }
    return Console.table(
      [["class", "train", "val", "test", "all"] + (hasExcluded ? ["excluded"] : [])]
        + report.classes.map { row($0.name, $0.counts, excluded: $0.excluded) }
        + [
          row(
            Format.counted(report.classes.count, "class", plural: "classes"), report.counts,
            excluded: report.excluded)
        ])
  }

  private var statistics: [String] {
    let source =
      switch report.splitSource {
      case .folders:
        takesValidationFromTraining ? "folder; validation images are taken out of train by a hash" : "folder"
      case .hash:
        report.findings.contains { $0.kind == .groups }
          ? "a hash of each group's name" : "a hash of each file's path"
      case .lists: "lists of files"
      }
    var rows = [("split", "by \(source)")]
    if let statistics = report.statistics {
      let broken = statistics.undecodable.count
      rows.append(
        (
          "images",
          (broken == 0
            ? "every image decodes"
            : "\(Format.count(statistics.images)) decode, \(Format.count(broken)) "
              + (broken == 1 ? "does not" : "do not"))
            + "; \(Format.bytes(statistics.bytes)) of files"
        ))
      if statistics.images > 0 { rows += rowsOfPictures(statistics) }
    } else {
      rows.append(("images", "not checked"))
    }
    let width = (rows.map { DisplayWidth.of($0.0) }.max() ?? 0) + 2
    return rows.map { $0 + String(repeating: " ", count: width - DisplayWidth.of($0)) + $1 }
  }

  /// Where there is no folder of validation images: some lie beside training images then.
  private var takesValidationFromTraining: Bool {
    func folder(_ image: ImageEntry) -> [UInt8] {
      // Shards lie side by side, each for a split of its own.
      if let shard = FileSlice(name: image.path)?.path { return Array(shard.utf8) }
      return Array(
        image.path.utf8.prefix(upTo: image.path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? image.path.startIndex))
    }
    return report.classes.contains { entry in
      let training = Set(entry.images.lazy.filter { $0.split == .train }.map(folder))
      return entry.images.contains { $0.split == .validation && training.contains(folder($0)) }
    }
  }

  private func rowsOfPictures(_ statistics: DatasetStatistics) -> [(String, String)] {
    func shares(_ shares: [(String, Int)]) -> String {
      shares.map { "\($0) \(Format.count($1))" }.joined(separator: "; ")
    }
    func pixels(_ value: Double) -> String {
      value == value.rounded() ? Format.count(Int(value)) : Format.fixed(value, 1)
    }
    func spread(_ spread: DatasetStatistics.Spread, _ number: (Double) -> String) -> String {
      if spread.least == spread.greatest { return "\(number(spread.least)), all of them" }
      return "\(number(spread.least)) to \(number(spread.greatest)), median \(number(spread.median))"
    }
    func channels(_ values: [Double]) -> String { values.map { Format.fixed($0, 4) }.joined(separator: " ") }
    let sizes = statistics.commonSizes.prefix(Self.sizesShown)
    let listed = sizes.reduce(0) { $0 + $1.count }
    var rows = [
      ("formats", shares(statistics.formats.map { ($0.name, $0.count) })),
      ("channels", shares(statistics.channels.map { ($0.name, $0.count) })),
      (
        "sizes",
        shares(sizes.map { ("\($0.size.width)x\($0.size.height)", $0.count) })
          + (listed < statistics.images ? "; others \(Format.count(statistics.images - listed))" : "")
      ),
      ("width", spread(statistics.width, pixels)), ("height", spread(statistics.height, pixels)),
      ("aspect", spread(statistics.aspect, Format.general) + "; width over height"),
    ]
    if !statistics.mean.isEmpty {
      rows += [
        ("mean", channels(statistics.mean) + "  red, green, blue; all pixels of the training images, 0 to 1"),
        ("std", channels(statistics.std)),
      ]
    }
    return rows + [("look-alikes", FileCheck.nearDuplicateRule)]
  }

  /// Findings of one severity, which come by kind.
  private func text(of findings: [DatasetFinding], mark: String) -> [String] {
    var lines: [String] = []
    for kind in DatasetFinding.Kind.allCases {
      let found = findings.filter { $0.kind == kind }
      let shown = showsAll ? found[...] : found.prefix(FindingLines.shown)
      for finding in shown {
        lines.append("\(mark) \(showsAll ? finding.message : finding.shortMessage)")
        if !finding.advice.isEmpty { lines.append("    \(finding.advice)") }
        if showsAll, finding.paths.count > 2 { lines += finding.paths.map { "      \($0)" } }
      }
      if shown.count < found.count {
        lines.append(
          "\(mark) ... and \(Format.count(found.count - shown.count)) more of this kind; --all lists them")
      }
    }
    return lines
  }

  private func lines(_ lines: [String]) {
    for line in lines { Console.print(line) }
  }
}

extension DatasetFinding.Severity {
  fileprivate var mark: String {
    switch self {
    case .error: "x"
    case .warning: "!"
    case .note: "-"
    }
  }

  fileprivate func counted(_ number: Int) -> String { Format.counted(number, rawValue) }
}

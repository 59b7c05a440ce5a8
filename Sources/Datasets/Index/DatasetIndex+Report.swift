// A dataset as values for the screen and `check`: counts, images, findings, statistics. What is found is in the files
// Check/Findings+*.swift.

import Messages

extension DatasetIndex {
  /// What there is to say about the dataset.
  /// - Parameter fileCheck: of this index; nil where only names were read. Findings about classes then count only
  ///   images that decode.
  public func report(fileCheck: FileCheck? = nil) -> DatasetReport {
    guard let fileCheck else {
      return DatasetReport(
        root: root, splitSource: splitSource, classes: classReports, findings: Self.sorted(findings))
    }
    precondition(fileCheck.facts.count == items.count, "the file check is of this index")
    let decoded = zip(items, fileCheck.facts).filter { $1.failure == nil }.map(\.0)
    // A class whose images that are left do not decode is empty by that, whatever was excluded.
    let used = Set(items.map(\.label))
    let balance = Self.balanceFindings(
      classes: classes, items: decoded, excluded: excluded.filter { !used.contains($0.label) },
      isWhole: !findings.contains { $0.kind == .unreadableFolder })
    let found =
      findings.filter { !Self.balanceKinds.contains($0.kind) && !balance.contains($0) }
      + undecodableFindings(fileCheck.facts)
      + duplicateFindings(fileCheck.copies)
      + nearDuplicateFindings(fileCheck.lookalikes, copies: fileCheck.copies) + sizeFindings(fileCheck.facts)
      + cropFindings(fileCheck.facts) + transparencyFindings(fileCheck.facts)
      + balance
    return DatasetReport(
      root: root, splitSource: splitSource, classes: classReports, findings: Self.sorted(found),
      statistics: DatasetStatistics(items: items, facts: fileCheck.facts))
  }

  private var classReports: [ClassReport] {
    var reports = classes.map { ClassReport(name: $0, counts: SplitCounts(), images: []) }
    for item in items {
      reports[item.label].counts[item.split] += 1
      reports[item.label].images.append(ImageEntry(path: item.path, split: item.split, decision: item.decision))
    }
    for item in excluded {
      reports[item.label].excluded += 1
      reports[item.label].images.append(ImageEntry(path: item.path, split: item.split, decision: .excluded))
    }
    // `items` are in this order already, and so are `excluded`.
    for label in reports.indices where reports[label].excluded > 0 {
      reports[label].images.sort { NaturalOrder.precedes($0.path, $1.path) }
    }
    return reports
  }

  /// Most severe first, of one severity by kind; otherwise as they came.
  private static func sorted(_ findings: [DatasetFinding]) -> [DatasetFinding] {
    let severities = Dictionary(
      uniqueKeysWithValues: DatasetFinding.Severity.allCases.enumerated().map { ($1, $0) })
    let kinds = Dictionary(uniqueKeysWithValues: DatasetFinding.Kind.allCases.enumerated().map { ($1, $0) })
    return findings.enumerated().sorted { first, second in
      let (a, b) = (first.element, second.element)
      return (severities[a.severity] ?? 0, kinds[a.kind] ?? 0, first.offset)
        < (severities[b.severity] ?? 0, kinds[b.kind] ?? 0, second.offset)
    }.map(\.element)
  }
}

// What a file check found outlives a report of names alone: excluding one of two duplicates must not empty the list of
// findings that the person is working through.

import Messages

extension DatasetReport {
  /// This report; where it says nothing about contents, with the statistics of an earlier file check of the same folder
  /// and with those of its findings that the decisions made since have not settled.
  func keepingStatistics(of earlier: DatasetReport) -> DatasetReport {
    guard statistics == nil, earlier.statistics != nil, earlier.root == root else { return self }
    var result = self
    result.statistics = earlier.statistics
    let taking = Participants(self)
    let kept = earlier.findings.filter { finding in
      finding.kind.isAboutContents && !taking.settle(finding)
        && !findings.contains { $0.kind == finding.kind && $0.paths == finding.paths }
    }
    let all = kept + findings
    result.findings = DatasetFinding.Severity.allCases.flatMap { severity in
      all.filter { $0.severity == severity }
    }
    return result
  }

  /// The images that take part, by path, with their classes.
  private struct Participants {
    private var classes: [[UInt8]: Int] = [:]

    init(_ report: DatasetReport) {
      for (index, entry) in report.classes.enumerated() {
        for image in entry.images where image.decision != .excluded { classes[Array(image.path.utf8)] = index }
      }
    }

    /// Whether nothing is left of a finding.
    func settle(_ finding: DatasetFinding) -> Bool {
      let left = finding.paths.compactMap { classes[Array($0.utf8)] }
      switch finding.kind {
      case .labelConflict: return Set(left).count < 2
      case .duplicate, .duplicateAcrossSplits, .nearDuplicate, .nearDuplicateAcrossSplits: return left.count < 2
      default: return left.isEmpty && !finding.paths.isEmpty
      }
    }
  }
}

extension DatasetFinding.Kind {
  /// Whether only a file check can tell.
  fileprivate var isAboutContents: Bool {
    switch self {
    case .undecodable, .unsupportedFormat, .duplicate, .duplicateAcrossSplits, .labelConflict, .suspectedLabel,
      .nearDuplicate,
      .nearDuplicateAcrossSplits, .unusualSize, .transparency, .croppedAway:
      true
    case .layout, .ignoredFile, .unreadableFolder, .damagedShard, .emptyClass, .fewTrainingImages, .imbalance,
      .missingInSplit, .splitRatio, .mergedClass, .splitList, .decisionsMoved, .groups,
      .groupAcrossSplits,
      .staleDecision:
      false
    }
  }
}

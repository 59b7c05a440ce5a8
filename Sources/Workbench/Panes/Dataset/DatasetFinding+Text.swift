// How findings are named, marked and counted on the screen.

import Canvas
import Messages

extension DatasetFinding.Severity {
  var role: ThemeRole {
    switch self {
    case .error: .error
    case .warning: .warning
    case .note: .dimmed
    }
  }

  /// Tells them apart without color.
  func mark(_ glyphs: Glyphs) -> String {
    switch self {
    case .error: String(glyphs.cross)
    case .warning: "!"
    case .note: String(glyphs.separator)
    }
  }

  func counted(_ number: Int) -> String { Format.counted(number, rawValue) }
}

extension DatasetFinding.Kind {
  var title: String {
    switch self {
    case .layout: "folders"
    case .undecodable: "does not decode"
    case .unsupportedFormat: "format not read"
    case .ignoredFile: "ignored"
    case .unreadableFolder: "unreadable folder"
    case .damagedShard: "damaged shard"
    case .duplicate: "duplicate"
    case .duplicateAcrossSplits: "duplicate across splits"
    case .labelConflict: "label conflict"
    case .suspectedLabel: "suspected label"
    case .nearDuplicate: "near duplicate"
    case .nearDuplicateAcrossSplits: "near duplicate across splits"
    case .unusualSize: "unusual size"
    case .transparency: "transparency"
    case .croppedAway: "cropped away"
    case .emptyClass: "empty class"
    case .fewTrainingImages: "few training images"
    case .imbalance: "imbalance"
    case .missingInSplit: "class missing in a split"
    case .splitRatio: "split ratio"
    case .mergedClass: "merged class"
    case .staleDecision: "stale decision"
    case .splitList: "split list"
    case .groups: "groups"
    case .groupAcrossSplits: "group across splits"
    case .decisionsMoved: "decisions from elsewhere"
    }
  }
}

extension DatasetFinding {
  /// What a filter looks at: `error` leaves the errors, a file's name what concerns it.
  var searchText: String {
    ([severity.rawValue, kind.title, message] + (subject.map { [$0] } ?? []) + paths).joined(separator: " ")
  }
}

extension DatasetReport {
  /// How many findings there are of each severity that occurs, most severe first.
  var findingCounts: [(severity: DatasetFinding.Severity, count: Int)] {
    DatasetFinding.Severity.allCases.compactMap { severity in
      let count = findings.count { $0.severity == severity }
      return count == 0 ? nil : (severity, count)
    }
  }

  /// `2 errors, 1 warning`, each in its color.
  func findingSpans(_ severities: Set<DatasetFinding.Severity>, theme: Theme) -> [Span] {
    let pieces = findingCounts.filter { severities.contains($0.severity) }
      .map { Span($0.severity.counted($0.count), theme[$0.severity.role]) }
    return Array(pieces.map { [$0] }.joined(separator: [Span(", ", theme[.dimmed])]))
  }
}

extension DatasetReport {
  /// Files that a file check went through.
  var checkedFiles: Int { classes.reduce(0) { $0 + $1.images.count } }
}

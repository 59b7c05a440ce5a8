// Findings as lines: a few of each kind, because a dataset of a thousand classes may have a thousand of one.

import Canvas
import Messages
import Support

/// Findings of a dataset for people.
struct FindingLines {
  private let findings: [DatasetFinding]
  private let data: String

  /// So many findings of a kind are told.
  static let shown = 5

  /// - Parameter data: the dataset's folder.
  init(_ findings: [DatasetFinding], data: String) {
    self.findings = findings
    self.data = data
  }

  /// A line each, most severe first; of many of a kind the first and how many more.
  var short: [String] {
    var lines: [String] = []
    for severity in DatasetFinding.Severity.allCases {
      for kind in DatasetFinding.Kind.allCases {
        let found = findings.filter { $0.severity == severity && $0.kind == kind }
        lines += found.prefix(Self.shown).map(\.shortText)
        if found.count > Self.shown {
          lines.append(
            "... and \(Format.count(found.count - Self.shown)) more of this kind: skipline check \(shellQuoted(data))"
          )
        }
      }
    }
    return lines
  }
}

extension DatasetFinding {
  private static let longestName = 60

  /// The message with a class's name cut as in tables where it would fill lines; paths stay whole, to be copied.
  var shortMessage: String { shortened(message) }

  /// The same of `text`.
  var shortText: String { shortened(text) }

  private func shortened(_ text: String) -> String {
    guard let subject, !subject.contains("/"), DisplayWidth.of(subject) > Self.longestName else { return text }
    return text.replacing(subject, with: Truncation.middle.fit(subject, width: Self.longestName))
  }
}

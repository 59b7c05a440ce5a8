// What keeps a run from starting: errors in its data that are known without looking into the files, and that `check`
// calls errors too. Who knows better says so, and the run's record keeps it.

import Datasets
import Messages
import Support

/// Errors in a dataset that nobody accepted.
public struct UnacceptedErrors: Error, Equatable, CustomStringConvertible {
  /// The dataset's folder.
  public var data: String
  public var findings: [DatasetFinding]

  /// So many are told.
  private static let shown = 3

  /// - Throws: itself where the findings hold errors.
  static func check(_ index: DatasetIndex) throws(UnacceptedErrors) {
    let errors = index.findings.filter { $0.severity == .error }
    if !errors.isEmpty { throw UnacceptedErrors(data: index.root, findings: errors) }
  }

  public var description: String {
    let count = findings.count
    let told = findings.prefix(Self.shown).map(\.message).joined(separator: "; ")
    let advice = findings.first.map { $0.advice.isEmpty ? "" : "; \($0.advice)" } ?? ""
    let more = count > Self.shown ? "; and \(count - Self.shown) more: skipline check \(shellQuoted(data))" : ""
    return "\(data) has \(count == 1 ? "an error" : "\(count) errors") with which training would be wrong: \(told)"
      + (count == 1 ? advice : "") + more + "; fix \(count == 1 ? "it" : "them"), or train anyway with "
      + "--accept-errors (\"accept errors\" among the settings)"
  }
}

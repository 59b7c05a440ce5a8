// What of a dataset could not be read, and the refusal to give numbers of the rest as if they were of all.

import Messages

extension ScannedDataset {
  /// Findings about folders and shards that are there and could not be read.
  public var unread: [DatasetFinding] { findings.filter(\.isAboutUnreadPart) }
}

extension DatasetIndex {
  /// Findings about folders and shards that are there and could not be read.
  public var unread: [DatasetFinding] { findings.filter(\.isAboutUnreadPart) }

  /// - Throws: `UnreadParts` where some folder or shard could not be read.
  public func requireWhole() throws(UnreadParts) {
    if !unread.isEmpty { throw UnreadParts(data: root, findings: unread) }
  }
}

extension DatasetFinding {
  fileprivate var isAboutUnreadPart: Bool {
    severity == .error && (kind == .unreadableFolder || kind == .damagedShard)
  }
}

/// A dataset of which a part could not be read.
public struct UnreadParts: Error, Equatable, CustomStringConvertible {
  /// The dataset's folder.
  public var data: String
  public var findings: [DatasetFinding]

  /// So many are told.
  private static let shown = 3

  public var description: String {
    let told = findings.prefix(Self.shown).map(\.message).joined(separator: "; ")
    let more = findings.count > Self.shown ? "; and \(findings.count - Self.shown) more" : ""
    let advice = findings.first.map { $0.advice.isEmpty ? "" : "; \($0.advice)" } ?? ""
    return "\(data) was read in part only: \(told)\(more)\(advice); or go on with the rest: --accept-errors"
  }
}

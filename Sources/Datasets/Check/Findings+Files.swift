// Findings about single files: those that do not decode.

import Messages

extension DatasetIndex {
  /// One finding a file.
  func undecodableFindings(_ facts: [ImageFacts]) -> [DatasetFinding] {
    zip(items, facts).compactMap { item, fact in
      fact.failure.map { reason in
        DatasetFinding(
          kind: .undecodable, severity: .error, subject: item.path, paths: [item.path],
          message: "\(item.path) cannot be decoded: \(reason)",
          advice: "repair or replace it, or leave it out: \(excluding(item.path))")
      }
    }
  }

  /// The command that takes an image out of everything.
  func excluding(_ path: String) -> String { "skipline exclude \(shellQuoted(root)) \(shellQuoted(path))" }
}

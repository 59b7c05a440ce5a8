// Findings about single files: those that do not decode.

import Messages
import Support

extension DatasetIndex {
  /// One finding a file.
  func undecodableFindings(_ facts: [ImageFacts]) -> [DatasetFinding] {
    zip(items, facts).compactMap { item, fact in
      guard case .failed(let reason, let cause) = fact.outcome else { return nil }
      let (message, advice) =
        switch cause {
        case .content: ("cannot be decoded", "repair or replace it, or leave it out: \(excluding(item.path))")
        case .pixelLimit: ("cannot be decoded", "training would skip it; or leave it out: \(excluding(item.path))")
        case .circumstances:
          ("could not be checked", "the file may be whole: fix what is in the way, and check again")
        }
      return DatasetFinding(
        kind: .undecodable, severity: .error, subject: item.path, paths: [item.path],
        message: "\(item.path) \(message): \(reason)", advice: advice)
    }
  }

  /// The command that takes an image out of everything.
  func excluding(_ path: String) -> String { "skipline exclude \(shellQuoted(root)) \(Self.argument(path))" }

  /// The command that makes an image one of another class.
  func relabeling(_ path: String, to name: String) -> String {
    // In one word with its option, a name that begins with a dash is no option itself.
    let to = shellOption("--to", name)
    return "skipline relabel \(shellQuoted(root)) \(to) \(Self.argument(path))"
  }

  /// A file's name after all options; one that begins with a dash is no option either.
  private static func argument(_ path: String) -> String {
    (path.hasPrefix("-") ? "-- " : "") + shellQuoted(path)
  }
}

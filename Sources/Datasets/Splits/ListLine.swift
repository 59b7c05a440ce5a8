// The ways in which a line of a list may name an image. Other programs write paths from the root, from some folder
// above, with `./` in front or with labels behind, and their systems write backslashes. All of these are read here as
// candidates; which of them is an image is for the dataset to say, so that nothing is ever guessed.

import Files
import Messages
import Support

/// What a line may mean.
struct ListLine {
  /// A path that the line may name, and what then stands beside it.
  struct Candidate {
    var path: String
    /// What stands behind or before the path on its line.
    var label: String?
  }

  /// The line as text, for messages.
  let text: String
  /// The likeliest first: the whole line, then its beginnings, the longest first, then its last field.
  let candidates: [Candidate]

  private static let separators: [UInt8] = [0x09, UInt8(ascii: ","), UInt8(ascii: ";"), 0x20]
  /// Fields looked at from the end of a line; more labels than that are no labels.
  private static let mostFields = 64
  /// Bytes of a line that may hold more than a path: paths have 4,096 at most.
  private static let longestLine = 1 << 14

  /// - Throws: `QuotingError` for quotes that do not close.
  init(_ line: ArraySlice<UInt8>) throws(QuotingError) {
    if line.first == UInt8(ascii: "\"") {
      let (path, rest) = try Self.quoted(line)
      text = path
      let label = rest.drop { Self.separators.contains($0) }
      guard rest.isEmpty || Self.separators.contains(rest[rest.startIndex]) else {
        throw QuotingError("there is more on the line than a quoted path")
      }
      candidates = [Candidate(path: path, label: label.isEmpty ? nil : String(pathBytes: label))]
      return
    }
    guard !line.contains(0) else { throw QuotingError("a path cannot hold a zero byte") }
    text = String(pathBytes: line)
    var found = [Candidate(path: text, label: nil)]
    guard line.count <= Self.longestLine else {
      candidates = found
      return
    }
    let trimmed = Self.trimmed(line)
    if trimmed.count < line.count { found.append(Candidate(path: String(pathBytes: trimmed), label: nil)) }
    var cuts = trimmed.indices.filter { Self.separators.contains(trimmed[$0]) }
    let first = cuts.first
    cuts = Array(cuts.reversed().prefix(Self.mostFields))
    for cut in cuts {
      let path = Self.trimmed(trimmed[..<cut])
      let label = Self.trimmed(trimmed[(cut + 1)...])
      if !path.isEmpty { found.append(Candidate(path: String(pathBytes: path), label: String(pathBytes: label))) }
    }
    // `3 cat/1.png` and `cat,cat/1.png`: the label in front.
    if let first {
      let path = Self.trimmed(trimmed[(first + 1)...])
      let label = trimmed[..<first]
      if !path.isEmpty { found.append(Candidate(path: String(pathBytes: path), label: String(pathBytes: label))) }
    }
    candidates = found
  }

  /// A path in double quotes, with the escapes of PathQuoting.swift, or as spreadsheets write it, without any.
  private static func quoted(_ line: ArraySlice<UInt8>) throws(QuotingError) -> (String, ArraySlice<UInt8>) {
    do throws(QuotingError) {
      return try PathQuoting.leadingQuoted(line)
    } catch {
      // C:\data\cat.png has backslashes that escape nothing.
      let inner = line.dropFirst()
      guard let end = inner.firstIndex(of: UInt8(ascii: "\"")), end > inner.startIndex, !inner[..<end].contains(0)
      else { throw error }
      return (String(pathBytes: inner[..<end]), inner[(end + 1)...])
    }
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    var bytes = bytes.drop(while: isBlank)
    while let last = bytes.last, isBlank(last) { bytes.removeLast() }
    return bytes
  }
}

extension ListLine {
  /// A path with slashes between its parts, without empty parts, `.` and, as far as names tell, `..`.
  /// - Returns: the parts, and whether the path begins at the root.
  static func parts(of path: String) -> (parts: [String], isAbsolute: Bool) {
    var bytes = Array(path.pathBytes)
    if bytes.contains(UInt8(ascii: "\\")) {
      bytes = bytes.map { $0 == UInt8(ascii: "\\") ? UInt8(ascii: "/") : $0 }
    }
    let isAbsolute = bytes.first == UInt8(ascii: "/")
    var parts: [String] = []
    for part in bytes.split(separator: UInt8(ascii: "/")) {
      let part = String(pathBytes: part)
      if part == "." { continue }
      if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
    }
    return (parts, isAbsolute)
  }
}

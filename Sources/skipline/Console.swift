// Plain output: results to standard output, progress and complaints to standard error. Never an escape code; names
// from outside are made harmless, except in JSON, which keeps them exact.

import Canvas
import Foundation

enum Console {
  /// A line of results.
  static func print(_ line: String) { write(sanitisedLines(line) + "\n", to: .standardOutput) }

  /// A line of progress.
  static func progress(_ line: String) { write(sanitisedLines(line) + "\n", to: .standardError) }

  /// A line about what went wrong.
  static func complain(_ line: String) { progress(line) }

  /// A value as JSON with sorted keys: indented, or as one line.
  static func print(json value: some Encodable, indented: Bool = true) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting =
      indented ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    write(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n", to: .standardOutput)
  }

  /// Columns padded to the widest cell, the first to the left and the rest to the right.
  static func table(_ rows: [[String]]) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let rows = rows.map { $0.map { Sanitiser.sanitised($0) } }
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? DisplayWidth.of($0[column]) : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - DisplayWidth.of(cell))
        return column == 0 ? cell + padding : padding + cell
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// Our own line feeds stay; everything else that could steer a terminal goes.
  private static func sanitisedLines(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { Sanitiser.sanitised(String($0)) }
      .joined(separator: "\n")
  }

  private static func write(_ text: String, to handle: FileHandle) {
    // A closed pipe or a full disk behind it must not end a run: results are also in the run's folder.
    try? handle.write(contentsOf: Data(text.utf8))
  }
}

/// Numbers as people read them.
enum Format {
  /// 0.9163 as "91.63 %".
  static func percent(_ share: Double) -> String { fixed(share * 100, 2) + " %" }

  static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return "\(value)" }
    return String(format: "%.\(digits)f", value)
  }

  /// 25557032 as "25,557,032".
  static func grouped(_ value: Int) -> String {
    var digits = String(value.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
  }

  /// Bytes in MB or GB of 10^6 and 10^9.
  static func bytes(_ count: Int) -> String {
    count < 1_000_000_000 ? fixed(Double(count) / 1e6, 1) + " MB" : fixed(Double(count) / 1e9, 2) + " GB"
  }

  /// 200 as "3 min 20 s".
  static func duration(_ seconds: Double) -> String {
    let total = Int(seconds.rounded())
    if total < 60 { return "\(total) s" }
    if total < 3600 { return "\(total / 60) min \(total % 60) s" }
    return "\(total / 3600) h \(total % 3600 / 60) min"
  }
}

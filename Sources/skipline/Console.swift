// Plain output: results to standard output, progress and complaints to standard error. Never an escape code; names
// from outside are made harmless, except in JSON, which keeps them exact. What is printed is a line, so a line feed
// in it can only come from a name.

import Canvas
import Foundation
import Messages
import Training

enum Console {
  /// A line of results.
  static func print(_ line: String) { write(Sanitiser.sanitised(line) + "\n", to: .standardOutput) }

  /// A line of progress.
  static func progress(_ line: String) { write(Sanitiser.sanitised(line) + "\n", to: .standardError) }

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

  /// A report as JSON, as it goes.
  static func print(_ report: EvaluationReport) throws {
    try EvaluationDocument.write(report) { write(Data($0), to: .standardOutput) }
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

  private static func write(_ text: String, to handle: FileHandle) { write(Data(text.utf8), to: handle) }

  private static func write(_ bytes: Data, to handle: FileHandle) {
    // A closed pipe or a full disk behind it must not end a run: results are also in the run's folder.
    try? handle.write(contentsOf: bytes)
  }
}

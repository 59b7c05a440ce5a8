// Plain output: results to standard output, progress and complaints to standard error. Never an escape code; names
// from outside are made harmless, except in JSON, which keeps them exact. What is printed is a line, so a line feed
// in it can only come from a name.

import Canvas
import Files
import FoundationEssentials
import Glibc
import Messages
import Resources
import Synchronization
import Training

enum Console {
  /// A line of results.
  static func print(_ line: String) { write(Sanitizer.sanitized(line) + "\n", .result) }

  /// A text of results that is our own: its line feeds are meant.
  static func print(verbatim text: String) { write(text + "\n", .result) }

  /// Bytes of results that are a format of their own.
  static func print(bytes: [UInt8]) { write(bytes, .result) }

  /// A line of progress.
  static func progress(_ line: String) { show(Sanitizer.sanitized(line) + "\n") }

  /// A text on standard error, as it is.
  static func show(_ text: String) { write(text, .progress) }

  /// A line about what went wrong.
  static func complain(_ line: String) { progress(line) }

  /// A value as JSON with sorted keys: indented, or as one line.
  static func print(json value: some Encodable, indented: Bool = true) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting =
      indented ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    write(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n", .result)
  }

  /// A report as JSON, as it goes.
  static func print(_ report: EvaluationReport) throws {
    try EvaluationDocument.write(report) { write(Array($0), .result) }
  }

  /// Columns padded to the widest cell, the first to the left and the rest to the right. Very long names lose their
  /// middle: a table stays one that can be read, and JSON has them whole.
  /// - Parameters:
  ///   - width: columns of the terminal; nil where there is none.
  ///   - hasPaths: whether cells are paths, which people copy and which may be longer where there is no terminal.
  static func table(_ rows: [[String]], width: Int? = terminalWidth, hasPaths: Bool = false) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let rows = shortened(
      rows.map { $0.map { Sanitizer.sanitized($0) } }, columns: columns, width: width,
      longest: width ?? (hasPaths ? longestPath : longestName))
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

  /// What a name may take however narrow the terminal is, and what it may take where there is none.
  private static let leastName = 20
  private static let longestName = 60
  private static let longestPath = 120

  /// The cells, the widest of them cut so that lines fit in the width, as far as names allow it.
  private static func shortened(_ rows: [[String]], columns: Int, width: Int?, longest: Int) -> [[String]] {
    var limits = (0..<columns).map { column in
      min(rows.map { column < $0.count ? DisplayWidth.of($0[column]) : 0 }.max() ?? 0, longest)
    }
    if let width {
      // One limit for all columns, the largest with which they fit: what is short stays whole.
      let room = width - 2 * max(0, columns - 1)
      var limit = limits.max() ?? 0
      while limit > leastName, limits.reduce(0, { $0 + min($1, limit) }) > room { limit -= 1 }
      limits = limits.map { min($0, limit) }
    }
    return rows.map { row in
      row.enumerated().map { column, cell in
        DisplayWidth.of(cell) > limits[column] ? Truncation.middle.fit(cell, width: limits[column]) : cell
      }
    }
  }

  /// Columns of the terminal that standard output goes to; nil where it goes elsewhere.
  static var terminalWidth: Int? {
    var size = winsize()
    guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return nil
    }
    return Int(size.ws_col)
  }

  // MARK: Writing

  private struct Queues {
    var output: OutputQueue
    /// nil where there was no thread for it: then whoever complains waits.
    var errors: OutputQueue?
  }

  /// nil while whoever prints waits for whoever reads.
  private static let queues = Mutex<Queues?>(nil)

  /// From now on nothing that is printed waits for a reader: progress that is not read is left out, results wait in
  /// memory. Where there is no thread for it, it stays as it was.
  static func stopWaiting() {
    queues.withLock { queues in
      guard queues == nil, let output = try? OutputQueue(descriptor: STDOUT_FILENO) else { return }
      // In one queue the lines keep their order, as they do in one file.
      let errors = isOneFile ? output : try? OutputQueue(descriptor: STDERR_FILENO)
      queues = Queues(output: output, errors: errors)
    }
  }

  /// Why a result could not be written by whoever waits; nil where all were, or whoever read them had gone.
  private static let fault = Mutex<Int32?>(nil)

  /// How long results wait at the end while nothing is read.
  private static let timeout = Duration.seconds(10)
  /// The same of the last lines of progress and complaints.
  private static let errorTimeout = Duration.seconds(1)

  /// Waits at the end for results that were not read yet.
  /// - Returns: false where they were not read, or could not be written.
  static func finish() -> Bool {
    if let code = fault.withLock({ $0 }) {
      complain(
        "skipline: results could not be written to standard output: \(SystemError(number: code)); they are lost there"
      )
      return false
    }
    guard let queues = queues.withLock({ $0 }) else { return true }
    let isRead = queues.output.finish(timeout: timeout)
    if !isRead {
      complain(
        "skipline: results were not read from standard output for \(Format.duration(10)), or could not be written; "
          + "they are lost there")
    }
    _ = queues.errors?.finish(timeout: errorTimeout)
    return isRead
  }

  private static var isOneFile: Bool {
    var (output, errors) = (stat(), stat())
    guard fstat(STDOUT_FILENO, &output) == 0, fstat(STDERR_FILENO, &errors) == 0 else { return false }
    return output.st_dev == errors.st_dev && output.st_ino == errors.st_ino
  }

  private static func write(_ text: String, _ importance: OutputQueue.Importance) {
    write(Array(text.utf8), importance)
  }

  private static func write(_ bytes: [UInt8], _ importance: OutputQueue.Importance) {
    let queues = queues.withLock { $0 }
    if let queue = importance == .result ? queues?.output : queues?.errors {
      queue.write(bytes, importance)
    } else {
      // A closed pipe or a full disk behind it must not end a run, but its status says that results were lost. Who
      // closes a pipe has read enough.
      let code = bytes.withUnsafeBytes {
        OutputQueue.write($0, to: importance == .result ? STDOUT_FILENO : STDERR_FILENO)
      }
      if importance == .result, code != 0, code != EPIPE { fault.withLock { $0 = $0 ?? code } }
    }
  }
}

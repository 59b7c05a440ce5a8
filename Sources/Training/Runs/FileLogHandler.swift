// log.txt: what happened in a run, a line an event, for the person who looks for a cause afterwards.

import Files
import FoundationEssentials
import Logging

/// A swift-log handler that appends lines to a file: `2026-01-31T12:00:00.000Z warning message key=value`.
///
/// Messages may quote file names, so characters that a terminal would act on, or that would begin another line, are
/// written as `\u{...}`. A line that cannot be written is lost in silence: the metrics log reports a full disk.
public struct FileLogHandler: LogHandler {
  public var metadata: Logger.Metadata = [:]
  public var metadataProvider: Logger.MetadataProvider?
  public var logLevel: Logger.Level = .info

  private let file: AppendOnlyFile
  private let now: @Sendable () -> Date

  /// - Parameters:
  ///   - path: made with the first line if it does not exist, appended to if it does.
  ///   - now: the clock that lines are stamped with.
  public init(path: String, now: @escaping @Sendable () -> Date = { Date() }) {
    file = AppendOnlyFile(path: path)
    self.now = now
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    var values = metadata
    values.merge(metadataProvider?.get() ?? [:]) { _, provided in provided }
    values.merge(event.metadata ?? [:]) { _, given in given }
    var line = "\(now().formatted(Self.timestamp)) \(event.level) \(event.message)"
    for (key, value) in values.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(value)" }
    if let error = event.error { line += " error=\(error)" }
    file.append(Self.printable(line))
  }

  private static let timestamp = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

  /// The text with control, format (bidirectional, zero-width) and line-separating characters spelt out.
  static func printable(_ text: String) -> String {
    var printable = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator:
        printable += "\\u{\(String(scalar.value, radix: 16))}"
      default: printable.unicodeScalars.append(scalar)
      }
    }
    return printable
  }
}

// metrics.jsonl: a line a logged step and a line an epoch, appended while training runs and cut back to a checkpoint
// when it is resumed. It holds figures as they were measured and draws no conclusion from them.

import Files
import Foundation
import Messages

/// What `metrics.jsonl` holds, in the file's order.
public struct MetricsHistory: Sendable, Equatable {
  public var steps: [StepMetrics]
  public var epochs: [EpochMetrics]
  /// Lines that could not be read: torn by a crash, or of a kind this version does not know.
  public var unreadableLines: Int

  public init(steps: [StepMetrics] = [], epochs: [EpochMetrics] = [], unreadableLines: Int = 0) {
    self.steps = steps
    self.epochs = epochs
    self.unreadableLines = unreadableLines
  }
}

/// The metrics of a run as JSON lines: `{"kind":"step",...}` and `{"kind":"epoch",...}` with the fields of
/// `StepMetrics` and `EpochMetrics`. NaN and the infinities are the strings "NaN", "Infinity" and "-Infinity".
public final class MetricsLog {
  private let file: AppendOnlyFile
  private let onFailure: (String) -> Void

  /// - Parameters:
  ///   - path: made with the first line if it does not exist.
  ///   - onFailure: called once, with what happened, when a line is lost for the first time.
  public init(path: String, onFailure: @escaping (String) -> Void) {
    file = AppendOnlyFile(path: path)
    self.onFailure = onFailure
  }

  /// Appends a step. Never fails: a line that cannot be written is lost and `onFailure` told.
  public func append(_ step: StepMetrics) { append(.step(step)) }

  /// Appends an epoch. Never fails, as above.
  public func append(_ epoch: EpochMetrics) { append(.epoch(epoch)) }

  /// Puts the lines so far on disk, so that a checkpoint never is ahead of them.
  func sync() { file.sync() }

  private func append(_ line: MetricsLine) {
    guard let text = try? RunJSON.line(line) else {
      preconditionFailure("metrics are numbers, which always encode")
    }
    if let error = file.append(text) { onFailure("metrics are being lost, training goes on: \(error)") }
  }

  /// Drops what came after a checkpoint, so that a resumed run does not write it twice; torn lines go too.
  ///
  /// - Parameters:
  ///   - step: the checkpoint's step; steps after it, and epochs that ended after it, are dropped.
  ///   - epoch: the epochs that the checkpoint counts as done; nil where the step alone decides. A checkpoint saved
  ///     before its epoch was validated has the epoch's last step, but not the epoch.
  /// - Throws: `FileOperationError`; the log then stays as it was.
  public func rewind(toStep step: Int, epoch: Int? = nil) throws {
    file.close()
    try rewindLines(of: file.path) { line in
      switch Self.decode(line) {
      case .step(let metrics): metrics.step <= step
      case .epoch(let metrics): metrics.step <= step && metrics.epoch <= epoch ?? .max
      case nil: false
      }
    }
  }

  /// Reads a log; torn or unknown lines are counted and passed over. A file that does not exist holds nothing.
  /// - Throws: `FileOperationError` for one that cannot be read.
  public static func read(path: String) throws -> MetricsHistory {
    var history = MetricsHistory()
    for line in try textLines(of: path) {
      switch decode(line) {
      case .step(let metrics): history.steps.append(metrics)
      case .epoch(let metrics): history.epochs.append(metrics)
      case nil: history.unreadableLines += 1
      }
    }
    return history
  }

  /// The figures of a line; nil for one of another kind.
  static func step(in line: Data) -> StepMetrics? {
    if case .step(let metrics) = decode(line) { metrics } else { nil }
  }

  static func epoch(in line: Data) -> EpochMetrics? {
    if case .epoch(let metrics) = decode(line) { metrics } else { nil }
  }

  private static func decode(_ line: Data) -> MetricsLine? {
    guard let line = try? RunJSON.decoder.decode(MetricsLine.self, from: line), line.isPossible else { return nil }
    return line
  }
}

/// One line: the metrics' own fields and beside them which kind they are.
private enum MetricsLine: Codable {
  case step(StepMetrics)
  case epoch(EpochMetrics)

  /// Whether step and epoch are such as a run comes to.
  var isPossible: Bool {
    let (step, epoch) =
      switch self {
      case .step(let metrics): (metrics.step, metrics.epoch)
      case .epoch(let metrics): (metrics.step, metrics.epoch)
      }
    return Limits.count.range.contains(step) && Limits.epoch.range.contains(epoch)
  }

  private enum Kind: String, Codable { case step, epoch }
  private enum Key: String, CodingKey { case kind }

  init(from decoder: any Decoder) throws {
    switch try decoder.container(keyedBy: Key.self).decode(Kind.self, forKey: .kind) {
    case .step: self = .step(try StepMetrics(from: decoder))
    case .epoch: self = .epoch(try EpochMetrics(from: decoder))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .step(let metrics):
      try container.encode(Kind.step, forKey: .kind)
      try metrics.encode(to: encoder)
    case .epoch(let metrics):
      try container.encode(Kind.epoch, forKey: .kind)
      try metrics.encode(to: encoder)
    }
  }
}

/// A text file's lines without their line feeds; empty lines are left out. None where there is no file.
func textLines(of path: String) throws -> [Data] { lines(in: try content(of: path)) }

/// Replaces a text file by those of its lines that `keep` accepts; leaves it alone where there is nothing to drop.
func rewindLines(of path: String, keep: (Data) -> Bool) throws {
  let content = try content(of: path)
  var whole = lines(in: content)
  let count = whole.count
  // A last line without its line feed was torn, even if what is there of it reads as a whole one.
  if let end = content.last, end != UInt8(ascii: "\n") { whole.removeLast() }
  let kept = whole.filter(keep)
  guard kept.count < count else { return }
  try AtomicFile.write(Data(kept.flatMap { $0 + [UInt8(ascii: "\n")] }), to: path)
}

private func content(of path: String) throws -> Data {
  do {
    return try RunJSON.bytes(of: path)
  } catch let error where error.code == ENOENT {
    return Data()
  }
}

private func lines(in content: Data) -> [Data] {
  content.split(separator: UInt8(ascii: "\n")).map { Data($0) }
}

// metrics.jsonl: a line a logged step, a line an epoch and one with its recalls, a line a look at the layers, appended while
// training runs and cut back to a checkpoint when it is resumed. It holds metrics as they were measured and draws no conclusion from them.

import Files
import FoundationEssentials
import Glibc
import Messages

/// What `metrics.jsonl` holds, in the file's order.
public struct MetricsHistory: Sendable, Equatable {
  public var steps: [StepMetrics]
  public var epochs: [EpochMetrics]
  public var marks: [RunMark]
  public var recalls: [ClassRecalls] = []
  public var layers: [LayerStatistics] = []
  /// Lines that could not be read: torn by a crash, or of a kind this version does not know.
  public var unreadableLines: Int

  public init(
    steps: [StepMetrics] = [], epochs: [EpochMetrics] = [], marks: [RunMark] = [], unreadableLines: Int = 0
  ) {
    self.marks = marks
    self.steps = steps
    self.epochs = epochs
    self.unreadableLines = unreadableLines
  }
}

/// The metrics of a run as JSON lines: `{"kind":"step",...}`, `{"kind":"epoch",...}`, `{"kind":"recall",...}` and
/// `{"kind":"layers",...}` with the fields of `StepMetrics`, `EpochMetrics`, `ClassRecalls` and `LayerStatistics`, and `{"kind":"mark",...}` for what else happened to it. NaN
/// and the infinities are the strings "NaN", "Infinity" and "-Infinity".
public final class MetricsLog {
  private let file: AppendOnlyFile
  private let onFailure: (String) -> Void

  /// - Parameters:
  ///   - path: made with the first line if it does not exist.
  ///   - onFailure: called once, with what happened, when a line is lost for the first time.
  public init(path: String, calls: FileCalls = .system, onFailure: @escaping (String) -> Void) {
    file = AppendOnlyFile(path: path, calls: calls)
    self.onFailure = onFailure
  }

  /// Appends a step. Never fails: a line that cannot be written is lost and `onFailure` told.
  public func append(_ step: StepMetrics) { append(.step(step)) }

  /// Appends an epoch. Never fails, as above.
  public func append(_ epoch: EpochMetrics) { append(.epoch(epoch)) }

  /// Appends the recalls after an epoch. Never fails, as above.
  public func append(_ recalls: ClassRecalls) { append(.recall(recalls)) }

  /// Appends a look at the layers, in few digits. Never fails, as above.
  public func append(_ layers: LayerStatistics) { append(.layers(layers.fitted())) }

  /// Appends what happened to the run. Never fails, as above.
  public func append(_ mark: RunMark) { append(.mark(mark)) }

  /// Puts the lines so far on disk, so that a checkpoint never is ahead of them.
  func sync() { file.sync() }

  private func append(_ line: MetricsLine) {
    guard let text = try? RunJSON.line(line) else {
      preconditionFailure("metrics are numbers, which always encode")
    }
    if let error = file.append(text) { onFailure("metrics are being lost, training goes on: \(error)") }
  }

  /// Drops what came after a checkpoint, so that a resumed run does not write it twice; torn lines at the end go too.
  /// What lies before is not read: lines stand in the order in which things happened.
  ///
  /// - Parameters:
  ///   - step: the checkpoint's step; steps after it, and epochs that ended after it, are dropped.
  ///   - epoch: the epochs that the checkpoint counts as done; nil where the step alone decides. A checkpoint saved
  ///     before its epoch was validated has the epoch's last step, but not the epoch.
  /// - Throws: `FileOperationError`; the log then stays as it was.
  public func rewind(toStep step: Int, epoch: Int? = nil) throws {
    file.close()
    try LineTail.cut(file.path) { line in
      // Most lines that are dropped are not worth decoding.
      guard MetricsGlance(line).mayBeKept(step: step, epoch: epoch) else { return false }
      return switch Self.decode(line) {
      case .step(let metrics): metrics.step <= step
      case .epoch(let metrics): metrics.step <= step && metrics.epoch <= epoch ?? .max
      case .mark(let mark): mark.step <= step
      case .recall(let recalls): recalls.step <= step && recalls.epoch <= epoch ?? .max
      // It is of the epoch under way.
      case .layers(let layers): layers.step <= step
      case nil: false
      }
    }
  }

  /// Reads a whole log; torn or unknown lines are counted and passed over. A file that does not exist holds nothing.
  /// `MetricsReader` thins out while it reads, for logs that are only to be shown.
  /// - Throws: `FileOperationError` for one that cannot be read.
  public static func read(path: String) throws -> MetricsHistory {
    let file: InputFile
    do throws(FileOperationError) {
      file = try InputFile(path: path)
    } catch {
      if error.code == ENOENT { return MetricsHistory() }
      throw error
    }
    var history = MetricsHistory()
    try file.forEachLine { line in
      guard !line.isEmpty else { return }
      switch decode(line) {
      case .step(let metrics): history.steps.append(metrics)
      case .epoch(let metrics): history.epochs.append(metrics)
      case .mark(let mark): history.marks.append(mark)
      case .recall(let recalls): history.recalls.append(recalls)
      case .layers(let layers): history.layers.append(layers)
      case nil: history.unreadableLines += 1
      }
    }
    return history
  }

  /// The metrics of a line; nil for one of another kind.
  static func step(in line: Data) -> StepMetrics? {
    if case .step(let metrics) = decode([UInt8](line)[...]) { metrics } else { nil }
  }

  static func epoch(in line: Data) -> EpochMetrics? {
    if case .epoch(let metrics) = decode([UInt8](line)[...]) { metrics } else { nil }
  }

  static func recalls(in line: Data) -> ClassRecalls? {
    if case .recall(let recalls) = decode([UInt8](line)[...]) { recalls } else { nil }
  }

  static func layers(in line: Data) -> LayerStatistics? {
    if case .layers(let layers) = decode([UInt8](line)[...]) { layers } else { nil }
  }

  static func mark(in line: Data) -> RunMark? {
    if case .mark(let mark) = decode([UInt8](line)[...]) { mark } else { nil }
  }

  private static func decode(_ line: ArraySlice<UInt8>) -> MetricsLine? {
    guard let line = try? RunJSON.decoder.decode(MetricsLine.self, from: Data(line)), line.isPossible else {
      return nil
    }
    return line
  }
}

/// One line: the metrics' own fields and beside them which kind they are.
private enum MetricsLine: Codable {
  case step(StepMetrics)
  case epoch(EpochMetrics)
  case mark(RunMark)
  case recall(ClassRecalls)
  case layers(LayerStatistics)

  /// Whether step and epoch are such as a run comes to.
  var isPossible: Bool {
    let (step, epoch) =
      switch self {
      case .step(let metrics): (metrics.step, metrics.epoch)
      case .epoch(let metrics): (metrics.step, metrics.epoch)
      // A run may be paused before its first step.
      case .mark(let mark): (max(1, mark.step), 1)
      case .recall(let recalls): (recalls.step, recalls.epoch)
      case .layers(let layers): (layers.step, layers.epoch)
      }
    return Limits.count.range.contains(step) && Limits.epoch.range.contains(epoch)
  }

  private enum Kind: String, Codable { case step, epoch, recall, layers, mark }
  private enum Key: String, CodingKey { case kind }

  init(from decoder: any Decoder) throws {
    switch try decoder.container(keyedBy: Key.self).decode(Kind.self, forKey: .kind) {
    case .step: self = .step(try StepMetrics(from: decoder))
    case .epoch: self = .epoch(try EpochMetrics(from: decoder))
    case .mark: self = .mark(try RunMark(from: decoder))
    case .recall: self = .recall(try ClassRecalls(from: decoder))
    case .layers: self = .layers(try LayerStatistics(from: decoder))
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
    case .mark(let mark):
      try container.encode(Kind.mark, forKey: .kind)
      try mark.encode(to: encoder)
    case .recall(let recalls):
      try container.encode(Kind.recall, forKey: .kind)
      try recalls.encode(to: encoder)
    case .layers(let layers):
      try container.encode(Kind.layers, forKey: .kind)
      try layers.encode(to: encoder)
    }
  }
}

/// A text file's lines without their line feeds; empty lines are left out. Nil where there is no file.
/// - Parameter bound: see `SizeBound`.
/// - Throws: `RunFolderError.unreadable`.
func textLines(of path: String, bound: Int) throws -> [ArraySlice<UInt8>]? {
  do throws(FileOperationError) {
    return try InputFile.contents(of: path, bound: bound).split(separator: UInt8(ascii: "\n"))
  } catch {
    if error.code == ENOENT { return nil }
    throw RunFolderError.unreadable(path: path, reason: "\(error.reason)")
  }
}

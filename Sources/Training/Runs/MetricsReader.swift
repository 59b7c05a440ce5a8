// metrics.jsonl of any size, read for its curves: thinned out while it is read, and of an enormous one only parts are
// read.

import Files
import FoundationEssentials
import Messages

/// Reads a log of metrics of any size.
struct MetricsReader {
  /// More than a screen has dots for.
  private(set) var steps = ThinnedSeries<StepMetrics>.sampled(capacity: 2000)
  private(set) var epochs: ThinnedSeries<EpochMetrics>
  /// By which an epoch is the best.
  private let metric: BestMetric
  private let bestMark: Data

  /// The last line of each kind, which thinning must not lose.
  private var lastStep: [UInt8] = []
  private var lastEpoch: [UInt8] = []
  /// Epochs seen, and the seconds of all of them.
  private var epochCount = 0
  private var totalSeconds = 0.0
  private var newestEpochStep = 0
  /// Whether every line was read.
  private var isWhole = true

  init(best metric: BestMetric = .top1) {
    self.metric = metric
    bestMark = Data("\"\(metric.metric.key)\":".utf8)
    epochs = .sampled(capacity: 4000, best: metric)
  }

  /// The steps with the one of the largest loss and the last.
  var allSteps: [StepMetrics] {
    var steps = steps
    steps.close(with: MetricsLog.step(in: Data(lastStep)))
    return steps.all
  }

  /// The epochs with the one of the best validation and the last.
  var allEpochs: [EpochMetrics] {
    var epochs = epochs
    epochs.close(with: MetricsLog.epoch(in: Data(lastEpoch)))
    return epochs.all
  }

  var best: Score? { metric.score(of: epochs.extreme?.validation) }

  /// Of all epochs; nil where not every line was read.
  var seconds: Double? { isWhole ? totalSeconds : nil }

  /// What the log lacks of a run that came so far, in words; nil for nothing.
  func gap(done: RunHistory.Place, isThere: Bool) -> String? {
    guard isThere else { return done.step > 0 ? "metrics.jsonl is missing" : nil }
    let last = allEpochs.last?.epoch ?? 0
    if last < done.epoch {
      return last == 0 ? "metrics.jsonl has no epoch" : "metrics.jsonl ends at epoch \(last)"
    }
    if isWhole, epochCount < last { return "metrics.jsonl lacks \(last - epochCount) of \(last) epochs" }
    return nil
  }

  private static let chunk = 1 << 20
  /// Of a larger file so many parts of a chunk each are read.
  private static let parts = 64
  private static let longestLine = 64 << 10

  /// What a log holds; nothing where there is none.
  /// - Throws: `FileOperationError` for one that cannot be read.
  static func reading(_ path: String, best metric: BestMetric = .top1) throws -> MetricsReader {
    var reader = MetricsReader(best: metric)
    if FilePath.isFolder(path) != nil { try reader.read(InputFile(path: path)) }
    return reader
  }

  /// - Throws: `FileOperationError`.
  mutating func read(_ file: InputFile) throws {
    let whole = file.size <= Self.parts * Self.chunk
    isWhole = whole
    let distance = whole ? Self.chunk : (file.size - Self.chunk) / (Self.parts - 1)
    var buffer = [UInt8](repeating: 0, count: Self.chunk)
    var rest: [UInt8] = []
    for offset in stride(from: 0, to: file.size, by: max(1, distance)) {
      let count = try file.read(into: &buffer, count: Self.chunk, at: offset)
      // Where something was left out between, the first line is cut off.
      var isCut = !whole && offset > 0
      if isCut { rest = [] }
      var start = 0
      while let end = buffer[start..<count].firstIndex(of: UInt8(ascii: "\n")) {
        if !isCut { take(rest + buffer[start..<end]) }
        (rest, isCut, start) = ([], false, end + 1)
      }
      if !isCut, rest.count + count - start <= Self.longestLine { rest += buffer[start..<count] }
    }
  }

  private mutating func take(_ line: [UInt8]) {
    guard !line.isEmpty, line.count <= Self.longestLine else { return }
    let data = Data(line)
    // Which kind it is, without decoding the many that are left out.
    if data.contains(Self.epochMark) {
      takeEpoch(data)
      lastEpoch = line
    } else {
      // Which loss is the largest, too.
      if let loss = Self.number(after: Self.lossMark, in: data), loss > steps.extreme?.loss ?? -.infinity,
        let metrics = MetricsLog.step(in: data)
      {
        steps.note(metrics)
      }
      steps.offer { MetricsLog.step(in: data) }
      if data.contains(Self.stepMark) { lastStep = line }
    }
  }

  private mutating func takeEpoch(_ data: Data) {
    let isBetter = Self.number(after: bestMark, in: data).map { metric.isBetter($0, than: best?.value) } ?? false
    guard epochCount < Self.decodedEpochs || isBetter else {
      // There are more of them than can be looked at one by one.
      epochCount += 1
      totalSeconds += Self.number(after: Self.secondsMark, in: data).map { max(0, $0) } ?? 0
      epochs.offer { MetricsLog.epoch(in: data) }
      return
    }
    guard let metrics = MetricsLog.epoch(in: data), metrics.step > newestEpochStep else { return }
    newestEpochStep = metrics.step
    epochCount += 1
    if metrics.seconds.isFinite { totalSeconds += max(0, metrics.seconds) }
    epochs.note(metrics)
    epochs.offer { metrics }
  }

  private static let decodedEpochs = 20_000

  /// The number behind a key, without decoding the line; nil where there is none.
  private static func number(after mark: Data, in line: Data) -> Double? {
    guard let place = line.firstRange(of: mark) else { return nil }
    let digits = line[place.upperBound...].prefix { Self.ofNumbers.contains($0) }
    return Double(String(decoding: digits, as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil }
  }

  private static let ofNumbers = Set("0123456789+-.eE".utf8)
  private static let lossMark = Data("\"loss\":".utf8)
  private static let secondsMark = Data("\"seconds\":".utf8)
  private static let stepMark = Data("\"kind\":\"step\"".utf8)
  private static let epochMark = Data("\"kind\":\"epoch\"".utf8)
}

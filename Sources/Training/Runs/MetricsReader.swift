// metrics.jsonl of any size, read for its curves: thinned out while it is read, and of an enormous one only parts are
// read.

import Files
import FoundationEssentials
import Glibc
import Messages

/// Reads a log of metrics of any size.
struct MetricsReader {
  /// More than a screen has dots for.
  private(set) var steps = ThinnedSeries<StepMetrics>.sampled(capacity: 2000)
  private(set) var epochs: ThinnedSeries<EpochMetrics>
  /// What its validations gave each class; nothing where the classes are not known.
  private var classFigures: ThinnedSeries<ClassFigures>
  /// What happened to the run, the newest of it.
  private(set) var marks: [RunMark] = []
  /// By which an epoch is the best.
  private let metric: BestMetric
  private let bestKey: [UInt8]
  private let classes: [String]

  /// The last line of each kind, which thinning must not lose.
  private var lastStep: [UInt8] = []
  private var lastEpoch: [UInt8] = []
  private var lastLayers: [UInt8] = []
  private var lastRecalls: [UInt8] = []
  /// Epochs seen, and the seconds of all of them.
  private var epochCount = 0
  private var totalSeconds = 0.0
  private var newestEpochStep = 0
  /// Whether every line was read.
  private var isWhole = true

  /// - Parameter classes: the run's, in the order of their labels; none where figures of classes are not wanted.
  init(best metric: BestMetric = .top1, classes: [String] = []) {
    self.metric = metric
    self.classes = classes
    classFigures = .sampled(classes: classes.count)
    bestKey = Array("\"\(metric.metric.key)\":".utf8)
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

  /// The figures of classes with those of the last validation.
  var allClassFigures: [ClassFigures] {
    var figures = classFigures
    figures.close(with: self.figures(in: lastRecalls))
    return figures.all
  }

  private func figures(in line: [UInt8]) -> ClassFigures? {
    MetricsLog.recalls(in: Data(line))?.figures(classes: classes)
  }

  /// The last look at the layers.
  var layers: LayerStatistics? { lastLayers.isEmpty ? nil : MetricsLog.layers(in: Data(lastLayers)) }

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
  private static let longestLine = 1 << 20

  /// What a log holds; nothing where there is none.
  /// - Throws: `FileOperationError` for one that cannot be read.
  static func reading(
    _ path: String, best metric: BestMetric = .top1, classes: [String] = []
  ) throws -> MetricsReader {
    var reader = MetricsReader(best: metric, classes: classes)
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
      while let end = Self.lineFeed(in: buffer, start..<count) {
        if !isCut { take(rest.isEmpty ? Array(buffer[start..<end]) : rest + buffer[start..<end]) }
        (rest, isCut, start) = ([], false, end + 1)
      }
      if !isCut, rest.count + count - start <= Self.longestLine { rest += buffer[start..<count] }
    }
  }

  private static func lineFeed(in bytes: [UInt8], _ range: Range<Int>) -> Int? {
    bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, let found = memchr(base + range.lowerBound, 10, range.count) else {
        return nil
      }
      return UnsafeRawPointer(found) - base
    }
  }

  private mutating func take(_ line: [UInt8]) {
    guard !line.isEmpty, line.count <= Self.longestLine else { return }
    // Which kind it is, without decoding the many that are left out.
    let glance = MetricsGlance(line[...])
    switch glance.kind {
    case .epoch:
      takeEpoch(line, glance)
      lastEpoch = line
    case .mark:
      if marks.count == 2 * Self.mostMarks { marks.removeFirst(Self.mostMarks) }
      if let mark = MetricsLog.mark(in: Data(line)) { marks.append(mark) }
    case .step:
      lastStep = line
      takeStep(line, glance)
    case .layers: lastLayers = line
    case .recall:
      guard !classes.isEmpty else { break }
      lastRecalls = line
      classFigures.offer { [classes] in MetricsLog.recalls(in: Data(line))?.figures(classes: classes) }
    case nil: takeStep(line, glance)
    }
  }

  private mutating func takeStep(_ line: [UInt8], _ glance: MetricsGlance) {
    // Which loss is the largest, too.
    if let loss = glance.number(Self.lossKey), loss > steps.extreme?.loss ?? -.infinity,
      let metrics = MetricsLog.step(in: Data(line))
    {
      steps.note(metrics)
    }
    steps.offer { MetricsLog.step(in: Data(line)) }
  }

  private mutating func takeEpoch(_ line: [UInt8], _ glance: MetricsGlance) {
    let isBetter = glance.number(bestKey).map { metric.isBetter($0, than: best?.value) } ?? false
    guard epochCount < Self.decodedEpochs || isBetter else {
      // There are more of them than can be looked at one by one.
      epochCount += 1
      totalSeconds += glance.number(Self.secondsKey).map { max(0, $0) } ?? 0
      epochs.offer { MetricsLog.epoch(in: Data(line)) }
      return
    }
    guard let metrics = MetricsLog.epoch(in: Data(line)), metrics.step > newestEpochStep else { return }
    newestEpochStep = metrics.step
    epochCount += 1
    if metrics.seconds.isFinite { totalSeconds += max(0, metrics.seconds) }
    epochs.note(metrics)
    epochs.offer { metrics }
  }

  private static let decodedEpochs = 20_000
  private static let mostMarks = 500

  private static let lossKey = Array("\"loss\":".utf8)
  private static let secondsKey = Array("\"seconds\":".utf8)
}

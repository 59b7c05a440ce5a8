// metrics.jsonl of any size, read for its curves: thinned out while it is read, and of an enormous one only parts are
// read.

import Files
import FoundationEssentials
import Messages

/// Figures in order, every other one dropped whenever there are too many.
struct Thinned<Figures> {
  private(set) var kept: [Figures] = []
  private var stride = 1
  private var offered = 0
  private let limit: Int
  private let position: (Figures) -> Int

  /// - Parameter position: steps; what does not come after what was kept last is left out.
  init(limit: Int, position: @escaping (Figures) -> Int) {
    self.limit = limit
    self.position = position
  }

  /// Takes the next one, if it is its turn; only then it is made.
  mutating func add(_ make: () -> Figures?) {
    offered += 1
    guard (offered - 1).isMultiple(of: stride), let figures = make(),
      position(figures) > (kept.last.map(position) ?? 0)
    else { return }
    kept.append(figures)
    guard kept.count > limit else { return }
    kept = kept.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
    stride *= 2
  }
}

/// Reads a log of metrics of any size.
struct MetricsReader {
  /// More than a screen has dots for.
  private(set) var steps = Thinned<StepMetrics>(limit: 2000) { $0.step }
  private(set) var epochs = Thinned<EpochMetrics>(limit: 4000) { $0.step }

  /// What thinning must not lose: the step of the largest loss, the epoch of the best validation, the last of each.
  private var largest: StepMetrics?
  private var best: EpochMetrics?
  private var lastStep: [UInt8] = []
  private var lastEpoch: [UInt8] = []
  /// Epochs seen, and the seconds of all of them.
  private var epochCount = 0
  private var totalSeconds = 0.0
  private var newestEpochStep = 0
  /// Whether every line was read.
  private var isWhole = true

  /// The kept steps with the one of the largest loss and the last.
  var allSteps: [StepMetrics] {
    Self.merged(steps.kept, [largest, MetricsLog.step(in: Data(lastStep))], by: \.step)
  }

  /// The kept epochs with the one of the best validation and the last.
  var allEpochs: [EpochMetrics] {
    Self.merged(epochs.kept, [best, MetricsLog.epoch(in: Data(lastEpoch))], by: \.step)
  }

  var bestAccuracy: Double? { best?.validation?.top1 }

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

  /// In order, each position once; what lies after the last of them, or is not there, is left out.
  private static func merged<Figures>(
    _ kept: [Figures], _ more: [Figures?], by position: (Figures) -> Int
  ) -> [Figures] {
    let end = more.last?.map { max(position($0), kept.last.map(position) ?? 0) } ?? kept.last.map(position) ?? 0
    let known = Set(kept.map(position))
    var all = kept
    for figures in more.compactMap({ $0 })
    where position(figures) <= end && !known.contains(position(figures))
      && !all.contains(where: { position($0) == position(figures) })
    {
      all.append(figures)
    }
    return all.sorted { position($0) < position($1) }
  }

  private static let chunk = 1 << 20
  /// Of a larger file so many parts of a chunk each are read.
  private static let parts = 64
  private static let longestLine = 64 << 10

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
      if let loss = Self.number(after: Self.lossMark, in: data), loss > largest?.loss ?? -.infinity,
        let metrics = MetricsLog.step(in: data), metrics.loss.isFinite
      {
        largest = metrics
      }
      steps.add { MetricsLog.step(in: data) }
      if data.contains(Self.stepMark) { lastStep = line }
    }
  }

  private mutating func takeEpoch(_ data: Data) {
    let accuracy = Self.number(after: Self.accuracyMark, in: data)
    guard epochCount < Self.decodedEpochs || (accuracy ?? 0) > bestAccuracy ?? -1 else {
      // There are more of them than can be looked at one by one.
      epochCount += 1
      totalSeconds += Self.number(after: Self.secondsMark, in: data).map { max(0, $0) } ?? 0
      epochs.add { MetricsLog.epoch(in: data) }
      return
    }
    guard let metrics = MetricsLog.epoch(in: data), metrics.step > newestEpochStep else { return }
    newestEpochStep = metrics.step
    epochCount += 1
    if metrics.seconds.isFinite { totalSeconds += max(0, metrics.seconds) }
    if let validation = metrics.validation, validation.isFinite, validation.top1 > bestAccuracy ?? -1 {
      best = metrics
    }
    epochs.add { metrics }
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
  private static let accuracyMark = Data("\"top1\":".utf8)
  private static let secondsMark = Data("\"seconds\":".utf8)
  private static let stepMark = Data("\"kind\":\"step\"".utf8)
  private static let epochMark = Data("\"kind\":\"epoch\"".utf8)
}

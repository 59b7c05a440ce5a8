// A run that nobody trains, read back for its curves: settings and classes from run.json, figures from metrics.jsonl,
// how it ended from its log. A long log is thinned out while it is read, and of an enormous one only parts are read, so
// that looking at a run takes little time and memory whatever lies in its folder.

import Files
import FoundationEssentials
import Messages
import Networks

extension RunFolder {
  /// What can be told of the run without loading its checkpoints.
  /// - Throws: `RunFolderError` or `FileOperationError` where its record or its figures cannot be read.
  public func history() throws -> RunHistory {
    let record = try record()
    let trainer = RunLock.holder(of: self)
    var reader = MetricsReader()
    let isThere = FilePath.isFolder(metricsPath) != nil
    if isThere { try reader.read(InputFile(path: metricsPath)) }
    let (steps, epochs) = (reader.allSteps, reader.allEpochs)
    let ending = trainer == nil ? ending() : nil
    let saved = savedProgress(record)
    // By what was written beside the figures: they may be missing, or cut.
    let done = RunHistory.Place(
      epoch: max(saved.epoch, ending?.epochs ?? 0), step: max(saved.step, ending?.steps ?? 0))
    let gap = reader.gap(done: done, isThere: isThere)
    let counts = trainingCounts()
    let images = counts.reduce(0) { $0 + $1.value }
    let batch = max(1, record.settings.batchSize)
    let whole = epochs.last.map { ($0.step, $0.epoch) } ?? (done.step, done.epoch)
    let stepsPerEpoch = whole.1 > 0 ? whole.0 / whole.1 : (images + batch - 1) / batch
    let summary = try? NetworkPlan(
      record.settings.network, imageSize: record.settings.preprocessing.imageSize,
      classes: max(1, record.model.classes.count)
    ).summary(batchSize: 1)
    let chance = images > 0 ? Double(counts.values.max() ?? 0) / Double(images) : 0
    let run = RunDescription(
      folder: path, settings: record.settings, classes: record.model.classes, trainingImages: images,
      validationImages: 0, stepsPerEpoch: max(0, stepsPerEpoch), parameters: summary?.parameters ?? 0,
      chance: chance,
      history: epochs, steps: steps)
    let reached = RunHistory.Place(
      epoch: max(done.epoch, epochs.last?.epoch ?? 0),
      step: max(done.step, epochs.last?.step ?? 0, steps.last?.step ?? 0))
    let outcome = ending.map { ending in
      RunOutcome(
        folder: path, reason: ending.reason, epochs: ending.epochs ?? reached.epoch,
        steps: ending.steps ?? reached.step,
        bestValidationAccuracy: [reader.bestAccuracy, saved.bestValidationAccuracy].compactMap { $0 }.max(),
        seconds: gap == nil ? reader.seconds ?? .nan : .nan)
    }
    return RunHistory(run: run, outcome: outcome, trainer: trainer, reached: reached, gap: gap)
  }

  /// The training images of each class; none where the run does not say.
  private func trainingCounts() -> [String: Int] {
    guard let manifest = try? RunManifest(path: manifestPath) else { return [:] }
    return manifest.entries.values.reduce(into: [:]) { counts, entry in
      if entry.split == Split.train.rawValue { counts[entry.name, default: 0] += 1 }
    }
  }

  /// How far the run is by `last` and `best`, or without `last` by all its checkpoints.
  private func savedProgress(_ record: RunRecord) -> RunProgress {
    let saved = [CheckpointName.last, .best].compactMap { name -> CheckpointInfo? in
      let path = path(of: name)
      return (try? Safetensors.readMetadata(path: path)).flatMap { CheckpointInfo(path: path, metadata: $0) }
    }
    let hasLast = saved.contains { CheckpointName(path: $0.path) == .last }
    return progress(of: hasLast ? saved : checkpointListing().usable, record)
  }

  private static let tail = 16 << 10

  private struct Ending {
    var reason: RunOutcome.Reason
    /// As far as the line tells.
    var epochs: Int?
    var steps: Int?
  }

  /// By the last line of the log that says how the run ended, unless it was resumed since.
  private func ending() -> Ending? {
    guard let file = try? InputFile(path: logPath) else { return nil }
    let count = min(file.size, Self.tail)
    var bytes = [UInt8](repeating: 0, count: count)
    guard let received = try? file.read(into: &bytes, count: count, at: file.size - count) else { return nil }
    for line in String(decoding: bytes.prefix(received), as: UTF8.self).split(separator: "\n").reversed() {
      if line.contains("started: ") { return nil }
      guard let mark = line.firstRange(of: "finished: ") else { continue }
      let words = line[mark.upperBound...].split { !$0.isLetter && !$0.isNumber }
      guard let word = words.first, let reason = RunOutcome.Reason(rawValue: String(word)) else { continue }
      // `completed after 3 epochs, 66 steps`
      func number(_ place: Int, _ range: NumericRange<Int>) -> Int? {
        guard words.indices.contains(place), let value = Int(words[place]), range.contains(value) else {
          return nil
        }
        return value
      }
      return Ending(
        reason: reason, epochs: number(2, Limits.epoch.range), steps: number(4, Limits.count.range))
    }
    return nil
  }
}

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

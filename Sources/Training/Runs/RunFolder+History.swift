// A run that nobody trains, read back for its curves: settings and classes from run.json, figures from metrics.jsonl,
// how it ended from its log. A long log is thinned out while it is read, and of an enormous one only parts are read, so
// that looking at a run takes little time and memory whatever lies in its folder.

import Files
import FoundationEssentials
import Messages
import Networks

extension RunFolder {
  /// What can be told of the run without its checkpoints.
  /// - Throws: `RunFolderError` or `FileOperationError` where its record or its figures cannot be read.
  public func history() throws -> RunHistory {
    let record = try record()
    var reader = MetricsReader()
    if FilePath.isFolder(metricsPath) != nil { try reader.read(InputFile(path: metricsPath)) }
    let (steps, epochs) = (reader.steps.kept, reader.epochs.kept)
    let counts = trainingCounts()
    let images = counts.reduce(0) { $0 + $1.value }
    let batch = max(1, record.settings.batchSize)
    let stepsPerEpoch = epochs.last.map { $0.step / max(1, $0.epoch) } ?? (images + batch - 1) / batch
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
    return RunHistory(run: run, outcome: ending(epochs, steps))
  }

  /// The training images of each class; none where the run does not say.
  private func trainingCounts() -> [String: Int] {
    guard let manifest = try? RunManifest(path: manifestPath) else { return [:] }
    return manifest.entries.values.reduce(into: [:]) { counts, entry in
      if entry.split == Split.train.rawValue { counts[entry.name, default: 0] += 1 }
    }
  }

  private static let tail = 16 << 10

  /// By the last line of the log that says how the run ended, unless it was resumed since.
  private func ending(_ epochs: [EpochMetrics], _ steps: [StepMetrics]) -> RunOutcome? {
    guard let file = try? InputFile(path: logPath) else { return nil }
    let count = min(file.size, Self.tail)
    var bytes = [UInt8](repeating: 0, count: count)
    guard let received = try? file.read(into: &bytes, count: count, at: file.size - count) else { return nil }
    for line in String(decoding: bytes.prefix(received), as: UTF8.self).split(separator: "\n").reversed() {
      if line.contains("started: ") { return nil }
      guard let mark = line.firstRange(of: "finished: ") else { continue }
      let word = line[mark.upperBound...].prefix { $0.isLetter }
      guard let reason = RunOutcome.Reason(rawValue: String(word)) else { continue }
      return RunOutcome(
        folder: path, reason: reason, epochs: epochs.last?.epoch ?? 0,
        steps: max(epochs.last?.step ?? 0, steps.last?.step ?? 0),
        bestValidationAccuracy: epochs.compactMap { $0.validation?.top1 }.filter(\.isFinite).max(),
        seconds: epochs.reduce(0) { $0 + ($1.seconds.isFinite ? $1.seconds : 0) })
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

  private static let chunk = 1 << 20
  /// Of a larger file so many parts of a chunk each are read.
  private static let parts = 64
  private static let longestLine = 64 << 10

  /// - Throws: `FileOperationError`.
  mutating func read(_ file: InputFile) throws {
    let whole = file.size <= Self.parts * Self.chunk
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
      epochs.add { MetricsLog.epoch(in: data) }
    } else {
      steps.add { MetricsLog.step(in: data) }
    }
  }

  private static let epochMark = Data("\"kind\":\"epoch\"".utf8)
}

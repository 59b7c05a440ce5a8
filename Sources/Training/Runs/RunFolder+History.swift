// A run that nobody trains, read back for its curves: settings and classes from run.json, metrics from metrics.jsonl,
// how it ended from its log. A long log is thinned out while it is read, and of an enormous one only parts are read, so
// that looking at a run takes little time and memory whatever lies in its folder.

import Files
import FoundationEssentials
import Messages
import Networks
import WeightFiles

extension RunFolder {
  /// What can be told of the run without loading its checkpoints.
  /// - Throws: `RunFolderError` or `FileOperationError` where its record or its metrics cannot be read.
  public func history() throws -> RunHistory { try history(havingRead: {}) }

  /// - Parameter havingRead: called between reading and looking once more whether it is trained.
  func history(havingRead: () -> Void) throws -> RunHistory {
    let history = try historyOfNow()
    havingRead()
    // Reading may take longer than it takes to find that the run is not to be resumed, or to end it: who held it then is
    // not told as who trains it.
    return history.trainer != nil && RunLock.holder(of: self) == nil ? try historyOfNow() : history
  }

  private func historyOfNow() throws -> RunHistory {
    let record = try record()
    let trainer = RunLock.holder(of: self)
    var reader = MetricsReader(best: record.settings.best, classes: record.model.classes)
    let isThere = FilePath.isFolder(metricsPath) != nil
    if isThere { try reader.read(InputFile(path: metricsPath)) }
    let (steps, epochs) = (reader.allSteps, reader.allEpochs)
    let ending = trainer == nil ? ending() : nil
    let progress = savedProgress(record)
    // By what was written beside the metrics: they may be missing, or cut.
    let done = RunHistory.Place(
      epoch: max(progress.epoch, ending?.epochs ?? 0), step: max(progress.step, ending?.steps ?? 0))
    let gap = reader.gap(done: done, isThere: isThere)
    let counts = trainingCounts()
    let images = counts.reduce(0) { $0 + $1.value }
    let batch = record.settings.partSize
    let whole = epochs.last.map { ($0.step, $0.epoch) } ?? (done.step, done.epoch)
    let accumulate = max(1, record.settings.accumulate) * record.settings.replicaCount
    let batches = (images + batch - 1) / batch
    let stepsPerEpoch = whole.1 > 0 ? whole.0 / whole.1 : (batches + accumulate - 1) / accumulate
    let plan = try? NetworkPlan(
      record.settings.network, imageSize: record.settings.preprocessing.imageSize,
      classes: max(1, record.model.classes.count))
    let summary = plan?.summary(batchSize: 1)
    let majorityBaseline = images > 0 ? Double(counts.values.max() ?? 0) / Double(images) : 0
    var run = RunDescription(
      folder: path, settings: record.settings, classes: record.model.classes, trainingImages: images,
      validationImages: 0, stepsPerEpoch: max(0, stepsPerEpoch), parameters: summary?.parameters ?? 0,
      majorityBaseline: majorityBaseline,
      history: epochs, steps: steps)
    // Numbered checkpoints say by themselves when they were saved.
    let saved = checkpointListing().usable.filter(\.isNumbered).map { RunMark(.checkpoint, step: $0.step) }
    run.classFigures = reader.allClassFigures
    run.layers = reader.layers
    run.network = plan?.tellableSummary
    run.marks = (reader.marks + saved).sorted { $0.step < $1.step }
    let reached = RunHistory.Place(
      epoch: max(done.epoch, epochs.last?.epoch ?? 0),
      step: max(done.step, epochs.last?.step ?? 0, steps.last?.step ?? 0))
    let outcome = ending.map { ending in
      RunOutcome(
        folder: path, reason: ending.reason, epochs: ending.epochs ?? reached.epoch,
        steps: ending.steps ?? reached.step,
        best: Score.best(of: [reader.best, progress.best], by: record.settings.best),
        seconds: savedSeconds(step: ending.steps ?? reached.step) ?? (gap == nil ? reader.seconds : nil) ?? .nan)
    }
    return RunHistory(run: run, outcome: outcome, trainer: trainer, reached: reached, gap: gap)
  }

  /// The training images of each class; none where the run does not say.
  private func trainingCounts() -> [String: Int] {
    guard let manifest = try? ImageManifest(path: manifestPath) else { return [:] }
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

  /// The time that the run took, by its `last` checkpoint; nil where that is of an earlier step or cannot be read. The
  /// epochs' seconds in the metrics are less than that: computing features belongs to none of them.
  private func savedSeconds(step: Int) -> Double? {
    (try? savedState()).flatMap { $0.step == step && $0.seconds.isFinite ? $0.seconds : nil }
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

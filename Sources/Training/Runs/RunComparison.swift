// Whether two runs are the same run: weights and momentum bit for bit, metrics line by line. Only what depends on the
// clock may differ.

import Files
import Messages
import WeightFiles

/// What two runs of the same settings have in common, and where they differ.
public struct RunComparison: Sendable, Equatable {
  /// What is different, a sentence each; empty for runs that are the same.
  public private(set) var differences: [String] = []
  /// Arrays of `last` that were compared, and the numbers in them.
  public private(set) var arrays = 0
  public private(set) var values = 0
  /// Lines of metrics.jsonl.
  public private(set) var steps = 0
  public private(set) var epochs = 0

  public var isSame: Bool { differences.isEmpty }

  /// Reads both runs' `last`, metrics and results.
  /// - Throws: `SafetensorsError`, `CheckpointError` or `FileOperationError` for what cannot be read.
  public init(_ first: RunFolder, _ second: RunFolder) throws {
    try compareArrays(first.path(of: .last), second.path(of: .last))
    try compareStates(first.path(of: .last), second.path(of: .last))
    try compareMetrics(first.metricsPath, second.metricsPath)
    try compareResults(first.resultsPath, second.resultsPath)
  }

  private mutating func compareArrays(_ first: String, _ second: String) throws {
    let (one, other) = (try Safetensors.read(path: first), try Safetensors.read(path: second))
    guard one.names == other.names else { return differences.append("the checkpoints hold other arrays") }
    for name in one.names {
      let (left, right) = (try one.array(name), try other.array(name))
      arrays += 1
      values += left.values.count
      guard !left.hasSameBits(as: right) else { continue }
      differences.append("'\(name)' differs")
    }
  }

  private mutating func compareStates(_ first: String, _ second: String) throws {
    let (one, other) = (try Checkpoint.trainingState(path: first), try Checkpoint.trainingState(path: second))
    func differ(_ what: String, _ same: Bool) {
      if !same { differences.append("the checkpoints differ in \(what)") }
    }
    differ("step (\(one.step), \(other.step))", one.step == other.step)
    differ("position in the epoch", one.batch == other.batch && one.epochsDone == other.epochsDone)
    differ(
      "the optimizer's steps",
      one.optimizerSteps == other.optimizerSteps && one.averagedSteps == other.averagedSteps)
    differ("the schedule", one.schedule == other.schedule)
    differ("the best accuracy or the patience", one.earlyStopping == other.earlyStopping)
    differ("the validation accuracy", one.validationAccuracy == other.validationAccuracy)
    let (sums, others) = (one.epochTotals, other.epochTotals)
    differ(
      "the epoch's sums",
      sums.images == others.images && sums.loss == others.loss && sums.correct == others.correct
        && sums.skipped == others.skipped)
  }

  private mutating func compareMetrics(_ first: String, _ second: String) throws {
    let (one, other) = (try MetricsLog.read(path: first), try MetricsLog.read(path: second))
    (steps, epochs) = (one.steps.count, one.epochs.count)
    if one.unreadableLines + other.unreadableLines > 0 { differences.append("metrics.jsonl has torn lines") }
    compare("steps in metrics.jsonl", one.steps.map(\.timeless), other.steps.map(\.timeless))
    compare("epochs in metrics.jsonl", one.epochs.map(\.timeless), other.epochs.map(\.timeless))
    compare("recalls in metrics.jsonl", one.recalls, other.recalls)
  }

  private mutating func compareResults(_ first: String, _ second: String) throws {
    func rows(_ path: String) throws -> [[Substring]] {
      let rows = try (textLines(of: path, bound: SizeBound.table) ?? []).map {
        String(decoding: $0, as: UTF8.self).split(separator: ",", omittingEmptySubsequences: false)
      }
      let timed = Set(rows.first?.indices.filter { ["seconds", "data_wait"].contains(rows[0][$0]) } ?? [])
      return rows.map { row in row.indices.filter { !timed.contains($0) }.map { row[$0] } }
    }
    compare("rows of results.csv", try rows(first), try rows(second))
  }

  private mutating func compare<Element: Equatable>(_ what: String, _ one: [Element], _ other: [Element]) {
    guard one != other else { return }
    let place = zip(one, other).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    differences.append(
      "\(what) differ: \(one.count) and \(other.count)"
        + (place.map { ", the first other one is number \($0 + 1)" } ?? ""))
  }
}

extension StepMetrics {
  fileprivate var timeless: StepMetrics {
    var metrics = self
    metrics.imagesPerSecond = 0
    metrics.secondsLeft = nil
    return metrics
  }
}

extension EpochMetrics {
  fileprivate var timeless: EpochMetrics {
    var metrics = self
    metrics.seconds = 0
    metrics.dataWait = nil
    return metrics
  }
}

extension NamedArray {
  /// Equal numbers may have other bits (0 and -0), and equal bits be no equal numbers (NaN).
  fileprivate func hasSameBits(as other: NamedArray) -> Bool {
    guard shape == other.shape else { return false }
    switch (values, other.values) {
    case (.float32(let left), .float32(let right)):
      return left.count == right.count && zip(left, right).allSatisfy { $0.bitPattern == $1.bitPattern }
    case (.int64(let left), .int64(let right)): return left == right
    default: return false
    }
  }
}

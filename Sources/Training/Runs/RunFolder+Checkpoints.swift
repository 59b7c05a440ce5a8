// The checkpoints of a run as files: their names, what their metadata says, and which of them stay. What a checkpoint
// holds, and how a network is loaded from it, is elsewhere.

import Files
import Glibc
import Messages
import Support
import WeightFiles

/// Which checkpoint of a run a file is.
public enum CheckpointName: Hashable, Sendable {
  case last
  case best
  /// Saved at the end of this epoch, from 1.
  case epoch(Int)
  /// Asked for in between, after this step.
  case step(Int)
  /// A file that the user put or renamed.
  case other(String)

  static let ending = ".safetensors"
  private static let epochPrefix = "epoch-"
  private static let stepPrefix = "step-"

  /// - Parameter path: a file's name or path, with or without the ending.
  public init(path: String) {
    var stem = path.split(separator: "/").last.map(String.init) ?? path
    if stem.hasSuffix(Self.ending) { stem.removeLast(Self.ending.count) }
    switch stem {
    case "last": self = .last
    case "best": self = .best
    default:
      if stem.hasPrefix(Self.epochPrefix), let epoch = Int(stem.dropFirst(Self.epochPrefix.count)),
        Self.epoch(epoch).stem == stem
      {
        self = .epoch(epoch)
      } else if stem.hasPrefix(Self.stepPrefix), let step = Int(stem.dropFirst(Self.stepPrefix.count)),
        Self.step(step).stem == stem
      {
        self = .step(step)
      } else {
        self = .other(stem)
      }
    }
  }

  /// The file's name without its ending: `last`, `best`, `epoch-0003`, `step-000123`.
  public var stem: String {
    switch self {
    case .last: "last"
    case .best: "best"
    case .epoch(let epoch): Self.epochPrefix + Self.padded(epoch, to: 4)
    case .step(let step): Self.stepPrefix + Self.padded(step, to: 6)
    case .other(let stem): stem
    }
  }

  private static func padded(_ number: Int, to width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

extension CheckpointInfo {
  private static let epochKey = "skipline.epoch"
  private static let stepKey = "skipline.step"
  private static let accuracyKey = "skipline.validation_accuracy"
  /// Only where the metric is another one than the accuracy.
  private static let metricKey = "skipline.best_metric"
  private static let scoreKey = "skipline.score"
  private static let savedAtKey = "skipline.saved_at"
  private static let weightsKey = "skipline.weights"

  /// Reads what a checkpoint's metadata say of it; nil where they are not those of a checkpoint.
  public init?(path: String, metadata: [String: String]) {
    func number<Number>(_ key: String, _ setting: NumericSetting<Number>) -> Number? {
      metadata[key].flatMap { try? setting.parse($0) }
    }
    guard let epoch = number(Self.epochKey, Limits.epoch), let step = number(Self.stepKey, Limits.count),
      let savedAt = metadata[Self.savedAtKey]
    else { return nil }
    let accuracy = number(Self.accuracyKey, Limits.share)
    guard accuracy != nil || metadata[Self.accuracyKey] == nil else { return nil }
    let value = number(Self.scoreKey, Limits.loss)
    let metric = metadata[Self.metricKey].flatMap { BestMetric(rawValue: $0) }
    guard (value != nil) == (metadata[Self.scoreKey] != nil), (metric != nil) == (value != nil) else { return nil }
    let weights = metadata[Self.weightsKey].flatMap { SavedWeights(rawValue: $0) }
    guard weights != nil || metadata[Self.weightsKey] == nil else { return nil }
    self.init(
      path: path, name: CheckpointName(path: path).stem, epoch: epoch, step: step, validationAccuracy: accuracy,
      savedAt: savedAt, weights: weights, score: metric.flatMap { metric in value.map { Score(metric, $0) } })
  }

  /// The metadata from which `init(path:metadata:)` reads the same back.
  public var metadata: [String: String] {
    var metadata = [Self.epochKey: "\(epoch)", Self.stepKey: "\(step)", Self.savedAtKey: savedAt]
    if let weights { metadata[Self.weightsKey] = weights.rawValue }
    if let validationAccuracy { metadata[Self.accuracyKey] = "\(validationAccuracy)" }
    if let score, score.metric != .top1 {
      metadata[Self.metricKey] = score.metric.rawValue
      metadata[Self.scoreKey] = "\(score.value)"
    }
    return metadata
  }
}

/// The files in a run's checkpoint folder: those that can be used and those that cannot.
public struct CheckpointListing: Sendable, Equatable {
  public struct Damaged: Sendable, Equatable {
    public var path: String
    /// What is wrong, with the file's name.
    public var reason: String
  }

  /// `last`, `best`, the numbered ones from the newest, those of steps from the newest, others by name.
  public var usable: [CheckpointInfo] = []
  public var damaged: [Damaged] = []
}

extension KeepPolicy {
  /// Whether a numbered checkpoint is saved at the end of this epoch (from 1).
  public func savesNumbered(epoch: Int) -> Bool { everyEpochs > 0 && epoch % everyEpochs == 0 }
}

extension RunFolder {
  public func path(of checkpoint: CheckpointName) -> String {
    "\(checkpointsPath)/\(checkpoint.stem)\(CheckpointName.ending)"
  }

  /// The checkpoints, from their headers alone: whether a checksum holds shows when the file is loaded.
  public func checkpointListing() -> CheckpointListing {
    var listing = CheckpointListing()
    let names: [CheckpointName]
    do throws(FileOperationError) { names = try checkpointNames() } catch {
      listing.damaged.append(.init(path: checkpointsPath, reason: "\(error)"))
      return listing
    }
    for name in names {
      let path = path(of: name)
      do {
        if let info = CheckpointInfo(path: path, metadata: try Safetensors.readMetadata(path: path)) {
          listing.usable.append(info)
        } else {
          let reason =
            "\(path): not a checkpoint of a run, epoch, step or accuracy are missing or impossible; move it elsewhere"
          listing.damaged.append(.init(path: path, reason: reason))
        }
      } catch {
        listing.damaged.append(.init(path: path, reason: "\(error)"))
      }
    }
    return listing
  }

  /// The checkpoints that can be used: `last`, `best`, the numbered ones from the newest, others by name.
  public func checkpoints() -> [CheckpointInfo] { checkpointListing().usable }

  /// Deletes the older numbered checkpoints, as many as the policy does not keep; `last`, `best` and files of other
  /// names stay. Call it after the newest checkpoint is safely on disk. The newest numbered one stays, whatever the
  /// policy, while there is neither a `last` nor a `best`.
  /// - Returns: the paths that were deleted.
  /// - Throws: `FileOperationError` for one that cannot be deleted.
  @discardableResult
  public func applyKeepPolicy(_ policy: KeepPolicy) throws -> [String] {
    guard let newest = policy.newest else { return [] }
    let names = try checkpointNames()
    let numbered = names.filter { if case .epoch = $0 { true } else { false } }
    let hasOther = names.contains(.last) || names.contains(.best)
    let surplus = numbered.dropFirst(max(newest, hasOther ? 0 : 1)).map { path(of: $0) }
    for path in surplus where path.withPathCString({ unlink($0) }) != 0 && errno != ENOENT {
      throw FileOperationError(path: path, step: .remove, code: errno)
    }
    return Array(surplus)
  }

  /// Renames `best`, a numbered checkpoint or one of a step to `abandoned-` and its name, in the place of an earlier one of that name.
  /// - Returns: where it is now; nil for `last` and for files of other names, which stay what they are.
  /// - Throws: `FileOperationError`.
  func setAside(_ checkpoint: CheckpointInfo, calls: FileCalls = .system) throws -> CheckpointInfo? {
    let name = CheckpointName(path: checkpoint.path)
    switch name {
    case .last, .other: return nil
    case .best, .epoch, .step: break
    }
    var moved = checkpoint
    moved.name = "abandoned-\(name.stem)"
    moved.path = path(of: .other(moved.name))
    try calls.move(checkpoint.path, to: moved.path)
    try calls.syncFolder(checkpointsPath)
    return moved
  }

  private func checkpointNames() throws(FileOperationError) -> [CheckpointName] {
    try Folder.names(in: checkpointsPath).filter { $0.hasSuffix(CheckpointName.ending) && !$0.hasPrefix(".") }
      .map { CheckpointName(path: $0) }
      .sorted { $0.rank < $1.rank }
  }
}

extension CheckpointName {
  fileprivate var rank: (Int, Int, String) {
    switch self {
    case .last: (0, 0, "")
    case .best: (1, 0, "")
    case .epoch(let epoch): (2, -epoch, "")
    case .step(let step): (3, -step, "")
    case .other(let stem): (4, 0, stem)
    }
  }
}

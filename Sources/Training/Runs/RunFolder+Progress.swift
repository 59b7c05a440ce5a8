// How far a run is, from its checkpoints: from those that are its own and still count. What was set aside after a
// roll-back, and what somebody put into the folder, says nothing of the run.

import Messages

/// Where a run stands.
public struct RunProgress: Sendable, Equatable {
  /// Epochs and steps done.
  public var epoch = 0
  public var step = 0
  /// The best score of them, by the run's metric.
  public var best: Score?
  /// Whether the time budget ended the last epoch before all its batches were done.
  public var wasCutShort = false
}

extension RunFolder {
  /// - Parameters:
  ///   - checkpoints: of this run's folder.
  ///   - record: of the run; nil where it cannot be read, and every checkpoint is taken for its own.
  public func progress(of checkpoints: [CheckpointInfo], _ record: RunRecord?) -> RunProgress {
    let own = checkpoints.filter { isOwn($0, record) }
    let last = own.first { CheckpointName(path: $0.path) == .last }
    // `last` is written after all others of an epoch: what lies beyond it is not of this run, or of a part of it that
    // was given up. Without it, the newest of the others.
    let counted = own.filter { $0.step <= last?.step ?? .max }
    let newest = last ?? counted.max { ($0.step, $0.epoch) < ($1.step, $1.epoch) }
    return RunProgress(
      epoch: newest?.epoch ?? 0, step: newest?.step ?? 0,
      best: Score.best(
        of: counted.sorted { ($0.step, $0.epoch) < ($1.step, $1.epoch) }.map(\.score),
        by: record?.settings.best ?? .top1),
      wasCutShort: last.flatMap { try? Checkpoint.trainingState(path: $0.path).wasCutShort } ?? false)
  }

  /// Whether a checkpoint has a name that training gives, the epoch that its name says, and the run's network for as
  /// many classes.
  private func isOwn(_ checkpoint: CheckpointInfo, _ record: RunRecord?) -> Bool {
    switch CheckpointName(path: checkpoint.path) {
    // What somebody asked for in between counts for nothing.
    case .step, .other: return false
    case .epoch(let epoch) where epoch != checkpoint.epoch: return false
    case .last, .best, .epoch: break
    }
    guard let record else { return true }
    guard let model = try? Checkpoint.model(path: checkpoint.path) else { return false }
    return model.network == record.model.network && model.classes.count == record.model.classes.count
  }
}

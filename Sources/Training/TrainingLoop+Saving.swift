// The loop's checkpoints: `last` to go on from, `best` and the numbered ones to use. A save that fails is told, does not
// end the run, and is tried again; what is missing at the end is told once more.

import Files
import FoundationEssentials
import Messages
import Networks

extension TrainingLoop {
  /// Saves `last`.
  /// - Throws: `TrainingError.weightsOverflowed` or `.folderGone`, or `FileOperationError`, which has been told; the
  ///   earlier `last` is then still there.
  func saveLast() throws {
    try keepToFolder()
    let contents = try contents(of: .last, resumable: (state, optimiser))
    // First, so that a resumed run never finds metrics missing.
    metrics.sync()
    results.sync()
    try write(contents)
    saves.saved(at: clock.now)
    savedState = state
  }

  /// Saves, and takes a failure to write for no more than was told of it.
  /// - Throws: `TrainingError.weightsOverflowed` or `.folderGone`.
  func attempt(_ save: () throws -> Void) throws {
    do { try save() } catch is FileOperationError {}
  }

  /// Saves `last`, and what could not be written before.
  /// - Throws: `TrainingError.weightsOverflowed` or `.folderGone`.
  func saveWhatIsDue() throws {
    try keepToFolder()
    retryUnsaved()
    try attempt { try saveLast() }
  }

  /// Saves what an epoch leaves behind.
  ///
  /// `last` comes after the others: it alone says that the epoch is over, so a run that ends in between validates
  /// again when it is resumed, and writes them then.
  /// - Throws: `TrainingError.weightsOverflowed` or `.folderGone`.
  func saveEpoch(improved: Bool) throws {
    try keepToFolder()
    let keep = prepared.settings.keep
    if improved { try save(.best) }
    if keep.savesNumbered(epoch: state.epochsDone) { try save(.epoch(state.epochsDone)) }
    try attempt { try saveLast() }
  }

  /// Tries for the last time what could not be written, and saves the state at the end.
  /// - Returns: the names of checkpoints that are missing.
  /// - Throws: `TrainingError.notSaved`, `.weightsOverflowed` or `.folderGone`.
  func saveAtEnd() throws -> [String] {
    try keepToFolder()
    retryUnsaved()
    if savedState != state, savesAtEnd {
      do {
        try saveLast()
      } catch let error as FileOperationError {
        throw TrainingError.notSaved(run: run.path, step: state.step, savedStep: savedState?.step, reason: error)
      }
    }
    let keep = prepared.settings.keep
    return unsaved.missing(everyEpochs: keep.everyEpochs, newest: keep.newest, epoch: state.epochsDone)
  }

  /// Warns where the disk has no room for what the run will leave.
  func warnAboutSpace() {
    guard let free = calls.freeSpace(run.checkpointsPath) else { return }
    let weights = MemoryLayout<Float>.stride * network.parameters.reduce(0) { $0 + $1.value.count }
    let keep = prepared.settings.keep
    let numbered = keep.everyEpochs > 0 ? prepared.settings.epochs / keep.everyEpochs : 0
    // `last` twice as large, once more while it is replaced, `best`, and the numbered ones.
    let needed = weights * (2 + 2 + 1 + min(numbered, keep.newest.map { $0 + 1 } ?? numbered))
    guard free < needed else { return }
    warn(
      "the checkpoints of this run need about \(bytesText(needed)), and \(bytesText(free)) are free where "
        + "\(run.checkpointsPath) is: free some space, or keep fewer (--keep, --save-every)")
  }

  // MARK: One checkpoint

  /// Saves `best` or a numbered one; what cannot be written waits.
  private func save(_ name: CheckpointName) throws {
    let contents = try contents(of: name)
    do {
      try write(contents)
      unsaved.written(name)
      prune(after: name)
    } catch is FileOperationError {
      unsaved.keep(contents, as: name)
    }
  }

  private func retryUnsaved() {
    for (name, contents) in unsaved.waiting {
      guard (try? write(contents)) != nil else { continue }
      unsaved.written(name)
      prune(after: name)
    }
  }

  /// Deletes the numbered checkpoints that are not kept, now that a newer one is on disk.
  private func prune(after name: CheckpointName) {
    guard case .epoch = name else { return }
    do {
      for path in try run.applyKeepPolicy(prepared.settings.keep) { hooks.report(.checkpointRemoved(path: path)) }
    } catch {
      warn("an old checkpoint stays: \(error)")
    }
  }

  private func contents(
    of name: CheckpointName, resumable: (TrainingState, SGD)? = nil
  ) throws -> CheckpointContents {
    try refuseOverflow()
    let info = CheckpointInfo(
      path: run.path(of: name), name: name.stem, epoch: state.epochsDone, step: state.step,
      validationAccuracy: state.validationAccuracy, savedAt: Date().formatted(.iso8601))
    return try Checkpoint.contents(network, prepared.model, info: info, resumable: resumable)
  }

  /// Writes, and tells how it went.
  /// - Throws: `FileOperationError`.
  private func write(_ contents: CheckpointContents) throws {
    do {
      try contents.write(calls: calls)
    } catch let error as FileOperationError {
      failedSaves += 1
      let wait = saves.failed(at: clock.now)
      log.error("not saved: \(error)")
      hooks.report(
        .saveFailed(SaveFailure(path: contents.info.path, reason: "\(error)", retrySeconds: wait.seconds)))
      throw error
    }
    hooks.report(.checkpointSaved(contents.info))
  }

  /// A finite gradient can still make infinite weights; the next step would show it, but a save may come first.
  private func refuseOverflow() throws {
    let arrays = network.parameters.map { ($0.name, $0.value) } + network.buffers.map { ($0.name, $0.value) }
    for (name, value) in arrays where !value.sumOfSquares(workers).isFinite {
      throw TrainingError.weightsOverflowed(step: state.step, array: name)
    }
  }
}

// The loop's checkpoints: `last` to go on from, `best` and the numbered ones to use. A save that fails does not end
// the run while there is a later one to make up for it.

import Foundation
import Messages
import Networks

extension TrainingLoop {
  /// The longest time between two saves of `last`, within an epoch.
  static let saveInterval = Duration.seconds(300)

  /// Saves `last`.
  /// - Throws: `TrainingError.weightsOverflowed`, or `FileOperationError`; the earlier `last` is then still there.
  func saveLast() throws {
    // Also after a failure: the next attempt has to wait its turn, a full disk would else hold up every step.
    lastSave = clock.now
    try save(.last, resumable: (state, optimiser))
    savedState = state
  }

  /// Saves, and takes a failure to write for a warning: the file that was there stays, and a later save may succeed.
  /// - Throws: `TrainingError.weightsOverflowed`.
  func trying(_ save: () throws -> Void) throws {
    do {
      try save()
    } catch let error as FileOperationError {
      log.error("not saved: \(error)")
      hooks.report(.warning("not saved, training goes on: \(error)"))
    }
  }

  /// Saves what an epoch leaves behind.
  ///
  /// `last` comes after the others: it alone says that the epoch is over, so a run that is killed in between validates
  /// again when it is resumed, and saves them then.
  /// - Throws: `TrainingError.weightsOverflowed`.
  func saveEpoch(improved: Bool) throws {
    let keep = prepared.settings.keep
    if improved { try trying { try save(.best) } }
    if keep.savesNumbered(epoch: state.epochsDone) {
      try trying {
        try save(.epoch(state.epochsDone))
        // Only now that the new one is on disk.
        for path in try run.applyKeepPolicy(keep) { hooks.report(.checkpointRemoved(path: path)) }
      }
    }
    try trying { try saveLast() }
  }

  private func save(_ name: CheckpointName, resumable: (TrainingState, SGD)? = nil) throws {
    try refuseOverflow()
    let info = CheckpointInfo(
      path: run.path(of: name), name: name.stem, epoch: state.epochsDone, step: state.step,
      validationAccuracy: state.validationAccuracy, savedAt: Date().formatted(.iso8601))
    try Checkpoint.save(network, prepared.model, info: info, resumable: resumable)
    hooks.report(.checkpointSaved(info))
  }

  /// A finite gradient can still make infinite weights; the next step would show it, but a save may come first.
  private func refuseOverflow() throws {
    let arrays = network.parameters.map { ($0.name, $0.value) } + network.buffers.map { ($0.name, $0.value) }
    for (name, value) in arrays where !value.sumOfSquares(workers).isFinite {
      throw TrainingError.weightsOverflowed(step: state.step, array: name)
    }
  }
}

// A run's checkpoints: `last` to go on from, `best` and the numbered ones to use. A save that fails is told, does not
// end the run, and is tried again; what is missing at the end is told once more.

import Files
import FoundationEssentials
import Glibc
import Messages
import Networks
import Support
import Tensors
import WeightFiles

/// Decides when checkpoints are saved and which stay, writes them into the run's folder wherever that is by now, and
/// goes back to them.
///
///     try checkpointer.saveEpoch(snapshot, improved: true)   // best, a numbered one, last
///     if checkpointer.isDue { try checkpointer.saveDue(snapshot) }
///     state = try checkpointer.restoreLast(into: network, &optimizer, &average) ?? state
final class Checkpointer {
  /// Follows its folder when that is renamed.
  private(set) var run: RunFolder
  /// What `last` on disk holds; nil before the first save.
  private(set) var savedState: TrainingState?
  /// Saves that could not be written.
  private(set) var failures = 0
  /// How files are written; tests make it fail.
  var calls = FileCalls.system

  private let keep: KeepPolicy
  private let place: RunPlace
  private let records: RunRecords
  private let report: (TrainingEvent) -> Void
  private let clock = ContinuousClock()
  private var schedule: SaveSchedule
  private var unsaved = UnsavedCheckpoints()
  /// What `best` is to be of an epoch that was over too soon to write it. Putting a file's content together takes far
  /// longer than such an epoch.
  private var keptBest: TrainingSnapshot?

  /// - Parameters:
  ///   - interval: the longest time between two saves of `last`.
  ///   - records: synced before `last` is saved, so that a resumed run never finds metrics missing.
  ///   - report: told of each save, failure and removal.
  /// - Throws: `FileOperationError`.
  init(
    _ run: RunFolder, keep: KeepPolicy, interval: Duration, records: RunRecords,
    report: @escaping (TrainingEvent) -> Void
  ) throws {
    self.run = run
    self.keep = keep
    self.records = records
    self.report = report
    place = try RunPlace(run)
    schedule = SaveSchedule(interval: interval, now: clock.now)
  }

  // MARK: When

  var isDue: Bool { clock.now >= schedule.due }

  /// Something changed by hand, which a crash would undo: it is saved soon.
  func changed() { schedule.changed(at: clock.now) }

  // MARK: Saving

  /// Saves `last`, and what could not be written before.
  /// - Throws: `TrainingError.weightsOverflowed` or `.folderGone`.
  func saveDue(_ snapshot: TrainingSnapshot) throws {
    try keepToFolder(step: snapshot.state.step)
    try retryUnsaved()
    try saveLast(snapshot)
  }

  /// Saves `last`; a failure to write has been told, and the earlier `last` is then still there.
  /// - Throws: `TrainingError.weightsOverflowed` or `.folderGone`.
  func saveLast(_ snapshot: TrainingSnapshot) throws {
    do { try writeLast(snapshot) } catch is FileOperationError {}
  }

  /// Saves `last` unless it holds this state already.
  /// - Throws: as `saveLast`.
  func saveLastIfChanged(_ snapshot: TrainingSnapshot) throws {
    if savedState != snapshot.state { try saveLast(snapshot) }
  }

  /// Saves the weights of this moment as a checkpoint of their own, which no policy removes. It changes nothing that
  /// training goes on from. A failure to write has been told; it is not tried again, for the moment is over.
  /// - Throws: `TrainingError.weightsOverflowed` or `.folderGone`.
  func saveMoment(_ snapshot: TrainingSnapshot) throws {
    try keepToFolder(step: snapshot.state.step)
    let contents = try snapshot.contents(of: .step(snapshot.state.step), in: run)
    do {
      try contents.write(calls: calls)
      report(.checkpointSaved(contents.info))
    } catch let error as FileOperationError {
      failures += 1
      records.log.error("not saved: \(error)")
      report(.saveFailed(SaveFailure(path: contents.info.path, reason: "\(error)", retrySeconds: 0)))
    }
  }

  /// Saves what an epoch leaves behind.
  ///
  /// `last` comes after the others: it alone says that the epoch is over, so a run that ends in between validates
  /// again when it is resumed, and writes them then.
  /// - Throws: `TrainingError.weightsOverflowed` or `.folderGone`.
  func saveEpoch(_ snapshot: TrainingSnapshot, improved: Bool) throws {
    let epoch = snapshot.state.epochsDone
    try keepToFolder(step: snapshot.state.step)
    if improved { try save(.best, snapshot) }
    if keep.savesNumbered(epoch: epoch) { try save(.epoch(epoch), snapshot) }
    try saveLast(snapshot)
  }

  /// Keeps what an epoch of milliseconds leaves behind; it is written when `last` is due, or at the end.
  /// - Throws: as `saveLast`.
  func keepEpoch(_ snapshot: TrainingSnapshot, improved: Bool) throws {
    if improved { keptBest = try snapshot.keepingWeights() }
    if isDue { try saveDue(snapshot) }
  }

  /// Writes what was kept.
  /// - Throws: `TrainingError.weightsOverflowed`.
  func saveKept() throws { try retryUnsaved() }

  /// Tries for the last time what could not be written, and saves the state at the end.
  /// - Parameter savesLast: whether training can go on from the state.
  /// - Returns: the names of checkpoints that are missing.
  /// - Throws: `TrainingError.notSaved`, `.weightsOverflowed` or `.folderGone`.
  func saveAtEnd(_ snapshot: TrainingSnapshot, savesLast: Bool) throws -> [String] {
    let state = snapshot.state
    try keepToFolder(step: state.step)
    try retryUnsaved()
    if savedState != state, savesLast {
      do {
        try writeLast(snapshot)
      } catch let error as FileOperationError {
        throw TrainingError.notSaved(run: run.path, step: state.step, savedStep: savedState?.step, reason: error)
      }
    }
    return unsaved.missing(everyEpochs: keep.everyEpochs, newest: keep.newest, epoch: state.epochsDone)
  }

  private func writeLast(_ snapshot: TrainingSnapshot) throws {
    try keepToFolder(step: snapshot.state.step)
    let contents = try snapshot.contents(of: .last, in: run)
    records.sync()
    try write(contents)
    schedule.saved(at: clock.now)
    savedState = snapshot.state
  }

  /// Saves `best` or a numbered one; what cannot be written waits.
  private func save(_ name: CheckpointName, _ snapshot: TrainingSnapshot) throws {
    let contents = try snapshot.contents(of: name, in: run)
    do {
      try write(contents)
      unsaved.written(name)
      if name == .best { keptBest = nil }
      prune(after: name)
    } catch is FileOperationError {
      unsaved.keep(contents, as: name)
    }
  }

  private func retryUnsaved() throws {
    if let best = keptBest {
      unsaved.keep(try best.contents(of: .best, in: run), as: .best)
      keptBest = nil
    }
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
      for path in try run.applyKeepPolicy(keep) { report(.checkpointRemoved(path: path)) }
    } catch {
      warn("an old checkpoint stays: \(error)")
    }
  }

  /// Writes, and tells how it went.
  /// - Throws: `FileOperationError`.
  private func write(_ contents: CheckpointContents) throws {
    do {
      try contents.write(calls: calls)
    } catch let error as FileOperationError {
      failures += 1
      let wait = schedule.failed(at: clock.now)
      records.log.error("not saved: \(error)")
      report(.saveFailed(SaveFailure(path: contents.info.path, reason: "\(error)", retrySeconds: wait.seconds)))
      throw error
    }
    report(.checkpointSaved(contents.info))
  }

  private func warn(_ text: String) {
    records.log.warning("\(text)")
    report(.warning(text))
  }

  /// What to say where the disk has no room for what the run will leave.
  /// - Parameters:
  ///   - weights: bytes of them.
  ///   - last: bytes of `last`.
  ///   - epochs: that the run will have.
  func spaceWarning(weights: Int, last: Int, epochs: Int) -> String? {
    guard let free = calls.freeSpace(run.checkpointsPath) else { return nil }
    let numbered = keep.everyEpochs > 0 ? epochs / keep.everyEpochs : 0
    // `last`, once more while it is replaced, `best`, and the numbered ones.
    let needed = 2 * last + weights * (1 + min(numbered, keep.newest.map { $0 + 1 } ?? numbered))
    guard free < needed else { return nil }
    return "the checkpoints of this run need about \(bytesText(needed)), and \(bytesText(free)) are free where "
      + "\(run.checkpointsPath) is: free some space, or keep fewer (--keep, --save-every)"
  }

  // MARK: Where

  /// Between two steps: ends a run whose folder is gone before more is computed for nothing.
  /// - Throws: `TrainingError.folderGone`.
  func endIfRemoved(step: Int) throws {
    if place.isRemoved { throw folderGone(step) }
  }

  /// Makes sure that what is written next gets into the run's own folder: it follows one that was renamed. A run
  /// without a folder saves nowhere else: nobody would look for it there.
  /// - Throws: `TrainingError.folderGone`.
  func keepToFolder(step: Int) throws {
    switch place.look(for: run.path) {
    case .here: break
    case .moved(let path): follow(to: path)
    case .gone: throw folderGone(step)
    }
    // Emptied, it is as good as removed. Where its checkpoints alone are missing, whoever moved them may put them back:
    // saving fails until then, and is tried again.
    if isMissing(run.recordPath), isMissing(run.checkpointsPath) { throw folderGone(step) }
  }

  private func folderGone(_ step: Int) -> TrainingError {
    let error = TrainingError.folderGone(run: run.path, step: step)
    records.log.error("\(error)")
    return error
  }

  private func follow(to path: String) {
    let before = run.path
    run = RunFolder(moved: path)
    records.move(to: run)
    unsaved.move(to: run)
    report(.folderMoved(to: run.path))
    warn("\(before) is \(run.path) now: the run goes on there")
  }

  private func isMissing(_ path: String) -> Bool {
    path.withPathCString { access($0, F_OK) } != 0 && errno == ENOENT
  }

  // MARK: Going back

  /// Restores weights, statistics, the optimizer's state and the weights' average, where there is one, from `last`.
  /// - Returns: where training stood; nil where nothing was saved yet.
  /// - Throws: `CheckpointError`, `SafetensorsError` or `FileOperationError`.
  func restoreLast(
    into network: Network, _ optimizer: inout some Optimizer, _ average: inout WeightAverage?
  ) throws -> TrainingState? {
    let path = run.path(of: .last)
    guard try FilePath.kind(of: path) != nil else {
      // It is the first file that a run saves; without it others mean that somebody took it away.
      if let other = run.newestWholeCheckpoint(except: .last) {
        throw CheckpointError.lost(path: path, reason: "\(path) is not there", alternative: other)
      }
      savedState = nil
      return nil
    }
    do {
      savedState = try Checkpoint.resume(
        path: path, network: network, optimizer: &optimizer, average: &average)
    } catch let error as SafetensorsError {
      throw CheckpointError.lost(
        path: path, reason: "\(error)", alternative: run.newestWholeCheckpoint(except: .last))
    }
    return savedState
  }

  /// What a resumed run should be told of its checkpoints.
  /// - Throws: `FileOperationError` or `SafetensorsError`.
  func resumeWarnings(_ state: TrainingState) throws -> [String] {
    let (last, best) = (run.path(of: .last), run.path(of: .best))
    guard try FilePath.kind(of: last) != nil else {
      return ["\(run.path) has no checkpoint yet: it starts from its first step"]
    }
    var warnings: [String] = []
    if let before = try Checkpoint.kernels(path: last), before != Kernels.description {
      warnings.append(
        "\(run.path) was computed by \(before), and this is \(Kernels.description): the results may differ from "
          + "those of an uninterrupted run in their last digits")
    }
    if state.earlyStopping.best != nil, try FilePath.kind(of: best) == nil {
      warnings.append("\(best) is not there: it was never written, or was removed; the next better one will be")
    }
    return warnings
  }

  /// Restores the weights and statistics of a checkpoint of the end of an epoch, which holds no more.
  /// - Throws: `CheckpointError.lost`, `.doesNotFit` or `FileOperationError`.
  func restore(_ checkpoint: CheckpointInfo, into network: Network) throws {
    do {
      try network.loadState(try Safetensors.read(path: checkpoint.path))
    } catch let error as SafetensorsError {
      throw CheckpointError.lost(
        path: checkpoint.path, reason: "\(error)", alternative: run.newestWholeCheckpoint(except: .best))
    }
  }

  /// The run begins again: nothing is saved of it.
  func forgetSaved() { savedState = nil }

  /// `best`, where going back to it is something else than going back to `last`.
  func bestToGoBackTo(step: Int) -> CheckpointInfo? {
    let latest = min(step, savedState.map { $0.step - 1 } ?? .max)
    return run.checkpoints().first { CheckpointName(path: $0.path) == .best && $0.step <= latest }
      .flatMap { Safetensors.isWhole(path: $0.path) ? $0 : nil }
  }

  /// The newest whole checkpoint of the end of an earlier epoch whose validation gave numbers, or that was not
  /// validated.
  /// - Parameter isJudged: whether the run validates.
  func checkpointBefore(step: Int, isJudged: Bool) -> CheckpointInfo? {
    run.checkpoints().filter { info in
      switch CheckpointName(path: info.path) {
      case .best, .epoch: info.step < step && (info.validationAccuracy != nil || !isJudged)
      case .last, .step, .other: false
      }
    }.sorted { $0.step > $1.step }.first { Safetensors.isWhole(path: $0.path) }
  }

  /// Renames what was saved of steps that the run has gone back behind: it is no checkpoint of the way that the run
  /// takes now, and the next one of its name must not replace it.
  func setAsideLater(than state: TrainingState) {
    unsaved.forget(afterStep: state.step, epoch: state.epochsDone)
    if let best = keptBest, best.state.step > state.step { keptBest = nil }
    for checkpoint in run.checkpoints() where checkpoint.step > state.step {
      do {
        guard let moved = try run.setAside(checkpoint, calls: calls) else { continue }
        report(.checkpointRemoved(path: checkpoint.path))
        report(.checkpointSaved(moved))
      } catch {
        warn("a checkpoint of steps that were gone back behind keeps its name: \(error)")
      }
    }
  }
}

extension RunFolder {
  /// The checkpoint with the most steps of those whose checksum holds.
  func newestWholeCheckpoint(except name: CheckpointName) -> CheckpointInfo? {
    checkpoints().filter { CheckpointName(path: $0.path) != name }.sorted { $0.step > $1.step }
      .first { Safetensors.isWhole(path: $0.path) }
  }
}

// Putting a loop back to where a run stood: to its `last` checkpoint, or to its first step where there is none yet.

import Files
import Messages
import Networks
import Tensors

extension TrainingLoop {
  /// Restores weights, momentum, statistics, schedule and position, and cuts the metrics back to them.
  /// - Throws: `CheckpointError`, `SafetensorsError` or `FileOperationError`.
  func restore() throws {
    let path = run.path(of: .last)
    if try FilePath.kind(of: path) != nil {
      do {
        state = try Checkpoint.resume(path: path, network: network, optimiser: &optimiser)
      } catch let error as SafetensorsError {
        throw CheckpointError.lost(
          path: path, reason: "\(error)", alternative: run.newestWholeCheckpoint(except: .last))
      }
      schedule.state = state.schedule
      earlyStopping.state = state.earlyStopping
      savedState = state
    } else {
      // It is the first file that a run saves; without it others mean that somebody took it away.
      if let other = run.newestWholeCheckpoint(except: .last) {
        throw CheckpointError.lost(path: path, reason: "\(path) is not there", alternative: other)
      }
      return try begin()
    }
    try rewindRecords()
  }

  /// Goes back to the end of an epoch of which only the weights are kept: the momentum is forgotten, and epochs without
  /// improvement count from there. The time that was spent since stays spent.
  /// - Throws: `CheckpointError.lost`, `.doesNotFit` or `FileOperationError`.
  func restore(_ checkpoint: CheckpointInfo) throws {
    do {
      try network.loadState(try Safetensors.read(path: checkpoint.path))
    } catch let error as SafetensorsError {
      throw CheckpointError.lost(
        path: checkpoint.path, reason: "\(error)", alternative: run.newestWholeCheckpoint(except: .best))
    }
    optimiser.forgetMomentum()
    schedule.restart()
    earlyStopping.state = EarlyStopping.State()
    earlyStopping.state.bestAccuracy = checkpoint.validationAccuracy
    state.epochsDone = checkpoint.epoch
    state.step = checkpoint.step
    state.batch = 0
    state.epochTotals = EpochTotals()
    state.validationAccuracy = checkpoint.validationAccuracy
    state.validationDiverged = false
    state.schedule = schedule.state
    state.earlyStopping = earlyStopping.state
    try rewindRecords()
  }

  /// `best`, where going back to it is something else than going back to `last`.
  func bestToGoBackTo() -> CheckpointInfo? {
    let latest = min(state.step, savedState.map { $0.step - 1 } ?? .max)
    return run.checkpoints().first { CheckpointName(path: $0.path) == .best && $0.step <= latest }
      .flatMap { best in (try? Safetensors.read(path: best.path)).map { _ in best } }
  }

  /// The newest whole checkpoint of the end of an earlier epoch whose validation gave numbers, or that was not validated.
  func checkpointBefore(step: Int) -> CheckpointInfo? {
    let isJudged = !prepared.validation.items.isEmpty
    return run.checkpoints().filter { info in
      switch CheckpointName(path: info.path) {
      case .best, .epoch: info.step < step && (info.validationAccuracy != nil || !isJudged)
      case .last, .other: false
      }
    }.sorted { $0.step > $1.step }.first { (try? Safetensors.read(path: $0.path)) != nil }
  }

  private func rewindRecords() throws {
    try metrics.rewind(toStep: state.step, epoch: state.epochsDone)
    try results.rewind(toStep: state.step, epoch: state.epochsDone)
  }

  /// Puts everything to where a new run begins, and the records with it.
  func begin() throws {
    let settings = prepared.settings
    let fresh = Network(prepared.plan, seed: settings.seed)
    if let path = settings.initialWeights {
      try InitialWeights(path).load(
        into: fresh, classes: prepared.index.classes, naming: settings.initialClasses)
    }
    for (parameter, new) in zip(network.parameters, fresh.parameters) { parameter.value = new.value }
    RunningStatistics(of: fresh).restore(to: network)
    optimiser.forgetMomentum()
    schedule.state = LearningRateSchedule.State(peak: settings.learningRate)
    earlyStopping.state = EarlyStopping.State()
    state = TrainingState(
      schedule: schedule.state, earlyStopping: earlyStopping.state, splitFingerprint: prepared.index.fingerprint)
    savedState = nil
    try rewindRecords()
  }

  /// Renames what was saved of steps that the run has gone back behind: it is no checkpoint of the way that the run
  /// takes now, and the next one of its name must not replace it.
  func setAsideLaterCheckpoints() {
    unsaved.forget(afterStep: state.step, epoch: state.epochsDone)
    for checkpoint in run.checkpoints() where checkpoint.step > state.step {
      do {
        guard let moved = try run.setAside(checkpoint, calls: calls) else { continue }
        hooks.report(.checkpointRemoved(path: checkpoint.path))
        hooks.report(.checkpointSaved(moved))
      } catch {
        warn("a checkpoint of steps that were gone back behind keeps its name: \(error)")
      }
    }
  }

  /// What a resumed run should be told.
  func warnAboutResuming() throws {
    let last = run.path(of: .last)
    guard try FilePath.kind(of: last) != nil else {
      return hooks.report(.warning("\(run.path) has no checkpoint yet: it starts from its first step"))
    }
    if let before = try Checkpoint.kernels(path: last), before != Kernels.description {
      hooks.report(
        .warning(
          "\(run.path) was computed by \(before), and this is \(Kernels.description): the figures may differ from "
            + "those of an uninterrupted run in their last digits"))
    }
    let best = run.path(of: .best)
    if state.earlyStopping.bestAccuracy != nil, try FilePath.kind(of: best) == nil {
      hooks.report(
        .warning("\(best) is not there: it was never written, or was removed; the next better one will be"))
    }
  }

  /// How long the rest takes, before anything of it is measured.
  func freshEstimate() -> ProgressEstimate {
    let epochsLeft = max(0, prepared.settings.epochs - state.epochsDone)
    return ProgressEstimate(
      steps: max(0, epochsLeft * prepared.training.batchCount - state.batch), validations: epochsLeft,
      validationImages: prepared.validation.items.count)
  }
}

extension RunFolder {
  /// The checkpoint with the most steps of those whose checksum holds.
  func newestWholeCheckpoint(except name: CheckpointName) -> CheckpointInfo? {
    checkpoints().filter { CheckpointName(path: $0.path) != name }.sorted { $0.step > $1.step }
      .first { (try? Safetensors.read(path: $0.path)) != nil }
  }
}

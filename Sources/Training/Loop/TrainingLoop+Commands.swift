// What others ask for between steps: to pause, to stop, to save, another learning rate.

import Messages

extension TrainingLoop {
  /// Carries out what was asked since the last step; while paused, waits for more.
  /// - Returns: false when the run is to end.
  @discardableResult
  func obeyCommands() -> Bool {
    var paused = false
    while !stopping {
      guard let command = hooks.nextCommand(paused) else {
        if paused { stopping = true }
        break
      }
      switch command {
      case .pause where !paused:
        paused = true
        records.log.info("paused at step \(state.step)")
        mark(.pause)
        hooks.report(.paused)
      case .resume where paused:
        paused = false
        records.log.info("resumed")
        hooks.report(.resumed)
      case .pause, .resume: break
      case .stop: stopping = true
      case .saveCheckpoint:
        // A failure to write is told like any other.
        do { try checkpointer?.saveLast(snapshot) } catch { hooks.report(.warning("not saved: \(error)")) }
      case .saveMoment:
        do { try checkpointer?.saveMoment(snapshot) } catch {
          let path = run.path(of: .step(state.step))
          hooks.report(.saveFailed(SaveFailure(path: path, reason: "\(error)", retrySeconds: 0)))
        }
      case .recover: hooks.report(.warning("the run has not diverged: there is nothing to recover from"))
      case .setLearningRate(let rate): setLearningRate(rate)
      }
    }
    return !stopping
  }

  func setLearningRate(_ rate: Double) {
    guard rate > 0, rate.isFinite else {
      hooks.report(.warning("the learning rate must be a number above 0, not \(rate)"))
      return
    }
    state.schedule.peak = rate
    checkpointer?.changed()
    records.log.info("learning rate set to \(rate)")
    mark(.learningRate, rate)
    hooks.report(.learningRateChanged(rate))
  }
}

// What a running loop is told between two steps, and between two batches of a validation.

import Messages

extension TrainingLoop {
  /// Carries out what was asked since the last step; while paused, waits for more.
  /// - Returns: false when the run is to end.
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
        log.info("paused at step \(state.step)")
        hooks.report(.paused)
      case .resume where paused:
        paused = false
        log.info("resumed")
        hooks.report(.resumed)
      case .pause, .resume: break
      case .stop: stopping = true
      case .saveCheckpoint:
        // A failure to write is told like any other.
        do { try attempt { try saveLast() } } catch { hooks.report(.warning("not saved: \(error)")) }
      case .recover: hooks.report(.warning("the run has not diverged: there is nothing to recover from"))
      case .setLearningRate(let rate): setLearningRate(rate)
      }
    }
    return !stopping
  }

  /// Changes the peak rate of a run that is resumed, before it goes on.
  func goOn(withPeak rate: Double) {
    schedule.setPeak(rate)
    state.schedule = schedule.state
    saves.changed(at: clock.now)
    log.info("resumed with the learning rate \(rate)")
  }

  func setLearningRate(_ rate: Double) {
    guard rate > 0, rate.isFinite else {
      hooks.report(.warning("the learning rate must be a number above 0, not \(rate)"))
      return
    }
    schedule.setPeak(rate)
    state.schedule = schedule.state
    saves.changed(at: clock.now)
    log.info("learning rate set to \(rate)")
    hooks.report(.learningRateChanged(rate))
  }
}

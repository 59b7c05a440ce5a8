// The keys that steer training. Pressing one changes the state at once where that is safe, and always asks the engine.

import Canvas
import Messages

extension WorkbenchState {
  mutating func performTraining(_ action: Action) -> [Effect] {
    guard mayChange() else { return [] }
    switch action {
    case .train: return startPauseOrResume()
    case .stop:
      guard canBeStopped else {
        notify(.information, engine == .stopping ? "it is being stopped" : "nothing is training: space starts")
        return []
      }
      overlay = .confirmStop
    case .saveCheckpoint:
      guard canBeStopped else {
        notify(.information, "there is nothing to save: space starts training")
        return []
      }
      // Makes room for the answer.
      if message?.level == .information { message = nil }
      return [.send(.training(.saveCheckpoint))]
    case .raiseLearningRate: return change(learningRate: peakLearningRate * 2)
    case .lowerLearningRate: return change(learningRate: peakLearningRate / 2)
    case .enterLearningRate: overlay = .learningRate(TextEntry(text: plainNumber(peakLearningRate), isFresh: true))
    default: break
    }
    return []
  }

  /// Whether a run exists and has not been told to stop.
  var canBeStopped: Bool { runUnderWay && engine != .stopping }

  private mutating func startPauseOrResume() -> [Effect] {
    switch engine {
    case .idle: overlay = .confirmStart
    case .training, .validating:
      return [.send(.training(.pause))]
    case .paused where divergence != nil: decideDivergence()
    case .paused:
      return [.send(.training(.resume))]
    case .preparing: notify(.information, "the run is being prepared")
    case .evaluating: notify(.information, "an evaluation is under way: wait until it is done")
    case .stopping: notify(.information, "the run is being stopped and saved")
    }
    return []
  }

  /// The run that a start would better go on with: one that was stopped, and is looked at.
  var resumable: RunDescription? {
    guard let run = curves.run, engine == .idle, curves.outcome?.reason == .stopped else { return nil }
    return run
  }

  mutating func performInStart(_ action: Action) -> [Effect] {
    overlay = nil
    guard engine == .idle else { return [] }
    switch action {
    case .startNew: return start()
    case .resumeRun: return resumable.map { resume($0.folder) } ?? []
    case .accept: return resumable.map { resume($0.folder) } ?? start()
    default: return []
    }
  }

  private mutating func start() -> [Effect] {
    (engine, startRequested, message) = (.preparing, true, nil)
    return [.send(.start(settings))]
  }

  /// Whether keys may change a run or decide about images here; says so if not.
  mutating func mayChange() -> Bool {
    if looksOnly {
      notify(
        .information, "this screen is to look on only: skipline \(shellQuoted(dataset.path)) opens one that trains")
    }
    return !looksOnly
  }

  /// Sets the peak learning rate of the run, or of the next one.
  mutating func change(learningRate rate: Double) -> [Effect] {
    guard Limits.learningRate.range.contains(rate) else {
      notify(.warning, "a learning rate of \(Format.general(rate)) is out of range: it stays as it is")
      return []
    }
    if runUnderWay {
      // At once, so that two quick presses double twice; the engine's answer confirms it.
      curves.peakLearningRate = rate
      return [.send(.training(.setLearningRate(rate)))]
    }
    settings.learningRate = rate
    notify(.information, "the next run's learning rate is \(Format.general(rate))")
    return []
  }
}

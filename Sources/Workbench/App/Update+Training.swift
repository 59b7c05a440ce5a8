// The keys that steer training. Pressing one changes the state at once where that is safe, and always asks the engine.

import Canvas
import Messages
import Support

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
      saveRequested = true
      return [.send(.training(.saveCheckpoint))]
    case .evaluateNow: return InspectorPane.askForMoment(&self)
    case .raiseLearningRate: return change(learningRate: peakLearningRate * 2)
    case .lowerLearningRate: return change(learningRate: peakLearningRate / 2)
    case .enterLearningRate:
      overlay = .prompt(TextPrompt(.learningRate, TextEntry(text: plainNumber(peakLearningRate), isFresh: true)))
    default: break
    }
    return []
  }

  /// Whether a run exists and has not been told to stop.
  var canBeStopped: Bool { runUnderWay && engine != .stopping }

  private mutating func startPauseOrResume() -> [Effect] {
    switch engine {
    case .idle:
      if case .failed = dataset.reading, resumable == nil {
        notify(
          .information, "\(dataset.name) could not be read: fix it, then R in the dataset pane reads it again")
        return []
      }
      overlay = .confirmStart
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

  /// The run that a start would better go on with: one that was stopped or failed, and is looked at.
  var resumable: RunDescription? {
    guard let run = curves.run, engine == .idle, !curves.isElsewhere,
      curves.outcome.map({ $0.reason == .stopped }) ?? true
    else { return nil }
    return run
  }

  /// Whether Enter resumes it: not where it is of other data than those on show, which a start is expected to be of.
  var resumesByDefault: Bool {
    guard let run = resumable else { return false }
    if case .failed = dataset.reading { return true }
    return !isForeign(run)
  }

  /// Whether a run is of other data than those that are open.
  func isForeign(_ run: RunDescription) -> Bool {
    let known = inspector.checkpoints?.first { $0.runFolder == run.folder && $0.fit != nil }
    return known?.isForeign ?? (run.settings.data != dataset.path)
  }

  mutating func performInStart(_ action: Action) -> [Effect] {
    overlay = nil
    guard engine == .idle else { return [] }
    switch action {
    case .startNew: return start()
    case .resumeRun: return resumable.map { resume($0.folder) } ?? []
    case .accept: return resumesByDefault ? resumable.map { resume($0.folder) } ?? [] : start()
    default: return []
    }
  }

  private mutating func start() -> [Effect] {
    if case .failed = dataset.reading { return [] }
    return begin(settings)
  }

  /// Asks the engine for a new run.
  mutating func begin(_ settings: TrainingSettings) -> [Effect] {
    if let refusal = rules.refusal(of: settings) {
      notify(.warning, refusal)
      return []
    }
    clearMessage()
    (engine, startRequested, awaitedOrigin) = (.preparing, true, .begun)
    return [.send(.start(settings))]
  }

  /// Whether keys may change a run or decide about images here; says so if not.
  mutating func mayChange() -> Bool {
    if looksOnly {
      notify(
        .information, "this screen is read-only: skipline \(shellQuoted(dataset.path)) opens one that trains")
    }
    return !looksOnly
  }

  /// Sets the peak learning rate of the run, or of the next one.
  mutating func change(learningRate rate: Double) -> [Effect] {
    guard Settings.learningRate.range.contains(rate) else {
      notify(.warning, "a learning rate of \(Format.general(rate)) is out of range: it stays as it is")
      return []
    }
    if runUnderWay {
      // At once, so that two quick presses double twice; the engine's answer confirms it.
      curves.peakLearningRate = rate
      return [.send(.training(.setLearningRate(rate)))]
    }
    Settings.learningRate.put(value: rate, in: &settings)
    notify(.information, "the next run's learning rate is \(Format.general(rate))")
    return requestPlan()
  }
}

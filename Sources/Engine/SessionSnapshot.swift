// What somebody who attaches late has to be told: the events so far, folded to what still matters.

import Messages

/// Keeps of all events what is needed to bring a screen up to date.
struct SessionSnapshot {
  private var state: EngineState?
  private var run: RunDescription?
  private var steps = Self.noSteps
  private var lastStep: StepMetrics?
  private var learningRate: Double?
  private var validating: Event?
  /// The newest validation in its details.
  private var validated: Event?
  private var classFigures = ThinnedSeries<ClassFigures>.sampled(classes: 1)
  /// The newest look at the layers.
  private var layers: Event?
  /// How the ranks were doing last.
  private var ranks: Event?
  private var evaluation: Event?
  private var preparing: Event?
  private var outcome: RunOutcome?
  /// The divergence that the loop waits for an answer about.
  private var diverged: Event?
  /// Warnings and failures, the newest last.
  private var notices: [Event] = []

  private static let keptNotices = 20
  /// More than a curve has room for.
  private static let noSteps = ThinnedSeries<StepMetrics>.sampled(capacity: 4096)

  mutating func add(_ event: Event) {
    switch event {
    case .state(let new):
      state = new
      if new != .preparing { preparing = nil }
    case .preparing: preparing = event
    case .training(let training): add(training, as: event)
    case .evaluation: evaluation = event
    case .warning, .failure: addNotice(event)
    // What one screen asked for, or what the next of its kind replaces in a moment.
    case .datasetProgress, .dataset, .readingCancelled, .network, .plan, .learningRates, .checkpoints, .runHistory,
      .runs, .runTable, .runChanged, .recipes, .lab,
      .preview, .thumbnail,
      .evaluationProgress, .dataChanged, .evaluationKept, .inspectionProgress, .inspection:
      break
    }
  }

  private mutating func add(_ training: TrainingEvent, as event: Event) {
    switch training {
    case .started(let description):
      run = description
      steps = Self.noSteps
      for step in description.steps { steps.add(step) }
      classFigures = .sampled(classes: description.classes.count)
      for figures in description.classFigures { classFigures.add(figures) }
      (lastStep, learningRate, validating, validated, layers) = (nil, nil, nil, nil, nil)
      (ranks, outcome, diverged) = (nil, nil, nil)
    case .step(let metrics):
      steps.add(metrics)
      lastStep = metrics
      validating = nil
    case .validating, .computingFeatures: validating = event
    case .epoch(let metrics):
      run?.history.append(metrics)
      validating = nil
    case .validated(let details):
      validated = event
      classFigures.add(ClassFigures(details))
    case .layers: layers = event
    case .ranks: ranks = event
    case .learningRateChanged(let rate):
      learningRate = rate
      mark(.learningRate, rate)
    case .lengthChanged(let epochs, _): run?.settings.epochs = epochs
    case .finished(let outcome): self.outcome = outcome
    case .warning, .saveFailed: addNotice(event)
    case .warningEased(let text): notices.removeAll { $0 == .training(.warning(text)) }
    case .diverged: diverged = event
    case .recovered(let report):
      diverged = nil
      learningRate = report.learningRate
      steps.drop(after: report.step)
      classFigures.drop(after: report.step)
      run?.history.removeAll { $0.step > report.step }
      run?.marks.removeAll { $0.step > report.step }
      mark(.recovery, report.learningRate, at: report.step)
      if let last = lastStep, last.step > report.step { lastStep = nil }
      if case .training(.validated(let details)) = validated, details.step > report.step { validated = nil }
      if case .training(.layers(let statistics)) = layers, statistics.step > report.step { layers = nil }
      if let statistics = run?.layers, statistics.step > report.step { run?.layers = nil }
    case .folderMoved(let folder): run?.folder = folder
    case .checkpointSaved(let info):
      if info.isNumbered { mark(.checkpoint, at: info.step) }
      notices.removeAll {
        if case .training(.saveFailed(let failure)) = $0 { failure.path == info.path } else { false }
      }
    case .paused: mark(.pause)
    case .resumed, .checkpointRemoved: break
    }
  }

  private mutating func mark(_ kind: RunMark.Kind, _ value: Double? = nil, at step: Int? = nil) {
    let newest = lastStep?.step ?? run?.history.last?.step ?? 0
    run?.marks.append(RunMark(kind, step: step ?? newest, value: value))
  }

  private mutating func addNotice(_ event: Event) {
    notices.append(event)
    if notices.count > Self.keptNotices { notices.removeFirst() }
  }

  /// Events that bring a screen that knows nothing to where the engine is.
  var replay: [Event] {
    var events: [Event] = notices
    if var run {
      run.steps = steps.all
      run.classFigures = classFigures.all
      events.append(.training(.started(run)))
    }
    if let learningRate { events.append(.training(.learningRateChanged(learningRate))) }
    if let lastStep { events.append(.training(.step(lastStep))) }
    if let validated { events.append(validated) }
    if let layers { events.append(layers) }
    if let ranks { events.append(ranks) }
    if let validating { events.append(validating) }
    if let diverged { events.append(diverged) }
    if let evaluation { events.append(evaluation) }
    if let outcome { events.append(.training(.finished(outcome))) }
    // The state last: a screen follows it, whatever the events before seemed to say.
    if let state { events.append(.state(state)) }
    if let preparing { events.append(preparing) }
    return events
  }
}

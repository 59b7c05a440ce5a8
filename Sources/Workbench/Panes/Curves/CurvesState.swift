// The curves pane's state: the run under way or the last one, its steps and epochs.

import Canvas
import Messages

/// What the curves pane shows.
struct CurvesState: Sendable, Equatable {
  enum View: Sendable, Equatable {
    case all
    /// One of the table of charts.
    case one(Int)

    var next: View {
      let index = if case .one(let index) = self { index + 1 } else { 0 }
      return index < CurveChart.all.count ? .one(index) : .all
    }
  }

  var view = View.all
  var run: RunDescription?
  var series = Self.noSteps
  var epochs: [EpochMetrics] = []
  var last: StepMetrics?
  /// Images done of those to validate.
  var validating: TaskProgress?
  /// The features of images that the frozen layers compute.
  var features: TaskProgress?
  var outcome: RunOutcome?
  /// Whether it is an earlier run that was read from its folder.
  var isHistory = false
  /// Whether that is trained by another process now.
  var isElsewhere = false
  /// How far it came, where that is more than its metrics tell, and what is missing of them.
  var reached: RunHistory.Place?
  var gap: String?
  /// Whether the run ended without having come to an end.
  var hasFailed = false
  /// The run that is being read.
  var requestedHistory: String?
  /// Runs that could not be.
  var unreadable: Set<String> = []
  var peakLearningRate = 0.0

  var runName: String? { run.map { lastComponent($0.folder) } }

  /// The newest step and the newest epoch, begun or done, that anything is known of.
  var reachedStep: Int {
    [last?.step, epochs.last?.step, reached?.step, outcome?.steps].compactMap { $0 }.max() ?? 0
  }
  var reachedEpoch: Int {
    [last?.epoch, epochs.last?.epoch, reached?.epoch, outcome?.epochs].compactMap { $0 }.max() ?? 0
  }
  /// Epochs done.
  var epochsDone: Int { [epochs.last?.epoch, reached?.epoch, outcome?.epochs].compactMap { $0 }.max() ?? 0 }

  /// Steps of the whole run; nil where it cannot be told.
  var totalSteps: Int? {
    guard let run, run.stepsPerEpoch > 0 else { return nil }
    let (steps, overflow) = run.stepsPerEpoch.multipliedReportingOverflow(by: run.settings.epochs)
    return overflow || steps <= 0 ? nil : steps
  }

  /// By which an epoch is the best.
  var metric: BestMetric { run?.settings.best ?? .top1 }

  /// The epoch that is the best one, and how good it is.
  var best: (epoch: Int, score: Score)? {
    let scores = epochs.map { metric.score(of: $0.validation) }
    return Score.place(ofBestIn: scores, by: metric).flatMap { place in
      scores[place].map { (epochs[place].epoch, $0) }
    }
  }

  var latestValidation: ValidationMetrics? { epochs.last { $0.validation != nil }?.validation }

  /// The share of the newest epoch's time that was spent waiting for images; nil where it was not measured.
  var dataWait: Double? { epochs.last?.dataWait }

  /// Whether the wait is longer than that of a loader which keeps up.
  var isKeptWaiting: Bool { (dataWait ?? 0) > 0.03 }

  var dataWaitText: String? { dataWait.map { "waits for data \(Format.percent($0))" } }

  mutating func handle(_ event: TrainingEvent) {
    switch event {
    case .started(let description): start(description)
    case .computingFeatures(let done, let total): features = TaskProgress(done: done, total: total)
    case .step(let metrics):
      (validating, features) = (nil, nil)
      last = metrics
      series.add(metrics)
    case .validating(let done, let total): validating = TaskProgress(done: done, total: total)
    case .epoch(let metrics):
      validating = nil
      epochs.removeAll { $0.epoch >= metrics.epoch }
      epochs.append(metrics)
    case .learningRateChanged(let rate): peakLearningRate = rate
    case .lengthChanged(let epochs, _): run?.settings.epochs = epochs
    case .finished(let outcome):
      (validating, features) = (nil, nil)
      self.outcome = outcome
    case .recovered(let report):
      peakLearningRate = report.learningRate
      series.drop(after: report.step)
      epochs.removeAll { $0.step > report.step }
      reached = nil
    case .folderMoved(let folder): run?.folder = folder
    case .paused, .resumed, .checkpointSaved, .checkpointRemoved, .saveFailed, .diverged, .warning, .warningEased:
      break
    }
  }

  /// Shows a run that nobody trains.
  mutating func show(_ history: RunHistory) {
    run = nil
    start(history.run)
    outcome = history.outcome
    isHistory = true
    isElsewhere = history.trainer != nil
    (reached, gap) = (history.reached, history.gap)
    last = history.run.steps.last
  }

  /// A run begins. Its earlier epochs stand for the steps that are not known any more; steps seen in this session
  /// are kept when the same run goes on.
  private mutating func start(_ description: RunDescription) {
    let sameRun = run?.folder == description.folder && !isHistory
    (isHistory, isElsewhere, hasFailed) = (false, false, false)
    (reached, gap) = (nil, nil)
    run = description
    epochs = description.history
    peakLearningRate = description.settings.learningRate
    last = nil
    outcome = nil
    validating = nil
    guard !sameRun || description.history.isEmpty else { return }
    series = Self.noSteps
    if !description.steps.isEmpty {
      for step in description.steps { series.add(step) }
      return
    }
    for epoch in description.history {
      var point = StepMetrics(step: epoch.step, epoch: epoch.epoch)
      for chart in CurveChart.all { point[chart.step] = chart.epoch.flatMap { epoch[$0] } }
      series.add(point)
    }
  }

  /// About as many as a wide chart has dots for.
  private static let noSteps = ThinnedSeries<StepMetrics>.averaged(capacity: 2048)
}

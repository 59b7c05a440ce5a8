// The curves pane's state: the run under way or the last one, its steps and epochs.

import Canvas
import Messages

/// What the curves pane shows.
struct CurvesState: Sendable, Equatable {
  enum View: Sendable, Equatable {
    /// The main ones.
    case main
    /// One of the table of charts.
    case one(Int)
    /// A line for each of the classes that do worst.
    case classes(ClassChart)
    /// What a degradation lab is about: the accuracy in training, of all runs, beside that of the validation.
    case lab

    /// The main ones together, then each alone, then those by class.
    static let all = [main] + CurveChart.all.indices.map { one($0) } + ClassChart.all.map { classes($0) }

    /// As the help and the commands call it.
    var name: String {
      switch self {
      case .main: "loss and accuracy"
      case .one(let index): "\(CurveChart.all[index].name) alone"
      case .classes(let chart): chart.name
      case .lab: "accuracy in training and validation"
      }
    }

    /// The keys of what it shows in metrics.jsonl.
    var metricKeys: [String] {
      switch self {
      case .classes(let chart): [chart.key]
      default: charts.flatMap { [$0.step, $0.epoch, $0.validation].compactMap { $0?.key } }
      }
    }

    func next(by distance: Int) -> View {
      let place = Self.all.firstIndex(of: self) ?? 0
      return Self.all[(place + distance + Self.all.count) % Self.all.count]
    }

    var charts: [CurveChart] {
      switch self {
      case .main: CurveChart.main
      case .one(let index): [CurveChart.all[index]]
      case .classes: []
      case .lab: CurveChart.lab
      }
    }
  }

  /// How much earlier steps count in a curve of training.
  enum Smoothing: String, Codable, Sendable, CaseIterable {
    case none, little, much, most

    /// Of an exponential moving average.
    var factor: Double {
      switch self {
      case .none: 0
      case .little: 0.6
      case .much: 0.9
      case .most: 0.98
      }
    }
  }

  /// Where the vertical axis ends.
  enum Fit: String, Codable, Sendable, CaseIterable {
    /// Where the chart says.
    case standard
    /// At the values that are in view.
    case visible
    /// At the highest but a tenth of them.
    case middle
  }

  var view = View.main
  var window = CurveWindow()
  var smoothing = Smoothing.none
  var fit = Fit.standard
  var isLogarithmic = false
  /// Where values are read, in epochs; nil where they are not.
  var cursor: Double?
  /// What happened to the run, by rising steps.
  var marks: [RunMark] = []
  /// Other runs, whose curves lie over its own.
  var overlays: [OverlaidRun] = []
  var run: RunDescription?
  var series = Self.noSteps
  var epochs: [EpochMetrics] = []
  /// What the validations gave each class.
  var classFigures = ThinnedSeries<ClassFigures>.sampled(classes: 1)
  var last: StepMetrics?
  /// The newest validation in its details; nil before the first one, and of a run that was read from its folder.
  var validated: ValidationDetails?
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

  // MARK: Other runs

  /// The colors of their curves, one after another.
  static let roles: [ThemeRole] = [.secondRun, .thirdRun, .fourthRun, .fifthRun]

  /// Lays another run over the one on show, or takes in how far it has come.
  mutating func lay(over other: RunDescription) {
    guard other.folder != run?.folder else { return }
    let overlaid = OverlaidRun(other)
    if let place = overlays.firstIndex(where: { $0.folder == other.folder }) {
      overlays[place] = overlaid
    } else {
      overlays.append(overlaid)
    }
  }

  // MARK: The horizontal axis

  /// Epochs since the run began.
  func epochs(atStep step: Int) -> Double { Double(step) / Double(max(1, run?.stepsPerEpoch ?? 1)) }

  /// Of the whole run, as far as it is known.
  var lengthInEpochs: Double {
    max(
      Double(run?.settings.epochs ?? 0), epochs(atStep: reachedStep), overlays.map(\.length).max() ?? 0, 1e-3)
  }

  /// The part of the run that is in view.
  var shownEpochs: ClosedRange<Double> { window.range(length: lengthInEpochs, newest: epochs(atStep: reachedStep)) }

  /// Moves the cursor by so many columns of a chart, or puts it onto what is newest.
  mutating func moveCursor(by columns: Int, of width: Int) {
    let shown = shownEpochs
    let newest = min(epochs(atStep: reachedStep), shown.upperBound)
    let column = (shown.upperBound - shown.lowerBound) / Double(max(1, width - 1))
    let moved = cursor.map { $0 + Double(columns) * column } ?? newest
    cursor = min(max(moved, shown.lowerBound), shown.upperBound)
  }

  mutating func zoom(in isIn: Bool) {
    window.zoom(in: isIn, at: cursor, length: lengthInEpochs, newest: epochs(atStep: reachedStep))
    keepCursorInView()
  }

  mutating func pan(by part: Double) {
    window.pan(by: part, length: lengthInEpochs, newest: epochs(atStep: reachedStep))
    keepCursorInView()
  }

  mutating func keepCursorInView() {
    cursor = cursor.map { min(max($0, shownEpochs.lowerBound), shownEpochs.upperBound) }
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
    case .validated(let details):
      validated = details
      classFigures.add(ClassFigures(details))
    case .learningRateChanged(let rate):
      peakLearningRate = rate
      mark(.learningRate, rate)
    case .lengthChanged(let epochs, _): run?.settings.epochs = epochs
    case .paused: mark(.pause)
    case .checkpointSaved(let info) where info.isNumbered: mark(.checkpoint, at: info.step)
    case .finished(let outcome):
      (validating, features) = (nil, nil)
      self.outcome = outcome
    case .recovered(let report):
      peakLearningRate = report.learningRate
      series.drop(after: report.step)
      classFigures.drop(after: report.step)
      epochs.removeAll { $0.step > report.step }
      marks.removeAll { $0.step > report.step }
      (reached, validated) = (nil, nil)
      mark(.recovery, report.learningRate, at: report.step)
    case .folderMoved(let folder): run?.folder = folder
    case .layers, .ranks, .resumed, .checkpointSaved, .checkpointRemoved, .saveFailed, .diverged, .warning,
      .warningEased:
      break
    }
  }

  private mutating func mark(_ kind: RunMark.Kind, _ value: Double? = nil, at step: Int? = nil) {
    marks.append(RunMark(kind, step: step ?? reachedStep, value: value))
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
    overlays.removeAll { $0.folder == description.folder }
    epochs = description.history
    if !sameRun || !description.classFigures.isEmpty {
      classFigures = .sampled(classes: description.classes.count)
      for figures in description.classFigures { classFigures.add(figures) }
    }
    if !sameRun || !description.marks.isEmpty { marks = description.marks }
    if !sameRun { (cursor, window) = (nil, CurveWindow()) }
    peakLearningRate = description.settings.learningRate
    last = nil
    outcome = nil
    (validating, validated) = (nil, nil)
    guard !sameRun || description.history.isEmpty else { return }
    series = Self.noSteps
    if !description.steps.isEmpty {
      for step in description.steps { series.add(step) }
      return
    }
    for epoch in description.history {
      var point = StepMetrics(step: epoch.step, epoch: epoch.epoch)
      for chart in CurveChart.all {
        if let step = chart.step { point[step] = chart.epoch.flatMap { epoch[$0] } }
      }
      series.add(point)
    }
  }

  /// About as many as a wide chart has dots for.
  private static let noSteps = ThinnedSeries<StepMetrics>.averaged(capacity: 2048)
}

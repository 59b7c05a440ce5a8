// The curves of one run as figures take them: from its folder, with the epoch as the one axis of runs whose epochs have
// different numbers of steps.

import Messages
import Training

/// What a run measured, for drawing.
public struct RunCurves: Sendable {
  /// As it is called in the legend.
  public let name: String
  let steps: [StepMetrics]
  let epochs: [EpochMetrics]
  /// By which an epoch is the best.
  let best: BestMetric
  /// The last step of each epoch that is known, and steps of an epoch for what lies behind.
  private let ends: [(step: Double, epoch: Double)]
  private let stepsPerEpoch: Double

  /// - Parameter history: as `RunFolder.history()` reads it.
  public init(_ history: RunHistory, name: String) {
    let run = history.run
    self.name = name
    steps = run.steps
    epochs = run.history
    best = run.settings.best
    ends = [(0, 0)] + run.history.map { (Double($0.step), Double($0.epoch)) }
    stepsPerEpoch = Double(max(1, run.stepsPerEpoch))
  }

  /// Where in the epochs a step lies: 2.5 is the middle of the third.
  func place(ofStep step: Int) -> Double {
    let step = Double(step)
    var (low, high) = (0, ends.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if ends[middle].step <= step { low = middle } else { high = middle - 1 }
    }
    let before = ends[low]
    guard low + 1 < ends.count, ends[low + 1].step > before.step else {
      return before.epoch + (step - before.step) / stepsPerEpoch
    }
    let after = ends[low + 1]
    return before.epoch + (after.epoch - before.epoch) * (step - before.step) / (after.step - before.step)
  }

  /// Points of a metric, in epochs; a gap where its value is no number.
  func points(_ metric: Metric) -> [(x: Double, y: Double)?] {
    func point(_ x: Double, _ value: Double?) -> (x: Double, y: Double)? {
      value.flatMap { $0.isFinite ? (x, $0) : nil }
    }
    return metric.scope == .step
      ? steps.map { point(place(ofStep: $0.step), $0[metric]) }
      : epochs.map { point(Double($0.epoch), $0[metric]) }
  }

  /// The best epoch's point, by the run's metric, where that is the one of a chart.
  func bestPoint(_ metric: Metric) -> (x: Double, y: Double)? {
    guard best.metric == metric else { return nil }
    var found: (x: Double, y: Double)?
    for case let point? in points(metric) where best.isBetter(point.y, than: found?.y) { found = point }
    return found
  }
}

/// What is drawn together: a chart of it is a row.
struct CurveFigure: Sendable {
  let title: String
  let unit: Axis.Unit
  /// Of steps: drawn thinly behind the others for a single run, or where there is no epoch yet.
  let step: Metric
  /// Of epochs, dashed; nil for none.
  let training: Metric?
  /// Of validations, solid.
  let validation: Metric?
  /// Whether the axis begins at 0.
  let fromZero: Bool

  static let all = [
    CurveFigure(
      title: "Loss", unit: .number, step: .loss, training: .trainLoss, validation: .validationLoss, fromZero: true),
    CurveFigure(
      title: "Accuracy", unit: .share, step: .accuracy, training: .trainAccuracy, validation: .top1, fromZero: false
    ),
    CurveFigure(
      title: "Learning rate", unit: .number, step: .learningRate, training: nil, validation: nil, fromZero: true),
  ]
}

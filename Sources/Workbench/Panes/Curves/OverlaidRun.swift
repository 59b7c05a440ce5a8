// Another run, whose curves lie over those of the run on show. Epochs are what runs of different batches have in common.

import Messages

/// What charts draw of a run that is not the one on show.
struct OverlaidRun: Sendable, Equatable {
  var folder: String
  var epochs: [EpochMetrics]
  var steps: [StepMetrics]
  private var stepsPerEpoch: Int

  init(_ run: RunDescription) {
    folder = run.folder
    epochs = run.history
    steps = run.steps
    stepsPerEpoch = max(1, run.stepsPerEpoch)
  }

  var name: String { lastComponent(folder) }

  /// In epochs.
  var length: Double { max(Double(epochs.last?.epoch ?? 0), Double(steps.last?.step ?? 0) / Double(stepsPerEpoch)) }

  /// A chart's values: what was validated, or else what was measured of epochs or steps in training.
  func points(of chart: CurveChart) -> [CurvePoint] {
    if let metric = chart.validation ?? chart.epoch, epochs.contains(where: { $0[metric] != nil }) {
      return epochs.map { CurvePoint(x: place($0.step), value: $0[metric]) }
    }
    guard let metric = chart.step else { return [] }
    return steps.map { CurvePoint(x: place($0.step), value: $0[metric]) }
  }

  private func place(_ step: Int) -> Double { Double(step) / Double(stepsPerEpoch) }
}

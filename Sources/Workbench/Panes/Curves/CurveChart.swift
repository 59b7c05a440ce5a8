// The table of charts: a row says which metric a chart shows and how. Where the charts stand is in
// CurvesPane.swift, what a metric is in Messages' table.

import Canvas
import Glibc
import Messages

/// A metric over the steps of a run, in training and where there is one on the validation images.
struct CurveChart: Sendable {
  enum Best: Sendable {
    case lowest, highest
  }

  /// In its heading, and where it has little room.
  var name: String
  var brief: String
  var step: Metric
  /// Its mean over an epoch, for where the newest step is not known.
  var epoch: Metric?
  /// The same on the validation images.
  var validation: Metric?
  /// Which of the validated epochs is the best one, to be told in the heading.
  var best: Best?
  /// The ends of its axis; nil for those of the values.
  var range: ClosedRange<Double>?
  /// Where its axis ends at most: what lies beyond is marked at the edge, and the heading says how far it went.
  var ceiling: (@Sendable (CurvesState) -> Double?)?
  /// A value to compare with, drawn as a dotted line.
  var reference: Reference?

  struct Reference: Sendable {
    var name: String
    var value: @Sendable (RunDescription) -> Double
  }

  /// **The one list.** A new chart is a row here.
  static let all = [
    CurveChart(
      name: "loss", brief: "loss", step: .loss, epoch: .trainLoss, validation: .validationLoss, best: .lowest,
      ceiling: lossLimit),
    CurveChart(
      name: "accuracy", brief: "acc", step: .accuracy, epoch: .trainAccuracy, validation: .top1, best: .highest,
      range: 0...1, reference: Reference(name: "majority") { $0.majorityBaseline }),
  ]

  /// Where the loss's axis ends: one spike at a high learning rate must not flatten the curves.
  ///
  /// Knowing nothing costs ln(classes); half as much again is room for a bad start. The newest losses always fit.
  @Sendable private static func lossLimit(_ curves: CurvesState) -> Double? {
    guard let run = curves.run else { return nil }
    let newest = [curves.last?.loss, curves.latestValidation?.loss].compactMap { $0 }.filter(\.isFinite)
    return max(1.5 * log(Double(max(2, run.classes.count))), 1.2 * (newest.max() ?? 0))
  }

  // MARK: Drawing

  /// A line of values and the chart below it.
  func draw(_ curves: CurvesState, into frame: inout Frame, in rect: Rect, theme: Theme) {
    let (head, plot) = rect.splitTop(1)
    let chart = lines(of: curves, in: plot)
    frame.put(
      pieces: heading(curves, width: rect.width, isCut: chart.isCut, theme: theme), in: head, style: theme[.text])
    chart.draw(into: &frame, in: plot, theme: theme)
  }

  /// Its name and its latest values in the colors of their curves.
  private func heading(_ curves: CurvesState, width: Int, isCut: Bool, theme: Theme) -> [[Span]] {
    let unit = step.unit
    let curve = theme[.trainingCurve]
    var pieces = [[Span(width < 30 ? brief : name, theme[.header])]]
    // What is measured in training alone needs no word for it.
    if width >= 30, validation != nil {
      // What is measured on mixed images cannot be compared with the validation beside it.
      let isMixed = curves.run?.settings.augmentation.mixesImages == true
      pieces[0].append(Span(isMixed ? width < 48 ? " mixed" : " train (mixed)" : " train", curve))
    }
    if let latest = curves.last?[step] ?? epoch.flatMap({ curves.epochs.last?[$0] }) {
      pieces[0].append(Span(" \(unit.text(latest))", curve))
    }
    if let validation, let latest = curves.latestValidation {
      pieces.append([Span("val \(unit.text(latest[validation]))", theme[.validationCurve])])
    }
    if isCut, let largest = largest(curves) {
      let peak = String(theme.glyphs.upArrow) + (width < 36 ? "" : "max ") + Format.peak(largest)
      pieces.append([Span(peak, theme[.warning])])
    }
    if let best = bestValue(curves) { pieces.append([Span("best \(unit.text(best))", theme[.dimmed])]) }
    if let reference, let run = curves.run {
      pieces.append([Span("\(reference.name) \(unit.text(reference.value(run)))", theme[.baseline])])
    }
    return pieces
  }

  private func bestValue(_ curves: CurvesState) -> Double? {
    guard let best, let validation else { return nil }
    let values = curves.epochs.filter { $0.validation?.isFinite == true }.compactMap { $0[validation] }
    return best == .lowest ? values.min() : values.max()
  }

  /// The largest value of all, whatever the chart has room for.
  private func largest(_ curves: CurvesState) -> Double? {
    let values =
      curves.series.all.compactMap { $0[step] }
      + curves.epochs.compactMap { epoch in
        validation.flatMap { epoch[$0] }
      }
    return values.filter(\.isFinite).max()
  }

  private func lines(of curves: CurvesState, in plot: Rect) -> LineChart {
    let points = curves.series.all
    let lastStep = max(points.last?.step ?? 0, curves.epochs.last?.step ?? 0)
    let total = max(curves.totalSteps ?? 0, lastStep, 1)
    let positions = max(2, plot.width * 2)
    var series = [
      LineChart.Series(
        CurveSampling.values(points.map { ($0.step, $0[step]) }, total: total, positions: positions),
        role: .trainingCurve)
    ]
    if let validation {
      series.append(
        LineChart.Series(
          CurveSampling.values(
            curves.epochs.map { ($0.step, $0[validation]) }, total: total, positions: positions),
          role: .validationCurve))
    }
    let hasLabels = plot.height >= 6
    var chart = LineChart(
      series: series, extent: positions, format: step.unit == .share ? .percent : .number,
      firstLabel: hasLabels ? "0" : "",
      lastLabel: hasLabels ? Format.counted(curves.run?.settings.epochs ?? 0, "epoch") : "",
      emptyText: "no metrics yet")
    chart.range = range
    chart.ceiling = ceiling.flatMap { $0(curves) }
    chart.reference = reference.flatMap { reference in
      curves.run.map { LineChart.Reference(reference.value($0)) }
    }
    return chart
  }
}

extension Metric.Unit {
  /// A value as text.
  func text(_ value: Double?) -> String {
    guard let value else { return Format.absent }
    return switch self {
    case .nats: Format.loss(value)
    case .share: Format.percent(value)
    case .imagesPerSecond: Format.speed(value)
    // Of something short, such as a step, whole seconds say nothing.
    case .seconds: abs(value) < 10 ? Format.fixed(value, 3) + " s" : Format.duration(value)
    case .number: Format.general(value)
    }
  }
}

extension Format {
  /// A value far off the axis: its size matters, not its thousandths.
  fileprivate static func peak(_ value: Double) -> String { value < 10_000 ? fixed(value, 1) : general(value) }
}

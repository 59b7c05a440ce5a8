// The curves pane's charts: where they stand, what their headings say, and how the figures of steps and epochs are
// put on one axis.

import Canvas
import Glibc
import Messages

extension CurvesPane {
  static func drawCharts(_ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme) {
    let curves = state.curves
    switch curves.view {
    case .loss: drawLoss(curves, into: &frame, in: rect, theme: theme)
    case .accuracy: drawAccuracy(curves, into: &frame, in: rect, theme: theme)
    case .both:
      if rect.height >= 14, rect.width < 110 {
        let (upper, lower) = rect.splitTop((rect.height + 1) / 2)
        drawLoss(curves, into: &frame, in: upper, theme: theme)
        drawAccuracy(curves, into: &frame, in: lower, theme: theme)
      } else if rect.width >= 40 {
        let (left, right) = rect.splitLeft(rect.width / 2)
        drawLoss(curves, into: &frame, in: left.inset(right: 1), theme: theme)
        drawAccuracy(curves, into: &frame, in: right.inset(left: 1), theme: theme)
      } else {
        drawLoss(curves, into: &frame, in: rect, theme: theme)
      }
    }
  }

  private static func drawLoss(_ curves: CurvesState, into frame: inout Frame, in rect: Rect, theme: Theme) {
    let best = curves.epochs.compactMap { $0.validation?.loss }.filter(\.isFinite).min()
    let (head, plot) = rect.splitTop(1)
    var chart = chart(
      curves, training: \.loss, validation: { $0.loss }, width: plot.width, format: .number, height: plot.height)
    chart.ceiling = lossLimit(curves)
    let peak = chart.isCut ? largestLoss(curves).map { (rect.width < 36 ? "" : "max ") + Format.peak($0) } : nil
    frame.put(
      pieces: heading(
        rect.width < 30 ? [Span("loss", theme[.header])] : [Span("loss", theme[.header]), Span(" train")],
        train: (curves.last?.loss ?? curves.epochs.last?.trainLoss).map { Format.loss($0) },
        validation: curves.latestValidation.map { Format.loss($0.loss) },
        peak: peak.map { String(theme.glyphs.upArrow) + $0 }, best: best.map { Format.loss($0) }, theme: theme),
      in: head, style: theme[.text])
    chart.draw(into: &frame, in: plot, theme: theme)
  }

  /// The largest loss of all, whatever the chart has room for.
  private static func largestLoss(_ curves: CurvesState) -> Double? {
    let losses = curves.series.all.compactMap(\.loss) + curves.epochs.compactMap { $0.validation?.loss }
    return losses.filter(\.isFinite).max()
  }

  /// Where the loss's axis ends: one spike at a high learning rate must not flatten the curves. Losses beyond it are
  /// marked at the edge; the heading says how large they were.
  ///
  /// Knowing nothing costs ln(classes); half as much again is room for a bad start. The newest losses always fit.
  private static func lossLimit(_ curves: CurvesState) -> Double? {
    guard let run = curves.run else { return nil }
    let newest = [curves.last?.loss, curves.latestValidation?.loss].compactMap { $0 }.filter(\.isFinite)
    return max(1.5 * log(Double(max(2, run.classes.count))), 1.2 * (newest.max() ?? 0))
  }

  private static func drawAccuracy(_ curves: CurvesState, into frame: inout Frame, in rect: Rect, theme: Theme) {
    let (head, plot) = rect.splitTop(1)
    var pieces = heading(
      rect.width < 30 ? [Span("acc", theme[.header])] : [Span("accuracy", theme[.header]), Span(" train")],
      train: (curves.last?.accuracy ?? curves.epochs.last?.trainAccuracy).map { Format.percent($0) },
      validation: curves.latestValidation.map { Format.percent($0.top1) },
      best: curves.best?.validation.map { Format.percent($0.top1) }, theme: theme)
    if let chance = curves.run?.chance {
      pieces.append([Span("majority \(Format.percent(chance))", theme[.chance])])
    }
    frame.put(pieces: pieces, in: head, style: theme[.text])
    var chart = chart(
      curves, training: \.accuracy, validation: { $0.top1 }, width: plot.width, format: .percent,
      height: plot.height)
    chart.range = 0...1
    chart.reference = curves.run.map { LineChart.Reference($0.chance) }
    chart.draw(into: &frame, in: plot, theme: theme)
  }

  /// The chart's name and its latest figures in the colours of their curves.
  private static func heading(
    _ title: [Span], train: String?, validation: String?, peak: String? = nil, best: String?, theme: Theme
  ) -> [[Span]] {
    var pieces = [title.map { Span($0.text, $0.style ?? theme[.trainingCurve]) }]
    if let train { pieces[0].append(Span(" \(train)", theme[.trainingCurve])) }
    if let validation { pieces.append([Span("val \(validation)", theme[.validationCurve])]) }
    if let peak { pieces.append([Span(peak, theme[.warning])]) }
    if let best { pieces.append([Span("best \(best)", theme[.dimmed])]) }
    return pieces
  }

  private static func chart(
    _ curves: CurvesState, training: KeyPath<StepSeries.Point, Double?>,
    validation: (ValidationMetrics) -> Double?, width: Int, format: ValueFormat, height: Int
  ) -> LineChart {
    let points = curves.series.all
    let lastStep = max(points.last?.step ?? 0, curves.epochs.last?.step ?? 0)
    let total = max(curves.totalSteps ?? 0, lastStep, 1)
    let positions = max(2, width * 2)
    let train = Resampling.values(
      points.map { ($0.step, $0[keyPath: training]) }, total: total, positions: positions)
    let validated = Resampling.values(
      curves.epochs.map { ($0.step, $0.validation.flatMap(validation)) }, total: total, positions: positions)
    let epochs = curves.run?.settings.epochs ?? 0
    return LineChart(
      series: [
        LineChart.Series(train, role: .trainingCurve), LineChart.Series(validated, role: .validationCurve),
      ], extent: positions, format: format, firstLabel: height >= 6 ? "0" : "",
      lastLabel: height >= 6 ? Format.counted(epochs, "epoch") : "", emptyText: "no figures yet")
  }
}

extension Format {
  /// A loss far off the axis: its size matters, not its thousandths.
  fileprivate static func peak(_ loss: Double) -> String { loss < 10_000 ? fixed(loss, 1) : general(loss) }
}

/// Points at steps, brought to evenly spaced positions.
enum Resampling {
  /// - Parameters:
  ///   - points: rising steps, each with a value, or nil for a gap.
  ///   - total: the step at the right end, at least 1.
  /// - Returns: a value a position up to the last point: the mean where several points fall on one, a straight line
  ///   between points further apart, nil before the first, after the last and around gaps.
  static func values(_ points: [(step: Int, value: Double?)], total: Int, positions: Int) -> [Double?] {
    guard positions > 1, total > 0 else { return [] }
    var result = [Double?](repeating: nil, count: positions)
    var counts = [Int](repeating: 0, count: positions)
    var previous: (position: Int, value: Double)?
    for point in points {
      let share = min(1, max(0, Double(point.step) / Double(total)))
      let position = Int((share * Double(positions - 1)).rounded())
      guard let value = point.value, value.isFinite else {
        previous = nil
        continue
      }
      if let previous, position > previous.position + 1 {
        let from = result[previous.position] ?? previous.value
        let span = Double(position - previous.position)
        for between in (previous.position + 1)..<position {
          result[between] = from + (value - from) * Double(between - previous.position) / span
        }
      }
      let count = Double(counts[position])
      result[position] = ((result[position] ?? 0) * count + value) / (count + 1)
      counts[position] += 1
      previous = (position, value)
    }
    return result
  }
}

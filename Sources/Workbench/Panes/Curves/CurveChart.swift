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
  /// Of each step; nil for what only epochs have.
  var step: Metric?
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

  /// Whether it is among those that are shown together.
  var isMain = false

  /// **The one list.** A new chart is a row here; the main ones come first.
  static let all = [
    CurveChart(
      name: "loss", brief: "loss", step: .loss, epoch: .trainLoss, validation: .validationLoss, best: .lowest,
      ceiling: lossLimit, isMain: true),
    CurveChart(
      name: "accuracy", brief: "acc", step: .accuracy, epoch: .trainAccuracy, validation: .top1, best: .highest,
      range: 0...1, reference: Reference(name: "majority") { $0.majorityBaseline }, isMain: true),
    CurveChart(
      name: "balanced accuracy", brief: "balanced", validation: .balancedAccuracy, best: .highest, range: 0...1),
    CurveChart(name: "macro F1", brief: "F1", validation: .macroF1, best: .highest, range: 0...1),
    CurveChart(name: "top-5", brief: "top-5", validation: .top5, best: .highest, range: 0...1),
    CurveChart(name: "learning rate", brief: "lr", step: .learningRate, epoch: .epochLearningRate),
    CurveChart(name: "grad norm", brief: "|g|", step: .gradientNorm),
    CurveChart(name: "images/s", brief: "img/s", step: .imagesPerSecond),
    CurveChart(name: "data wait", brief: "wait", epoch: .dataWait),
    CurveChart(name: "seconds an epoch", brief: "s/epoch", epoch: .seconds),
    CurveChart(name: "time left", brief: "left", step: .secondsLeft),
  ]

  /// Those that are shown together.
  static let main = all.filter(\.isMain)

  /// The accuracy in training, epoch by epoch, and that on the validation images apart from it.
  static let lab = [
    CurveChart(name: "training accuracy", brief: "train", epoch: .trainAccuracy, best: nil, range: 0...1),
    CurveChart(name: "validation accuracy", brief: "val", validation: .top1, best: .highest, range: 0...1),
  ]

  private var unit: Metric.Unit { (step ?? epoch ?? validation)?.unit ?? .number }

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
  /// - Returns: where its curves are; nil where it has none.
  @discardableResult
  func draw(_ curves: CurvesState, into frame: inout Frame, in rect: Rect, theme: Theme) -> Rect? {
    let (head, plot) = rect.splitTop(1)
    let chart = lines(of: curves, in: plot, theme: theme)
    frame.put(
      pieces: heading(curves, width: rect.width, isCut: chart.isCut, theme: theme), in: head, style: theme[.text])
    return chart.draw(into: &frame, in: plot, theme: theme)
  }

  /// Its name and its latest values in the colors of their curves.
  private func heading(_ curves: CurvesState, width: Int, isCut: Bool, theme: Theme) -> [[Span]] {
    let curve = theme[.trainingCurve]
    var pieces = [[Span(width < 30 ? brief : name, theme[.header])]]
    if isLogarithmic(curves), width >= 24 { pieces[0].append(Span(", log", theme[.dimmed])) }
    // What is measured in training alone needs no word for it.
    if width >= 30, validation != nil, hasTraining {
      // What is measured on mixed images cannot be compared with the validation beside it.
      let isMixed = curves.run?.settings.augmentation.mixesImages == true
      pieces[0].append(Span(isMixed ? width < 48 ? " mixed" : " train (mixed)" : " train", curve))
    }
    if let latest = step.flatMap({ curves.last?[$0] }) ?? epoch.flatMap({ curves.epochs.last?[$0] }) {
      pieces[0].append(Span(" \(unit.text(latest))", curve))
      if curves.smoothing.factor > 0, width >= 40, let smooth = training(curves).last?.value {
        pieces[0].append(Span(" ~\(unit.text(smooth))", curve))
      }
    }
    if let validation, let latest = curves.latestValidation {
      pieces.append([Span("val \(unit.text(latest[validation]))", theme[.validationCurve])])
    }
    for (place, other) in curves.overlays.enumerated() {
      let last = other.points(of: self).last { $0.value != nil }?.value
      let style = theme[CurvesState.roles[place % CurvesState.roles.count]]
      pieces.append([Span("\(theme.glyphs.legendLine) \(other.name) \(unit.text(last))", style)])
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

  private var hasTraining: Bool { step != nil || epoch != nil }

  private func bestValue(_ curves: CurvesState) -> Double? {
    guard let best, let validation else { return nil }
    let values = curves.epochs.filter { $0.validation?.isFinite == true }.compactMap { $0[validation] }
    return best == .lowest ? values.min() : values.max()
  }

  /// The largest value of all, whatever the chart has room for.
  private func largest(_ curves: CurvesState) -> Double? {
    let values =
      step.map { step in curves.series.all.compactMap { $0[step] } } ?? []
      + curves.epochs.compactMap { epoch in
        validation.flatMap { epoch[$0] }
      }
    return values.filter(\.isFinite).max()
  }

  /// What is measured in training, smoothed as it is shown.
  private func training(_ curves: CurvesState) -> [CurvePoint] {
    let points =
      step.map { step in curves.series.all.map { CurvePoint(x: curves.epochs(atStep: $0.step), value: $0[step]) } }
      ?? epoch.map { metric in
        curves.epochs.map { CurvePoint(x: curves.epochs(atStep: $0.step), value: $0[metric]) }
      } ?? []
    return CurveSampling.smoothed(points, factor: curves.smoothing.factor)
  }

  private func validated(_ curves: CurvesState) -> [CurvePoint]? {
    validation.map { metric in
      curves.epochs.map { CurvePoint(x: curves.epochs(atStep: $0.step), value: $0[metric]) }
    }
  }

  /// A logarithmic axis is for what has no ends.
  private func isLogarithmic(_ curves: CurvesState) -> Bool { curves.isLogarithmic && unit != .share }

  private func lines(of curves: CurvesState, in plot: Rect, theme: Theme) -> LineChart {
    let window = curves.shownEpochs
    let positions = max(2, plot.width * 2)
    func sampled(_ points: [CurvePoint], _ role: ThemeRole) -> LineChart.Series {
      LineChart.Series(CurveSampling.values(points, in: window, positions: positions), role: role)
    }
    var series = hasTraining ? [sampled(training(curves), .trainingCurve)] : []
    // Below the run's own.
    series =
      curves.overlays.enumerated().map { place, other in
        sampled(other.points(of: self), CurvesState.roles[place % CurvesState.roles.count])
      } + series
    if let validated = validated(curves) { series.append(sampled(validated, .validationCurve)) }
    var chart = LineChart(
      series: series, scale: isLogarithmic(curves) ? .logarithmic : .linear, extent: positions,
      format: unit == .share ? .percent : .number,
      ticks: plot.height >= 6
        ? LineChart.ticks(from: window.lowerBound, to: window.upperBound, width: plot.width - 8, unit: "epochs")
        : [],
      emptyText: "no metrics yet")
    switch curves.fit {
    case .standard:
      chart.range = range
      chart.ceiling = chart.scale == .linear ? ceiling.flatMap { $0(curves) } : nil
    case .visible: break
    case .middle: chart.ceiling = Self.ceiling(below: series)
    }
    chart.reference = reference.flatMap { reference in
      curves.run.map { LineChart.Reference(reference.value($0)) }
    }
    if curves.fit != .standard { chart.reference = nil }
    func position(_ x: Double) -> Double { (x - window.lowerBound) / (window.upperBound - window.lowerBound) }
    chart.cursor = curves.cursor.map(position)
    chart.marks = curves.marks.map { mark in
      LineChart.Mark(position(curves.epochs(atStep: mark.step)), mark.kind.sign(theme.glyphs), role: mark.kind.role)
    }
    if isMain, let best = curves.best, let epoch = curves.epochs.first(where: { $0.epoch == best.epoch }) {
      chart.marks.append(
        LineChart.Mark(position(curves.epochs(atStep: epoch.step)), theme.glyphs.star, role: .success))
    }
    return chart
  }

  /// What nine tenths of the values in view lie below; nil for too few to say.
  static func ceiling(below series: [LineChart.Series]) -> Double? {
    let values = series.flatMap { $0.values.compactMap { $0 } }.filter(\.isFinite).sorted()
    return values.count >= 20 ? values[values.count * 9 / 10] : nil
  }

  // MARK: What the cursor reads

  /// The values at a place, in the colors of their curves; empty where there are none.
  func reading(_ curves: CurvesState, at x: Double, theme: Theme) -> [Span] {
    func nearest(_ points: [CurvePoint]) -> Double? {
      points.filter { $0.value != nil }.min { abs($0.x - x) < abs($1.x - x) }?.value
    }
    let trained = hasTraining ? nearest(training(curves)) : nil
    let validated = validated(curves).flatMap(nearest)
    guard trained != nil || validated != nil else { return [] }
    var spans = [Span(brief, theme[.dimmed])]
    if let trained { spans.append(Span(" " + unit.text(trained), theme[.trainingCurve])) }
    if let validated { spans.append(Span(" " + unit.text(validated), theme[.validationCurve])) }
    return spans
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

extension RunMark.Kind {
  fileprivate func sign(_ glyphs: Glyphs) -> Character {
    switch self {
    case .learningRate: glyphs.upArrow
    case .pause: glyphs.separator
    case .checkpoint: glyphs.bullet
    case .recovery: glyphs.leftArrow
    case .length: glyphs.rightArrow
    }
  }

  fileprivate var role: ThemeRole {
    switch self {
    case .learningRate, .length: .header
    case .pause, .checkpoint: .dimmed
    case .recovery: .error
    }
  }
}

extension Format {
  /// A value far off the axis: its size matters, not its thousandths.
  fileprivate static func peak(_ value: Double) -> String { value < 10_000 ? fixed(value, 1) : general(value) }
}

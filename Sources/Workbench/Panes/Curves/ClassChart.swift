// A figure of the validation class by class: a line for each of the classes that do worst, in the colors of runs that lie
// over each other. All classes are in metrics.jsonl and in the dataset pane.

import Canvas
import Messages

/// A chart of classes.
struct ClassChart: Sendable, Equatable {
  var name: String
  /// Of its lines in metrics.jsonl.
  var key: String
  private var unit: Metric.Unit
  /// Whether a class does worse the more it has.
  private var isWorseHigher: Bool

  static let loss = ClassChart(name: "loss by class", key: "loss", unit: .nats, isWorseHigher: true)
  static let recall = ClassChart(name: "recall by class", key: "recall", unit: .share, isWorseHigher: false)

  static let all = [loss, recall]

  /// The colors of its lines.
  private static let roles: [ThemeRole] = [.trainingCurve, .secondRun, .thirdRun, .fourthRun, .fifthRun]

  /// A class with its values, one for each validation.
  struct Line: Equatable {
    var name: String
    var points: [CurvePoint]
    var role: ThemeRole
  }

  private func values(_ figures: ClassFigures) -> [Float?] {
    self == .loss ? figures.losses : figures.recalls
  }

  /// The classes that did worst in the newest validation, the worst first; of equal ones the first.
  func lines(_ curves: CurvesState) -> [Line] {
    let all = curves.classFigures.all
    guard let run = curves.run, let newest = all.last(where: { values($0).contains { $0 != nil } }) else {
      return []
    }
    let ranked = values(newest).prefix(run.classes.count).enumerated().compactMap { label, value in
      value.map { (label: label, badness: isWorseHigher ? -$0 : $0) }
    }.sorted { ($0.badness, $0.label) < ($1.badness, $1.label) }
    return zip(ranked, Self.roles).map { rank, role in
      Line(
        name: run.classes[rank.label],
        points: all.map { figures in
          let values = values(figures)
          let value = values.indices.contains(rank.label) ? values[rank.label] : nil
          return CurvePoint(x: curves.epochs(atStep: figures.step), value: value.map { Double($0) })
        }, role: role)
    }
  }

  /// A line of names with their newest values, and the chart below it.
  /// - Returns: where its curves are; nil where it has none.
  func draw(_ curves: CurvesState, into frame: inout Frame, in rect: Rect, theme: Theme) -> Rect? {
    let lines = lines(curves)
    let (head, plot) = rect.splitTop(1)
    let classes = curves.run?.classes.count ?? 0
    let title = lines.count < classes && !lines.isEmpty ? "\(name), worst \(lines.count) of \(classes)" : name
    let legend = lines.map { line in
      let newest = line.points.last { $0.value != nil }?.value
      let label = Truncation.middle.fit(line.name, width: 16, ellipsis: theme.glyphs.ellipsis)
      return [Span("\(theme.glyphs.legendLine) \(label) \(unit.text(newest))", theme[line.role])]
    }
    frame.put(pieces: [[Span(title, theme[.header])]] + legend, in: head, style: theme[.text])

    let window = curves.shownEpochs
    let positions = max(2, plot.width * 2)
    // The worst one on top.
    let series = lines.reversed().map { line in
      LineChart.Series(CurveSampling.values(line.points, in: window, positions: positions), role: line.role)
    }
    var chart = LineChart(
      series: series, scale: curves.isLogarithmic && unit != .share ? .logarithmic : .linear, extent: positions,
      format: unit == .share ? .percent : .number,
      ticks: plot.height >= 6
        ? LineChart.ticks(from: window.lowerBound, to: window.upperBound, width: plot.width - 8, unit: "epochs")
        : [],
      emptyText: "no validation has measured the classes yet")
    switch curves.fit {
    case .standard: chart.range = unit == .share ? 0...1 : nil
    case .visible: break
    case .middle: chart.ceiling = CurveChart.ceiling(below: series)
    }
    func position(_ x: Double) -> Double { (x - window.lowerBound) / (window.upperBound - window.lowerBound) }
    chart.cursor = curves.cursor.map(position)
    return chart.draw(into: &frame, in: plot, theme: theme)
  }

  /// The values at a place, in the colors of their lines.
  func reading(_ curves: CurvesState, at x: Double, theme: Theme) -> [[Span]] {
    lines(curves).compactMap { line in
      let nearest = line.points.filter { $0.value != nil }.min { abs($0.x - x) < abs($1.x - x) }
      return nearest.map { [Span("\(line.name) \(unit.text($0.value))", theme[line.role])] }
    }
  }
}

// The curves of one or several runs: a panel a chart, epochs along the bottom.

import Messages
import Support

extension CurveFigure {
  static let panelWidth = 420.0
  static let panelHeight = 290.0

  private static let left = 54.0
  private static let right = 16.0
  private static let top = 34.0
  private static let bottom = 40.0

  /// One panel.
  func panel(_ runs: [RunCurves]) -> Figure {
    var figure = Figure(
      width: Self.panelWidth, height: Self.panelHeight,
      title: "\(title) of \(runs.map(\.name).joined(separator: ", ")) by epoch")
    let inner = (width: Self.panelWidth - Self.left - Self.right, height: Self.panelHeight - Self.top - Self.bottom)
    let vertical = axis(runs)
    let last =
      runs.flatMap { run in run.epochs.map { Double($0.epoch) } + run.steps.map { run.place(ofStep: $0.step) } }
      .max() ?? 1
    let horizontal = Axis(from: 0, to: max(last, 1e-3), last < 2 ? .number : .count, ticks: 6, isRounded: false)
    func x(_ value: Double) -> Double { Self.left + horizontal.place(value) * inner.width }
    func y(_ value: Double) -> Double { Self.top + (1 - vertical.place(value)) * inner.height }

    figure.text(title, Self.left, 20, "head")
    for tick in vertical.ticks {
      figure.line(Self.left, y(tick), Self.left + inner.width, y(tick), "grid")
      figure.text(vertical.label(tick), Self.left - 7, y(tick) + 4, "faint", .end)
    }
    for tick in horizontal.ticks {
      figure.line(x(tick), Self.top + inner.height, x(tick), Self.top + inner.height + 4, "axis")
      figure.text(horizontal.label(tick), x(tick), Self.top + inner.height + 18, "faint", .middle)
    }
    figure.line(Self.left, Self.top + inner.height, Self.left + inner.width, Self.top + inner.height, "axis")
    figure.text("epoch", Self.left + inner.width / 2, Self.panelHeight - 6, "faint", .middle)

    let clip = "clip-\(title.lowercased().replacing(" ", with: "-"))"
    figure.clip(clip, Self.left, Self.top - 4, inner.width + 6, inner.height + 8)
    func draw(_ metric: Metric, _ run: RunCurves, _ style: String) {
      figure.path(run.points(metric).map { $0.map { (x($0.x), y($0.y)) } }, style, clip: clip)
    }
    for (index, run) in runs.enumerated() {
      let color = FigureStyle.series(index)
      // Of several runs the steps would hide each other.
      if isLine {
        draw(step, run, "\(color) solid")
      } else if showsSteps(run, among: runs) {
        draw(step, run, "\(color) veil")
      }
    }
    for (index, run) in runs.enumerated() {
      let color = FigureStyle.series(index)
      if let training { draw(training, run, "\(color) dashed") }
      guard let validation else { continue }
      draw(validation, run, "\(color) solid")
      let isSquare = index >= FigureStyle.light.series.count
      // A line of one point is none.
      if run.epochs.count == 1, case let point?? = run.points(validation).first {
        figure.dot(x(point.x), y(point.y), color, isSquare: isSquare)
      }
      guard let best = run.bestPoint(validation) else { continue }
      figure.dot(x(best.x), y(best.y), color, isSquare: isSquare)
      guard runs.count == 1 else { continue }
      // Beside the title, where no line can run through it.
      let value = unit == .share ? printed("%.1f %%", best.y * 100) : printed("%.4g", best.y)
      figure.text(
        "\(run.best == .last ? "last" : "best") \(value), epoch \(Int(best.x))", Self.left + inner.width, 20,
        "faint", .end)
    }
    if runs.allSatisfy({ $0.steps.isEmpty && $0.epochs.isEmpty }) {
      figure.text(
        "nothing was measured yet", Self.left + inner.width / 2, Self.top + inner.height / 2, "faint", .middle)
    }
    return figure
  }

  /// Whether the chart is of steps alone.
  private var isLine: Bool { training == nil && validation == nil }

  private func showsSteps(_ run: RunCurves, among runs: [RunCurves]) -> Bool {
    runs.count == 1 || run.epochs.isEmpty
  }

  /// The range of what is drawn. A few values far above the others, as before a divergence, are cut off.
  private func axis(_ runs: [RunCurves]) -> Axis {
    var values: [Double] = []
    var ofSteps: [Double] = []
    for run in runs {
      for metric in [training, validation].compactMap({ $0 }) { values += run.points(metric).compactMap { $0?.y } }
      if isLine || showsSteps(run, among: runs) { ofSteps += run.points(step).compactMap { $0?.y } }
    }
    func range(_ values: [Double], from share: Double) -> (low: Double, high: Double)? {
      let sorted = values.sorted()
      guard let least = sorted.first, let most = sorted.last else { return nil }
      let usual = sorted[Int(Double(sorted.count - 1) * share)]
      return (least, isLine || most <= usual * 2 ? most : usual * 1.3)
    }
    // Steps are noisy: what a hundredth of them does is not what the figure is about.
    let ranges = [range(values, from: 0.9), range(ofSteps, from: 0.98)].compactMap { $0 }
    var low = ranges.map(\.low).min() ?? 0
    let high = ranges.map(\.high).max() ?? 1
    if fromZero, low > 0, low < high * 0.75 { low = 0 }
    return unit == .share ? Axis(from: max(0, low), to: min(1, high), unit) : Axis(from: low, to: high, unit)
  }
}

extension Figure {
  /// So many runs can be told apart.
  public static let mostRuns = FigureStyle.mostSeries

  /// The curves of runs, panel beside panel, with a legend.
  public static func curves(_ runs: [RunCurves]) -> Figure {
    let panels = CurveFigure.all.map { $0.panel(runs) }
    let legend = legend(runs, width: CurveFigure.panelWidth * Double(panels.count))
    var figure = Figure(
      width: CurveFigure.panelWidth * Double(panels.count), height: legend.height + CurveFigure.panelHeight + 6,
      title: "Curves of \(runs.map(\.name).joined(separator: ", "))")
    figure.add(legend, x: 0, y: 0)
    for (index, panel) in panels.enumerated() {
      figure.add(panel, x: Double(index) * CurveFigure.panelWidth, y: legend.height)
    }
    return figure
  }

  /// Which line is which.
  static func legend(_ runs: [RunCurves], width: Double) -> Figure {
    var places: [(run: Int, x: Double, y: Double)] = []
    var (x, y) = (18.0, 24.0)
    let names = runs.map { Markup.shortened($0.name, to: 32) }
    for (index, name) in names.enumerated() {
      let needed = 44 + Markup.width(name, size: 12) + 18
      if x + needed > width, x > 18 { (x, y) = (18, y + 20) }
      places.append((index, x, y))
      x += needed
    }
    let keys = ["validation", "training"] + (runs.count == 1 ? ["steps"] : [])
    let keyWidth = keys.reduce(0) { $0 + 44 + Markup.width($1, size: 12) + 18 }
    if x + keyWidth > width, x > 18 { (x, y) = (18, y + 20) }
    var figure = Figure(width: width, height: y + 12, title: "Legend")
    for place in places {
      figure.line(place.x, place.y - 4, place.x + 26, place.y - 4, "\(FigureStyle.series(place.run)) solid")
      let isSquare = place.run >= FigureStyle.light.series.count
      figure.dot(place.x + 13, place.y - 4, FigureStyle.series(place.run), isSquare: isSquare)
      figure.text(names[place.run], place.x + 34, place.y, "strong")
    }
    x = max(x, width - keyWidth)
    for (key, style) in zip(keys, ["axis solid", "axis dashed", "axis"]) {
      figure.line(x, y - 4, x + 26, y - 4, style)
      figure.text(key, x + 34, y, "faint")
      x += 44 + Markup.width(key, size: 12) + 18
    }
    return figure
  }
}

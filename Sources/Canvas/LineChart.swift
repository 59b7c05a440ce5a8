// A line chart in cells: several series over one axis, an optional reference line, tick labels at the left, a
// legend above. It draws numbers; what they mean is the caller's.

/// Curves over a common horizontal axis, whose positions are the indices of the values.
///
/// nil is a gap: neither zero nor bridged. NaN and infinite values are gaps too. Where there are more values than
/// dot columns, neighbors are averaged.
///
///     LineChart(
///       series: [.init([2.1, 1.4, nil, 0.9], role: .trainingCurve, label: "train")],
///       reference: .init(2.08, label: "guessing"), firstLabel: "1", lastLabel: "4"
///     ).draw(into: &frame, in: rect, theme: theme)
public struct LineChart: Sendable, Equatable {
  public struct Series: Sendable, Equatable {
    public var values: [Double?]
    public var role: ThemeRole
    /// In the legend; empty for none.
    public var label: String

    public init(_ values: [Double?], role: ThemeRole, label: String = "") {
      self.values = values
      self.role = role
      self.label = label
    }
  }

  /// A dotted horizontal line, such as the loss or accuracy of guessing.
  public struct Reference: Sendable, Equatable {
    public var value: Double
    public var label: String
    public var role: ThemeRole

    public init(_ value: Double, label: String = "", role: ThemeRole = .baseline) {
      self.value = value
      self.label = label
      self.role = role
    }
  }

  /// Drawn in this order, later ones on top.
  public var series: [Series]
  /// nil: from the data, widened to round numbers.
  public var range: ClosedRange<Double>?
  /// How many positions the horizontal axis has; nil: as many as the longest series. A run of known length does not
  /// stretch while it grows.
  public var extent: Int?
  public var reference: Reference?
  /// Values above it are marked at the upper edge instead of stretching the axis; nil for none.
  public var ceiling: Double?
  public var format: ValueFormat
  /// Below the left and the right end of the horizontal axis.
  public var firstLabel: String
  public var lastLabel: String
  /// Shown instead when there is nothing to draw.
  public var emptyText: String

  public init(
    series: [Series], range: ClosedRange<Double>? = nil, extent: Int? = nil, reference: Reference? = nil,
    format: ValueFormat = .number, firstLabel: String = "", lastLabel: String = "", emptyText: String = ""
  ) {
    self.series = series
    self.range = range
    self.extent = extent
    self.reference = reference
    self.format = format
    self.firstLabel = firstLabel
    self.lastLabel = lastLabel
    self.emptyText = emptyText
  }

  /// Whether values lie above the ceiling.
  public var isCut: Bool {
    guard let ceiling else { return false }
    return series.contains { $0.values.contains { $0.map { $0.isFinite && $0 > ceiling } ?? false } }
  }

  public func draw(into frame: inout Frame, in rect: Rect, theme: Theme) {
    guard !rect.isEmpty else { return }
    var plot = rect
    let hasValues = series.contains { $0.values.contains { $0?.isFinite == true } }
    guard hasValues else {
      let middle = rect.centered(width: rect.width, height: 1)
      frame.put(emptyText, in: middle, style: theme[.dimmed], align: .center)
      return
    }
    let legend = legendSpans(theme: theme)
    if !legend.isEmpty, plot.height >= 5 {
      frame.put(legend, in: plot.row(0), style: theme[.dimmed], align: .trailing)
      plot = plot.splitTop(1).rest
    }
    var below = Rect(x: 0, y: 0, width: 0, height: 0)
    if !(firstLabel.isEmpty && lastLabel.isEmpty), plot.height >= 3 {
      (plot, below) = plot.splitTop(plot.height - 1)
    }
    let maximumTicks = min(6, (plot.height + 1) / 3 + 1)
    let reference = reference.flatMap { $0.value.isFinite ? $0 : nil }
    let all = series.flatMap { $0.values.compactMap { $0 } } + [reference?.value].compactMap { $0 }
    let values = ceiling.map { ceiling in all.map { $0.isFinite ? min($0, ceiling) : $0 } } ?? all
    guard let axis = ValueAxis(values: values, range: range, maximumTicks: maximumTicks, format: format) else {
      return
    }

    let gutter = drawAxis(axis, into: &frame, in: plot, theme: theme)
    plot = plot.inset(left: gutter)
    below = below.inset(left: gutter)
    drawCurves(axis, reference, into: &frame, in: plot, theme: theme)
    frame.put(lastLabel, in: below, style: theme[.dimmed], align: .trailing)
    let room = below.width - DisplayWidth.of(lastLabel) - 1
    if DisplayWidth.of(firstLabel) <= room { frame.put(firstLabel, in: below, style: theme[.dimmed]) }
  }

  private func legendSpans(theme: Theme) -> [Span] {
    let line = String(theme.glyphs.legendLine)
    var entries = series.enumerated().filter { !$0.element.label.isEmpty }.map { index, series in
      let marks = theme.glyphs.chartMarks
      let sign = theme.glyphs.hasBraille ? line + line : String(marks[index % marks.count])
      return [Span(sign, theme[series.role]), Span(" " + series.label)]
    }
    if let reference, !reference.label.isEmpty {
      let sign = String(repeating: theme.glyphs.separator, count: 2)
      entries.append([Span(sign, theme[reference.role]), Span(" " + reference.label)])
    }
    return Array(entries.joined(separator: [Span("  ")]))
  }

  /// Draws the tick labels and the axis line.
  /// - Returns: how many columns they take; 0 when the rectangle is too narrow for them.
  private func drawAxis(_ axis: ValueAxis, into frame: inout Frame, in plot: Rect, theme: Theme) -> Int {
    let labels = axis.ticks.map(axis.label)
    let width = (labels.map { DisplayWidth.of($0) }.max() ?? 0) + 2
    guard plot.width - width >= 8 else { return 0 }
    let lineX = plot.x + width - 1
    for y in plot.y..<plot.bottom { frame[lineX, y] = Cell(theme.glyphs.vertical, theme[.border]) }
    for (tick, label) in zip(axis.ticks, labels) {
      let row = plot.y + Self.step(axis.position(of: tick), of: plot.height)
      frame[lineX, row] = Cell(theme.glyphs.tick, theme[.border])
      let place = Rect(x: plot.x, y: row, width: width - 2, height: 1)
      frame.put(label, in: place, style: theme[.dimmed], align: .trailing)
    }
    return width
  }

  /// The step (a row or a dot) that shows a position of 0...1 from below, counted from above.
  private static func step(_ position: Double, of count: Int) -> Int {
    min(count - 1, max(0, Int(((1 - position) * Double(count - 1)).rounded())))
  }

  private func drawCurves(
    _ axis: ValueAxis, _ reference: Reference?, into frame: inout Frame, in plot: Rect, theme: Theme
  ) {
    guard !plot.isEmpty else { return }
    var grid = DotGrid(columns: plot.width, rows: plot.height, glyphs: theme.glyphs)
    let referenceOwner = series.count
    if let reference, axis.range.contains(reference.value) {
      let y = Self.step(axis.position(of: reference.value), of: grid.height)
      for x in stride(from: 0, to: grid.width, by: 2) { grid.set(x: x, y: y, owner: referenceOwner) }
    }
    let count = max(extent ?? 0, series.map(\.values.count).max() ?? 0)
    for (owner, series) in series.enumerated() {
      var previous: (x: Int, y: Int)?
      for point in Self.points(series.values, count: count, width: grid.width) {
        let dot = point.value.map { (x: point.x, y: Self.step(axis.position(of: $0), of: grid.height)) }
        if let dot { grid.line(from: previous ?? dot, to: dot, owner: owner) }
        previous = dot
      }
    }
    grid.draw(into: &frame, in: plot) { owner in
      if owner == referenceOwner { return theme[reference?.role ?? .baseline] }
      return theme[series[owner].role]
    }
    for (column, role) in cutColumns(width: plot.width, dots: grid.width) {
      frame[plot.x + column, plot.y] = Cell(theme.glyphs.upArrow, theme[role])
    }
  }

  /// The columns in which a value lies above the ceiling, with the role of its series.
  private func cutColumns(width: Int, dots: Int) -> [(Int, ThemeRole)] {
    guard let ceiling, dots > 0 else { return [] }
    let count = max(extent ?? 0, series.map(\.values.count).max() ?? 0)
    return series.flatMap { series in
      Self.points(series.values, count: count, width: dots).compactMap { point in
        point.value.map { $0 > ceiling } == true ? (min(width - 1, point.x * width / dots), series.role) : nil
      }
    }
  }

  /// The values as dots from left to right: spread over the width where there are few, averaged where several fall
  /// on one dot. A dot on which only gaps fall is a gap.
  static func points(_ values: [Double?], count: Int, width: Int) -> [(x: Int, value: Double?)] {
    var points: [(x: Int, value: Double?)] = []
    var sum = 0.0
    var summed = 0
    for (index, value) in values.enumerated() {
      let x = count > width ? index * width / count : count < 2 ? 0 : index * (width - 1) / (count - 1)
      if points.last?.x != x {
        points.append((x, nil))
        (sum, summed) = (0, 0)
      }
      if let value, value.isFinite {
        sum += min(max(value, -ValueAxis.largest), ValueAxis.largest)
        summed += 1
        points[points.count - 1].value = sum / Double(summed)
      }
    }
    return points
  }
}

// A line chart in cells: several series over one axis, an optional reference line, ticks with guide lines at the left,
// ticks and marks below, a legend above, a cursor. It draws numbers; what they mean is the caller's.

import Glibc

/// Curves over a common horizontal axis, whose positions are the indices of the values.
///
/// nil is a gap: neither zero nor bridged. NaN and infinite values are gaps too. Where there are more values than
/// dot columns, neighbors are averaged.
///
///     LineChart(
///       series: [.init([2.1, 1.4, nil, 0.9], role: .trainingCurve, label: "train")],
///       reference: .init(2.08, label: "guessing"), ticks: [.init(0, "1"), .init(1, "4")]
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

  /// A place on the horizontal axis, with what it says there.
  public struct Tick: Sendable, Equatable {
    /// 0 at the left end, 1 at the right.
    public var position: Double
    public var label: String

    public init(_ position: Double, _ label: String) {
      self.position = position
      self.label = label
    }
  }

  /// A sign on the horizontal axis, for something that happened there.
  public struct Mark: Sendable, Equatable {
    /// 0 at the left end, 1 at the right; others are not drawn.
    public var position: Double
    public var sign: Character
    public var role: ThemeRole

    public init(_ position: Double, _ sign: Character, role: ThemeRole) {
      self.position = position
      self.sign = sign
      self.role = role
    }
  }

  /// Where curves meet, they have the cells by turns.
  public var series: [Series]
  /// nil: from the data, widened to round numbers.
  public var range: ClosedRange<Double>?
  public var scale: ValueScale
  /// How many positions the horizontal axis has; nil: as many as the longest series. A run of known length does not
  /// stretch while it grows.
  public var extent: Int?
  public var reference: Reference?
  /// Values above it are marked at the upper edge instead of stretching the axis; nil for none.
  public var ceiling: Double?
  public var format: ValueFormat
  /// Below the horizontal axis; those that would run into an earlier one are left out.
  public var ticks: [Tick]
  /// Later ones lie on top.
  public var marks: [Mark] = []
  /// Where a vertical line stands, 0 at the left end and 1 at the right; nil for none.
  public var cursor: Double?
  /// Shown instead when there is nothing to draw.
  public var emptyText: String

  public init(
    series: [Series], range: ClosedRange<Double>? = nil, scale: ValueScale = .linear, extent: Int? = nil,
    reference: Reference? = nil, format: ValueFormat = .number, ticks: [Tick] = [], emptyText: String = ""
  ) {
    self.series = series
    self.range = range
    self.scale = scale
    self.extent = extent
    self.reference = reference
    self.format = format
    self.ticks = ticks
    self.emptyText = emptyText
  }

  /// Ticks at round numbers for a horizontal axis from one number to another, with the ends where they are none.
  /// - Parameters:
  ///   - width: of the axis in cells.
  ///   - unit: behind the last label, where there is room for it.
  public static func ticks(from lower: Double, to upper: Double, width: Int, unit: String = "") -> [Tick] {
    guard upper > lower, width > 1, (upper - lower).isFinite else { return [] }
    let raw = (upper - lower) / Double(max(1, width / 12))
    let power = pow(10, log10(raw).rounded(.down))
    let step = ([1, 2, 5].first { $0 * power >= raw * 0.999 } ?? 10) * power
    let first = Int((lower / step - 1e-9).rounded(.up))
    let last = Int((upper / step + 1e-9).rounded(.down))
    guard last - first < 1000 else { return [] }
    var ticks = (first...max(first, last)).map { index in
      Tick(
        min(max(0, (Double(index) * step - lower) / (upper - lower)), 1), Format.general(Double(index) * step))
    }
    if (ticks.first?.position ?? 1) > 0.02 { ticks.insert(Tick(0, Format.general(lower)), at: 0) }
    if (ticks.last?.position ?? 0) < 0.98 { ticks.append(Tick(1, Format.general(upper))) }
    if !unit.isEmpty, width >= 24 { ticks[ticks.count - 1].label += " " + unit }
    return ticks
  }

  /// Whether values lie above the ceiling.
  public var isCut: Bool {
    guard let ceiling else { return false }
    return series.contains { $0.values.contains { $0.map { $0.isFinite && $0 > ceiling } ?? false } }
  }

  /// - Returns: where the curves are, between the axes; nil where there is nothing to draw.
  @discardableResult
  public func draw(into frame: inout Frame, in rect: Rect, theme: Theme) -> Rect? {
    guard !rect.isEmpty else { return nil }
    var plot = rect
    let hasValues = series.contains { $0.values.contains { $0?.isFinite == true } }
    guard hasValues else {
      let middle = rect.centered(width: rect.width, height: 1)
      frame.put(emptyText, in: middle, style: theme[.dimmed], align: .center)
      return nil
    }
    let legend = legendSpans(theme: theme)
    if !legend.isEmpty, plot.height >= 5 {
      frame.put(legend, in: plot.row(0), style: theme[.dimmed], align: .trailing)
      plot = plot.splitTop(1).rest
    }
    let (upper, line, labels) = rows(of: plot)
    plot = upper
    let maximumTicks = min(7, (plot.height + 1) / 3 + 1)
    let reference = reference.flatMap { $0.value.isFinite ? $0 : nil }
    let all = series.flatMap { $0.values.compactMap { $0 } } + [reference?.value].compactMap { $0 }
    let values = ceiling.map { ceiling in all.map { $0.isFinite ? min($0, ceiling) : $0 } } ?? all
    guard
      let axis = ValueAxis(
        values: values, range: range, rows: plot.height, maximumTicks: maximumTicks, scale: scale, format: format)
    else {
      frame.put(
        "nothing above zero", in: plot.centered(width: plot.width, height: 1), style: theme[.dimmed], align: .center
      )
      return nil
    }

    let gutter = drawAxis(axis, into: &frame, in: plot, theme: theme)
    plot = plot.inset(left: gutter)
    drawCurves(axis, reference, into: &frame, in: plot, theme: theme)
    drawBaseline(into: &frame, in: line.inset(left: max(0, gutter - 1)), hasCorner: gutter > 0, theme: theme)
    let places = drawLabels(into: &frame, in: labels.inset(left: gutter), theme: theme)
    drawMarks(
      into: &frame, in: (line.isEmpty ? labels.isEmpty ? plot.row(plot.height - 1) : labels : line),
      from: plot, avoiding: line.isEmpty ? places : [], theme: theme)
    return plot
  }

  /// The plot, and below it the axis where there is room, and its labels.
  private func rows(of rect: Rect) -> (plot: Rect, line: Rect, labels: Rect) {
    let none = Rect(x: rect.x, y: rect.bottom, width: rect.width, height: 0)
    guard !ticks.isEmpty, rect.height >= 4 else { return (rect, none, none) }
    let (rest, labels) = rect.splitTop(rect.height - 1)
    guard rest.height >= 9 else { return (rest, none, labels) }
    let (plot, line) = rest.splitTop(rest.height - 1)
    return (plot, line, labels)
  }

  private static func column(_ position: Double, of width: Int) -> Int {
    Int((position * Double(width - 1)).rounded())
  }

  private func drawBaseline(into frame: inout Frame, in rect: Rect, hasCorner: Bool, theme: Theme) {
    guard !rect.isEmpty else { return }
    let style = theme[.border]
    for x in rect.x..<rect.right { frame[x, rect.y] = Cell(theme.glyphs.baseline, style) }
    let first = hasCorner ? rect.x + 1 : rect.x
    if hasCorner { frame[rect.x, rect.y] = Cell(theme.glyphs.bottomLeft, style) }
    for tick in ticks where (0...1).contains(tick.position) {
      frame[first + Self.column(tick.position, of: rect.right - first), rect.y] = Cell(
        theme.glyphs.baselineTick, style)
    }
  }

  /// - Returns: the columns that are taken.
  private func drawLabels(into frame: inout Frame, in rect: Rect, theme: Theme) -> [Range<Int>] {
    guard !rect.isEmpty else { return [] }
    var taken: [Range<Int>] = []
    // The ends first: they say what is shown.
    let order = ticks.indices.sorted { left, right in
      let isEnd = [left == 0 || left == ticks.count - 1, right == 0 || right == ticks.count - 1]
      return isEnd[0] != isEnd[1] ? isEnd[0] : left < right
    }
    for tick in order.map({ ticks[$0] }) where (0...1).contains(tick.position) {
      let width = DisplayWidth.of(tick.label)
      guard width > 0, width <= rect.width else { continue }
      let middle = rect.x + Self.column(tick.position, of: rect.width) - (width - 1) / 2
      let start = min(max(rect.x, middle), rect.right - width)
      let place = start..<(start + width)
      guard !taken.contains(where: { $0.lowerBound <= place.upperBound && place.lowerBound <= $0.upperBound })
      else {
        continue
      }
      taken.append(place)
      frame.put(tick.label, in: Rect(x: start, y: rect.y, width: width, height: 1), style: theme[.dimmed])
    }
    return taken
  }

  private func drawMarks(
    into frame: inout Frame, in rect: Rect, from plot: Rect, avoiding taken: [Range<Int>], theme: Theme
  ) {
    guard !rect.isEmpty, plot.width > 0 else { return }
    for mark in marks where (0...1).contains(mark.position) {
      let x = plot.x + Self.column(mark.position, of: plot.width)
      guard !taken.contains(where: { $0.contains(x) }) else { continue }
      frame[x, rect.y] = Cell(mark.sign, theme[mark.role])
    }
  }

  private func legendSpans(theme: Theme) -> [Span] {
    let line = String(theme.glyphs.legendLine)
    var entries = series.enumerated().filter { !$0.element.label.isEmpty }.map { index, series in
      let marks = theme.glyphs.chartMarks
      let sign = theme.glyphs.chartDots == .marks ? String(marks[index % marks.count]) : line + line
      return [Span(sign, theme[series.role]), Span(" " + series.label)]
    }
    if let reference, !reference.label.isEmpty {
      let sign = String(repeating: theme.glyphs.separator, count: 2)
      entries.append([Span(sign, theme[reference.role]), Span(" " + reference.label)])
    }
    return Array(entries.joined(separator: [Span("  ")]))
  }

  /// Draws the tick labels, the axis line and the lines that lead from the ticks through the plot.
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
      // The lowest would lie on the axis below.
      guard row < plot.bottom - 1 || ticks.isEmpty else { continue }
      let isSparse = theme.glyphs.chartDots == .marks
      for x in stride(from: lineX + (isSparse ? 2 : 1), to: plot.right, by: isSparse ? 4 : 1) {
        frame[x, row] = Cell(theme.glyphs.guide, theme[.border])
      }
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
    if let cursor, (0...1).contains(cursor) {
      let x = plot.x + Self.column(cursor, of: plot.width)
      for y in plot.y..<plot.bottom { frame[x, y] = Cell(theme.glyphs.cursor, theme[.text]) }
    }
    if let reference, axis.range.contains(reference.value) {
      // On a grid of its own, below the curves: it is no curve that would share cells with them.
      var grid = DotGrid(columns: plot.width, rows: plot.height, glyphs: theme.glyphs)
      let y = Self.step(axis.position(of: reference.value), of: grid.height)
      for x in stride(from: 0, to: grid.width, by: 2) { grid.set(x: x, y: y, owner: series.count) }
      grid.draw(into: &frame, in: plot) { _ in theme[reference.role] }
    }
    var grid = DotGrid(columns: plot.width, rows: plot.height, glyphs: theme.glyphs)
    let count = max(extent ?? 0, series.map(\.values.count).max() ?? 0)
    for (owner, series) in series.enumerated() {
      var previous: (x: Int, y: Int)?
      for point in Self.points(series.values, count: count, width: grid.width) {
        let value = point.value.flatMap { scale == .linear || $0 > 0 ? $0 : nil }
        let dot = value.map { (x: point.x, y: Self.step(axis.position(of: $0), of: grid.height)) }
        if let dot { grid.line(from: previous ?? dot, to: dot, owner: owner) }
        previous = dot
      }
    }
    grid.draw(into: &frame, in: plot) { theme[series[$0].role] }
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

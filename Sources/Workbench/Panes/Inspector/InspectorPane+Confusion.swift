// The inspector's confusion matrix: a heat map of counts or shares with a cursor, recall at the right, precision below,
// as many classes as there is room for.

import Canvas
import Messages

extension InspectorPane {
  static func confusionLayout(_ report: EvaluationReport, _ state: WorkbenchState, in rect: Rect) -> ConfusionLayout
  {
    // Of ten thousand classes only those in view are looked at; names are cut anyway.
    let widest = report.classes.prefix(200).map { $0.name.columns }.max() ?? 0
    return ConfusionLayout(state.inspector.confusion, widestName: widest, notes: notes(of: report).count, in: rect)
  }

  static func drawConfusion(
    _ report: EvaluationReport, _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let confusion = state.inspector.confusion
    let layout = confusionLayout(report, state, in: rect)
    drawTotals(report, into: &frame, in: layout.header, theme: theme)
    guard layout.columns > 0, layout.body.height > 0, !confusion.order.isEmpty else {
      let text = confusion.order.isEmpty ? "this evaluation has no matrix" : "too narrow for the matrix: z"
      frame.put(notice: text, in: rect.splitTop(layout.header.height).rest, style: theme[.dimmed])
      return
    }
    let columns = confusion.columns(in: layout.columns)
    let predicted = layout.label < 12 ? "pred." : "predicted"
    let words = "\(confusion.isFlipped ? predicted : "true") \(theme.glyphs.downArrow)"
    frame.put(words, in: layout.heading.splitLeft(layout.label).left, style: theme[.dimmed])
    for (place, column) in columns.enumerated() {
      let isChosen = column == confusion.column
      frame.put(
        heading(report.className(confusion.order[column]), width: layout.cell - 1),
        in: Rect(
          x: layout.heading.x + layout.label + place * layout.cell, y: layout.heading.y, width: layout.cell - 1,
          height: 1), style: theme[isChosen ? .focusedTitle : .header], align: .center)
    }
    let margin = Rect(
      x: layout.heading.x + layout.label + columns.count * layout.cell, y: layout.heading.y,
      width: ConfusionLayout.margin, height: 1)
    frame.put(
      confusion.isFlipped ? "prec." : "recall", in: margin, style: theme[.dimmed], align: .trailing)
    for (line, row) in confusion.rows(in: layout.body.height).enumerated() {
      drawRow(row, columns, report, state, layout, into: &frame, in: layout.body.row(line), theme: theme)
    }
    guard !layout.precision.isEmpty else { return }
    let foot = layout.precision
    let name = confusion.isFlipped ? "recall" : layout.label < 11 ? "prec." : "precision"
    frame.put(name, in: foot.splitLeft(layout.label).left, style: theme[.dimmed])
    for (place, column) in columns.enumerated() {
      let entry = metrics(confusion.order[column], report)
      frame.put(
        percent(confusion.isFlipped ? entry?.recall : entry?.precision),
        in: Rect(x: foot.x + layout.label + place * layout.cell, y: foot.y, width: layout.cell - 1, height: 1),
        style: theme[.dimmed], align: .center)
    }
    frame.put(
      percent(report.top1), in: Rect(x: margin.x, y: foot.y, width: margin.width, height: 1),
      style: theme[.success],
      align: .trailing)
  }

  private static func drawRow(
    _ row: Int, _ columns: Range<Int>, _ report: EvaluationReport, _ state: WorkbenchState,
    _ layout: ConfusionLayout,
    into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let confusion = state.inspector.confusion
    let entry = metrics(confusion.order[row], report)
    frame.put(
      report.className(confusion.order[row]), in: rect.splitLeft(layout.label - 1).left,
      style: theme[row == confusion.row ? .focusedTitle : .text], truncate: .middle)
    for (place, column) in columns.enumerated() {
      let (truth, predicted) = confusion.cell(row: row, column: column)
      let count = report.confusion[truth, predicted]
      let isChosen = row == confusion.row && column == confusion.column
      let cell = Rect(x: rect.x + layout.label + place * layout.cell, y: rect.y, width: layout.cell, height: 1)
      draw(
        count, ofTruth: confusion.truthTotals[truth], isRight: truth == predicted, isChosen: isChosen, state,
        into: &frame, in: cell, theme: theme)
    }
    let recall = confusion.isFlipped ? entry?.precision : entry?.recall
    frame.put(
      percent(recall),
      in: Rect(
        x: rect.x + layout.label + columns.count * layout.cell, y: rect.y, width: ConfusionLayout.margin, height: 1),
      style: theme[.text], align: .trailing)
  }

  /// A count with its ground; without shades of color, between characters that are the denser the higher it is.
  private static func draw(
    _ count: Int, ofTruth total: Int, isRight: Bool, isChosen: Bool, _ state: WorkbenchState,
    into frame: inout Frame,
    in rect: Rect, theme: Theme
  ) {
    let share = total > 0 ? Double(count) / Double(total) : 0
    let role: ThemeRole = isRight ? .success : .error
    // Small shares off the diagonal are what one looks for: they are lifted.
    let weight = isRight ? share : share.squareRoot()
    let text =
      count == 0
      ? String(theme.glyphs.separator) : state.inspector.confusion.showsShares ? percent(share) : "\(count)"
    let inner = rect.splitLeft(rect.width - 1).left
    var style = count == 0 ? theme[.dimmed] : theme.hasShadesOfColor ? theme.heat(role, weight) : theme[role]
    if isChosen { style = theme.selection(focused: state.focus == .inspector) }
    if count > 0 || isChosen { frame.fill(inner, style: style) }
    let isShaded = count > 0 && !isChosen && !theme.hasShadesOfColor
    if isShaded { frame.fill(inner, style: style, with: theme.density(weight)) }
    let shown = isShaded ? " \(text) " : text
    frame.put(shown.columns > inner.width ? text : shown, in: inner, style: style, align: .center)
    guard isChosen else { return }
    // The brackets of the cursor are seen without any color too.
    let bracket = theme[.focusedTitle]
    frame[inner.x - 1, inner.y] = Cell("[", bracket)
    frame[inner.right, inner.y] = Cell("]", bracket)
  }

  /// nil for a label that the report says nothing of.
  private static func metrics(_ label: Int, _ report: EvaluationReport) -> ClassMetrics? {
    report.classes.indices.contains(label) ? report.classes[label] : nil
  }

  /// A name as far as a column is wide.
  private static func heading(_ name: String, width: Int) -> String {
    String(Sanitizer.sanitized(name).prefix(max(1, width)))
  }

  /// Without decimals: columns are narrow.
  private static func percent(_ share: Double?) -> String { Format.percent(share, decimals: 0) }

  /// What the cursor is on, in words: `disc → hexagon, 7 of 40`.
  static func cellText(_ report: EvaluationReport, _ confusion: ConfusionState, theme: Theme) -> String {
    guard let truth = confusion.truth, let predicted = confusion.predicted else { return "" }
    let count = report.confusion[truth, predicted]
    let names =
      truth == predicted
      ? "\(report.className(truth)), right"
      : "\(report.className(truth)) \(theme.glyphs.rightArrow) \(report.className(predicted))"
    return "\(names), \(Format.count(count)) of \(Format.count(confusion.truthTotals[truth]))"
  }

  /// The totals, and below them what limits them.
  static func drawTotals(_ report: EvaluationReport, into frame: inout Frame, in rect: Rect, theme: Theme) {
    var pieces: [[Span]] = [
      [Span("top-1 ", theme[.dimmed]), Span(Format.percent(report.top1), theme[.success])],
      [Span("loss ", theme[.dimmed]), Span(Format.loss(report.loss))],
      [
        Span(
          Format.count(report.images) + (report.split == .all ? " images" : " \(report.split.title) images"),
          theme[.dimmed])
      ],
      [Span("top-5 ", theme[.dimmed]), Span(Format.percent(report.top5))],
      [Span("balanced ", theme[.dimmed]), Span(Format.percent(report.balancedAccuracy))],
    ]
    if let error = report.calibrationError {
      pieces.append([Span("ECE ", theme[.dimmed]), Span(Format.percent(error))])
    }
    frame.put(pieces: pieces, in: rect.row(0), style: theme[.text])
    for (row, note) in notes(of: report).enumerated() {
      frame.put(note, in: rect.row(1 + row), style: theme[.warning])
    }
  }
}

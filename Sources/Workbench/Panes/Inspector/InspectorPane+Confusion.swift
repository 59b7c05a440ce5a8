// The inspector's confusion matrix: true classes down, predicted ones across, as many as there is room for.

import Canvas
import Messages

extension InspectorPane {
  static func drawConfusion(
    _ report: EvaluationReport, _ state: WorkbenchState, _ areas: PaneAreas, into frame: inout Frame, theme: Theme
  ) {
    // Only what is in view is looked at: there may be ten thousand classes.
    let matrix = report.confusion
    let label = min(state.inspector.confusionLabel, max(6, areas.table.width / 3))
    let cell = state.inspector.confusionDigits + 1
    let across = (areas.table.width - label - 1) / cell
    guard across > 0 else { return }
    let first = max(0, min(state.inspector.confusionColumn, matrix.classes - across))
    let columns = first..<min(matrix.classes, first + across)
    let scrolls = matrix.classes > across || matrix.classes > areas.body.height
    frame.put(
      facts: [
        "rows true, columns predicted", scrolls ? "arrows scroll" : "", "top-1 \(Format.percent(report.top1))",
      ], in: areas.header, theme: theme, style: theme[.dimmed])

    let head = areas.table.row(0).inset(left: label)
    for (place, column) in columns.enumerated() {
      frame.put(
        "\(column)", in: Rect(x: head.x + place * cell, y: head.y, width: cell, height: 1), style: theme[.header],
        align: .trailing)
    }
    let list = state.inspector.confusionRows
    let window = list.window(height: areas.body.height)
    for (line, position) in window.enumerated() {
      guard let row = list.item(at: position) else { continue }
      let rect = areas.body.row(line)
      let selected = position == list.selected
      let ground = selected ? theme.selection(focused: state.focus == .inspector) : theme[.text]
      if selected { frame.fill(rect.splitLeft(label + columns.count * cell).left, style: ground) }
      frame.put(confusionLabel(row, report), in: rect.splitLeft(label).left, style: ground, truncate: .middle)
      let total = matrix.total(ofRow: row)
      for (place, column) in columns.enumerated() {
        let count = matrix[row, column]
        var style = theme[role(count, of: total, onDiagonal: row == column)]
        if selected { (style.background, style.reverse) = (ground.background, ground.reverse) }
        frame.put(
          count == 0 ? String(theme.glyphs.separator) : "\(count)",
          in: Rect(x: rect.x + label + place * cell, y: rect.y, width: cell, height: 1), style: style,
          align: .trailing)
      }
    }
  }

  /// A row's number, which its column has too, and its class.
  static func confusionLabel(_ row: Int, _ report: EvaluationReport) -> String { "\(row) \(report.className(row))" }

  /// A tenth of a class is a lot of mistakes of one kind.
  private static func role(_ count: Int, of total: Int, onDiagonal: Bool) -> ThemeRole {
    if onDiagonal { return .success }
    if count == 0 { return .dimmed }
    return count * 10 >= total ? .error : .warning
  }
}

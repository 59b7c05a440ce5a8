// The inspector's confusion matrix: true classes down, predicted ones across, as many as there is room for.

import Canvas
import Messages

extension InspectorPane {
  static func drawConfusion(
    _ report: EvaluationReport, _ state: WorkbenchState, _ areas: PaneAreas, into frame: inout Frame, theme: Theme
  ) {
    let matrix = report.confusion
    let labels = matrix.indices.map { "\($0) \(report.className($0))" }
    let label = min(labels.map(\.columns).max() ?? 0, max(6, areas.table.width / 3))
    let largest = matrix.flatMap { $0 }.max() ?? 0
    let cell = max("\(largest)".count, "\(max(0, matrix.count - 1))".count) + 1
    let across = (areas.table.width - label - 1) / cell
    guard across > 0 else { return }
    let first = max(0, min(state.inspector.confusionColumn, matrix.count - across))
    let columns = first..<min(matrix.count, first + across)
    let scrolls = matrix.count > across || matrix.count > areas.body.height
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
      frame.put(labels[row], in: rect.splitLeft(label).left, style: ground, truncate: .middle)
      let total = matrix[row].reduce(0, +)
      for (place, column) in columns.enumerated() {
        let count = matrix[row].indices.contains(column) ? matrix[row][column] : 0
        var style = theme[role(count, of: total, onDiagonal: row == column)]
        if selected { (style.background, style.reverse) = (ground.background, ground.reverse) }
        frame.put(
          count == 0 ? String(theme.glyphs.separator) : "\(count)",
          in: Rect(x: rect.x + label + place * cell, y: rect.y, width: cell, height: 1), style: style,
          align: .trailing)
      }
    }
  }

  /// A tenth of a class is a lot of mistakes of one kind.
  private static func role(_ count: Int, of total: Int, onDiagonal: Bool) -> ThemeRole {
    if onDiagonal { return .success }
    if count == 0 { return .dimmed }
    return count * 10 >= total ? .error : .warning
  }
}

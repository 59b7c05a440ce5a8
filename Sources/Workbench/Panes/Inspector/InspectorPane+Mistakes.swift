// The inspector's misclassified images, one at a time: the picture as large as fits, and beside it what it is, what it
// was predicted to be and how sure the network was.

import Canvas
import Messages

extension InspectorPane {
  static func drawMistakes(
    _ report: EvaluationReport, _ state: WorkbenchState, _ areas: PaneAreas, into frame: inout Frame, theme: Theme,
    pictures: inout DrawnPictures
  ) {
    let list = state.inspector.mistakes
    guard let mistake = state.inspector.selectedMistake, let path = state.inspector.mistakePath else {
      let text = report.mistakes == 0 ? "no mistakes at all" : "no mistake matches the filter"
      frame.put(notice: text, in: areas.table, style: theme[report.mistakes == 0 ? .success : .dimmed])
      return
    }
    // A screen is told of so many mistakes only.
    let cut = report.mistakes > report.misclassified.count ? " (\(Format.count(report.mistakes)) in all)" : ""
    let place = "\(Format.count(list.selected + 1)) of \(Format.count(list.count))\(cut)"
    var head = [Span(place, theme[.header]), Span("  ")]
    // What was decided since, in the words of the dataset pane: the class is the one it has now.
    if let image = state.mistakenImage, let decision = image.decision {
      let now = decision == .excluded ? decision.title : "now \(image.className ?? "")"
      head += [Span(now, theme[.warning]), Span("  ")]
    }
    let (left, right) = areas.header.row(0).splitLeft(head.reduce(0) { $0 + $1.text.columns })
    frame.put(head, in: left, style: theme[.text])
    frame.put(mistake.path, in: right, style: theme[.dimmed], truncate: .start)

    let area = areas.table
    let side = max(18, min(36, area.width / 2))
    let picture = max(0, min(area.height * 2, area.width - side - 1))
    // The picture keeps its room also in a wide pane: text beside it, not far away from it.
    let block = area.splitLeft(max(picture, area.width - max(side, area.width / 3) - 1))
    frame.put(picture: state.pictures[path], in: block.left, theme: theme, drawn: &pictures)
    drawVerdict(mistake, report, into: &frame, in: block.rest.inset(left: 1), theme: theme)
  }

  private static func drawVerdict(
    _ mistake: Misclassification, _ report: EvaluationReport, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let predicted = mistake.top.first
    let name = predicted.map { report.className($0.label) } ?? Format.absent
    // In a narrow pane the names matter more than the words before them.
    let words = rect.width < 24 ? ("true", "pred") : ("true", "predicted")
    let rows = [
      (words.0, report.className(mistake.truth), theme[.success]),
      (words.1, name, theme[.error]),
    ]
    for (row, entry) in rows.enumerated() {
      let line = rect.row(row).splitLeft(DisplayWidth.of(words.1) + 1)
      frame.put(entry.0, in: line.left, style: theme[.dimmed])
      frame.put(entry.1, in: line.rest, style: entry.2, truncate: .middle)
    }
    let gap = rect.height >= mistake.top.count + 4 ? 1 : 0
    let bars = rect.splitTop(2 + gap).rest
    var shown = mistake.top
    if !shown.contains(where: { $0.label == mistake.truth }) {
      shown =
        Array(shown.prefix(max(0, bars.height - 1)))
        + [ClassProbability(label: mistake.truth, probability: mistake.truthProbability)]
    }
    let names = min(
      shown.map { report.className($0.label).columns }.max() ?? 0, max(4, rect.width - 12))
    for (row, entry) in shown.prefix(bars.height).enumerated() {
      let isTrue = entry.label == mistake.truth
      let line = bars.row(row)
      frame.put(
        report.className(entry.label), in: line.splitLeft(names).left,
        style: theme[isTrue ? .success : row == 0 ? .error : .text], truncate: .middle)
      let rest = line.inset(left: names + 1)
      let (bar, share) = rest.splitLeft(rest.width - 7)
      Bar(entry.probability, role: isTrue ? .barThird : row == 0 ? .bar : .barSecond)
        .draw(into: &frame, in: bar, theme: theme)
      frame.put(Format.percent(entry.probability), in: share, style: theme[.text], align: .trailing)
    }
  }
}

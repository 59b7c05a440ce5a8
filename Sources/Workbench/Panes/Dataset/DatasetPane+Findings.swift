// The dataset pane's findings: what is wrong, most severe first, and below the list all that there is to say of the
// chosen one, with what to do about it.

import Canvas
import Messages

extension DatasetPane {
  /// Rows for the whole text of the chosen finding.
  static func findingRows(in inner: Rect) -> Int { min(8, inner.height / 2) }

  static func drawFindings(
    _ report: DatasetReport, _ state: WorkbenchState, _ areas: PaneAreas, into frame: inout Frame, theme: Theme
  ) {
    drawCounts(report, into: &frame, in: areas.header, theme: theme)
    let list = state.dataset.findings
    guard list.total > 0 else {
      let text =
        report.statistics == nil
        ? "No problems with names and folders. c checks every file."
        : "\(Format.counted(report.checkedFiles, "file")) checked, no problems"
      frame.put(notice: text, in: areas.table, style: theme[.success])
      return
    }
    let wide = areas.table.width >= 76
    var columns = [Table.Column("", width: .fixed(1)), Table.Column("", width: .flexible(minimum: 8, weight: 1))]
    if wide {
      let kinds = Set(report.findings.map(\.kind)).map(\.title.columns).max() ?? 0
      columns.insert(Table.Column("", width: .fixed(kinds)), at: 1)
      columns.append(Table.Column("", width: .fixed(11), alignment: .trailing))
    }
    Table.of(
      list, columns: columns, height: areas.body.height, focused: state.focus == .dataset, showsHeader: false
    ) { item in
      let finding = report.findings[item]
      let style = theme[finding.severity.role]
      let mark = Table.Content.spans([Span(finding.severity.mark(theme.glyphs), style)])
      let message = Table.Content.spans([Span(finding.message, wide ? theme[.text] : style)])
      guard wide else { return [mark, message] }
      let files = finding.paths.isEmpty ? "" : Format.counted(finding.paths.count, "file")
      return [mark, .spans([Span(finding.kind.title, style)]), message, .spans([Span(files, theme[.dimmed])])]
    }.draw(into: &frame, in: areas.table, theme: theme)
    guard let finding = state.dataset.selectedFinding else { return }
    drawDetail(of: finding, into: &frame, in: footer(state, areas), theme: theme)
  }

  private static func drawCounts(_ report: DatasetReport, into frame: inout Frame, in rect: Rect, theme: Theme) {
    let counts = report.findingSpans(Set(DatasetFinding.Severity.allCases), theme: theme)
    let title = counts.isEmpty ? [Span("no findings", theme[.success])] : counts
    let contents =
      report.statistics == nil
      ? [Span("c", theme[.hintKey]), Span(" checks the files", theme[.dimmed])]
      : [Span("f", theme[.hintKey]), Span(" statistics", theme[.dimmed])]
    frame.put(
      pieces: [[Span(String(theme.glyphs.leftArrow) + " ", theme[.header])] + title, contents], in: rect,
      style: theme[.text])
  }

  private static func drawDetail(
    of finding: DatasetFinding, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let head = [
      [Span("\(finding.severity.rawValue): \(finding.kind.title)", theme[finding.severity.role])],
      finding.paths.isEmpty
        ? []
        : [
          Span("Enter", theme[.hintKey]),
          Span(" shows \(Format.counted(finding.paths.count, "file"))", theme[.dimmed]),
        ],
    ]
    frame.put(pieces: head.filter { !$0.isEmpty }, in: rect.row(0), style: theme[.text])
    let room = rect.splitTop(1).rest
    let message = Paragraph.wrapped(finding.message, width: room.width)
    guard !finding.advice.isEmpty else {
      frame.put(lines: message.clipped(to: room.height), in: room, style: theme[.text])
      return
    }
    // The advice keeps at least half of the room: it is what the person came for.
    let arrow = String(theme.glyphs.rightArrow) + " "
    let advice = Paragraph.wrapped(finding.advice, width: room.width - arrow.columns)
    let upper = min(message.count, max(room.height - advice.count, room.height / 2))
    let (top, rest) = room.splitTop(upper)
    frame.put(lines: message.clipped(to: upper), in: top, style: theme[.text])
    frame.put(arrow, in: rest.row(0), style: theme[.hintKey])
    let below = rest.inset(left: arrow.columns)
    frame.put(lines: advice.clipped(to: below.height), in: below, style: theme[.text])
  }
}

extension [String] {
  /// At most so many lines; the last one then holds all that is left, for whoever draws it to cut.
  func clipped(to rows: Int) -> [String] {
    guard rows > 0, count > rows else { return Array(prefix(Swift.max(0, rows))) }
    return prefix(rows - 1) + [self[(rows - 1)...].joined(separator: " ")]
  }
}

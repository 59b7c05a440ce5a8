// The dataset pane's first level: the classes with their counts, the totals above and what is wrong below.

import Canvas
import Messages

extension DatasetPane {
  static let splitRoles: [(split: Split, title: String, role: ThemeRole)] = [
    (.train, "train", .bar), (.validation, "val", .barSecond), (.test, "test", .barThird),
  ]

  static func drawClasses(
    _ report: DatasetReport, _ state: WorkbenchState, _ areas: PaneAreas, into frame: inout Frame, theme: Theme
  ) {
    drawTotals(report, state, into: &frame, in: areas.header, theme: theme)
    var inner = areas.header
    inner.height = areas.header.height + areas.table.height + areas.footer.height
    drawFindingsBelow(report, state, into: &frame, in: footer(state, areas), of: inner, theme: theme)
    let wide = areas.table.width >= 40
    let list = state.dataset.classes
    let name = max(8, min((report.classes.map(\.name.columns).max() ?? 0) + 1, areas.table.width / 3))
    let hasExcluded = report.excluded > 0
    let titles = (wide ? splitRoles.map(\.title) : ["images"]) + (hasExcluded ? ["excl."] : [])
    let scrolls = list.count > areas.body.height ? 1 : 0
    let bar = max(0, areas.table.width - scrolls - name - titles.count * 7 - 1)
    let recalls = state.shownValidation.map { ShownRecalls($0, classes: state.curves.run?.classes ?? []) }
    let recallColumns = recalls.map { RecallColumns(room: bar, epoch: $0.epoch) }
    let columns =
      [Table.Column("class", width: .flexible(minimum: name, weight: 1), truncation: .middle)]
      + titles.map { Table.Column($0, width: .fixed(6), alignment: .trailing) }
      + (recallColumns?.columns(theme) ?? [Table.Column("", width: .fixed(bar))])
    let table = Table.of(list, columns: columns, height: areas.body.height, focused: state.focus == .dataset) {
      item in
      let entry = report.classes[item]
      let counts = wide ? splitRoles.map { entry.counts[$0.split] } : [entry.counts.total]
      var cells = [.text(entry.name)] + counts.map { Table.Content.text($0 == 0 ? "-" : Format.count($0)) }
      if hasExcluded {
        let out = entry.excluded
        cells.append(out == 0 ? .text("-") : .spans([Span(Format.count(out), theme[.warning])]))
      }
      return cells + (recallColumns?.cells(recalls?.recall(of: entry.name), theme) ?? [.text("")])
    }
    table.draw(into: &frame, in: areas.table, theme: theme)
    // Recall is what moves while a run trains.
    guard bar >= 5, recalls == nil else { return }
    let place = Rect(x: areas.table.right - scrolls - bar, y: areas.table.y, width: bar, height: 1)
    let counts = place.x - 7 * titles.count
    drawBars(report, list, countsFrom: wide ? counts : nil, place, areas, into: &frame, theme: theme)
  }

  /// The bars stand over the table's last column, which is empty.
  /// - Parameter countsFrom: where the columns of the counts begin; nil where there is one for all splits.
  private static func drawBars(
    _ report: DatasetReport, _ list: BrowsableList, countsFrom: Int?, _ place: Rect, _ areas: PaneAreas,
    into frame: inout Frame, theme: Theme
  ) {
    // What the colors mean is told by the headings of the counts, or by words where there are no such columns.
    if let countsFrom {
      for (index, entry) in splitRoles.enumerated() {
        var style = theme[entry.role]
        style.bold = true
        let heading = Rect(x: countsFrom + 7 * index, y: place.y, width: 6, height: 1)
        frame.put(entry.title, in: heading, style: style, align: .trailing)
      }
    } else if place.width >= 15 {
      frame.put(
        pieces: splitRoles.map { [Span($0.title, theme[$0.role])] }, in: place, style: theme[.header])
    }
    let largest = max(1, report.classes.map(\.counts.total).max() ?? 1)
    for (row, position) in list.window(height: areas.body.height).enumerated() {
      guard let item = list.item(at: position) else { continue }
      let counts = report.classes[item].counts
      let segments = splitRoles.map { Bar.Segment(Double(counts[$0.split]) / Double(largest), role: $0.role) }
      let line = Rect(x: place.x, y: areas.body.y + row, width: place.width, height: 1)
      Bar(segments).draw(into: &frame, in: line, theme: theme)
    }
  }

  private static func drawTotals(
    _ report: DatasetReport, _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    switch state.dataset.reading {
    case .scanning(let files, _):
      let sign = spinner(at: state.time, theme: theme)
      frame.put(
        facts: ["\(sign) reading again: \(Format.counted(files, "image"))", "Esc cancels"], in: rect, theme: theme)
    case .checking(let progress): drawInspecting(progress, into: &frame, in: rect, theme: theme)
    case .done, .cancelled, .failed:
      let counts = report.counts
      let totals = [
        Format.counted(counts.total, "image"),
        Format.counted(report.classes.count, "class", plural: "classes"),
        report.excluded > 0 ? "\(Format.count(report.excluded)) excluded" : "",
      ]
      let parts = splitRoles.map { "\($0.title) \(Format.count(counts[$0.split]))" }
      let long = parts.joined(separator: " ")
      let fits = (totals + [long]).reduce(9) { $0 + $1.columns } <= rect.width
      let splits = fits ? long : splitRoles.map { Format.count(counts[$0.split]) }.joined(separator: "/")
      frame.put(
        facts: totals + [
          splits, report.splitSource.title,
          report.statistics?.undecodable.isEmpty == true ? "every file decodes" : "",
        ], in: rect, theme: theme)
    }
  }

  // MARK: Below the classes

  /// Rows for what is wrong and, in a pane that fills the screen, for the command that says it in a shell.
  static func rowsBelowClasses(_ state: WorkbenchState, in inner: Rect) -> Int {
    rowsOfFindings(state, in: inner) + (hasConfusedRow(state, in: inner) ? 1 : 0)
  }

  private static func rowsOfFindings(_ state: WorkbenchState, in inner: Rect) -> Int {
    let count = state.dataset.report?.findings.count ?? 0
    return state.zoomed ? min(count, max(1, inner.height / 4)) + 2 : count > 0 ? 1 : 0
  }

  /// Whether there is a row for the two classes that are confused the most: all classes are in view all the same.
  private static func hasConfusedRow(_ state: WorkbenchState, in inner: Rect) -> Bool {
    guard let classes = state.dataset.report?.classes.count, state.shownValidation?.confused != nil else {
      return false
    }
    return inner.height - 2 - rowsOfFindings(state, in: inner) > classes
  }

  private static func drawFindingsBelow(
    _ report: DatasetReport, _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, of inner: Rect,
    theme: Theme
  ) {
    var rect = rect
    if hasConfusedRow(state, in: inner), let text = confusedText(state, theme: theme) {
      let (first, rest) = rect.splitTop(1)
      frame.put("! \(text)", in: first, style: theme[.warning])
      rect = rest
    }
    if state.zoomed {
      for (row, finding) in report.findings.prefix(max(0, rect.height - 2)).enumerated() {
        frame.put(line(of: finding, theme: theme), in: rect.row(row + 1))
      }
      frame.put(
        "$ " + ShellCommand.check(state.dataset.path, state.settings.split), in: rect.row(rect.height - 1),
        style: theme[.dimmed])
      return
    }
    guard let mostSevere = report.findings.first else { return }
    frame.put(line(of: mostSevere, theme: theme), in: rect.row(0))
  }

  /// A finding on one line.
  private static func line(of finding: DatasetFinding, theme: Theme) -> [Span] {
    let style = theme[finding.severity.role]
    return [Span(finding.severity.mark(theme.glyphs) + " ", style), Span(finding.message, style)]
  }
}

extension SplitSource {
  var title: String {
    switch self {
    case .folders: "split by folder"
    case .hash: "split by hash"
    case .lists: "split by lists"
    }
  }
}

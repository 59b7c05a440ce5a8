// The dataset pane's files, of a class or of a finding: the list with what was decided, and a picture of the chosen one
// beside it.

import Canvas
import Messages

extension DatasetPane {
  /// Columns for the picture: as square as a terminal's cells allow, and never at the names' expense.
  static func pictureWidth(in inner: Rect, below rows: Int) -> Int {
    guard inner.width >= 30 else { return 0 }
    let square = min((inner.height - rows) * 2, inner.width * 3 / 4)
    return min(inner.width - 24, max(inner.width / 2, square))
  }

  /// A class needs its name; a finding all that it says, in a quarter of the pane at most, so that files are left.
  static func headerRows(of source: DatasetState.FileSource, in inner: Rect) -> Int {
    switch source {
    case .classNamed: 1
    case .finding(let finding):
      1 + min(Paragraph.wrapped(finding.text, width: inner.width).count, max(1, inner.height / 4))
    }
  }

  static func drawFiles(
    of source: DatasetState.FileSource, _ report: DatasetReport, _ state: WorkbenchState, _ areas: PaneAreas,
    into frame: inout Frame, theme: Theme, pictures: inout DrawnPictures
  ) {
    drawHeader(of: source, report, state.dataset.files, into: &frame, in: areas.header, theme: theme)
    drawList(of: source, state, areas, into: &frame, theme: theme)
    guard let file = state.dataset.selectedFile, let path = state.dataset.selectedPath else { return }
    drawFacts(of: file, into: &frame, in: footer(state, areas).row(0), theme: theme)
    frame.put(picture: state.pictures[path], in: areas.side, theme: theme, drawn: &pictures)
  }

  private static func drawHeader(
    of source: DatasetState.FileSource, _ report: DatasetReport, _ list: BrowsableList, into frame: inout Frame,
    in rect: Rect, theme: Theme
  ) {
    let place = list.count == 0 ? "no files" : "\(Format.count(list.selected + 1)) of \(Format.count(list.count))"
    let back = Span(String(theme.glyphs.leftArrow) + " ", theme[.header])
    var pieces: [[Span]]
    switch source {
    case .classNamed(let name):
      pieces = [[back, Span(name, theme[.header])], [Span(place, theme[.dimmed])]]
      let out = report.classes.first { $0.name == name }?.excluded ?? 0
      if out > 0 { pieces.append([Span("\(Format.count(out)) excluded", theme[.warning])]) }
    case .finding(let finding):
      let style = theme[finding.severity.role]
      pieces = [
        [back, Span(finding.severity.mark(theme.glyphs) + " " + finding.kind.title, style)],
        [Span(place, theme[.dimmed])],
      ]
      if !report.findings.contains(finding) { pieces.append([Span("settled", theme[.success])]) }
      let text = Paragraph.wrapped(finding.text, width: rect.width).clipped(to: rect.height - 1)
      frame.put(lines: text, in: rect.splitTop(1).rest, style: theme[.text])
    }
    frame.put(pieces: pieces, in: rect.row(0), style: theme[.text])
  }

  private static func drawList(
    of source: DatasetState.FileSource, _ state: WorkbenchState, _ areas: PaneAreas, into frame: inout Frame,
    theme: Theme
  ) {
    let list = state.dataset.files
    let files = state.dataset.listed
    let shown = list.window(height: areas.body.height).compactMap { list.item(at: $0) }.map { files[$0] }
    let decision = min(shown.compactMap { $0.decision?.title.columns }.max() ?? 0, areas.table.width / 2)
    // Where there is no room for both, what was decided matters more than the split, which the line below tells too.
    let both = areas.table.width >= 24 + decision
    var columns = [Table.Column("", width: .flexible(minimum: 8, weight: 1), truncation: .start)]
    if decision > 0, both { columns.append(Table.Column("", width: .fixed(decision))) }
    columns.append(Table.Column("", width: .fixed(both ? 5 : max(5, decision))))
    Table.of(
      list, columns: columns, height: areas.body.height, focused: state.focus == .dataset, showsHeader: false
    ) { item in
      let file = files[item]
      let isOut = file.decision == .excluded
      let style = theme[file.isBroken ? .error : isOut ? .dimmed : .text]
      // A class's own folder is on every line: what comes after it tells its files apart.
      let name: String =
        switch source {
        case .classNamed: lastComponent(file.path)
        case .finding: file.path
        }
      let decided = Table.Content.spans([Span(file.decision?.title ?? "", theme[.warning])])
      let split = Table.Content.spans([Span(file.split?.rawValue ?? "", theme[.dimmed])])
      let cells = decision > 0 && both ? [decided, split] : file.decision == nil ? [split] : [decided]
      return [.spans([Span(name, style)])] + cells
    }.draw(into: &frame, in: areas.table, theme: theme)
  }

  /// What is known of the chosen file, then its path as far as there is room.
  private static func drawFacts(of file: ListedFile, into frame: inout Frame, in rect: Rect, theme: Theme) {
    let separator = Span(" \(theme.glyphs.separator) ", theme[.dimmed])
    var facts: [Span] = []
    if file.isBroken { facts.append(Span("does not decode", theme[.error])) }
    if let decision = file.decision { facts.append(Span(decision.title, theme[.warning])) }
    facts.append(Span(file.className ?? "no image of a class"))
    if let split = file.split { facts.append(Span(split.rawValue)) }
    let line = Array(facts.map { [$0] }.joined(separator: [separator])) + [separator]
    let (left, right) = rect.splitLeft(line.reduce(0) { $0 + $1.text.columns })
    frame.put(line, in: left, style: theme[.text])
    frame.put(file.path, in: right, style: theme[.dimmed], truncate: .start)
  }
}

extension ImageDecision {
  /// As marked beside a file.
  var title: String {
    switch self {
    case .excluded: "excluded"
    case .relabeled(let from): "was \(from)"
    }
  }
}

// The dataset pane: classes with their counts, the images of a class with a preview, and the warnings.

import Canvas
import Messages

enum DatasetPane {
  static func areas(_ state: WorkbenchState, in inner: Rect) -> PaneAreas {
    let filters = isFiltered(state)
    switch state.dataset.level {
    case .classes:
      let warnings = state.dataset.warningLines.count
      let listed = state.zoomed ? min(warnings, max(1, inner.height / 4)) + 2 : warnings > 0 ? 1 : 0
      return PaneAreas(in: inner, header: 1, heading: 1, footer: listed + (filters ? 1 : 0))
    case .files:
      let list = PaneAreas(in: inner, header: 1, heading: 0, footer: filters ? 1 : 0)
      let side =
        inner.width < 30
        ? 0 : min(inner.width - 18, max(inner.width / 2, min(list.body.height * 2, inner.width * 3 / 4)))
      return PaneAreas(in: inner, header: 1, heading: 0, footer: filters ? 1 : 0, side: side)
    case .warnings:
      return PaneAreas(in: inner, header: 1, heading: 0, footer: (filters ? 1 : 0) + detailRows(inner))
    }
  }

  static func draw(_ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme) {
    let areas = areas(state, in: inner)
    let dataset = state.dataset
    guard let report = dataset.report else {
      drawReading(state, into: &frame, in: inner, theme: theme)
      return
    }
    switch dataset.level {
    case .classes: drawClasses(report, state, areas, into: &frame, theme: theme)
    case .files(let index): drawFiles(report, report.classes[index], state, areas, into: &frame, theme: theme)
    case .warnings: drawWarnings(state, areas, into: &frame, theme: theme)
    }
    if isFiltered(state), let path = state.listPath(of: .dataset) {
      let typing = state.filtering && state.focus == .dataset
      frame.put(
        filterOf: state[keyPath: path], typing: typing, in: areas.footer.splitBottom(1).bottom, theme: theme)
    }
  }

  private static func isFiltered(_ state: WorkbenchState) -> Bool {
    guard let path = state.listPath(of: .dataset) else { return false }
    return !state[keyPath: path].filter.isEmpty || (state.filtering && state.focus == .dataset)
  }

  /// Before there is a report: how far the reading has come, or why it failed.
  private static func drawReading(_ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme) {
    switch state.dataset.reading {
    case .failed(let reason):
      frame.put(notice: reason + "  R reads the folder again.", in: inner, style: theme[.error])
    case .scanning(let files), .checking(let files):
      let sign = spinner(at: state.time, theme: theme)
      frame.put(
        notice: "\(sign) reading \(state.dataset.name): \(Format.counted(files, "file"))", in: inner,
        style: theme[.text])
    case .done: frame.put(notice: "no dataset was read", in: inner, style: theme[.dimmed])
    }
  }

  // MARK: Classes

  private static func drawClasses(
    _ report: DatasetReport, _ state: WorkbenchState, _ areas: PaneAreas, into frame: inout Frame, theme: Theme
  ) {
    drawTotals(report, state, into: &frame, in: areas.header, theme: theme)
    drawWarningsBelow(report, state, into: &frame, in: areas.footer, theme: theme)
    let wide = areas.table.width >= 40
    let list = state.dataset.classes
    let names = report.classes.map { DisplayWidth.of($0.name) }.max() ?? 0
    let name = max(8, min(names + 1, areas.table.width / 3))
    let titles = wide ? splitRoles.map(\.title) : ["images"]
    let scrolls = list.count > areas.body.height ? 1 : 0
    let bar = max(0, areas.table.width - scrolls - name - titles.count * 7 - 1)
    let columns =
      [Table.Column("class", width: .flexible(minimum: name, weight: 1), truncation: .middle)]
      + titles.map { Table.Column($0, width: .fixed(6), alignment: .trailing) }
      + [Table.Column("", width: .fixed(bar))]
    let table = Table.of(list, columns: columns, height: areas.body.height, focused: state.focus == .dataset) {
      item in
      let entry = report.classes[item]
      let counts = wide ? splitRoles.map { entry.counts[$0.split] } : [entry.counts.total]
      return [.text(entry.name)] + counts.map { .text($0 == 0 ? "-" : Format.count($0)) } + [.text("")]
    }
    table.draw(into: &frame, in: areas.table, theme: theme)
    guard bar >= 5 else { return }
    let place = Rect(x: areas.table.right - scrolls - bar, y: areas.table.y, width: bar, height: 1)
    drawBars(report, list, wide: wide, place, areas, into: &frame, theme: theme)
  }

  private static let splitRoles: [(split: Split, title: String, role: ThemeRole)] = [
    (.train, "train", .bar), (.validation, "val", .barSecond), (.test, "test", .barThird),
  ]

  /// The bars stand over the table's last column, which is empty.
  private static func drawBars(
    _ report: DatasetReport, _ list: BrowsableList, wide: Bool, _ place: Rect, _ areas: PaneAreas,
    into frame: inout Frame, theme: Theme
  ) {
    // What the colours mean is told by the headings of the counts, or by words where there are no such columns.
    for (index, entry) in splitRoles.enumerated() where wide {
      var style = theme[entry.role]
      style.bold = true
      let heading = Rect(x: place.x - 7 * (splitRoles.count - index), y: place.y, width: 6, height: 1)
      frame.put(entry.title, in: heading, style: style, align: .trailing)
    }
    if !wide, place.width >= 15 {
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
    case .scanning(let files):
      frame.put(
        "\(spinner(at: state.time, theme: theme)) reading again: \(Format.counted(files, "file"))", in: rect)
    case .checking(let files):
      let done = "\(Format.count(files)) of \(Format.counted(report.counts.total, "file"))"
      frame.put(
        "\(spinner(at: state.time, theme: theme)) decoding every file: \(done)", in: rect, style: theme[.text])
    case .done, .failed:
      let counts = report.counts
      let totals = [
        Format.counted(counts.total, "image"),
        Format.counted(report.classes.count, "class", plural: "classes"),
      ]
      let parts = splitRoles.map { "\($0.title) \(Format.count(counts[$0.split]))" }
      let long = parts.joined(separator: " ")
      let fits = (totals + [long]).reduce(6) { $0 + DisplayWidth.of($1) } <= rect.width
      let splits = fits ? long : splitRoles.map { Format.count(counts[$0.split]) }.joined(separator: "/")
      frame.put(
        facts: totals + [
          splits, report.splitSource == .folders ? "split by folder" : "split by hash",
          report.inspection?.undecodable.isEmpty == true ? "every file decodes" : "",
        ], in: rect, theme: theme)
    }
  }

  private static func drawWarningsBelow(
    _ report: DatasetReport, _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let lines = state.dataset.warningLines
    if state.zoomed {
      for (row, line) in lines.prefix(max(0, rect.height - 2)).enumerated() {
        frame.put("! " + line, in: rect.row(row + 1), style: theme[.warning])
      }
      frame.put(
        "$ " + Headless.check(state.dataset.path), in: rect.row(max(1, rect.height - (isFiltered(state) ? 2 : 1))),
        style: theme[.dimmed])
      return
    }
    guard !isFiltered(state) else { return }
    guard let first = lines.first else { return }
    frame.put(
      lines.count == 1 ? "! " + first : "! \(Format.counted(lines.count, "warning")): " + first, in: rect.row(0),
      style: theme[.warning])
  }

  // MARK: Files

  private static func drawFiles(
    _ report: DatasetReport, _ entry: ClassReport, _ state: WorkbenchState, _ areas: PaneAreas,
    into frame: inout Frame, theme: Theme
  ) {
    let list = state.dataset.files
    let place = list.count == 0 ? "" : "\(Format.count(list.selected + 1)) of \(Format.count(list.count))"
    frame.put(
      pieces: [
        [Span(String(theme.glyphs.leftArrow) + " " + entry.name, theme[.header])], [Span(place, theme[.dimmed])],
      ], in: areas.header, style: theme[.text])
    let broken = Set(report.inspection?.undecodable ?? [])
    // The class's own folder is on every line: what comes after it tells the files apart.
    let columns = [
      Table.Column("", width: .flexible(minimum: 8, weight: 1), truncation: .start),
      Table.Column("", width: .fixed(5)),
    ]
    Table.of(
      list, columns: columns, height: areas.body.height, focused: state.focus == .dataset, showsHeader: false
    ) { item in
      let image = entry.images[item]
      let style = broken.contains(image.path) ? theme[.error] : theme[.text]
      return [
        .spans([Span(lastComponent(image.path), style)]), .spans([Span(image.split.rawValue, theme[.dimmed])]),
      ]
    }.draw(into: &frame, in: areas.table, theme: theme)
    guard let path = state.dataset.selectedFile else { return }
    frame.put(picture: state.pictures[path], in: areas.side, theme: theme)
  }

  // MARK: Warnings

  /// Rows for the whole text of the selected warning.
  private static func detailRows(_ inner: Rect) -> Int { min(4, inner.height / 3) }

  private static func drawWarnings(
    _ state: WorkbenchState, _ areas: PaneAreas, into frame: inout Frame, theme: Theme
  ) {
    let lines = state.dataset.warningLines
    let list = state.dataset.warnings
    let title = lines.isEmpty ? "no warnings" : Format.counted(lines.count, "warning")
    frame.put(
      "\(theme.glyphs.leftArrow) \(title)", in: areas.header, style: theme[lines.isEmpty ? .success : .header])
    let columns = [Table.Column("", width: .flexible(minimum: 8, weight: 1))]
    Table.of(
      list, columns: columns, height: areas.body.height, focused: state.focus == .dataset, showsHeader: false
    ) { [.spans([Span("! " + lines[$0], theme[.warning])])] }
    .draw(into: &frame, in: areas.table, theme: theme)
    guard let item = list.selectedItem else { return }
    let room = areas.footer.splitTop(areas.footer.height - (isFiltered(state) ? 1 : 0)).top
    frame.put(lines: Paragraph.wrapped(lines[item], width: room.width), in: room, style: theme[.text])
  }
}

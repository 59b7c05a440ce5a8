// The dataset pane: where its parts stand on each level, and what it shows while the folder is read. The levels are
// drawn in DatasetPane+Classes.swift, DatasetPane+Files.swift, DatasetPane+Findings.swift and
// DatasetPane+Figures.swift; its keys and what changes it are in DatasetPane+Keys.swift and DatasetPane+Update.swift.

import Canvas
import Messages

extension PaneID {
  static let dataset = PaneID("Dataset")
}

extension WorkbenchState {
  var dataset: DatasetState {
    get { models[DatasetPane.self] }
    _modify { yield &models[DatasetPane.self] }
  }
}

enum DatasetPane: Pane {
  static let id = PaneID.dataset

  static func model(data: String) -> DatasetState { DatasetState(path: data) }

  static func listBody(_ state: WorkbenchState, in inner: Rect) -> Rect { areas(state, in: inner).body }

  static func areas(_ state: WorkbenchState, in inner: Rect) -> PaneAreas {
    let filter = isFiltered(state) ? 1 : 0
    switch state.dataset.level {
    case .classes:
      return PaneAreas(in: inner, header: 1, heading: 1, footer: rowsBelowClasses(state, in: inner) + filter)
    case .files(let source):
      let header = headerRows(of: source, in: inner)
      return PaneAreas(
        in: inner, header: header, heading: 0, footer: 1 + filter, side: pictureWidth(in: inner, below: header + 1))
    case .findings:
      return PaneAreas(in: inner, header: 1, heading: 0, footer: findingRows(in: inner) + filter)
    case .statistics:
      // There is no list to click into.
      var areas = PaneAreas(in: inner, header: 1, heading: 0, footer: 0)
      areas.body = Rect(x: inner.x, y: inner.y, width: 0, height: 0)
      return areas
    }
  }

  static func draw(
    _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme, pictures: inout DrawnPictures
  ) {
    let areas = areas(state, in: inner)
    guard let report = state.dataset.report else {
      drawReading(state, into: &frame, in: inner, theme: theme)
      return
    }
    switch state.dataset.level {
    case .classes: drawClasses(report, state, areas, into: &frame, theme: theme)
    case .files(let source):
      drawFiles(of: source, report, state, areas, into: &frame, theme: theme, pictures: &pictures)
    case .findings: drawFindings(report, state, areas, into: &frame, theme: theme)
    case .statistics: drawStatistics(report, state, into: &frame, in: inner, theme: theme)
    }
    drawFilter(state, into: &frame, in: areas.footer, theme: theme)
  }

  /// The footer without the filter's row.
  static func footer(_ state: WorkbenchState, _ areas: PaneAreas) -> Rect {
    areas.footer.splitBottom(isFiltered(state) ? 1 : 0).rest
  }

  /// How many errors and warnings there are, as a word or a sign, and the dataset's name where there is room.
  static func caption(_ state: WorkbenchState, width: Int, theme: Theme) -> [Span] {
    let dataset = state.dataset
    let name = Span(dataset.name)
    guard let report = dataset.report else { return [name] }
    let counts = report.findingSpans([.error, .warning], theme: theme)
    guard !counts.isEmpty else { return [name] }
    let signs = report.findingCounts.filter { $0.severity != .note }.map {
      Span("\(Format.count($0.count))\($0.severity.mark(theme.glyphs)) ", theme[$0.severity.role])
    }
    let variants = [counts + [Span(" \(theme.glyphs.separator) "), name], counts, signs]
    let room = width - state.heading(of: id).columns - 9
    return variants.first { $0.reduce(0) { $0 + $1.text.columns } <= room } ?? signs
  }

  // MARK: Reading

  /// Before there is a report: how far the reading has come, or why it came to nothing.
  private static func drawReading(_ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme) {
    switch state.dataset.reading {
    case .failed(let reason):
      frame.put(
        notice: reason + (reason.last?.isPunctuation == true ? " " : ". ") + "R reads the folder again.", in: inner,
        style: theme[.error])
    case .cancelled:
      frame.put(
        notice: "Reading \(state.dataset.name) was cancelled.  R reads it again.", in: inner,
        style: theme[.warning])
    case .done: frame.put(notice: "no dataset was read", in: inner, style: theme[.dimmed])
    case .checking(let progress):
      drawInspecting(progress, into: &frame, in: inner.row(0), theme: theme)
    case .scanning(let files, let classes):
      drawScanning(files: files, classes, state, into: &frame, in: inner, theme: theme)
    }
  }

  /// The classes that were begun, those found last in view, growing.
  private static func drawScanning(
    files: Int, _ classes: [DatasetProgress.ClassCount], _ state: WorkbenchState, into frame: inout Frame,
    in inner: Rect, theme: Theme
  ) {
    let (head, rest) = inner.splitTop(1)
    let (body, foot) = rest.splitBottom(1)
    let found = [
      "\(spinner(at: state.time, theme: theme)) reading \(Format.counted(files, "image"))",
      classes.isEmpty ? "" : Format.counted(classes.count, "class", plural: "classes"), state.dataset.name,
    ]
    frame.put(facts: found, in: head, theme: theme)
    frame.put([Span("Esc", theme[.hintKey]), Span(" cancels")], in: foot, style: theme[.hintText])
    guard !classes.isEmpty, body.height > 1 else { return }
    let shown = classes.suffix(body.height - 1)
    let largest = max(1, classes.map(\.images).max() ?? 1)
    let name = max(8, min(body.width / 3, (shown.map(\.name.columns).max() ?? 0) + 1))
    let columns = [
      Table.Column("class", width: .fixed(name), truncation: .middle),
      Table.Column("images", width: .fixed(8), alignment: .trailing),
      Table.Column("", width: .flexible(minimum: 1, weight: 1)),
    ]
    let rows: [[Table.Content]] = shown.map { entry in
      let share = Double(entry.images) / Double(largest)
      return [.text(entry.name), .text(Format.count(entry.images)), .bar(fraction: share, role: .bar)]
    }
    Table(columns: columns, rows: rows).draw(into: &frame, in: body, theme: theme)
  }

  static func drawInspecting(
    _ progress: TaskProgress, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let done = "decoding \(Format.count(progress.done)) of \(Format.count(progress.total))"
    let long = done + ", Esc cancels"
    Gauge(progress.total > 0 ? progress.share : nil, text: long.columns < rect.width ? long : done)
      .draw(into: &frame, in: rect, theme: theme)
  }
}

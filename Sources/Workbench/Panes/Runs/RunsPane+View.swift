// The list of runs and the table that compares some of them, as they are drawn.

import Canvas
import Messages

extension RunsPane {
  static func caption(_ state: WorkbenchState, width: Int, theme: Theme) -> [Span] {
    guard state.runs.comparison == nil, let runs = state.runs.runs, !runs.isEmpty, width >= 40 else { return [] }
    let chosen = state.runs.chosen.isEmpty ? "" : ", \(state.runs.chosen.count) chosen"
    return [Span("\(Format.count(runs.count))\(chosen), \(state.runs.order.title)")]
  }

  static func areas(_ state: WorkbenchState, in inner: Rect) -> PaneAreas {
    PaneAreas(
      in: inner, header: 0, heading: 1, footer: (isFiltered(state) ? 1 : 0) + (hasNote(state, in: inner) ? 1 : 0))
  }

  private static func hasNote(_ state: WorkbenchState, in inner: Rect) -> Bool {
    inner.height >= 6 && state.runs.runs?.contains { $0.note != nil || $0.problem != nil } == true
  }

  static func draw(
    _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme, pictures: inout DrawnPictures
  ) {
    switch state.runs.comparison {
    case .waiting: frame.put(notice: "reading the runs", in: inner, style: theme[.dimmed])
    case .failed(let reason): frame.put(notice: reason, in: inner, style: theme[.warning])
    case .table(let table, let scroll): draw(table, scroll: scroll, into: &frame, in: inner, theme: theme)
    case nil: drawList(state, into: &frame, in: inner, theme: theme)
    }
  }

  // MARK: The list

  private static func drawList(_ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme) {
    guard let runs = state.runs.runs else {
      return frame.put(notice: "looking for runs", in: inner, style: theme[.dimmed])
    }
    guard !runs.isEmpty else {
      return frame.put(notice: "no runs in \(state.settings.project) yet", in: inner, style: theme[.dimmed])
    }
    let areas = areas(state, in: inner)
    let width = areas.table.width
    // What tells runs apart comes first; what there is no room for is in the table that compares them.
    var columns: [(column: Table.Column, text: (RunSummary) -> Table.Content)] = [
      (Table.Column("", width: .fixed(1)), { mark(of: $0, state, theme: theme) }),
      (
        Table.Column("run", width: .flexible(minimum: 8, weight: 2), truncation: .middle),
        { .spans([Span($0.name, style(of: $0, theme))]) }
      ),
    ]
    func add(_ title: String, _ size: Int, from least: Int, _ text: @escaping (RunSummary) -> String) {
      guard width >= least else { return }
      columns.append((Table.Column(title, width: .fixed(size), alignment: .trailing), { .text(text($0)) }))
    }
    if width >= 44 {
      columns.append((Table.Column("net", width: .flexible(minimum: 8, weight: 1)), { .text($0.network ?? "-") }))
    }
    if width >= 84 {
      columns.append(
        (
          Table.Column("dataset", width: .flexible(minimum: 8, weight: 1), truncation: .start),
          { .text($0.data.map(lastComponent) ?? "-") }
        ))
    }
    add("val", 6, from: 20) { $0.best.map { $0.figure() } ?? "-" }
    add("test", 6, from: 36) { $0.test.map { Format.percent($0.top1) } ?? "-" }
    add("epochs", 8, from: 52) { run in run.epochs.map { "\(run.epoch)/\($0)" } ?? "\(run.epoch)" }
    add("age", 5, from: 60) { age(of: $0) }
    add("state", 10, from: 72) { $0.state == .resumable ? "stopped" : $0.state.rawValue }
    Table.of(
      state.runs.list, columns: columns.map(\.column), height: areas.body.height, focused: state.focus == id
    ) { item in columns.map { $0.text(runs[item]) } }
    .draw(into: &frame, in: areas.table, theme: theme)
    if hasNote(state, in: inner), let run = state.runs.selected {
      let line = areas.footer.row(0)
      if let problem = run.problem {
        frame.put(problem, in: line, style: theme[.error])
      } else if let note = run.note {
        frame.put(note, in: line, style: theme[.dimmed])
      }
    }
    drawFilter(state, into: &frame, in: areas.footer, theme: theme)
  }

  /// The color of its curves, or whether it is trained.
  private static func mark(of run: RunSummary, _ state: WorkbenchState, theme: Theme) -> Table.Content {
    if let place = state.curves.overlays.firstIndex(where: { $0.folder == run.folder }) {
      return .spans([
        Span(String(theme.glyphs.legendLine), theme[CurvesState.roles[place % CurvesState.roles.count]])
      ])
    }
    if state.runs.chosen.contains(run.folder) { return .text(String(theme.glyphs.checkMark)) }
    if run.state.isLive { return .spans([Span(String(theme.glyphs.bullet), theme[.success])]) }
    return run.folder == state.curves.run?.folder
      ? .spans([Span(String(theme.glyphs.legendLine), theme[.validationCurve])]) : ""
  }

  private static func style(of run: RunSummary, _ theme: Theme) -> Style {
    switch run.state {
    case .unreadable, .diverged: theme[.error]
    case .resumable: theme[.dimmed]
    default: theme[.text]
    }
  }

  /// Since it was changed last: `now`, `24m`, `3h`, `12d`.
  private static func age(of run: RunSummary) -> String {
    guard !run.state.isLive else { return "now" }
    guard let age = run.age, age.isFinite else { return "-" }
    let minutes = Int(min(age, 1e9) / 60)
    switch minutes {
    case ..<1: return "now"
    case ..<60: return "\(minutes)m"
    case ..<2880: return "\(minutes / 60)h"
    default: return "\(minutes / 1440)d"
    }
  }

  // MARK: The comparison

  private static func draw(
    _ table: RunTable, scroll: Int, into frame: inout Frame, in inner: Rect, theme: Theme
  ) {
    let texts = table.texts
    let width = texts[0].indices.map { column in texts.map { $0[column].columns }.max() ?? 0 }
    let name = min(width[0] + 1, max(8, inner.width / 4))
    let columns =
      [Table.Column("", width: .fixed(name))]
      + table.runs.map { Table.Column($0.name, width: .flexible(minimum: 6, weight: 1), truncation: .middle) }
    let rows = texts.dropFirst().enumerated().map { place, texts -> [Table.Content] in
      let isSetting = place >= table.results.count
      return [.spans([Span(texts[0], theme[isSetting ? .hintKey : .dimmed])])] + texts.dropFirst().map { .text($0) }
    }
    Table(columns: columns, rows: rows, selected: nil, offset: scroll).draw(into: &frame, in: inner, theme: theme)
    guard table.settings.isEmpty, scroll == 0, rows.count + 1 < inner.height else { return }
    frame.put("all settings are the same", in: inner.row(rows.count + 1), style: theme[.dimmed])
  }
}

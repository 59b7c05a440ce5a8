// The inspector's metrics of an evaluation: the totals with the most confused pairs, and the classes.

import Canvas
import Messages

extension InspectorPane {
  /// What limits the metrics: images and classes that were not counted.
  static func notes(of report: EvaluationReport) -> [String] {
    var notes: [String] = []
    if let edits = report.edits { notes.append("! \(edits)") }
    if let augmentation = report.augmentation { notes.append("! \(augmentation.text)") }
    if let precision = report.precision, precision != .fp32 { notes.append("! computed in \(precision.rawValue)") }
    if report.nonFiniteImages > 0 {
      notes.append(
        "! \(Format.counted(report.nonFiniteImages, "image")) with outputs that are NaN or infinite: no hits")
    }
    if report.skippedImages > 0 {
      notes.append("! \(Format.counted(report.skippedImages, "image")) skipped: not decodable")
    }
    if !report.unknownClasses.isEmpty {
      let more = report.unknownClasses.count > 20 ? " and others" : ""
      notes.append(
        "! not counted, unknown to the checkpoint: " + report.unknownClasses.prefix(20).joined(separator: ", ")
          + more)
    }
    return notes
  }

  static func drawOverview(
    _ report: EvaluationReport, _ state: WorkbenchState, _ areas: PaneAreas, into frame: inout Frame, theme: Theme
  ) {
    frame.put(
      pieces: [
        [Span("top-1 ", theme[.dimmed]), Span(Format.percent(report.top1), theme[.success])],
        [Span("top-5 ", theme[.dimmed]), Span(Format.percent(report.top5))],
        [Span("loss ", theme[.dimmed]), Span(Format.loss(report.loss))],
        [Span("balanced ", theme[.dimmed]), Span(Format.percent(report.balancedAccuracy))],
        [Span("F1 ", theme[.dimmed]), Span(Format.percent(report.macroF1))],
      ], in: areas.header.row(0), style: theme[.text])
    frame.put(
      facts: [
        Format.count(report.images) + (report.split == .all ? " images" : " \(report.split.title) images"),
        Format.counted(report.mistakes, "mistake"), Format.speed(report.imagesPerSecond),
      ], in: areas.header.row(1), theme: theme)
    frame.put(
      checkpointName(report), in: areas.header.row(2), style: theme[.dimmed], truncate: .start)
    for (row, note) in notes(of: report).enumerated() {
      frame.put(note, in: areas.header.row(3 + row), style: theme[.warning])
    }
    drawPairs(report, state, areas, into: &frame, theme: theme)
  }

  /// Run, name and epoch of the checkpoint that was evaluated.
  private static func checkpointName(_ report: EvaluationReport) -> String {
    let info = CheckpointInfo(
      path: report.checkpoint, name: "", epoch: 0, step: 0, validationAccuracy: nil, savedAt: "")
    let epoch = report.provenance?.epoch.map { ", epoch \($0)" } ?? ""
    let weights = report.provenance?.weights.map { ", \($0.rawValue)" } ?? ""
    return info.runName + "/" + lastComponent(report.checkpoint) + epoch + weights
  }

  private static func drawPairs(
    _ report: EvaluationReport, _ state: WorkbenchState, _ areas: PaneAreas, into frame: inout Frame, theme: Theme
  ) {
    let pairs = state.inspector.confused
    guard !pairs.isEmpty else {
      frame.put(notice: "no mistakes at all", in: areas.table, style: theme[.success])
      return
    }
    let columns = [
      Table.Column("true", width: .flexible(minimum: 6, weight: 1), truncation: .middle),
      Table.Column("predicted", width: .flexible(minimum: 9, weight: 1), truncation: .middle),
      Table.Column("count", width: .fixed(5), alignment: .trailing),
      Table.Column("of class", width: .fixed(8), alignment: .trailing),
    ]
    Table.of(
      state.inspector.pairs, columns: columns, height: areas.body.height, focused: state.focus == .inspector
    ) { item in
      let pair = pairs[item]
      let support = report.confusion.total(ofRow: pair.truth)
      return [
        .text(report.className(pair.truth)), .text(report.className(pair.predicted)),
        .text(Format.count(pair.count)), .text(Format.percent(Double(pair.count) / Double(max(1, support)))),
      ]
    }.draw(into: &frame, in: areas.table, theme: theme)
  }

  // MARK: Classes

  static func drawClasses(
    _ report: EvaluationReport, _ state: WorkbenchState, _ areas: PaneAreas, into frame: inout Frame, theme: Theme
  ) {
    drawTotalsLine(report, into: &frame, in: areas.header, theme: theme)
    let width = areas.table.width
    let narrow = width < 38
    var columns = [
      Table.Column("class", width: .flexible(minimum: 6, weight: 1), truncation: .middle),
      Table.Column("images", width: .fixed(6), alignment: .trailing),
      Table.Column(narrow ? "prec" : "precision", width: .fixed(narrow ? 6 : 9), alignment: .trailing),
      Table.Column("recall", width: .fixed(6), alignment: .trailing),
      Table.Column("F1", width: .fixed(6), alignment: .trailing),
    ]
    if width >= 56 { columns.append(Table.Column("", width: .fixed(min(30, width - 44)))) }
    Table.of(
      state.inspector.classes, columns: columns, height: areas.body.height, focused: state.focus == .inspector
    ) { item in
      let entry = report.classes[item]
      return [
        .text(entry.name), .text(Format.count(entry.support)), .text(Format.percent(entry.precision)),
        .text(Format.percent(entry.recall)), .text(Format.percent(entry.f1)),
        .bar(fraction: entry.f1 ?? 0, role: .bar),
      ]
    }.draw(into: &frame, in: areas.table, theme: theme)
  }

  static func drawTotalsLine(_ report: EvaluationReport, into frame: inout Frame, in rect: Rect, theme: Theme) {
    frame.put(
      facts: [
        "top-1 \(Format.percent(report.top1))", "loss \(Format.loss(report.loss))",
        Format.count(report.images) + (report.split == .all ? " images" : " \(report.split.title) images"),
        checkpointName(report),
      ], in: rect, theme: theme)
  }
}

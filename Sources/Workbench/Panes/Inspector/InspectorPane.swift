// The inspector pane: the checkpoints, and the views of the last evaluation. The report's own views are in
// InspectorPane+Report.swift, +Confusion.swift, +Images.swift, +Confidence.swift and +Lists.swift, and where they stand in
// InspectorLayout.swift; its keys and what changes it are in InspectorPane+Keys.swift and InspectorPane+Update.swift.

import Canvas
import Messages

extension PaneID {
  static let inspector = PaneID("Inspector")
}

extension WorkbenchState {
  var inspector: InspectorState {
    get { models[InspectorPane.self] }
    _modify { yield &models[InspectorPane.self] }
  }
}

enum InspectorPane: Pane {
  static let id = PaneID.inspector

  static func model(data: String) -> InspectorState { InspectorState() }

  static func caption(_ state: WorkbenchState, width: Int, theme: Theme) -> [Span] {
    let inspector = state.inspector
    if inspector.view == .hardest, let details = inspector.hardest.details {
      let (long, short) = ("hardest validation images, epoch \(details.epoch)", "hardest, epoch \(details.epoch)")
      let room = width - state.heading(of: id).columns - 9
      return [Span(long.columns <= room ? long : short)]
    }
    guard inspector.view == .confusion, let report = inspector.report, width >= 40 else {
      return [Span(inspector.view.title)]
    }
    return [Span(cellText(report, inspector.confusion, theme: theme), theme[.header])]
  }

  static func listBody(_ state: WorkbenchState, in inner: Rect) -> Rect { areas(state, in: inner).body }

  static func areas(_ state: WorkbenchState, in inner: Rect) -> PaneAreas {
    let inspector = state.inspector
    let footer = (isFiltered(state) ? 1 : 0) + command(state, width: inner.width).count
    switch inspector.view {
    case .checkpoints: return PaneAreas(in: inner, header: 1, heading: 1, footer: footer)
    case .overview:
      let notes = inspector.report.map { Self.notes(of: $0).count } ?? 0
      let header = min(3 + notes, max(1, inner.height - 3))
      return PaneAreas(in: inner, header: header, heading: 1, footer: footer)
    case .classes: return PaneAreas(in: inner, header: 1, heading: 1, footer: footer)
    case .suspects:
      return suspectsAreas(in: InspectorLayout(inspector, in: inner).sheet ?? inner)
    case .comparison:
      return comparisonAreas(in: InspectorLayout(inspector, in: inner).sheet ?? inner)
    case .hardest, .confusion, .images, .confidence:
      // There is no list of rows to click into.
      var areas = PaneAreas(in: inner, header: 0, heading: 0, footer: 0)
      areas.body = Rect(x: inner.x, y: inner.y, width: 0, height: 0)
      return areas
    }
  }

  static func draw(
    _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme, pictures: inout DrawnPictures
  ) {
    if state.inspector.view == .hardest {
      return drawHardest(state, into: &frame, in: inner, theme: theme, pictures: &pictures)
    }
    let areas = areas(state, in: inner)
    guard state.inspector.view != .checkpoints, let report = state.inspector.report else {
      drawCheckpoints(state, areas, into: &frame, in: inner, theme: theme)
      drawFooter(state, into: &frame, in: areas.footer, theme: theme)
      return
    }
    switch state.inspector.view {
    case .overview, .checkpoints, .hardest:
      drawOverview(report, state, areas, into: &frame, theme: theme)
      drawFooter(state, into: &frame, in: areas.footer, theme: theme)
    case .classes:
      drawClasses(report, state, areas, into: &frame, theme: theme)
      drawFooter(state, into: &frame, in: areas.footer, theme: theme)
    case .confusion, .images, .confidence, .suspects, .comparison:
      drawParts(report, state, into: &frame, in: inner, theme: theme, pictures: &pictures)
    }
  }

  private static func drawParts(
    _ report: EvaluationReport, _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme,
    pictures: inout DrawnPictures
  ) {
    let inspector = state.inspector
    let layout = InspectorLayout(inspector, in: inner)
    func part(_ rect: Rect?, _ title: String, _ view: InspectorState.View, _ caption: String = "") -> Rect? {
      guard let rect, layout.isDivided else { return rect }
      return frame.box(
        rect, title: title, theme: theme, focused: view == inspector.view && state.focus == .inspector,
        trailing: caption.isEmpty ? [] : [Span(caption)])
    }
    if let rect = part(layout.matrix, "Confusion", .confusion, cellText(report, inspector.confusion, theme: theme))
    {
      drawConfusion(report, state, into: &frame, in: rect, theme: theme)
    }
    let kind = inspector.confidence.showsReliability ? "reliability" : "histogram"
    if let rect = part(layout.confidence, "Confidence", .confidence, kind) {
      drawConfidence(state, into: &frame, in: rect, theme: theme)
    }
    switch inspector.view {
    case .suspects: if let rect = layout.sheet { drawSuspects(state, into: &frame, in: rect, theme: theme) }
    case .comparison: if let rect = layout.sheet { drawComparison(state, into: &frame, in: rect, theme: theme) }
    default:
      if let rect = part(layout.sheet, "Images", .images) {
        drawSheet(state, into: &frame, in: rect, theme: theme, pictures: &pictures)
      }
    }
    guard let single = layout.single else { return }
    switch inspector.view {
    case .suspects: drawSuspect(state, into: &frame, in: single, theme: theme, pictures: &pictures)
    case .comparison: drawCompared(state, into: &frame, in: single, theme: theme, pictures: &pictures)
    default:
      let name = inspector.images.row.flatMap { inspector.images.table?.paths[$0] }.map(lastComponent) ?? "Image"
      if let rect = layout.isDivided ? part(single, name, .checkpoints) : single {
        drawSingle(state, into: &frame, in: rect, theme: theme, pictures: &pictures)
      }
    }
  }

  /// How the chosen checkpoint is evaluated from a shell, where there is room to say it.
  private static func command(_ state: WorkbenchState, width: Int) -> [String] {
    // Where pictures are, they have the room.
    guard state.zoomed, ![.hardest, .confusion, .images, .confidence].contains(state.inspector.view),
      let command = state.headless(for: .evaluate)
    else { return [] }
    return Array(Paragraph.wrapped("$ " + command, width: width).prefix(3))
  }

  private static func drawFooter(_ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme) {
    frame.put(lines: command(state, width: rect.width), in: rect, style: theme[.dimmed])
    drawFilter(state, into: &frame, in: rect, theme: theme)
  }

  // MARK: Checkpoints

  private static func drawCheckpoints(
    _ state: WorkbenchState, _ areas: PaneAreas, into frame: inout Frame, in inner: Rect, theme: Theme
  ) {
    let inspector = state.inspector
    drawEvaluation(state, into: &frame, in: areas.header, theme: theme)
    guard let checkpoints = inspector.checkpoints, !checkpoints.isEmpty else {
      let text =
        inspector.checkpoints == nil
        ? "looking for checkpoints" : "No checkpoints yet. A training run saves one after each epoch."
      frame.put(notice: text, in: areas.table, style: theme[.dimmed])
      return
    }
    let width = areas.table.width
    let places = inspector.list.window(height: areas.body.height).compactMap { inspector.list.item(at: $0) }
    // Of a run that is judged by another metric its figure stands there, with its name.
    let isByAccuracy = places.allSatisfy { checkpoints[$0].score?.metric ?? .top1 == .top1 }
    let (hasDate, hasStep) = (width >= 52, width >= 66)
    var columns = [
      Table.Column("checkpoint", width: .flexible(minimum: 12, weight: 1), truncation: .middle),
      Table.Column("epoch", width: .fixed(5), alignment: .trailing),
      Table.Column(
        isByAccuracy ? "val acc" : "val score", width: .fixed(isByAccuracy ? 7 : 14), alignment: .trailing),
    ]
    if hasDate { columns.append(Table.Column("saved (UTC)", width: .fixed(16), alignment: .trailing)) }
    if hasStep { columns.insert(Table.Column("step", width: .fixed(9), alignment: .trailing), at: 2) }
    // The others and the scroll bar; where there is no room for the accuracies, the table leaves them out.
    let others = (isByAccuracy ? 15 : 22) + (hasDate ? 17 : 0) + (hasStep ? 10 : 0)
    let nameWidth = width - (width - others < 12 ? 7 : others)
    Table.of(
      inspector.list, columns: columns, height: areas.body.height, focused: state.focus == .inspector
    ) { item in
      let checkpoint = checkpoints[item]
      // A run's name stands out where its group begins; what is of another dataset stands back as a whole.
      let before = places.firstIndex(of: item).flatMap { $0 > 0 ? places[$0 - 1] : nil }
      let isRepeated = before.map { checkpoints[$0].runFolder == checkpoint.runFolder } ?? false
      let quiet: Style? = checkpoint.isForeign ? theme[.dimmed] : nil
      let foreign =
        checkpoint.isForeign ? checkpoint.data.map { " of \(lastComponent($0))" } ?? " of other data" : ""
      let (run, suffix) = Self.fitting(checkpoint, suffix: foreign, width: nameWidth, theme: theme)
      var cells: [Table.Content] = [
        .spans([
          Span(run + "/", isRepeated ? theme[.dimmed] : quiet), Span(checkpoint.name, quiet),
          Span(suffix, quiet),
        ]), .spans([Span("\(checkpoint.epoch)", quiet)]),
        .spans([
          Span(
            isByAccuracy
              ? Format.percent(checkpoint.validationAccuracy) : checkpoint.score?.brief() ?? Format.absent,
            quiet)
        ]),
      ]
      if hasDate { cells.append(.spans([Span(Format.minute(checkpoint.savedAt), theme[.dimmed])])) }
      if hasStep { cells.insert(.text(Format.count(checkpoint.step)), at: 2) }
      return cells
    }.draw(into: &frame, in: areas.table, theme: theme)
  }

  /// The run's name as far as there is room for it beside the checkpoint's, and what stands behind both if there is:
  /// what tells the checkpoints of a run apart comes first.
  private static func fitting(
    _ checkpoint: CheckpointInfo, suffix: String, width: Int, theme: Theme
  ) -> (run: String, suffix: String) {
    let room = width - checkpoint.name.columns - 1
    if checkpoint.runName.columns + suffix.columns <= room { return (checkpoint.runName, suffix) }
    if checkpoint.runName.columns <= room { return (checkpoint.runName, "") }
    return (
      Truncation.middle.fit(checkpoint.runName, width: max(3, room), ellipsis: theme.glyphs.ellipsis), ""
    )
  }

  /// The evaluation under way as a gauge, or what Enter would do.
  private static func drawEvaluation(_ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme)
  {
    let inspector = state.inspector
    if let evaluating = inspector.evaluating {
      let name = lastComponent(evaluating.checkpoint)
      let text = evaluating.progress.map { "evaluating \(Format.count($0.done)) of \(Format.count($0.total))" }
      Gauge(evaluating.progress?.share, text: text ?? "evaluating \(name)").draw(
        into: &frame, in: rect, theme: theme)
      return
    }
    let count = inspector.checkpoints?.count ?? 0
    guard count > 0 else { return }
    guard inspector.list.count > 0 else {
      frame.put("none of \(Format.counted(count, "checkpoint")) matches", in: rect, style: theme[.warning])
      return
    }
    frame.put(
      pieces: [
        [Span(Format.counted(count, "checkpoint"))],
        inspector.selectedCheckpoint.flatMap { state.obstacle(toEvaluating: $0) } == nil
          ? [
            Span("Enter", theme[.hintKey]),
            Span(" evaluates on \(state.splitToEvaluate == .all ? "all images" : state.splitToEvaluate.rawValue)"),
          ]
          : [Span("cannot be evaluated here now", theme[.dimmed])],
      ], in: rect, style: theme[.text])
  }
}

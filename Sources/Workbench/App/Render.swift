// From the state to a frame: the panes, the two lines below them, and the overlay on top. What a pane draws is in its
// own file.

import Canvas
import Messages

/// Draws the whole screen. The same state, size and theme give the same frame, whatever the size.
public func render(_ state: WorkbenchState, size: Size, theme: Theme) -> Frame {
  var pictures = DrawnPictures()
  return render(state, size: size, theme: theme, pictures: &pictures)
}

/// The same frame, with the pictures that were drawn for an earlier one.
public func render(
  _ state: WorkbenchState, size: Size, theme: Theme, pictures: inout DrawnPictures
) -> Frame {
  var state = state
  state.size = size
  var frame = Frame(size: size, filledWith: Cell(" ", theme[.text]), ellipsis: theme.glyphs.ellipsis)
  guard !ScreenLayout.isTooSmall(size) else {
    drawTooSmall(state, into: &frame, theme: theme)
    return frame
  }
  let layout = state.layout
  for pane in Pane.allCases {
    guard let rect = layout.panes[pane] else { continue }
    let focused = pane == state.focus
    let inner = frame.box(
      rect, title: "\(pane.rawValue) \(pane.title)", theme: theme, focused: focused,
      trailing: state.caption(of: pane, width: rect.width, theme: theme))
    switch pane {
    case .dataset: DatasetPane.draw(state, into: &frame, in: inner, theme: theme, pictures: &pictures)
    case .layers: LayersPane.draw(state, into: &frame, in: inner, theme: theme)
    case .curves: CurvesPane.draw(state, into: &frame, in: inner, theme: theme)
    case .inspector: InspectorPane.draw(state, into: &frame, in: inner, theme: theme, pictures: &pictures)
    }
  }
  StatusView.draw(state, into: &frame, in: layout.status, theme: theme)
  HintView.draw(state, into: &frame, in: layout.hints, theme: theme)
  drawOverlay(state, into: &frame, theme: theme, pictures: &pictures)
  return frame
}

private func drawOverlay(
  _ state: WorkbenchState, into frame: inout Frame, theme: Theme, pictures: inout DrawnPictures
) {
  switch state.overlay {
  case .help(let scroll): HelpView.draw(state, scroll: scroll, into: &frame, theme: theme)
  case .notices(let scroll): NoticesView.draw(state, scroll: scroll, into: &frame, theme: theme)
  case .palette(let palette): PaletteView.draw(palette, state, into: &frame, theme: theme)
  case .settings(let form): SettingsView.draw(form, state, into: &frame, theme: theme)
  case .learningRate(let entry): QuestionView.drawLearningRate(entry, state, into: &frame, theme: theme)
  case .relabel(let chooser):
    ClassChooserView.draw(chooser, state, into: &frame, theme: theme, pictures: &pictures)
  case .liveRuns(let chooser): LiveRunsView.draw(chooser, into: &frame, theme: theme)
  case .diverged(let dialogue):
    state.scrollingQuestion?.draw(scroll: dialogue.scroll, into: &frame, theme: theme)
  case .dataChanged(let scroll): state.scrollingQuestion?.draw(scroll: scroll, into: &frame, theme: theme)
  case .confirmStart: QuestionView.drawStart(state, into: &frame, theme: theme)
  case .confirmStop: QuestionView.drawStop(state, into: &frame, theme: theme)
  case .confirmQuit: QuestionView.drawQuit(state, into: &frame, theme: theme)
  case nil: break
  }
}

private func drawTooSmall(_ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
  let least = ScreenLayout.smallest
  let run = state.runUnderWay ? "; the run goes on" : ""
  let lines = [
    "Skipline needs \(least.width)x\(least.height) cells; this terminal has \(frame.size.width)x\(frame.size.height).",
    "q quits\(run).",
  ].flatMap { Paragraph.wrapped($0, width: frame.size.width) }
  let place = Rect(frame.size).centred(width: frame.size.width, height: lines.count)
  frame.put(lines: lines, in: place, style: theme[.warning], align: .centre)
}

extension WorkbenchState {
  /// What stands at the right of a pane's upper edge.
  fileprivate func caption(of pane: Pane, width: Int, theme: Theme) -> [Span] {
    switch pane {
    case .dataset: datasetCaption(width: width, theme: theme)
    case .layers: [Span(layersCaption)]
    case .curves: curvesCaption(width: width, theme: theme)
    case .inspector: [Span(inspector.view.title)]
    }
  }

  /// How many errors and warnings there are, as a word or a sign, and the dataset's name where there is room.
  private func datasetCaption(width: Int, theme: Theme) -> [Span] {
    let name = Span(dataset.name)
    guard let report = dataset.report else { return [name] }
    let counts = report.findingSpans([.error, .warning], theme: theme)
    guard !counts.isEmpty else { return [name] }
    let signs = report.findingCounts.filter { $0.severity != .note }.map {
      Span("\(Format.count($0.count))\($0.severity.mark(theme.glyphs)) ", theme[$0.severity.role])
    }
    let variants = [counts + [Span(" \(theme.glyphs.separator) "), name], counts, signs]
    let room = width - "1 \(Pane.dataset.title)".columns - 9
    return variants.first { $0.reduce(0) { $0 + $1.text.columns } <= room } ?? signs
  }

  /// The network on show; of the next run where the curves are those of an earlier one.
  private var layersCaption: String {
    let name = layers.summary?.network.name ?? settings.network.name
    guard curves.run != nil else { return name }
    return runUnderWay && !isEditingSettings ? name : "next run: \(name)"
  }

  /// The form shows what the next run's settings come to.
  private var isEditingSettings: Bool { if case .settings = overlay { true } else { false } }

  /// Whose curves these are and how the run stands; of a run that has ended rather the name, of another what it does.
  private func curvesCaption(width: Int, theme: Theme) -> [Span] {
    guard let name = curves.runName else { return [Span(runPhaseName)] }
    let both = "\(name) \(theme.glyphs.separator) \(runPhaseName)"
    let room = width - "3 \(Pane.curves.title)".columns - 9
    if both.columns <= room, curves.isHistory || width >= 40 { return [Span(both)] }
    guard curves.isHistory else { return [Span(runPhaseName)] }
    return [Span(Truncation.middle.fit(name, width: max(1, room), ellipsis: theme.glyphs.ellipsis))]
  }

  /// What the run in the curves pane does, or how it ended.
  private var runPhaseName: String {
    guard curves.isHistory else { return phaseName }
    if curves.isElsewhere { return "being trained elsewhere" }
    return curves.outcome.map { $0.reason == .stopped ? "stopped" : "finished" } ?? "not finished"
  }

  /// What the engine does, in a word.
  var phaseName: String {
    switch engine {
    case .idle:
      curves.isHistory
        ? "idle"
        : curves.outcome.map { $0.reason == .stopped ? "stopped" : "finished" }
          ?? (curves.hasFailed ? "failed" : "idle")
    case .preparing: "preparing"
    case .training: "training"
    case .paused: divergence == nil ? "paused" : "diverged"
    case .validating: "validating"
    case .evaluating: "evaluating"
    case .stopping: "stopping"
    }
  }
}

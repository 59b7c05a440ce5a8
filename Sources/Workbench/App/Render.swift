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
  for (id, rect) in layout.panes {
    let pane = state.panes[id]
    let inner = frame.box(
      rect, title: state.heading(of: id), theme: theme, focused: id == state.focus,
      trailing: pane.caption(state, width: rect.width, theme: theme))
    pane.draw(state, into: &frame, in: inner, theme: theme, pictures: &pictures)
  }
  StatusView.draw(state, into: &frame, in: layout.status, theme: theme)
  HintView.draw(state, into: &frame, in: layout.hints, theme: theme)
  drawOverlay(state, into: &frame, theme: theme, pictures: &pictures)
  return frame
}

/// Draws what lies over the panes.
func drawOverlay(
  _ state: WorkbenchState, into frame: inout Frame, theme: Theme, pictures: inout DrawnPictures
) {
  switch state.overlay {
  case .help(let scroll): HelpView.draw(state, scroll: scroll, into: &frame, theme: theme)
  case .notices(let scroll): NoticesView.draw(state, scroll: scroll, into: &frame, theme: theme)
  case .palette(let palette): CommandPaletteView.draw(palette, state, into: &frame, theme: theme)
  case .themes(let chooser): ThemeChooserView.draw(chooser, state, into: &frame, theme: theme)
  case .settings(let form): SettingsView.draw(form, state, into: &frame, theme: theme)
  case .rates(let curve, _): LearningRateChart.draw(curve, into: &frame, theme: theme)
  case .recipes(let chooser, _): RecipeChooserView.draw(chooser, state, into: &frame, theme: theme)
  case .prompt(let prompt): ConfirmDialog.drawPrompt(prompt, state, into: &frame, theme: theme)
  case .relabel(let chooser):
    ClassChooserView.draw(chooser, state, into: &frame, theme: theme, pictures: &pictures)
  case .lab(let dialog): LabView.draw(dialog, state, into: &frame, theme: theme)
  case .export(let dialog): ExportView.draw(dialog, state, into: &frame, theme: theme)
  case .liveRuns(let chooser): LiveRunsView.draw(chooser, into: &frame, theme: theme)
  case .diverged(let dialog):
    state.scrollingQuestion?.draw(scroll: dialog.scroll, into: &frame, theme: theme)
  case .dataChanged(let scroll): state.scrollingQuestion?.draw(scroll: scroll, into: &frame, theme: theme)
  case .confirmStart: ConfirmDialog.drawStart(state, into: &frame, theme: theme)
  case .confirmStop: ConfirmDialog.drawStop(state, into: &frame, theme: theme)
  case .confirmQuit: ConfirmDialog.drawQuit(state, into: &frame, theme: theme)
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
  let place = Rect(frame.size).centered(width: frame.size.width, height: lines.count)
  frame.put(lines: lines, in: place, style: theme[.warning], align: .center)
}

extension WorkbenchState {
  /// The form shows what the next run's settings come to.
  var isEditingSettings: Bool {
    switch overlay {
    case .settings, .recipes, .rates: true
    case .prompt(let prompt): prompt.purpose.form != nil
    default: false
    }
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

// The small dialogues: stop, quit, and a learning rate to type.

import Canvas

enum QuestionView {
  static func drawStop(_ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    draw(
      "Stop training?",
      text: "The run is saved and can be resumed later from the inspector: r on one of its checkpoints.",
      answers: [("y", "stop and save"), ("n", "go on training")], into: &frame, theme: theme)
  }

  static func drawQuit(_ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    let name = state.curves.runName ?? "a run"
    draw(
      "Quit?",
      text: "\(name) is under way, in a process of its own that needs no screen. 'skipline' or 'skipline watch "
        + "\(name)' comes back to it.",
      answers: [("l", "leave it running"), ("s", "stop and save"), ("c", "cancel")], into: &frame, theme: theme)
  }

  static func drawLearningRate(
    _ entry: TextEntry, _ state: WorkbenchState, into frame: inout Frame, theme: Theme
  ) {
    let theme = theme.over(.overlay)
    let inner = box("Learning rate", height: 4, into: &frame, theme: theme)
    let what =
      state.runUnderWay ? "Peak of the schedule from the next step on:" : "Peak of the next run's schedule:"
    frame.put(what, in: inner.row(0), style: theme[.text])
    let input = inner.row(1).splitLeft(26).left
    frame.fill(input, style: theme[.input])
    frame.put(typed: entry.text, in: input, style: theme[.input], caret: true)
    if let error = entry.error {
      frame.put(error, in: inner.row(3), style: theme[.error])
    } else {
      frame.put(
        keys([("Enter", "sets it"), ("Esc", "cancel")], theme: theme), in: inner.row(3), style: theme[.text])
    }
  }

  private static func draw(
    _ title: String, text: String, answers: [(String, String)], into frame: inout Frame, theme: Theme
  ) {
    let theme = theme.over(.overlay)
    let lines = Paragraph.wrapped(text, width: 50)
    let inner = box(title, height: lines.count + 2, into: &frame, theme: theme)
    frame.put(lines: lines, in: inner, style: theme[.text])
    frame.put(keys(answers, theme: theme), in: inner.row(lines.count + 1), style: theme[.text])
  }

  /// A box in the middle with so many rows inside.
  private static func box(_ title: String, height: Int, into frame: inout Frame, theme: Theme) -> Rect {
    let rect = Rect(frame.size).inset(bottom: 2).centred(width: 54, height: height + 2)
    return frame.overlay(rect, title: title, theme: theme)
  }
}

// The small dialogues: stop, quit, and a learning rate to type.

import Canvas

enum QuestionView {
  static func drawStop(_ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    draw(
      "Stop training?",
      text: "The run is saved and can be resumed later from the inspector: r on one of its checkpoints.",
      answers: [
        .init(key: "y", text: "stop and save", isDefault: true), .init(key: "n", text: "go on training"),
      ], into: &frame, theme: theme)
  }

  /// What a start would begin: network, length, images, where it goes, and whether it fits in memory.
  static func drawStart(_ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    let settings = state.settings
    let images = state.dataset.report.map { report in
      let count = report.classes.reduce(0) { $0 + $1.counts.train }
      return
        "\(Format.count(count)) training images in \(Format.counted(report.classes.count, "class", plural: "classes"))"
    }
    let what =
      "\(settings.network.name), \(Format.counted(settings.epochs, "epoch")) on \(state.dataset.name)"
      + (images.map { " (\($0))" } ?? "")
    let how =
      "batch \(settings.batchSize), peak rate \(Format.general(settings.learningRate)), "
      + "\(settings.preprocessing.imageSize) pixels; into "
      + (settings.name.map { joined(settings.project, $0) } ?? "a new folder in \(settings.project)")
    let new = Answer(key: "s", text: "start a new run")
    let answers: [Answer] =
      if let run = state.resumable {
        [.init(key: "r", text: "resume \(lastComponent(run.folder)), which was stopped", isDefault: true), new]
      } else {
        [.init(key: "y", text: "start", isDefault: true)]
      }
    draw(
      "Start training?", text: "\(what): \(how).", warning: state.layers.memoryShortage(for: settings),
      answers: answers + [.init(key: "Esc", text: "cancel")], into: &frame, theme: theme)
  }

  static func drawQuit(_ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    let name = state.curves.runName ?? "a run"
    draw(
      "Quit?",
      text: "\(name) is under way, in a process of its own that needs no screen. 'skipline' or 'skipline watch "
        + "\(name)' comes back to it.",
      answers: [
        .init(key: "l", text: "leave it running", isDefault: true),
        .init(key: "s", text: "stop and save, then quit"),
        .init(key: "Esc", text: "cancel"),
      ], into: &frame, theme: theme)
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
    // What the first key replaces looks chosen.
    if entry.isFresh {
      frame.put(entry.text, in: input.splitLeft(entry.text.columns).left, style: theme[.selection])
      frame.cursor = (input.x + min(entry.text.columns, input.width - 1), input.y)
    } else {
      frame.put(typed: entry.text, in: input, style: theme[.input], caret: true)
    }
    if let error = entry.error {
      frame.put(error, in: inner.row(3), style: theme[.error])
    } else {
      frame.put(
        keys([("Enter", "sets it"), ("Esc", "cancel")], theme: theme), in: inner.row(3), style: theme[.text])
    }
  }

  private struct Answer {
    var key: String
    var text: String
    /// Whether Enter gives it.
    var isDefault = false
  }

  private static func draw(
    _ title: String, text: String, warning: String? = nil, answers: [Answer], into frame: inout Frame, theme: Theme
  ) {
    let theme = theme.over(.overlay)
    let lines = Paragraph.wrapped(text, width: 50)
    let warnings = warning.map { Paragraph.wrapped($0, width: 50) } ?? []
    let inner = box(title, height: lines.count + warnings.count + 1 + answers.count, into: &frame, theme: theme)
    let (head, rest) = inner.splitTop(lines.count)
    frame.put(lines: lines, in: head, style: theme[.text])
    let (alarm, below) = rest.splitTop(warnings.count)
    frame.put(lines: warnings, in: alarm, style: theme[.error])
    for (row, answer) in answers.enumerated() {
      let line = below.row(row + 1)
      if answer.isDefault { frame.fill(line, style: theme[.selection]) }
      let (key, text) = line.splitLeft(12)
      let style = answer.isDefault ? theme[.selection] : theme[.hintKey]
      frame.put(answer.isDefault ? " Enter or \(answer.key)" : " \(answer.key)", in: key, style: style)
      frame.put(answer.text, in: text.inset(left: 1), style: answer.isDefault ? theme[.selection] : theme[.text])
    }
  }

  /// A box in the middle with so many rows inside.
  private static func box(_ title: String, height: Int, into frame: inout Frame, theme: Theme) -> Rect {
    let rect = Rect(frame.size).inset(bottom: 2).centred(width: 54, height: height + 2)
    return frame.overlay(rect, title: title, theme: theme)
  }
}

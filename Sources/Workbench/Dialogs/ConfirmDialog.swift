// The small dialogs: stop, quit, and a line to type.

import Canvas
import Messages
import Support

enum ConfirmDialog {
  static func drawStop(_ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    draw(
      "Stop training?",
      text: "The run is saved and can be resumed later from the inspector: r on one of its checkpoints.",
      answers: [
        .init(key: "y", text: "stop and save", isDefault: true), .init(key: "n", text: "go on training"),
      ], into: &frame, theme: theme)
  }

  /// What Enter would begin: a new run, or an earlier one again; and what else could be.
  static func drawStart(_ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    let cancel = Answer(key: "Esc", text: "cancel")
    let warning = state.refusal ?? state.layers.memoryShortage(for: state.planned)
    guard let run = state.resumable else {
      return draw(
        "Start training?", text: newRun(state), warning: warning,
        answers: [.init(key: "y", text: "start", isDefault: true), cancel], into: &frame, theme: theme)
    }
    let name = lastComponent(run.folder)
    guard state.resumesByDefault else {
      return draw(
        "Start training?", text: newRun(state), warning: warning,
        answers: [
          .init(key: "y", text: "start", isDefault: true),
          .init(key: "r", text: "resume \(name):", detail: "\(earlierRun(state, run))."), cancel,
        ], into: &frame, theme: theme)
    }
    let how = state.curves.outcome == nil ? "did not come to its end" : "was stopped"
    var answers = [Answer(key: "r", text: "resume", isDefault: true)]
    if case .failed = state.dataset.reading {
    } else {
      answers.append(Answer(key: "s", text: "start a new run:", detail: newRun(state)))
    }
    draw(
      "Resume \(name)?",
      text: "It \(how): \(earlierRun(state, run)).",
      answers: answers + [cancel], into: &frame, theme: theme)
  }

  /// What would be gone on with: network, data, epoch and rate.
  private static func earlierRun(_ state: WorkbenchState, _ run: RunDescription) -> String {
    // It goes on from its last checkpoint, which may be behind its metrics.
    let last = state.inspector.checkpoints?.first { $0.runFolder == run.folder && $0.name == "last" }
    let epoch = min((last?.epoch ?? state.curves.epochsDone) + 1, max(1, run.settings.epochs))
    return
      "\(run.settings.network.name) on \(lastComponent(run.settings.data)), epoch \(epoch)/\(run.settings.epochs), "
      + "peak rate \(Format.general(state.curves.peakLearningRate)), batch \(run.settings.batchSize)"
  }

  /// What a start would begin: network, length, images, and where it goes.
  private static func newRun(_ state: WorkbenchState) -> String {
    let settings = state.planned
    let images = state.dataset.report.map { report in
      let count = report.classes.reduce(0) { $0 + $1.counts.train }
      return
        "\(Format.count(count)) training images in \(Format.counted(report.classes.count, "class", plural: "classes"))"
    }
    let place =
      "into " + (settings.name.map { joined(settings.project, $0) } ?? "a new folder in \(settings.project)")
    let data = state.dataset.name + (images.map { " (\($0))" } ?? "")
    // What is left to the recipe is not known before it was asked.
    guard settings.automatic.isEmpty else {
      return "On \(data); what is not set is chosen from the images first, as the settings (o) will say; \(place)."
    }
    let time = state.plan.map { ", about \(Format.duration($0.recipe.cost.total))" } ?? ""
    return
      "\(([settings.network.name] + settings.network.optionWords).joined(separator: " ")), "
      + "\(Format.counted(settings.epochs, "epoch")) on \(data): batch \(settings.batchSize), "
      + "peak rate \(Format.general(settings.learningRate)), \(settings.preprocessing.imageSize) pixels\(time); "
      + "\(place)."
  }

  static func drawQuit(_ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    let name = state.curves.runName ?? "a run"
    let command = state.curves.run.map { "skipline watch " + shellQuoted($0.folder) } ?? "skipline"
    let stop = state.looksOnly ? [] : [Answer(key: "s", text: "stop and save, then quit")]
    draw(
      "Quit?",
      text: "\(name) is under way, in a process of its own that needs no screen. Come back to it: \(command)",
      answers: [.init(key: "l", text: "leave it running", isDefault: true)] + stop
        + [.init(key: "Esc", text: "cancel")], into: &frame, theme: theme)
  }

  static func drawPrompt(
    _ prompt: TextPrompt, _ state: WorkbenchState, into frame: inout Frame, theme: Theme
  ) {
    let theme = theme.over(.overlay)
    let entry = prompt.entry
    let (title, what, width): (String, String, Int) =
      switch prompt.purpose {
      case .learningRate:
        (
          "Learning rate",
          state.runUnderWay ? "Peak of the schedule from the next step on:" : "Peak of the next run's schedule:", 26
        )
      case .runNote(let folder): ("Note", "About \(lastComponent(folder)); an empty line takes it away:", 52)
      case .openDataset: ("Open", "The folder of a dataset; up and down show recent ones:", 52)
      case .recipeName(_, let replacing):
        (
          "Save as a recipe",
          replacing.map { "There is another recipe \($0): Enter again replaces it." }
            ?? "A name, for --recipe NAME and for ctrl-o here:", 52
        )
      case .runName(let folder): ("Rename", "A new name for \(lastComponent(folder)):", 52)
      }
    let inner = box(title, height: 4, into: &frame, theme: theme)
    frame.put(what, in: inner.row(0), style: theme[.text])
    let input = inner.row(1).splitLeft(width).left
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
    /// What it would do in full, wrapped below it.
    var detail: String?
  }

  /// Columns of the text and of the keys of the answers.
  private static let (width, keyWidth) = (50, 12)

  private static func draw(
    _ title: String, text: String, warning: String? = nil, answers: [Answer], into frame: inout Frame, theme: Theme
  ) {
    let theme = theme.over(.overlay)
    let lines = Paragraph.wrapped(text, width: width)
    let warnings = warning.map { Paragraph.wrapped($0, width: width) } ?? []
    let details = answers.map { $0.detail.map { Paragraph.wrapped($0, width: width - keyWidth - 1) } ?? [] }
    let rows = answers.count + details.joined().count
    let inner = box(title, height: lines.count + warnings.count + 1 + rows, into: &frame, theme: theme)
    let (head, rest) = inner.splitTop(lines.count)
    frame.put(lines: lines, in: head, style: theme[.text])
    let (alarm, below) = rest.splitTop(warnings.count)
    frame.put(lines: warnings, in: alarm, style: theme[.error])
    var row = 1
    for (answer, detail) in zip(answers, details) {
      let line = below.row(row)
      if answer.isDefault { frame.fill(line, style: theme[.selection]) }
      let (key, text) = line.splitLeft(keyWidth)
      let style = answer.isDefault ? theme[.selection] : theme[.hintKey]
      frame.put(answer.isDefault ? " Enter or \(answer.key)" : " \(answer.key)", in: key, style: style)
      frame.put(answer.text, in: text.inset(left: 1), style: answer.isDefault ? theme[.selection] : theme[.text])
      for (index, part) in detail.enumerated() {
        frame.put(
          part, in: below.row(row + 1 + index).splitLeft(keyWidth).rest.inset(left: 1), style: theme[.dimmed])
      }
      row += 1 + detail.count
    }
  }

  /// A box in the middle with so many rows inside.
  private static func box(_ title: String, height: Int, into frame: inout Frame, theme: Theme) -> Rect {
    let rect = Rect(frame.size).inset(bottom: 2).centered(width: 54, height: height + 2)
    return frame.overlay(rect, title: title, theme: theme)
  }
}

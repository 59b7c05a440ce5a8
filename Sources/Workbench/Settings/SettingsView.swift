// The settings form on the screen: what the network is and what the run would take, a line a setting with its value and
// why, or what else it could be, what the selected one means or why it refused, and the command that starts the same run
// from a shell.

import Canvas
import Messages

enum SettingsView {
  /// Columns of the box at most.
  private static let widest = 132

  static func draw(_ form: SettingsForm, _ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    let theme = theme.over(.overlay)
    let screen = Rect(frame.size).inset(bottom: 2)
    let width = frame.size.width < 92 ? frame.size.width : min(frame.size.width - 4, widest)
    let isLow = screen.height < 30
    let command = Array(
      Paragraph.wrapped("$ " + state.settings.commandLine, width: width - 4).prefix(isLow ? 2 : 3))
    let lines = Line.all
    let box = screen.centered(width: width, height: lines.count + 3 + 2 + 2 + command.count)
    let inner = frame.overlay(
      box, title: state.runUnderWay ? "Settings of the next run" : "Settings", trailing: "Esc closes", theme: theme)
    let (head, below) = inner.splitTop(2)
    drawFigures(state, into: &frame, in: head, theme: theme)
    let (rest, commands) = below.splitBottom(min(command.count, max(1, below.height - 6)))
    let (body, explanation) = rest.splitBottom(2)
    drawExplanation(form, state, into: &frame, in: explanation, theme: theme)
    let selected = lines.firstIndex { $0.field == form.field } ?? 0
    let top = max(0, min(selected - body.height / 2, lines.count - body.height))
    for (row, line) in lines.dropFirst(top).prefix(body.height).enumerated() {
      let place = body.row(row).inset(right: 2)
      switch line {
      case .heading(let group): frame.put(group.title, in: place, style: theme[.header])
      case .field(let field):
        draw(field, field == form.field ? form : nil, state, into: &frame, in: place, theme: theme)
      }
    }
    let track = Rect(x: inner.right - 1, y: body.y, width: 1, height: body.height)
    Table.drawScrollBar(count: lines.count, offset: top, into: &frame, in: track, theme: theme)
    frame.put(lines: command, in: commands, style: theme[.dimmed])
  }

  /// Fields below the headings of their parts.
  private enum Line {
    case heading(FormField.Group)
    case field(SettingsField)

    var field: SettingsField? { if case .field(let field) = self { field } else { nil } }

    static let all: [Line] = FormField.Group.allCases.flatMap { group in
      [.heading(group)] + SettingsField.all.filter { $0.group == group }.map { .field($0) }
    }
  }

  // MARK: What it comes to

  /// The network's size, the memory that training takes of what is free, and the time.
  private static func drawFigures(
    _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let separator = Span(" \(theme.glyphs.separator) ", theme[.dimmed])
    var spans: [Span] = []
    if let summary = state.layers.summary, summary.isOf(state.planned) {
      // What would be refused comes first.
      let isShort = summary.exceedsMemory && !state.planned.safety.ignoresMemory
      let memory = Span("memory \(summary.memoryShare)", theme[isShort ? .error : .text])
      let isNarrow = rect.width < 88
      let size = [
        Span(summary.network.name, theme[.hintKey]),
        Span("\(Format.count(summary.parameters)) \(isNarrow ? "params" : "parameters")", theme[.text]),
        Span("\(Format.short(summary.multiplyAdds)) \(isNarrow ? "MACs" : "multiply-adds")", theme[.text]),
      ]
      spans = Array((isShort ? [memory] + size : size + [memory]).map { [$0] }.joined(separator: [separator]))
      if isShort { spans.append(Span("; it will be refused", theme[.error])) }
    } else if state.refusal == nil {
      spans = [Span("measuring \(state.planned.network.name)", theme[.dimmed])]
    }
    frame.put(spans, in: rect.row(0), style: theme[.text])
    let (text, role) = time(state)
    frame.put(text, in: rect.row(1), style: theme[role])
  }

  /// What the run would take, tried on this machine, or why that is not known.
  private static func time(_ state: WorkbenchState) -> (text: String, role: ThemeRole) {
    if let cost = state.plan?.recipe.cost {
      let epoch =
        cost.epoch < 10 ? "\(Format.fixed(cost.epoch, cost.epoch < 1 ? 2 : 1)) s" : Format.duration(cost.epoch)
      return (
        "an epoch \(epoch), tried here; \(Format.counted(cost.epochs, "epoch")), about "
          + "\(Format.duration(cost.total)) in all", .text
      )
    }
    if state.planRequest == state.settings || state.isPlanning { return ("trying what fits the images", .dimmed) }
    if let refusal = state.planRefusal { return (refusal, .warning) }
    if state.runUnderWay { return ("how long it takes is tried when no run is under way", .dimmed) }
    if state.looksOnly { return ("this screen is read-only: nothing is tried", .dimmed) }
    return state.dataset.report == nil
      ? ("how long it takes is tried once the images are read", .dimmed) : ("", .dimmed)
  }

  // MARK: A field

  /// Why what is typed, or all together, is refused; else what the field means, and why the recipe chose its value.
  private static func drawExplanation(
    _ form: SettingsForm, _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    if let refusal = form.error ?? state.refusal {
      return frame.put(lines: Paragraph.wrapped(refusal, width: rect.width), in: rect, style: theme[.error])
    }
    let choice = form.field.choice(in: state)
    let others = form.field.alternatives(networks: state.rules.networks)
    // Where the reason has the place beside the value, what else it could be is said here.
    let hint = form.field.explanation + (choice != nil && !others.isEmpty ? "; \(others)" : "")
    guard let choice else {
      return frame.put(lines: Paragraph.wrapped(hint, width: rect.width), in: rect, style: theme[.hintText])
    }
    frame.put("\(choice.value): \(choice.reason)", in: rect.row(0), style: theme[.text])
    frame.put(hint, in: rect.row(1), style: theme[.hintText])
  }

  /// One field; `form` where it is the selected one.
  private static func draw(
    _ field: SettingsField, _ form: SettingsForm?, _ state: WorkbenchState, into frame: inout Frame, in row: Rect,
    theme: Theme
  ) {
    let (label, rest) = row.splitLeft(19)
    let column = max(18, min(34, rest.width * 2 / 5))
    let shown = field.shownText(in: state)
    guard let form else {
      let (value, note) = rest.splitLeft(max(column, min(shown.columns + 4, rest.width)))
      frame.put(field.label, in: label, style: theme[.dimmed])
      frame.put(
        shown, in: value.inset(left: 2), style: theme[field.text(in: state.settings).isEmpty ? .dimmed : .text])
      frame.put(field.note(in: state), in: note, style: theme[.dimmed])
      return
    }
    let selection = theme[.selection]
    frame.fill(row, style: selection)
    frame.put(field.label, in: label, style: selection)
    let choices = field.choices(networks: state.rules.networks)
    if let typed = form.typed {
      let matches = choices == nil ? [] : form.matches(networks: state.rules.networks)
      let text = rest.inset(left: 2)
      let input = matches.isEmpty ? text : text.splitLeft(max(12, min(text.width / 3, 20))).left
      frame.fill(input, style: theme[.input])
      frame.put(typed: typed, in: input, style: theme[.input], caret: true)
      let others = matches.prefix(6).joined(separator: " ")
      frame.put(
        others, in: Rect(x: input.right + 1, y: row.y, width: row.right - input.right - 1, height: 1),
        style: selection)
      return
    }
    let arrows = theme.glyphs
    let text = choices == nil ? "  \(shown)" : "\(arrows.leftArrow) \(shown) \(arrows.rightArrow)"
    let (value, note) = rest.splitLeft(max(column, min(text.columns + 2, rest.width)))
    frame.put(text, in: value, style: selection)
    frame.put(field.note(in: state), in: note, style: selection)
  }
}

extension NetworkSummary {
  /// Whether it is of what these settings would train.
  fileprivate func isOf(_ settings: TrainingSettings) -> Bool {
    network.name == settings.network.name && batchSize == settings.batchSize
      && input.height == settings.preprocessing.imageSize
  }

  /// What training takes of what is free: `186 of 18.8 GiB`.
  fileprivate var memoryShare: String {
    guard !exceedsMemory, let availableMemory else { return memoryText }
    return "\(memoryText) of \(Format.bytes(availableMemory)) free"
  }
}

// The settings form on the screen: what the network is and what the run would take, a line a setting with its value and
// why, or what else it could be, what the selected one means or why it refused, and the command that starts the same run
// from a shell.

import Canvas
import Messages

enum SettingsView {
  /// Columns of the box at most.
  private static let widest = 132
  /// Columns of the labels.
  private static let labelWidth = 19

  /// Where the parts of the form stand, for drawing and for clicks alike.
  private struct Parts {
    var box: Rect
    var head: Rect
    var body: Rect
    var explanation: Rect
    var commands: Rect
    var command: [String]
    /// The first line in view.
    var top: Int
    private let lines = Line.all

    init(_ form: SettingsForm, _ state: WorkbenchState, in size: Size) {
      let screen = Rect(size).inset(bottom: 2)
      let width = size.width < 92 ? size.width : min(size.width - 4, SettingsView.widest)
      let isLow = screen.height < 30
      command = Array(
        Paragraph.wrapped("$ " + state.settings.commandLine, width: width - 4).prefix(isLow ? 2 : 3))
      box = screen.centered(width: width, height: lines.count + 3 + 2 + 2 + command.count)
      let (head, below) = box.overlayInterior.splitTop(2)
      let (rest, commands) = below.splitBottom(min(command.count, max(1, below.height - 6)))
      (self.head, self.commands) = (head, commands)
      (body, explanation) = rest.splitBottom(2)
      let selected = lines.firstIndex { $0.field == form.field } ?? 0
      top = max(0, min(selected - body.height / 2, lines.count - body.height))
    }

    /// The lines in view, each with its place.
    var shown: [(line: Line, place: Rect)] {
      lines.dropFirst(top).prefix(body.height).enumerated().map { ($1, body.row($0).inset(right: 2)) }
    }

    var count: Int { lines.count }
  }

  /// The field whose line is at a place, and whether that is left of its value's end, where the arrow back stands.
  static func field(
    x: Int, y: Int, _ form: SettingsForm, _ state: WorkbenchState
  ) -> (field: SettingsField, isBack: Bool)? {
    let hit = Parts(form, state, in: state.size).shown.first { $0.place.contains(x: x, y: y) }
    guard let hit, let field = hit.line.field else { return nil }
    let value = hit.place.splitLeft(labelWidth).rest
    return (field, x < value.x + 2)
  }

  static func draw(_ form: SettingsForm, _ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    let theme = theme.over(.overlay)
    let parts = Parts(form, state, in: frame.size)
    let inner = frame.overlay(
      parts.box, title: state.runUnderWay ? "Settings of the next run" : "Settings", trailing: "Esc closes",
      theme: theme)
    drawFigures(state, into: &frame, in: parts.head, theme: theme)
    drawExplanation(form, state, into: &frame, in: parts.explanation, theme: theme)
    for (line, place) in parts.shown {
      switch line {
      case .heading(let group): frame.put(group.title, in: place, style: theme[.header])
      case .field(let field):
        draw(field, field == form.field ? form : nil, state, into: &frame, in: place, theme: theme)
      }
    }
    let track = Rect(x: inner.right - 1, y: parts.body.y, width: 1, height: parts.body.height)
    Table.drawScrollBar(count: parts.count, offset: parts.top, into: &frame, in: track, theme: theme)
    frame.put(lines: parts.command, in: parts.commands, style: theme[.dimmed])
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
    let (label, rest) = row.splitLeft(labelWidth)
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

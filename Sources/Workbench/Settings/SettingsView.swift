// The settings form on the screen: a line a field, what the selected one means or why it refused, and the command
// that starts the same run from a shell.

import Canvas
import Messages

enum SettingsView {
  static func draw(_ form: SettingsForm, _ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    let theme = theme.over(.overlay)
    let fields = SettingsField.all
    let screen = Rect(frame.size).inset(bottom: 2)
    let width = frame.size.width < 92 ? frame.size.width : 84
    let command = Array(Paragraph.wrapped("$ " + state.settings.commandLine, width: width - 4).prefix(3))
    let box = screen.centered(width: width, height: fields.count + 3 + command.count + 1)
    let inner = frame.overlay(
      box, title: state.runUnderWay ? "Settings of the next run" : "Settings",
      trailing: cost(state).map { "\($0)" } ?? "Esc closes", theme: theme)
    let (rest, commands) = inner.splitBottom(min(command.count, max(1, inner.height - 8)))
    let refusal = (form.error ?? state.refusal).map { Paragraph.wrapped($0, width: rest.width) }
    let (body, explanation) = rest.splitBottom(min(refusal?.count ?? 1, 2))
    let shortage = state.layers.memoryShortage(for: state.settings)
    let selected = fields.firstIndex(of: form.field) ?? 0
    let top = max(0, min(selected - body.height / 2, fields.count - body.height))
    for (row, index) in (top..<min(fields.count, top + body.height)).enumerated() {
      draw(fields[index], index == selected ? form : nil, state, into: &frame, in: body.row(row), theme: theme)
    }
    let track = Rect(x: inner.right - 1, y: body.y, width: 1, height: body.height)
    Table.drawScrollBar(count: fields.count, offset: top, into: &frame, in: track, theme: theme)
    if let refusal {
      frame.put(lines: refusal, in: explanation, style: theme[.error])
    } else {
      let why = form.field.choice(in: state).map { "\($0.value): \($0.reason)" }
      frame.put(why ?? form.field.explanation, in: explanation, style: theme[.hintText])
      if let shortage {
        // Where both do not fit, what will be refused is the news.
        let room = form.field.explanation.columns + shortage.columns + 2 <= explanation.width
        if !room { frame.fill(explanation, style: theme[.text]) }
        frame.put(shortage, in: explanation, style: theme[.error], align: room ? .trailing : .leading)
      }
    }
    frame.put(lines: command, in: commands, style: theme[.dimmed])
  }

  /// What the run would take, where a recipe has reckoned that.
  private static func cost(_ state: WorkbenchState) -> String? {
    if state.isPlanning { return "trying what fits the images" }
    return state.plan.map { "about \(Format.duration($0.recipe.cost.total)) in all" }
  }

  /// One field; `form` where it is the selected one.
  private static func draw(
    _ field: SettingsField, _ form: SettingsForm?, _ state: WorkbenchState, into frame: inout Frame, in rect: Rect,
    theme: Theme
  ) {
    let row = rect.inset(right: 2)
    let (label, value) = row.splitLeft(19)
    guard let form else {
      frame.put(field.label, in: label, style: theme[.dimmed])
      let text = field.shownText(in: state)
      frame.put(
        text.isEmpty ? field.emptyText : text, in: value.inset(left: 2),
        style: theme[text.isEmpty ? .dimmed : .text])
      return
    }
    let selection = theme[.selection]
    frame.fill(row, style: selection)
    frame.put(field.label, in: label, style: selection)
    let choices = field.choices(networks: state.rules.networks)
    if let typed = form.typed {
      let matches = choices == nil ? [] : form.matches(networks: state.rules.networks)
      let text = value.inset(left: 2)
      let input = matches.isEmpty ? text : text.splitLeft(max(12, min(text.width / 3, 20))).left
      frame.fill(input, style: theme[.input])
      frame.put(typed: typed, in: input, style: theme[.input], caret: true)
      let others = matches.prefix(6).joined(separator: " ")
      frame.put(
        others, in: Rect(x: input.right + 1, y: row.y, width: row.right - input.right - 1, height: 1),
        style: selection)
    } else {
      let text = field.shownText(in: state)
      let shown = text.isEmpty ? field.emptyText : text
      if choices == nil {
        frame.put(shown, in: value.inset(left: 2), style: selection)
      } else {
        let arrows = theme.glyphs
        frame.put("\(arrows.leftArrow) \(shown) \(arrows.rightArrow)", in: value, style: selection)
      }
    }
  }
}

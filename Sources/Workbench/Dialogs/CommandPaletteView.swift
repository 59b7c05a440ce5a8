// The command palette: a line to type in, the commands that match, and how the chosen one is done from a shell.

import Canvas

enum CommandPaletteView {
  static func draw(_ palette: CommandPalette, _ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    let theme = theme.over(.overlay)
    let (list, foot) = SearchBox.draw(
      title: "Commands", trailing: "Enter runs", typed: palette.text, into: &frame, theme: theme)
    if palette.list.count == 0 {
      frame.put(
        notice: "no command matches \"\(palette.text)\": ctrl-u clears it, and ? lists every key", in: list,
        style: theme[.warning])
      return
    }
    let columns = [
      Table.Column("", width: .flexible(minimum: 20, weight: 1)),
      Table.Column("", width: .fixed(10), alignment: .trailing),
    ]
    Table.of(palette.list, columns: columns, height: list.height, focused: true, showsHeader: false) { item in
      let binding = palette.entry(item)
      return [
        .text(binding.paletteText),
        // A key of a question does nothing before it is asked.
        .spans([
          Span(binding.context.isQuestion ? "" : binding.keys.first?.label(theme.glyphs) ?? "", theme[.hintKey])
        ]),
      ]
    }.draw(into: &frame, in: list, theme: theme)
    if let command = palette.selected.flatMap({ state.headless(for: $0.action) }) {
      frame.put("$ " + command, in: foot, style: theme[.dimmed])
    }
  }
}

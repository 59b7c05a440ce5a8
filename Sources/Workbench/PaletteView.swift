// The command palette: a line to type in, the commands that match, and how the chosen one is done from a shell.

import Canvas

enum PaletteView {
  private static func box(in size: Size) -> Rect {
    let screen = Rect(size).inset(bottom: 2)
    return screen.centred(width: min(size.width - 4, 72), height: min(size.height - 4, 22))
  }

  /// How many commands are in view.
  static func rows(in size: Size) -> Int { max(1, box(in: size).interior.height - 2) }

  static func draw(_ palette: Palette, _ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    let theme = theme.over(.overlay)
    let inner = frame.overlay(box(in: frame.size), title: "Commands", trailing: "Enter runs", theme: theme)
    let (entry, rest) = inner.splitTop(1)
    let (list, foot) = rest.splitBottom(1)
    frame.fill(entry, style: theme[.input])
    frame.put(typed: ": " + palette.text, in: entry, style: theme[.input], caret: true)
    if palette.list.count == 0 {
      frame.put(notice: "no command matches", in: list, style: theme[.dimmed])
      return
    }
    let columns = [
      Table.Column("", width: .flexible(minimum: 20, weight: 1)),
      Table.Column("", width: .fixed(10), alignment: .trailing),
    ]
    Table.of(palette.list, columns: columns, height: list.height, focused: true, showsHeader: false) { item in
      let binding = Palette.entries[item]
      return [
        .text(binding.paletteText),
        .spans([Span(binding.keys.first?.label(theme.glyphs) ?? "", theme[.hintKey])]),
      ]
    }.draw(into: &frame, in: list, theme: theme)
    if let command = palette.selected.flatMap({ state.headless(for: $0.action) }) {
      frame.put("$ " + command, in: foot, style: theme[.dimmed])
    }
  }
}

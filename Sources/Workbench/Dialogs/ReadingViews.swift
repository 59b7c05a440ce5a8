// The overlays that are read: the keys by pane, from the keymap, and everything that was told so far.

import Canvas

extension Frame {
  /// An overlay's box: opaque, bordered, its inside with a column free at either side.
  mutating func overlay(_ rect: Rect, title: String, trailing: String = "", theme: Theme) -> Rect {
    fill(rect, style: theme[.text])
    box(rect, title: title, theme: theme, focused: true, trailing: [Span(trailing)])
    return rect.overlayInterior
  }
}

extension Rect {
  /// The inside of an overlay's box.
  var overlayInterior: Rect { interior.inset(left: 1, right: 1) }
}

/// Every key and what it does, the focused pane's first.
enum HelpView {
  enum Line: Equatable {
    case heading(String)
    case binding(Keymap.Binding)
    case mouse(String, String)
    case blank
  }

  static func lines(_ state: WorkbenchState) -> [Line] {
    let first = state.panes[state.focus].contexts
    let others: [Context] = state.panes.all.flatMap { $0.contexts }.filter { !first.contains($0) }
    // What panes share comes after what is their own.
    let shared = others.filter { $0.pane == nil }.reduce(into: [Context]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    let order =
      first.filter { $0.pane != nil } + first.filter { $0.pane == nil } + [.workbench, .lists]
      + others.filter { $0.pane != nil } + shared
      + [.diverged, .dataChanged, .form, .recipes, .lab, .palette, .chooser, .exporting, .filter, .always]
    let sections: [[Line]] = order.map { context in
      [.heading(context.title)]
        + state.panes.keymap.bindings.filter { $0.context == context && !$0.keys.isEmpty }.map { .binding($0) }
    }
    return Array((sections + [mouse]).joined(separator: [.blank]))
  }

  private static let mouse: [Line] = [
    .heading("Mouse"), .mouse("click, wheel", "choose a pane or a row; scroll"),
    .mouse("double click", "open; on a border: fill the screen with the pane"),
    .mouse("click below", "press the key of a hint"), .mouse("drag a border", "make panes larger and smaller"),
    .mouse("Shift and drag", "select text, which the terminal then copies"),
  ]

  static func draw(_ state: WorkbenchState, scroll: Int, into frame: inout Frame, theme: Theme) {
    let theme = theme.over(.overlay)
    let lines = lines(state)
    let inner = frame.overlay(
      state.readingBox(in: frame.size), title: "Keys", trailing: "Esc closes", theme: theme)
    let top = max(0, min(scroll, lines.count - inner.height))
    let keys = min(20, inner.width / 3)
    for (row, line) in lines.dropFirst(top).prefix(inner.height).enumerated() {
      let rect = inner.row(row).inset(right: 1)
      switch line {
      case .heading(let title): frame.put(title, in: rect, style: theme[.header])
      case .binding(let binding):
        let (left, right) = rect.splitLeft(keys)
        frame.put(binding.keyText(theme.glyphs), in: left.inset(left: 2), style: theme[.hintKey])
        frame.put(binding.help, in: right.inset(left: 1), style: theme[.text])
      case .mouse(let what, let help):
        let (left, right) = rect.splitLeft(keys)
        frame.put(what, in: left.inset(left: 2), style: theme[.hintKey])
        frame.put(help, in: right.inset(left: 1), style: theme[.text])
      case .blank: break
      }
    }
    let track = Rect(x: inner.right - 1, y: inner.y, width: 1, height: inner.height)
    Table.drawScrollBar(count: lines.count, offset: top, into: &frame, in: track, theme: theme)
  }
}

/// Every message so far, the newest first.
enum NoticesView {
  struct Line: Equatable {
    var text: String
    var level: Notice.Level
    /// Whether what it tells of is over.
    var isOver = false
  }

  /// - Parameter width: of the box's inside.
  static func lines(_ state: WorkbenchState, width: Int) -> [Line] {
    state.notices.reversed().flatMap { notice in
      let text = (notice.isOver ? "over: " : notice.level.mark) + notice.text
      return Paragraph.wrapped(text, width: max(1, width - 6)).enumerated().map { index, part in
        Line(text: (index == 0 ? "" : "  ") + part, level: notice.level, isOver: notice.isOver)
      }
    }
  }

  static func draw(_ state: WorkbenchState, scroll: Int, into frame: inout Frame, theme: Theme) {
    let theme = theme.over(.overlay)
    let box = state.readingBox(in: frame.size)
    let lines = lines(state, width: box.interior.width)
    let inner = frame.overlay(box, title: "Messages, the newest first", trailing: "Esc closes", theme: theme)
    guard !lines.isEmpty else {
      frame.put(notice: "nothing to tell", in: inner, style: theme[.dimmed])
      return
    }
    let top = max(0, min(scroll, lines.count - inner.height))
    for (row, line) in lines.dropFirst(top).prefix(inner.height).enumerated() {
      let role: ThemeRole = line.isOver ? .dimmed : line.level == .information ? .text : line.level.role
      frame.put(line.text, in: inner.row(row).inset(right: 1), style: theme[role])
    }
    let track = Rect(x: inner.right - 1, y: inner.y, width: 1, height: inner.height)
    Table.drawScrollBar(count: lines.count, offset: top, into: &frame, in: track, theme: theme)
  }
}

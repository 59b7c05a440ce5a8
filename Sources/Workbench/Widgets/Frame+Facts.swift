// Small pieces of drawing that several panes share: facts on a line, a filter being typed, a picture or why there is
// none.

import Canvas

/// Where the parts of a pane with a list stand.
struct PaneAreas: Equatable {
  /// Lines above the list.
  var header: Rect
  /// The list with its own heading.
  var table: Rect
  /// The list's rows alone.
  var body: Rect
  /// Lines below the list.
  var footer: Rect
  /// Beside the list; empty where there is nothing.
  var side: Rect

  /// - Parameter heading: rows of the list's own heading.
  init(in inner: Rect, header: Int, heading: Int, footer: Int, side: Int = 0) {
    let upper = inner.splitTop(header)
    self.header = upper.top
    // What is above and below gives way before the list does.
    let lower = upper.rest.splitBottom(min(footer, max(0, upper.rest.height - heading - 1)))
    self.footer = lower.bottom
    let across = lower.rest.splitLeft(lower.rest.width - side)
    (table, self.side) = (across.left, across.rest.inset(left: 1))
    body = table.splitTop(heading).rest
  }
}

extension Frame {
  /// As many facts as fit, most important first, with the theme's separator between them.
  mutating func put(facts: [String], in rect: Rect, theme: Theme, style: Style? = nil) {
    let separator = " \(theme.glyphs.separator) "
    var line = ""
    for fact in facts where !fact.isEmpty {
      let next = line.isEmpty ? fact : line + separator + fact
      if !line.isEmpty, next.columns > rect.width { break }
      line = next
    }
    put(line, in: rect, style: style ?? theme[.text])
  }

  /// As many pieces as fit, most important first.
  mutating func put(pieces: [[Span]], in rect: Rect, style: Style) {
    var line: [Span] = []
    var width = 0
    for piece in pieces {
      let columns = piece.reduce(0) { $0 + $1.text.columns } + (line.isEmpty ? 0 : 2)
      if !line.isEmpty, width + columns > rect.width { break }
      line += (line.isEmpty ? [] : [Span("  ")]) + piece
      width += columns
    }
    put(line, in: rect, style: style)
  }

  /// A filter, with the caret where it is being typed, and how many items it leaves.
  mutating func put(filterOf list: BrowsableList, typing: Bool, in rect: Rect, theme: Theme) {
    let row = rect.row(0)
    guard !row.isEmpty else { return }
    let count = " \(Format.count(list.count)) of \(Format.count(list.total))"
    let field = row.splitLeft(row.width - DisplayWidth.of(count))
    let style = theme[typing ? .input : .text]
    if typing { fill(field.left, style: style) }
    put(typed: "/" + list.filter, in: field.left, style: style, caret: typing)
    put(count, in: field.rest, style: theme[.dimmed])
  }

  /// A text being typed: its end stays in view, with the caret after it.
  mutating func put(typed text: String, in rect: Rect, style: Style, caret: Bool) {
    guard !rect.isEmpty else { return }
    put(text, in: rect.inset(right: caret ? 1 : 0), style: style, truncate: .start)
    if caret { cursor = (rect.x + min(text.columns, rect.width - 1), rect.y) }
  }

  /// A picture, or why there is none.
  mutating func put(
    picture: PictureStore.Entry?, in rect: Rect, theme: Theme, drawn: inout DrawnPictures
  ) {
    let message: String
    switch picture {
    case .picture where theme.pictureOutput == .none: message = "pictures are off (--pictures none)"
    case .picture(let image):
      if drawn.put(image, into: &self, in: rect, theme: theme) { return }
      message = "this picture is damaged"
    case .failed(let reason): message = reason
    case .waiting, nil: message = "reading"
    }
    let lines = Paragraph.wrapped(message, width: rect.width)
    let isPlain = message == "reading" || theme.pictureOutput == .none
    let style = theme[isPlain ? .dimmed : .warning]
    put(lines: lines, in: rect.centered(width: rect.width, height: lines.count), style: style, align: .center)
  }

  /// Lines in the middle of an empty pane, wrapped.
  mutating func put(notice text: String, in rect: Rect, style: Style) {
    let lines = Paragraph.wrapped(text, width: rect.width)
    put(
      lines: lines, in: rect.centered(width: rect.width, height: min(rect.height, lines.count)), style: style,
      align: .center)
  }
}

extension String {
  /// Columns that it takes once it is on the screen, signs in the place of controls included.
  var columns: Int { DisplayWidth.of(Sanitizer.sanitized(self)) }
}

extension Table {
  /// A table of the part of a list that is in view, `row` making the cells of an item.
  static func of(
    _ list: BrowsableList, columns: [Column], height: Int, focused: Bool, showsHeader: Bool = true,
    row: (Int) -> [Content]
  ) -> Table {
    let window = list.window(height: height)
    return Table(
      columns: columns, rows: window.compactMap { list.item(at: $0) }.map(row), firstIndex: window.lowerBound,
      count: list.count, selected: list.selected, offset: window.lowerBound, focused: focused,
      showsHeader: showsHeader)
  }
}

/// One of the signs of activity, by the time in seconds.
func spinner(at time: Double, theme: Theme) -> String {
  let signs = theme.glyphs.spinner
  guard time.isFinite, time >= 0, time < 1e12, !signs.isEmpty else { return "" }
  return String(signs[Int(time * 8) % signs.count])
}

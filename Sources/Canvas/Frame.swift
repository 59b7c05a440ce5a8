// A frame is what the terminal should show: a grid of cells, each a character with a style. Drawing is done into a
// frame and only the Terminal module turns one into escape sequences.

/// A color as a theme names it.
public enum Color: Sendable, Hashable {
  /// The terminal's own foreground or background.
  case standard
  /// One of the 16 or 256 colors of the terminal's palette.
  case palette(UInt8)
  case rgb(red: UInt8, green: UInt8, blue: UInt8)
}

/// How a cell looks.
public struct Style: Sendable, Hashable {
  public var foreground: Color
  public var background: Color
  public var bold: Bool
  public var dim: Bool
  public var underline: Bool
  public var reverse: Bool

  public init(
    foreground: Color = .standard, background: Color = .standard, bold: Bool = false, dim: Bool = false,
    underline: Bool = false, reverse: Bool = false
  ) {
    self.foreground = foreground
    self.background = background
    self.bold = bold
    self.dim = dim
    self.underline = underline
    self.reverse = reverse
  }

  public static let plain = Style()
}

/// One position of the grid.
public struct Cell: Sendable, Hashable {
  /// What is drawn; empty in the right half of a wide character.
  public var character: Character?
  public var style: Style

  public init(_ character: Character?, _ style: Style = .plain) {
    self.character = character
    self.style = style
  }

  public static let blank = Cell(" ")
}

/// A grid of cells. Drawing outside it is ignored, so that a pane need not know where the screen ends.
public struct Frame: Sendable, Equatable {
  public let size: Size
  /// Rows from the top, each of `size.width` cells.
  public private(set) var cells: [Cell]
  /// Where the text cursor stands; nil hides it.
  public var cursor: (x: Int, y: Int)?
  /// What stands for the rest of a text that was cut; it comes from the theme's glyphs.
  public var ellipsis: Character
  /// Pictures that the terminal draws itself, in the order in which they were put; their cells hold `PictureMark`s.
  public internal(set) var pictures: [PlacedPicture] = []

  public init(size: Size, filledWith cell: Cell = .blank, ellipsis: Character = Glyphs.unicode.ellipsis) {
    self.ellipsis = ellipsis
    self.size = Size(width: max(0, size.width), height: max(0, size.height))
    cells = Array(repeating: cell, count: self.size.width * self.size.height)
  }

  /// The cell in a column and row. Replacing one half of a wide character blanks the other half, so that no row
  /// grows or shrinks.
  public subscript(x: Int, y: Int) -> Cell {
    get {
      guard x >= 0, y >= 0, x < size.width, y < size.height else { return .blank }
      return cells[y * size.width + x]
    }
    set {
      guard x >= 0, y >= 0, x < size.width, y < size.height else { return }
      let index = y * size.width + x
      let old = cells[index].character
      if old != newValue.character {
        if old == nil, x > 0 { cells[index - 1].character = " " }
        if x + 1 < size.width, cells[index + 1].character == nil { cells[index + 1].character = " " }
      }
      cells[index] = newValue
    }
  }

  public static func == (left: Frame, right: Frame) -> Bool {
    left.size == right.size && left.cells == right.cells && left.cursor?.x == right.cursor?.x
      && left.cursor?.y == right.cursor?.y
  }
}

// MARK: Drawing

// Putting text, fills and boxes into a frame. Every function takes a rectangle and touches nothing outside it;
// empty and partly visible rectangles are ordinary cases.

extension Frame {
  /// Puts one line of text in the first row of a rectangle. What does not fit is cut with an ellipsis; cells that
  /// the text does not reach keep what they hold.
  public mutating func put(
    _ text: String, in rect: Rect, style: Style = .plain, align: Alignment = .leading, truncate: Truncation = .end
  ) {
    put([Span(text)], in: rect, style: style, align: align, truncate: truncate)
  }

  /// Puts spans one after the other in the first row of a rectangle; `style` holds for spans that have none.
  public mutating func put(
    _ spans: [Span], in rect: Rect, style: Style = .plain, align: Alignment = .leading, truncate: Truncation = .end
  ) {
    guard !rect.isEmpty else { return }
    let all = spans.flatMap { StyledCharacter.list(of: $0.text, style: $0.style) }
    let line = truncate.fit(all, width: rect.width, ellipsis: ellipsis)
    var x = rect.x
    switch align {
    case .leading: break
    case .center: x += (rect.width - line.columns) / 2
    case .trailing: x += rect.width - line.columns
    }
    for item in line {
      place(item.character, item.style ?? style, x: x, y: rect.y)
      x += DisplayWidth.of(item.character)
    }
  }

  /// Puts lines of text below each other, as many as the rectangle has rows.
  public mutating func put(lines: [String], in rect: Rect, style: Style = .plain, align: Alignment = .leading) {
    for (index, line) in lines.prefix(rect.height).enumerated() {
      put(line, in: rect.row(index), style: style, align: align)
    }
  }

  /// One character, in two cells if it is wide; half a wide character at the frame's edge becomes a space.
  private mutating func place(_ character: Character, _ style: Style, x: Int, y: Int) {
    guard DisplayWidth.of(character) == 2 else {
      self[x, y] = Cell(character, style)
      return
    }
    if x < 0 || x + 1 >= size.width {
      self[x, y] = Cell(" ", style)
      self[x + 1, y] = Cell(" ", style)
    } else {
      self[x, y] = Cell(character, style)
      self[x + 1, y] = Cell(nil, style)
    }
  }

  /// Blanks a rectangle in a style, or fills it with a character one column wide.
  public mutating func fill(_ rect: Rect, style: Style, with character: Character = " ") {
    let visible = rect.intersection(Rect(size))
    for y in visible.y..<visible.bottom {
      for x in visible.x..<visible.right { self[x, y] = Cell(character, style) }
    }
  }

  /// Changes the style of every cell of a rectangle and leaves the characters.
  public mutating func restyle(_ rect: Rect, _ change: (inout Style) -> Void) {
    let visible = rect.intersection(Rect(size))
    for y in visible.y..<visible.bottom {
      for x in visible.x..<visible.right {
        var cell = self[x, y]
        change(&cell.style)
        self[x, y] = cell
      }
    }
  }

  /// Draws a border with a title in its upper edge. A rectangle too small for a border and content gets none.
  /// - Parameters:
  ///   - trailing: a short text at the right of the upper edge, dimmed where it has no style of its own, dropped when
  ///     there is no room for it.
  ///   - footer: a short text at the right of the lower edge.
  /// - Returns: the rectangle inside the border; the whole rectangle if there is none.
  @discardableResult
  public mutating func box(
    _ rect: Rect, title: String, theme: Theme, focused: Bool, trailing: [Span] = [], footer: String = ""
  ) -> Rect {
    guard rect.width >= 3, rect.height >= 3 else { return rect }
    let glyphs = theme.glyphs
    let border = theme[focused ? .focusedBorder : .border]
    let (left, right, bottom) = (rect.x, rect.right - 1, rect.bottom - 1)
    fill(rect.row(0).inset(left: 1, right: 1), style: border, with: glyphs.horizontal)
    fill(rect.row(rect.height - 1).inset(left: 1, right: 1), style: border, with: glyphs.horizontal)
    for y in rect.y + 1..<bottom {
      self[left, y] = Cell(glyphs.vertical, border)
      self[right, y] = Cell(glyphs.vertical, border)
    }
    self[left, rect.y] = Cell(glyphs.topLeft, border)
    self[right, rect.y] = Cell(glyphs.topRight, border)
    self[left, bottom] = Cell(glyphs.bottomLeft, border)
    self[right, bottom] = Cell(glyphs.bottomRight, border)

    var edge = rect.row(0).inset(left: 2, right: 2)
    let needed = trailing.reduce(2) { $0 + DisplayWidth.of(Sanitizer.sanitized($1.text)) }
    if needed > 2, edge.width >= needed + min(DisplayWidth.of(title), 8) + 3 {
      let place = Rect(x: edge.right - needed, y: edge.y, width: needed, height: 1)
      put([Span(" ")] + trailing + [Span(" ")], in: place, style: theme[.dimmed])
      edge.width -= needed + 1
    }
    if !title.isEmpty, edge.width >= 3 {
      let cut = Truncation.end.fit(title, width: edge.width - 2, ellipsis: ellipsis)
      put(" \(cut) ", in: edge, style: theme[focused ? .focusedTitle : .title])
    }
    if !footer.isEmpty {
      let place = rect.row(rect.height - 1).inset(left: 2, right: 2)
      if place.width >= DisplayWidth.of(footer) + 2 {
        put(" \(footer) ", in: place, style: theme[.dimmed], align: .trailing)
      }
    }
    return rect.inset(left: 1, top: 1, right: 1, bottom: 1)
  }
}

extension Rect {
  /// What both rectangles cover.
  public func intersection(_ other: Rect) -> Rect {
    let left = max(x, other.x)
    let top = max(y, other.y)
    return Rect(x: left, y: top, width: min(right, other.right) - left, height: min(bottom, other.bottom) - top)
  }

  /// A rectangle of the given size in the middle of this one, no larger than it: for dialogs.
  public func centered(width: Int, height: Int) -> Rect {
    let (w, h) = (min(max(0, width), self.width), min(max(0, height), self.height))
    return Rect(x: x + (self.width - w) / 2, y: y + (self.height - h) / 2, width: w, height: h)
  }
}

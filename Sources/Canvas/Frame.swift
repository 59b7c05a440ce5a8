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

// A small raster of dots under a rectangle of cells: braille characters hold two by four dots a cell, plain marks
// one. Charts draw points and lines on it; the grid knows nothing of axes or values.

struct DotGrid {
  /// In dots.
  let width: Int
  let height: Int
  private let columns: Int
  private let dotsAcross: Int
  private let dotsDown: Int
  private let marks: [Character]
  /// A bit a dot, by cell, row by row.
  private var bits: [UInt8]
  /// Which series set dots in the cell last.
  private var owners: [Int]

  /// - Parameters:
  ///   - columns, rows: its extent in cells.
  init(columns: Int, rows: Int, glyphs: Glyphs) {
    self.columns = columns
    dotsAcross = glyphs.hasBraille ? 2 : 1
    dotsDown = glyphs.hasBraille ? 4 : 1
    marks = glyphs.hasBraille ? [] : glyphs.chartMarks
    width = columns * dotsAcross
    height = rows * dotsDown
    bits = Array(repeating: 0, count: columns * rows)
    owners = Array(repeating: 0, count: columns * rows)
  }

  /// Sets a dot, counted from the upper left; outside the grid nothing happens.
  mutating func set(x: Int, y: Int, owner: Int) {
    guard x >= 0, y >= 0, x < width, y < height else { return }
    let cell = (y / dotsDown) * columns + x / dotsAcross
    bits[cell] |= Self.bit(x: x % dotsAcross, y: y % dotsDown)
    owners[cell] = owner
  }

  /// A straight line between two dots, both ends included (J. E. Bresenham, "Algorithm for computer control of a
  /// digital plotter", 1965).
  mutating func line(from start: (x: Int, y: Int), to end: (x: Int, y: Int), owner: Int) {
    var (x, y) = start
    let (dx, dy) = (abs(end.x - x), -abs(end.y - y))
    let (stepX, stepY) = (x < end.x ? 1 : -1, y < end.y ? 1 : -1)
    var error = dx + dy
    while true {
      set(x: x, y: y, owner: owner)
      if x == end.x && y == end.y { return }
      let doubled = 2 * error
      if doubled >= dy {
        error += dy
        x += stepX
      }
      if doubled <= dx {
        error += dx
        y += stepY
      }
    }
  }

  /// Puts every cell that holds dots into a frame.
  func draw(into frame: inout Frame, in rect: Rect, style: (_ owner: Int) -> Style) {
    for (index, bits) in bits.enumerated() where bits != 0 {
      let owner = owners[index]
      let mark = marks.isEmpty ? Self.braille(bits) : marks[owner % marks.count]
      frame[rect.x + index % columns, rect.y + index / columns] = Cell(mark, style(owner))
    }
  }

  /// Braille patterns number the dots of the upper three rows by column, and the fourth row after them (Unicode
  /// Standard, block U+2800).
  private static func bit(x: Int, y: Int) -> UInt8 {
    y == 3 ? 0x40 << UInt8(x) : 1 << UInt8(x * 3 + y)
  }

  private static func braille(_ bits: UInt8) -> Character {
    Unicode.Scalar(0x2800 + UInt32(bits)).map { Character($0) } ?? " "
  }
}

// A small raster of dots under a rectangle of cells: braille characters hold two by four dots a cell, quarter blocks two
// by two, plain marks one. Charts draw points and lines on it; the grid knows nothing of axes or values.

struct DotGrid {
  /// In dots.
  let width: Int
  let height: Int
  private let columns: Int
  private let dots: Glyphs.ChartDots
  private let dotsAcross: Int
  private let dotsDown: Int
  private let marks: [Character]
  /// A bit a dot, by cell, row by row.
  private var bits: [UInt8]
  /// Which curves have dots in the cell, a bit each.
  private var owners: [UInt64]

  /// - Parameters:
  ///   - columns, rows: its extent in cells.
  init(columns: Int, rows: Int, glyphs: Glyphs) {
    self.columns = columns
    dots = glyphs.chartDots
    dotsAcross = dots == .marks ? 1 : 2
    dotsDown = dots == .marks ? 1 : dots == .blocks ? 2 : 4
    marks = glyphs.chartMarks
    width = columns * dotsAcross
    height = rows * dotsDown
    bits = Array(repeating: 0, count: columns * rows)
    owners = Array(repeating: 0, count: columns * rows)
  }

  /// Sets a dot, counted from the upper left; outside the grid nothing happens.
  /// - Parameter owner: whose dot it is, 0 to 63.
  mutating func set(x: Int, y: Int, owner: Int) {
    guard x >= 0, y >= 0, x < width, y < height else { return }
    let cell = (y / dotsDown) * columns + x / dotsAcross
    bits[cell] |= Self.bit(x: x % dotsAcross, y: y % dotsDown)
    owners[cell] |= 1 << UInt64(min(owner, 63))
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

  /// Puts every cell that holds dots into a frame. A cell has one color: where curves meet, they have the cells by
  /// turns, so that each can be followed.
  func draw(into frame: inout Frame, in rect: Rect, style: (_ owner: Int) -> Style) {
    for (index, bits) in bits.enumerated() where bits != 0 {
      let (column, row) = (index % columns, index / columns)
      let owner = Self.owner(owners[index], turn: column)
      frame[rect.x + column, rect.y + row] = Cell(character(bits, of: owner), style(owner))
    }
  }

  private static func owner(_ owners: UInt64, turn: Int) -> Int {
    var left = owners
    for _ in 0..<(turn % max(1, owners.nonzeroBitCount)) { left &= left - 1 }
    return left.trailingZeroBitCount
  }

  private func character(_ bits: UInt8, of owner: Int) -> Character {
    switch dots {
    case .braille: Unicode.Scalar(0x2800 + UInt32(bits)).map { Character($0) } ?? " "
    case .blocks: Self.quarters[Int(bits & 1 | bits >> 2 & 2 | bits << 1 & 4 | bits >> 1 & 8)]
    case .marks: marks[owner % marks.count]
    }
  }

  /// By the quarters that are set: 1 upper left, 2 upper right, 4 lower left, 8 lower right.
  private static let quarters: [Character] = [
    " ", "▘", "▝", "▀", "▖", "▌", "▞", "▛", "▗", "▚", "▐", "▜", "▄", "▙", "▟", "█",
  ]

  /// Braille patterns number the dots of the upper three rows by column, and the fourth row after them (Unicode
  /// Standard, block U+2800).
  private static func bit(x: Int, y: Int) -> UInt8 {
    y == 3 ? 0x40 << UInt8(x) : 1 << UInt8(x * 3 + y)
  }
}

// A table: columns with titles, rows of cells, a selected row, a scroll bar. It draws the rows it is given;
// sorting, filtering and selecting are its owner's.

/// Rows in columns under a header.
///
///     Table(
///       columns: [.init("class", width: .flexible(minimum: 8, weight: 1)), .init("images", width: .fixed(6))],
///       rows: [["cat", "120"], ["dog", "118"]], selected: 0
///     ).draw(into: &frame, in: rect, theme: theme)
public struct Table: Sendable, Equatable {
  public enum Width: Sendable, Hashable {
    /// In terminal columns.
    case fixed(Int)
    /// At least the minimum, and of what is left a share by weight.
    case flexible(minimum: Int, weight: Int)
  }

  public struct Column: Sendable, Hashable {
    public var title: String
    public var width: Width
    public var alignment: Alignment
    public var truncation: Truncation

    public init(
      _ title: String, width: Width, alignment: Alignment = .leading, truncation: Truncation = .end
    ) {
      self.title = title
      self.width = width
      self.alignment = alignment
      self.truncation = truncation
    }
  }

  /// What stands in one cell.
  public enum Content: Sendable, Hashable, ExpressibleByStringInterpolation {
    case text(String)
    case spans([Span])
    /// A bar of the given fraction of the cell's width.
    case bar(fraction: Double, role: ThemeRole)

    public init(stringLiteral value: String) { self = .text(value) }
  }

  public var columns: [Column]
  /// A cell a column; missing ones are blank. They may be a part of a long list, see `firstIndex`.
  public var rows: [[Content]]
  /// The index in the whole list of the first of `rows`.
  public var firstIndex: Int
  /// Rows in the whole list.
  public var count: Int
  /// The index of the selected row; nil for none.
  public var selected: Int?
  /// The index of the first visible row.
  public var offset: Int
  public var focused: Bool
  public var showsHeader: Bool

  /// - Parameters:
  ///   - firstIndex, count: for long lists of which only the visible part was made into rows.
  public init(
    columns: [Column], rows: [[Content]], firstIndex: Int = 0, count: Int? = nil, selected: Int? = nil,
    offset: Int = 0, focused: Bool = false, showsHeader: Bool = true
  ) {
    self.columns = columns
    self.rows = rows
    self.firstIndex = firstIndex
    self.count = count ?? firstIndex + rows.count
    self.selected = selected
    self.offset = max(0, offset)
    self.focused = focused
    self.showsHeader = showsHeader
  }

  /// How many rows are visible in a rectangle of that height.
  public func visibleRows(height: Int) -> Int {
    max(0, height - (showsHeader ? 1 : 0))
  }

  /// The index of the row drawn at a screen row; nil for the header and below the last row.
  public func index(atRow y: Int, in rect: Rect) -> Int? {
    let body = showsHeader ? rect.splitTop(1).rest : rect
    guard (body.y..<body.bottom).contains(y) else { return nil }
    let index = offset + y - body.y
    return index < count ? index : nil
  }

  public func draw(into frame: inout Frame, in rect: Rect, theme: Theme) {
    guard !rect.isEmpty else { return }
    let (head, body) = rect.splitTop(showsHeader ? 1 : 0)
    let scrolls = count > body.height && body.height > 0 && rect.width >= 3
    let width = rect.width - (scrolls ? 1 : 0)
    let places = Self.places(of: columns, width: width)
    for place in places where showsHeader {
      let column = columns[place.column]
      let cell = Rect(x: head.x + place.x, y: head.y, width: place.width, height: 1)
      frame.put(column.title, in: cell, style: theme[.header], align: column.alignment)
    }
    for line in 0..<body.height {
      let index = offset + line
      guard index < count else { break }
      let row = Rect(x: body.x, y: body.y + line, width: width, height: 1)
      if rows.indices.contains(index - firstIndex) {
        draw(rows[index - firstIndex], places, into: &frame, in: row, theme: theme)
      }
      if index == selected { highlight(row, in: &frame, theme: theme) }
    }
    if scrolls {
      let track = Rect(x: rect.right - 1, y: body.y, width: 1, height: body.height)
      Self.drawScrollBar(count: count, offset: offset, into: &frame, in: track, theme: theme)
    }
  }

  private func draw(
    _ row: [Content], _ places: [Place], into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    for place in places where place.column < row.count {
      let column = columns[place.column]
      let cell = Rect(x: rect.x + place.x, y: rect.y, width: place.width, height: 1)
      switch row[place.column] {
      case .text(let text):
        frame.put(text, in: cell, style: theme[.text], align: column.alignment, truncate: column.truncation)
      case .spans(let spans):
        frame.put(spans, in: cell, style: theme[.text], align: column.alignment, truncate: column.truncation)
      case .bar(let fraction, let role):
        Bar(fraction, role: role).draw(into: &frame, in: cell, theme: theme)
      }
    }
  }

  /// The selection takes the ordinary text and the background; what has a color of its own keeps it.
  private func highlight(_ row: Rect, in frame: inout Frame, theme: Theme) {
    let style = theme.selection(focused: focused)
    let text = theme[.text]
    frame.restyle(row) { cell in
      if cell.foreground == text.foreground || cell.foreground == .standard { cell.foreground = style.foreground }
      cell.background = style.background
      cell.bold = cell.bold || style.bold
      cell.underline = cell.underline || style.underline
      cell.reverse = style.reverse
      cell.dim = false
    }
  }

  /// A scroll bar for a list: the thumb's length is the visible share, at least one cell; it touches the ends only
  /// when the list does.
  public static func drawScrollBar(
    count: Int, offset: Int, into frame: inout Frame, in track: Rect, theme: Theme
  ) {
    guard !track.isEmpty, count > track.height else { return }
    let height = track.height
    let length = max(1, height * height / count)
    let travel = height - length
    let last = count - height
    var top = min(max(0, offset), last) * travel / last
    if offset > 0, top == 0, travel > 1 { top = 1 }
    for row in 0..<height {
      let isThumb = (top..<top + length).contains(row)
      let glyph = isThumb ? theme.glyphs.scrollThumb : theme.glyphs.scrollTrack
      frame[track.x, track.y + row] = Cell(glyph, theme[isThumb ? .focusedBorder : .border])
    }
  }
}

// MARK: Layout

// Where the columns of a table stand. Pure arithmetic over widths.

extension Table {
  /// A column that is shown, and where.
  struct Place: Equatable {
    /// Index into `columns`.
    var column: Int
    /// From the left of the table.
    var x: Int
    var width: Int
  }

  /// Blank columns between two columns of the table.
  private static let gap = 1

  /// The places of the columns in a width. When not even the minima fit, columns go from the right; the first one
  /// stays and is cut.
  static func places(of columns: [Column], width: Int) -> [Place] {
    guard width > 0 else { return [] }
    var shown = columns.count
    while shown > 1, minimumWidth(columns.prefix(shown)) > width { shown -= 1 }
    var left = max(0, width - minimumWidth(columns.prefix(shown)))
    var weights = columns.prefix(shown).reduce(0) { $0 + $1.weight }
    var x = 0
    return columns.prefix(shown).enumerated().map { index, column in
      // Each takes its share of what the ones before have left, so that no column is lost to rounding.
      let share = weights > 0 ? left * column.weight / weights : 0
      left -= share
      weights -= column.weight
      let place = Place(column: index, x: x, width: min(column.minimum + share, width - x))
      x += place.width + gap
      return place
    }
  }

  private static func minimumWidth(_ columns: ArraySlice<Column>) -> Int {
    columns.reduce(0) { $0 + $1.minimum } + max(0, columns.count - 1) * gap
  }
}

extension Table.Column {
  fileprivate var minimum: Int {
    switch width {
    case .fixed(let columns), .flexible(let columns, _): max(0, columns)
    }
  }

  fileprivate var weight: Int {
    if case .flexible(_, let weight) = width { max(0, weight) } else { 0 }
  }
}

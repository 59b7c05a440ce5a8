// Where the parts of the inspector stand: one view alone, or, where there is room, the matrix, the confidence, the images
// and one of them side by side. Drawing, moving and clicking go by it.

import Canvas

/// The parts that are in view; nil for one that is not.
struct InspectorLayout: Equatable {
  var matrix: Rect?
  var confidence: Rect?
  var sheet: Rect?
  var single: Rect?
  /// Whether parts have borders of their own.
  var isDivided = false

  /// From this on all four parts are in view.
  static let wide = Size(width: 118, height: 34)
  /// From this on one image stands beside the sheet.
  static let broad = 96

  init(_ state: InspectorState, in inner: Rect) {
    let isWide = inner.width >= Self.wide.width && inner.height >= Self.wide.height
    switch state.view {
    case .images where state.images.isSingle: single = inner
    case .confusion, .images, .confidence:
      if isWide {
        isDivided = true
        let (upper, lower) = inner.splitTop(inner.height * 9 / 20)
        let (left, right) = upper.splitLeft(upper.width * 12 / 25)
        let (sheet, single) = lower.splitLeft(lower.width * 27 / 50)
        (matrix, confidence, self.sheet, self.single) = (left, right, sheet, single)
      } else if state.view == .images, inner.width >= Self.broad, inner.height >= 14 {
        isDivided = true
        (sheet, single) = inner.splitLeft(inner.width * 29 / 50)
      } else {
        switch state.view {
        case .confusion: matrix = inner
        case .images: sheet = inner
        default: confidence = inner
        }
      }
    case .suspects, .comparison:
      // The list stands where the sheet does.
      if inner.width >= Self.broad, inner.height >= 14 {
        (sheet, single) = inner.splitLeft(inner.width * 29 / 50)
        single?.x += 1
        single?.width -= 1
      } else {
        sheet = inner
        if inner.height >= 12 {
          let (upper, lower) = inner.splitTop(inner.height / 2)
          (sheet, single) = (upper, lower)
        }
      }
    case .checkpoints, .hardest, .overview, .classes: break
    }
  }

  /// What a part's border leaves of it.
  func content(_ part: Rect?) -> Rect? { part.map { isDivided ? $0.interior : $0 } }
}

/// The matrix in a rectangle: labels at the left, recall at the right, precision below.
struct ConfusionLayout: Equatable {
  var header: Rect
  var heading: Rect
  /// The rows, with their labels and recalls.
  var body: Rect
  var precision: Rect
  var label: Int
  var cell: Int
  /// Columns that there is room for.
  var columns: Int
  static let margin = 7

  init(_ confusion: ConfusionState, widestName: Int, notes: Int, in rect: Rect) {
    let (head, rest) = rect.splitTop(min(1 + notes, max(1, rect.height - 4)))
    header = head
    let (heading, lower) = rest.splitTop(1)
    self.heading = heading
    let (body, foot) = lower.splitBottom(lower.height >= 4 ? 1 : 0)
    (self.body, precision) = (body, foot)
    let count = max(1, confusion.order.count)
    // A share takes four columns, and the cursor's brackets stand between cells.
    let least = max(5, confusion.digits + 2)
    let names = max(7, min(widestName + 1, rect.width / 4))
    let roomy = max(12, names)
    label = rect.width - roomy - Self.margin >= count * least ? roomy : names
    let room = rect.width - label - Self.margin
    // As wide as makes the names readable, where all of them fit.
    cell = max(least, min(9, room / count))
    columns = max(0, min(count, room / cell))
  }

  var extent: (rows: Int, columns: Int) { (body.height, columns) }

  /// The cell that stands at a position of the screen, as places in the order.
  func place(x: Int, y: Int, _ confusion: ConfusionState) -> (row: Int, column: Int)? {
    guard body.contains(x: x, y: y), x >= body.x + label, x < body.x + label + columns * cell else { return nil }
    let (rows, across) = (confusion.rows(in: body.height), confusion.columns(in: columns))
    let (row, column) = (rows.lowerBound + y - body.y, across.lowerBound + (x - body.x - label) / cell)
    return rows.contains(row) && across.contains(column) ? (row, column) : nil
  }
}

/// The sheet in a rectangle: a line above, a line below, tiles of a picture and lines of text.
struct SheetLayout: Equatable {
  var header: Rect
  var footer: Rect
  var grid: Rect
  /// Columns of a tile; one more stands between two.
  var width: Int
  /// Rows of a picture; its lines are below it.
  var height: Int
  /// Lines of text below each picture.
  var lines: Int
  var columns: Int
  var rows: Int

  /// As large as lets eight images be seen at once, or all of them.
  init(count: Int, lines: Int = 1, in rect: Rect) {
    self.lines = lines
    (header, grid) = rect.splitTop(1)
    (grid, footer) = grid.splitBottom(grid.height > 5 ? 1 : 0)
    var chosen: (width: Int, height: Int, columns: Int, rows: Int)?
    for width in [30, 24, 20, 17, 15, 13, 11, 9] {
      let height = width / 2
      let (columns, rows) = ((grid.width - 1) / (width + 1), grid.height / (height + lines))
      guard columns > 0, rows > 0 else { continue }
      chosen = (width, height, columns, rows)
      if columns * rows >= min(8, max(1, count)) { break }
    }
    // Too small for any: a line of text alone.
    (width, height, columns, rows) = chosen ?? (max(1, grid.width - 2), max(0, grid.height - lines), 1, 1)
  }

  var page: Int { columns * rows }

  /// The first line of pictures in view, with the chosen one among those that are.
  func top(_ top: Int, selected: Int, count: Int) -> Int {
    let line = selected / columns
    let last = max(0, (count + columns - 1) / columns - rows)
    return max(0, min(min(top, line), last), line - rows + 1)
  }

  /// Where a position of the list stands; nil out of view.
  func tile(_ position: Int, top: Int) -> Rect? {
    let (line, column) = (position / columns - top, position % columns)
    guard (0..<rows).contains(line) else { return nil }
    return Rect(
      x: grid.x + 1 + column * (width + 1), y: grid.y + line * (height + lines), width: width,
      height: height + lines)
  }

  /// The positions in view.
  func window(top: Int, count: Int) -> Range<Int> {
    let first = min(count, top * columns)
    return first..<min(count, first + page)
  }
}

// Showing frames. Rows that have not changed are not touched; of the others ncurses finds the cells that differ.

import CNcurses
import Canvas
import Glibc

/// A style as ncurses takes it.
struct RenderedStyle {
  var attributes: attr_t
  var pair: Int32
}

extension TerminalScreen {
  /// Shows a frame. What lies outside the terminal is cut off; what the frame does not cover is blank.
  public func present(_ frame: Frame) {
    guard state == .active else { return }
    if shown?.size != frame.size {
      shown = nil
      werase(window)
    }
    writeRows(of: frame)
    if pairs.overflowed {
      // Of the pairs that were given out most are not on the screen any more.
      reset_color_pairs()
      pairs.removeAll()
      rendered.removeAll(keepingCapacity: true)
      shown = nil
      writeRows(of: frame)
    }
    let visible = Rect(size).intersection(Rect(frame.size))
    if let cursor = frame.cursor, visible.contains(x: cursor.x, y: cursor.y) {
      wmove(window, Int32(cursor.y), Int32(cursor.x))
      showCursor(true)
    } else {
      showCursor(false)
    }
    wrefresh(window)
    shown = frame
    guard !hasShown else { return }
    hasShown = true
    // Typed before there was anything to answer.
    tcflush(STDIN_FILENO, TCIFLUSH)
  }

  private func writeRows(of frame: Frame) {
    let visible = Rect(size).intersection(Rect(frame.size))
    for y in 0..<visible.height {
      let row = frame.row(y)
      if let shown, shown.row(y) == row { continue }
      write(row.prefix(visible.width), y: y)
    }
  }

  private func showCursor(_ visible: Bool) {
    guard visible != isCursorVisible else { return }
    curs_set(visible ? 1 : 0)
    isCursorVisible = visible
  }

  private func write(_ row: ArraySlice<Cell>, y: Int) {
    var cells: [cchar_t] = []
    cells.reserveCapacity(row.count)
    var columns = 0
    for (x, cell) in row.enumerated() where x >= columns {
      let style = render(cell.style)
      // A right half without its left one is blank.
      let character = cell.character ?? " "
      let width = max(1, DisplayWidth.of(character))
      // Half a wide character cannot be shown at the right edge.
      let entries = x + width > row.count ? [[" "]] : Self.entries(for: character)
      for entry in entries { cells.append(Self.cell(entry, style)) }
      columns = x + width
    }
    // Unlike adding character by character, this does not move the cursor past the lower right corner.
    mvwadd_wchnstr(window, Int32(y), 0, cells, Int32(cells.count))
  }

  private static func entries(for character: Character) -> [[Unicode.Scalar]] {
    if let ascii = character.asciiValue, ascii >= 0x20, ascii < 0x7F { return [[Unicode.Scalar(ascii)]] }
    return CellEncoding.entries(for: character) { Int(shim_width($0.value)) }
  }

  private static func cell(_ scalars: [Unicode.Scalar], _ style: RenderedStyle) -> cchar_t {
    var cell = cchar_t()
    let text = scalars.map { wchar_t(bitPattern: $0.value) } + [0]
    // The pair goes through the last argument: the one before it has 16 bits.
    var pair = style.pair
    setcchar(&cell, text, style.attributes, 0, &pair)
    return cell
  }

  private func render(_ style: Style) -> RenderedStyle {
    if let known = rendered[style] { return known }
    var attributes: attr_t = 0
    if style.bold { attributes |= shim_bold }
    if style.dim { attributes |= shim_dim }
    if style.underline { attributes |= shim_underline }
    if style.reverse { attributes |= shim_reverse }
    let result = RenderedStyle(attributes: attributes, pair: pair(for: style))
    rendered[style] = result
    return result
  }

  private func pair(for style: Style) -> Int32 {
    guard colors != .none else { return 0 }
    var (foreground, background) = colors.indices(of: style)
    if !hasOwnColors {
      // Such a terminal cannot name its own colors; white on black is what pair 0 is there.
      if foreground == -1 { foreground = 7 }
      if background == -1 { background = 0 }
      if foreground == 7, background == 0 { return 0 }
    }
    switch pairs.number(for: PairTable.Colors(foreground: foreground, background: background)) {
    case .known(let number): return number
    case .new(let number):
      init_extended_pair(number, Int32(foreground), Int32(background))
      return number
    case .full: return 0
    }
  }
}

extension Frame {
  fileprivate func row(_ y: Int) -> ArraySlice<Cell> {
    cells[y * size.width..<(y + 1) * size.width]
  }
}

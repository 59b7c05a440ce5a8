// Selection and scrolling in a list, as arithmetic: no cells, no keys.

/// Which row of a list is selected and which is shown first.
public struct ScrollState: Sendable, Hashable {
  /// The selected row; 0 in an empty list.
  public var selected: Int
  /// The first visible row.
  public var offset: Int

  public init(selected: Int = 0, offset: Int = 0) {
    self.selected = selected
    self.offset = offset
  }

  /// Brings both into range and the selection into view.
  /// - Parameters:
  ///   - count: rows in the list.
  ///   - height: rows visible at a time.
  public mutating func keepVisible(count: Int, height: Int) {
    selected = min(max(0, selected), max(0, count - 1))
    let height = max(1, height)
    if selected < offset { offset = selected }
    if selected >= offset + height { offset = selected - height + 1 }
    offset = min(max(0, offset), max(0, count - height))
  }

  /// Moves the selection by rows, stopping at the ends.
  public mutating func move(by rows: Int, count: Int, height: Int) {
    let (moved, overflow) = selected.addingReportingOverflow(rows)
    selected = overflow ? (rows < 0 ? 0 : count - 1) : moved
    keepVisible(count: count, height: height)
  }

  /// Moves the view by rows, as a wheel does, and takes the selection along only as far as needed.
  public mutating func scroll(by rows: Int, count: Int, height: Int) {
    let height = max(1, height)
    offset = min(max(0, offset + rows), max(0, count - height))
    selected = min(max(selected, offset), max(offset, min(count, offset + height) - 1))
    keepVisible(count: count, height: height)
  }
}

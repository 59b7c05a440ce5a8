// The lines between neighboring panes, which can be moved: dragged with the mouse or with keys. Where they are moved to is
// a share of what the neighbors have together, so that it holds for any size of the terminal.

import Canvas

/// A line between two neighbors, by the arrangement that it belongs to.
enum Divider: String, Sendable, CaseIterable, CodingKeyRepresentable, Codable {
  case evenColumns, evenRows
  case curvesRows, curvesColumns, curvesRuns, curvesLayers, curvesDataset
  case inspectorColumns, inspectorDataset, inspectorCurves, inspectorLayers

  /// The share of the first neighbor, the left or the upper one, where nobody moved the line.
  var usualShare: Double {
    switch self {
    case .evenColumns, .evenRows: 0.5
    case .curvesRows: 0.625
    case .curvesColumns: 2.0 / 3
    case .curvesRuns: 0.34
    case .curvesLayers: 0.55
    case .curvesDataset: 0.4
    case .inspectorColumns: 0.7
    case .inspectorDataset: 1.0 / 3
    case .inspectorCurves, .inspectorLayers: 0.5
    }
  }

  /// Whether it stands between a left and a right neighbor.
  var isVertical: Bool {
    switch self {
    case .evenColumns, .curvesColumns, .curvesDataset, .inspectorColumns: true
    case .evenRows, .curvesRows, .curvesRuns, .curvesLayers, .inspectorDataset, .inspectorCurves, .inspectorLayers:
      false
    }
  }

  /// Cells that each neighbor keeps.
  var least: Int { isVertical ? 20 : 4 }
}

/// Where the lines are that were moved.
struct Dividers: Sendable, Equatable, Codable {
  private var shares: [Divider: Double] = [:]

  /// The cells of the first neighbor.
  /// - Parameter extent: of both.
  func length(of divider: Divider, in extent: Int) -> Int {
    let share = shares[divider] ?? divider.usualShare
    // What was remembered may have been edited by hand.
    guard (0...1).contains(share), extent > 2 * divider.least else { return extent / 2 }
    return min(max(Int(share * Double(extent)), divider.least), extent - divider.least)
  }

  /// Gives the first neighbor so many cells, as far as the other keeps its own.
  mutating func move(_ divider: Divider, to length: Int, in extent: Int) {
    guard extent > 2 * divider.least else { return }
    let length = min(max(length, divider.least), extent - divider.least)
    // Half a cell more, so that rounding down gives the cell that was meant.
    shares[divider] = (Double(length) + 0.5) / Double(extent)
  }

  mutating func reset() { shares = [:] }
}

/// A divider as it stands on the screen.
struct DividerPlace: Equatable {
  var divider: Divider
  /// Both neighbors together.
  var area: Rect
  /// The first cell of the second neighbor: a column or a row.
  var position: Int

  private var start: Int { divider.isVertical ? area.x : area.y }
  var extent: Int { divider.isVertical ? area.width : area.height }
  /// Of the first neighbor.
  var length: Int { position - start }

  /// Whether a cell is on the borders that meet there.
  func contains(x: Int, y: Int) -> Bool {
    guard area.contains(x: x, y: y) else { return false }
    let across = divider.isVertical ? x : y
    return across == position || across == position - 1
  }

  /// The first neighbor's length when the line is dragged to a cell.
  func length(draggedTo x: Int, _ y: Int) -> Int { (divider.isVertical ? x : y) - start }
}

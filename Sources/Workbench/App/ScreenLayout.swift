// Where everything stands on the screen. `render` draws by it and `update` takes mouse positions and page lengths
// from it, so that the two cannot disagree.

import Canvas

/// The rectangles of the panes and of the two lines below them.
struct ScreenLayout: Equatable {
  /// Below this the screen shows only how large it should be.
  static let smallest = Size(width: 60, height: 16)
  /// From this on all panes are of the same size; below it the focused one takes more.
  static let roomy = Size(width: 120, height: 36)

  var panes: [Pane: Rect] = [:]
  var status: Rect
  var hints: Rect

  /// - Parameter zoomed: the focused pane is alone.
  init(size: Size, focus: Pane, zoomed: Bool) {
    let screen = Rect(size)
    let (body, foot) = screen.splitTop(screen.height - 2)
    (status, hints) = (foot.row(0), foot.row(1))
    if zoomed {
      panes[focus] = body
      return
    }
    let left = Self.share(
      of: body.width, first: focus == .dataset || focus == .curves, even: size.width >= Self.roomy.width)
    let top = Self.share(
      of: body.height, first: focus == .dataset || focus == .layers, even: size.height >= Self.roomy.height)
    let (upper, lower) = body.splitTop(top)
    (panes[.dataset], panes[.layers]) = upper.splitLeft(left)
    (panes[.curves], panes[.inspector]) = lower.splitLeft(left)
  }

  static func isTooSmall(_ size: Size) -> Bool { size.width < smallest.width || size.height < smallest.height }

  /// The pane under a position.
  func pane(x: Int, y: Int) -> Pane? { panes.first { $0.value.contains(x: x, y: y) }?.key }

  /// How much of an extent the first of two neighbours gets: half, or three fifths for the one with the focus.
  private static func share(of extent: Int, first: Bool, even: Bool) -> Int {
    if even { return extent / 2 }
    let larger = (extent * 3 + 2) / 5
    return first ? larger : extent - larger
  }
}

extension Rect {
  /// What a border leaves.
  var interior: Rect { inset(left: 1, top: 1, right: 1, bottom: 1) }

  /// The upper part and so many rows at the bottom.
  func splitBottom(_ rows: Int) -> (rest: Rect, bottom: Rect) {
    let (rest, bottom) = splitTop(height - min(max(0, rows), height))
    return (rest, bottom)
  }
}

extension WorkbenchState {
  var layout: ScreenLayout { ScreenLayout(size: size, focus: focus, zoomed: zoomed) }

  /// The rows of a pane's list on the screen, without its header; empty where it has none.
  func listBody(of pane: Pane) -> Rect {
    guard let rect = layout.panes[pane] else { return Rect(x: 0, y: 0, width: 0, height: 0) }
    let inner = rect.interior
    switch pane {
    case .dataset: return DatasetPane.areas(self, in: inner).body
    case .layers: return LayersPane.areas(self, in: inner).body
    case .curves: return Rect(x: 0, y: 0, width: 0, height: 0)
    case .inspector: return InspectorPane.areas(self, in: inner).body
    }
  }

  /// Where the help and the notices stand.
  func readingBox(in size: Size) -> Rect {
    let screen = Rect(size).inset(bottom: 2)
    // A narrow rest of the panes at either side would only disturb.
    return size.width < 100 ? screen : screen.centred(width: 92, height: size.height - 4)
  }
}

// Where everything stands on the screen. `render` draws by it and `update` takes mouse positions and page lengths
// from it, so that the two cannot disagree.

import Canvas

/// The rectangles of the panes in view and of the two lines below them.
///
/// There are four places. The panes are dealt out to them in order, the fifth comes to the first place again; of the
/// panes that share a place, the one with the focus is in view, or else the first. So the four first ones are always
/// there, a further one is a key away, and none makes the others smaller.
struct ScreenLayout: Equatable {
  /// Below this the screen shows only how large it should be.
  static let smallest = Size(width: 60, height: 16)
  /// From this on all panes are of the same size; below it the focused one takes more.
  static let roomy = Size(width: 120, height: 36)

  /// The panes in view, in the order of their places.
  var panes: [(id: PaneID, rect: Rect)]
  var status: Rect
  var hints: Rect

  private static let places = 4

  /// - Parameter zoomed: the focused pane is alone.
  init(size: Size, panes ids: [PaneID], focus: PaneID, zoomed: Bool) {
    let screen = Rect(size)
    let (body, foot) = screen.splitTop(screen.height - 2)
    (status, hints) = (foot.row(0), foot.row(1))
    if zoomed {
      panes = [(focus, body)]
      return
    }
    let focused = (ids.firstIndex(of: focus) ?? 0) % Self.places
    let left = Self.share(
      of: body.width, first: focused.isMultiple(of: 2), even: size.width >= Self.roomy.width)
    let top = Self.share(of: body.height, first: focused < 2, even: size.height >= Self.roomy.height)
    let (upper, lower) = body.splitTop(top)
    let rects = [upper.splitLeft(left), lower.splitLeft(left)].flatMap { [$0.left, $0.rest] }
    panes = zip(ids, rects).map { first, rect in
      (Self.sharing(with: first, among: ids).contains(focus) ? focus : first, rect)
    }
  }

  /// The panes that have the same place as one, itself included, in order.
  static func sharing(with id: PaneID, among ids: [PaneID]) -> [PaneID] {
    let place = (ids.firstIndex(of: id) ?? 0) % places
    return stride(from: place, to: ids.count, by: places).map { ids[$0] }
  }

  subscript(id: PaneID) -> Rect? { panes.first { $0.id == id }?.rect }

  static func == (left: ScreenLayout, right: ScreenLayout) -> Bool {
    left.panes.elementsEqual(right.panes, by: ==) && left.status == right.status && left.hints == right.hints
  }

  static func isTooSmall(_ size: Size) -> Bool { size.width < smallest.width || size.height < smallest.height }

  /// The pane under a position.
  func pane(x: Int, y: Int) -> PaneID? { panes.first { $0.rect.contains(x: x, y: y) }?.id }

  /// How much of an extent the first of two neighbors gets: half, or three fifths for the one with the focus.
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
  var layout: ScreenLayout { ScreenLayout(size: size, panes: panes.ids, focus: focus, zoomed: zoomed) }

  /// What stands on a pane's border: its key and title, and after it those of the panes behind it.
  func heading(of id: PaneID) -> String {
    let others = zoomed ? [] : ScreenLayout.sharing(with: id, among: panes.ids).filter { $0 != id }
    return ([id] + others).map { "\(panes.number(of: $0)) \($0.title)" }.joined(separator: "  ")
  }

  /// The list that a pane shows now; nil where it shows none.
  func list(of id: PaneID) -> ShownList? { panes[id].list(in: self) }

  /// The rows of a pane's list on the screen, without its header; empty where it has none.
  func listBody(of id: PaneID) -> Rect {
    guard let rect = layout[id] else { return Rect(x: 0, y: 0, width: 0, height: 0) }
    return panes[id].listBody(self, in: rect.interior)
  }

  /// Where the help and the notices stand.
  func readingBox(in size: Size) -> Rect {
    let screen = Rect(size).inset(bottom: 2)
    // A narrow rest of the panes at either side would only disturb.
    return size.width < 100 ? screen : screen.centered(width: 92, height: size.height - 4)
  }
}

// Where everything stands on the screen. `render` draws by it and `update` takes mouse positions and page lengths
// from it, so that the two cannot disagree.

import Canvas

/// The rectangles of the panes in view and of the two lines below them.
///
/// There are a few places. The panes are dealt out to them in order, and once more from the first where there are more of
/// them; of the panes that share a place, the one with the focus is in view, or else the first. So the first ones are
/// always there, a further one is a key away, and none makes the others smaller.
struct ScreenLayout: Equatable {
  /// To what the room goes.
  enum Arrangement: Sendable, Equatable {
    /// To four panes alike; on a small screen most of it to the focused one.
    case even
    /// To the curves: a run is under way.
    case curves
    /// To the inspector: an evaluation is looked at.
    case inspector
  }

  /// Below this the screen shows only how large it should be.
  static let smallest = Size(width: 60, height: 16)
  /// From this on panes keep their size whatever has the focus; below it the focused one takes more.
  static let roomy = Size(width: 120, height: 36)

  /// The panes in view, in the order of their places.
  var panes: [(id: PaneID, rect: Rect)]
  /// The lines between them that can be moved.
  private(set) var dividers: [DividerPlace] = []
  var status: Rect
  var hints: Rect

  /// - Parameters:
  ///   - arrangement: what is asked for; a screen that is not roomy has them all alike.
  ///   - zoomed: the focused pane is alone.
  ///   - moved: where lines between panes were moved to.
  init(
    size: Size, panes ids: [PaneID], focus: PaneID, zoomed: Bool, arrangement: Arrangement = .even,
    moved: Dividers = Dividers()
  ) {
    let screen = Rect(size)
    let (body, foot) = screen.splitTop(screen.height - 2)
    (status, hints) = (foot.row(0), foot.row(1))
    if zoomed {
      panes = [(focus, body)]
      return
    }
    let arrangement = Self.possible(arrangement, in: size)
    var cuts = Cuts(moved: moved)
    let rects = cuts.places(of: arrangement, in: body, focused: ids.firstIndex(of: focus) ?? 0, size: size)
    dividers = cuts.made
    panes = zip(ids, rects).map { first, rect in
      (Self.sharing(with: first, among: ids, places: rects.count).contains(focus) ? focus : first, rect)
    }
  }

  /// The one that a screen of that size has room for.
  static func possible(_ arrangement: Arrangement, in size: Size) -> Arrangement {
    size.width >= roomy.width && size.height >= roomy.height ? arrangement : .even
  }

  /// How many panes an arrangement shows.
  static func places(of arrangement: Arrangement) -> Int {
    switch arrangement {
    case .even: 4
    case .inspector: 5
    case .curves: 6
    }
  }

  /// The panes that have the same place as one, itself included, in order.
  static func sharing(with id: PaneID, among ids: [PaneID], places: Int) -> [PaneID] {
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
}

/// Cuts the screen into places, and keeps which of the cuts can be moved.
private struct Cuts {
  let moved: Dividers
  var made: [DividerPlace] = []

  /// A place for each of the first panes: dataset, layers, curves, inspector, runs, machine.
  mutating func places(
    of arrangement: ScreenLayout.Arrangement, in body: Rect, focused: Int, size: Size
  ) -> [Rect] {
    switch arrangement {
    case .even:
      let focused = focused % 4
      let (upper, lower) =
        size.height >= ScreenLayout.roomy.height
        ? cut(body, .evenRows) : body.splitTop(Self.larger(of: body.height, isFirst: focused < 2))
      let left =
        size.width >= ScreenLayout.roomy.width
        ? cut(body, .evenColumns).0.width : Self.larger(of: body.width, isFirst: focused.isMultiple(of: 2))
      return [upper.splitLeft(left), lower.splitLeft(left)].flatMap { [$0.left, $0.rest] }
    case .curves:
      let (upper, lower) = cut(body, .curvesRows)
      let (curves, side) = cut(upper, .curvesColumns)
      let (runs, rest) = cut(side, .curvesRuns)
      let (layers, machine) = cut(rest, .curvesLayers)
      let (dataset, inspector) = cut(lower, .curvesDataset)
      return [dataset, layers, curves, inspector, runs, machine]
    case .inspector:
      let (inspector, side) = cut(body, .inspectorColumns)
      let (dataset, rest) = cut(side, .inspectorDataset)
      let (curves, below) = cut(rest, .inspectorCurves)
      let (layers, runs) = cut(below, .inspectorLayers)
      return [dataset, layers, curves, inspector, runs]
    }
  }

  private mutating func cut(_ area: Rect, _ divider: Divider) -> (Rect, Rect) {
    let length = moved.length(of: divider, in: divider.isVertical ? area.width : area.height)
    made.append(
      DividerPlace(divider: divider, area: area, position: (divider.isVertical ? area.x : area.y) + length))
    if divider.isVertical {
      let (left, rest) = area.splitLeft(length)
      return (left, rest)
    }
    let (top, rest) = area.splitTop(length)
    return (top, rest)
  }

  /// How much the first of two neighbors gets where there is little: three fifths for the one with the focus.
  private static func larger(of extent: Int, isFirst: Bool) -> Int {
    let larger = (extent * 3 + 2) / 5
    return isFirst ? larger : extent - larger
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
  var layout: ScreenLayout {
    ScreenLayout(
      size: size, panes: panes.ids, focus: focus, zoomed: zoomed, arrangement: arrangement, moved: dividers)
  }

  /// What matters now.
  private var arrangement: ScreenLayout.Arrangement {
    if runUnderWay { return .curves }
    switch inspector.view {
    case .checkpoints, .hardest: return .even
    case .confusion, .overview, .classes, .images, .confidence, .suspects, .comparison: return .inspector
    }
  }

  /// What stands on a pane's border: its key and title, and after it those of the panes behind it.
  func heading(of id: PaneID) -> String {
    let places = ScreenLayout.places(of: ScreenLayout.possible(arrangement, in: size))
    let others =
      zoomed ? [] : ScreenLayout.sharing(with: id, among: panes.ids, places: places).filter { $0 != id }
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

// A list that a person moves through and narrows by typing: which of its items pass the filter, which one is
// selected, which is the first one in view. It holds no items, only their indices.

/// Selection, scroll position and filter of one list.
struct BrowsableList: Sendable, Equatable {
  /// Items before filtering.
  private(set) var total = 0
  private(set) var filter = ""
  /// Indices that pass the filter; nil while there is none, so that long lists cost nothing.
  private var matches: [Int]?
  /// The selected position among those that pass, from 0.
  private(set) var selected = 0
  private(set) var top = 0

  /// Items that pass the filter.
  var count: Int { matches?.count ?? total }

  /// The index of the item at a position, or nil past the end.
  func item(at position: Int) -> Int? {
    guard (0..<count).contains(position) else { return nil }
    return matches?[position] ?? position
  }

  var selectedItem: Int? { item(at: selected) }

  /// Takes in that the items changed; the selection stays on the same index where it can.
  mutating func reload(total: Int, text: (Int) -> String) {
    self.total = total
    narrow(to: filter, text: text)
  }

  /// Takes in other items. The selection goes to `item`, or stays at the same place of the list where that is gone:
  /// on what came after it. What is in view moves no further than it must.
  mutating func reload(total: Int, selecting item: Int?, text: (Int) -> String) {
    let place = selected
    reload(total: total, text: text)
    let position = item.flatMap { item in matches == nil ? item : matches?.firstIndex(of: item) } ?? place
    selected = max(0, min(position, count - 1))
    top = min(top, selected)
  }

  /// Shows only the items whose text contains the filter, in any case.
  mutating func narrow(to filter: String, text: (Int) -> String) {
    let kept = selectedItem
    self.filter = filter
    let wanted = filter.lowercased()
    matches = wanted.isEmpty ? nil : (0..<total).filter { text($0).lowercased().contains(wanted) }
    let position = kept.flatMap { item in matches == nil ? item : matches?.firstIndex(of: item) }
    selected = max(0, min(position ?? 0, count - 1))
    top = min(top, selected)
  }

  /// Shows items in an order of somebody else's, who also says which pass the filter. The selection stays on its item
  /// where that is still among them, else it goes to the first.
  mutating func show(_ items: [Int], of total: Int, filter: String) {
    let kept = selectedItem
    (self.total, self.filter, matches) = (total, filter, items)
    selected = kept.flatMap { items.firstIndex(of: $0) } ?? 0
    top = min(top, selected)
  }

  /// Forgets everything: another list takes its place.
  mutating func reset(total: Int) { self = BrowsableList(total: total) }

  /// Selects a position, clamped to the list, and scrolls so that it is one of `page` rows in view.
  mutating func select(_ position: Int, page: Int) {
    selected = max(0, min(position, count - 1))
    top = window(height: page).lowerBound
  }

  mutating func move(by rows: Int, page: Int) { select(selected + rows, page: page) }

  /// Selects an item by its index, if it passes the filter.
  mutating func select(item: Int) {
    if let position = matches == nil ? item : matches?.firstIndex(of: item) { select(position, page: 1) }
  }

  /// One further, from the end back to the start.
  mutating func cycle(by rows: Int, page: Int) {
    guard count > 0 else { return }
    select(((selected + rows) % count + count) % count, page: page)
  }

  /// The positions in view where `height` rows are to be had: the selection is among them.
  func window(height: Int) -> Range<Int> {
    guard height > 0, count > 0 else { return 0..<0 }
    let lowest = max(0, count - height)
    let first = min(max(min(top, selected), selected - height + 1), lowest)
    return max(0, first)..<min(count, max(0, first) + height)
  }

  init(total: Int = 0) { self.total = total }
}

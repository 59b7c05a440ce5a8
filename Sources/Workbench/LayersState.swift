// The layers pane's state: the network's summary as it came and where the table stands.

import Messages

/// What the layers pane shows.
struct LayersState: Sendable, Equatable {
  var summary: NetworkSummary?
  var rows = BrowsableList()

  mutating func take(_ new: NetworkSummary) {
    summary = new
    rows.reload(total: new.layers.count) { Self.text(of: new.layers[$0]) }
  }

  /// What a filter looks at.
  static func text(of row: LayerRow) -> String { row.name + " " + row.kind.rawValue }
}

// The layers pane's state: the network's summary as it came and where the table stands.

import Canvas
import Messages

/// What the layers pane shows.
struct LayersState: Sendable, Equatable {
  var summary: NetworkSummary?
  var rows = BrowsableList()

  mutating func apply(_ new: NetworkSummary) {
    summary = new
    rows.reload(total: new.layers.count) { Self.text(of: new.layers[$0]) }
  }

  /// What a filter looks at.
  static func text(of row: LayerRow) -> String { row.name + " " + row.kind.rawValue }
}

extension NetworkSummary {
  /// Whether a start would be refused for want of memory.
  var exceedsMemory: Bool { availableMemory.map { trainingMemory > $0 } ?? false }

  /// What training takes, and where that is more, what there is: `186 of 18.8 GiB`.
  var memoryText: String {
    let needed = Format.bytes(trainingMemory)
    guard exceedsMemory, let availableMemory else { return needed }
    let available = Format.bytes(availableMemory)
    let (number, unit) = (needed.prefix { $0 != " " }, needed.drop { $0 != " " })
    return available.hasSuffix(unit) ? "\(number) of \(available)" : "\(needed) of \(available)"
  }
}

extension LayersState {
  /// What a start with these settings would be refused for; nil where there is memory enough, or it is not known.
  func memoryShortage(for settings: TrainingSettings) -> String? {
    guard let summary, summary.exceedsMemory, summary.network.name == settings.network.name,
      summary.batchSize == settings.batchSize, !settings.safety.ignoresMemory
    else { return nil }
    return "memory: \(summary.memoryText) at batch \(summary.batchSize); it will be refused"
  }
}

// The layers pane's state: the network of the next run as a table, and a network at work as a tree, of the run on show or
// of a checkpoint, with the pictures that were asked for.

import Canvas
import Messages

/// What the layers pane shows.
struct LayersState: Sendable, Equatable {
  /// The network that the settings describe, or that of the run under way.
  var summary: NetworkSummary?
  var rows = BrowsableList()

  /// The layers of the run on show, as they were measured last.
  private(set) var run: LayersAtWork?
  /// The rows of its network, until it is measured.
  private var runNetwork: NetworkSummary?
  /// Those of a checkpoint.
  private(set) var checkpoint: LayersAtWork?
  /// Whether the checkpoint's are shown rather than the run's.
  var showsCheckpoint = false
  /// Whether the table is shown although layers at work could be.
  var showsTable = false

  private(set) var lines: [LayerLine] = []
  var tree = BrowsableList()
  /// Stages and blocks that are not as they are at first.
  private var toggled: Set<String> = []

  /// What the engine was asked about a checkpoint, with its answers.
  var answers = AnswerStore()
  /// The question that was asked for layers of a checkpoint last.
  var measuring: InspectionCommand?
  /// The picture on show.
  var picture: InspectionCommand?

  /// The layers at work on show; nil where there are none, or the table is shown.
  var atWork: LayersAtWork? { showsTable ? nil : known }

  /// The same whatever is shown.
  var known: LayersAtWork? { showsCheckpoint ? checkpoint ?? run : run ?? checkpoint }

  var selectedLine: LayerLine? {
    guard let item = tree.selectedItem, lines.indices.contains(item) else { return nil }
    return lines[item]
  }

  mutating func apply(_ new: NetworkSummary) {
    summary = new
    rows.reload(total: new.layers.count) { Self.text(of: new.layers[$0]) }
  }

  // MARK: The run

  mutating func begin(_ run: RunDescription) {
    runNetwork = run.network
    self.run = run.layers.flatMap {
      LayersAtWork(origin: .run(step: $0.step), network: run.network, $0.layers)
    }
    showsCheckpoint = false
    rebuild()
  }

  mutating func take(_ statistics: LayerStatistics) {
    run = LayersAtWork(origin: .run(step: statistics.step), network: runNetwork, statistics.layers)
    rebuild()
  }

  /// What was measured after a step is void.
  mutating func goBack(to step: Int) {
    if case .run(let measured)? = run?.origin, measured > step { run = nil }
    rebuild()
  }

  // MARK: A checkpoint

  /// - Parameter name: of the checkpoint, as it is shown.
  mutating func take(_ report: LayerReport, name: String) {
    checkpoint = LayersAtWork(
      origin: .checkpoint(name, images: report.images, split: report.split), network: report.network, report.layers)
    (showsCheckpoint, showsTable, picture) = (true, false, nil)
    rebuild()
  }

  // MARK: The tree

  mutating func toggle(_ line: LayerLine) {
    toggled.formSymmetricDifference([line.id])
    rebuild()
  }

  /// Whether a line hides others.
  func isFolded(_ line: LayerLine) -> Bool { line.rails.contains(.folded) }

  /// The block or the stage that a line is in.
  func parent(of position: Int) -> Int? {
    lines.prefix(max(0, position)).lastIndex { line in
      guard !line.id.isEmpty, lines.indices.contains(position) else { return false }
      return lines[position].rows.allSatisfy(line.rows.contains) && line.rows.count > lines[position].rows.count
    }
  }

  mutating func rebuild() {
    let chosen = selectedLine
    guard let known else {
      (lines, tree) = ([], BrowsableList())
      return
    }
    let new = LayerTree(known.network, toggled: toggled).lines
    guard new != lines else { return }
    lines = new
    let place = chosen.flatMap { old in
      new.firstIndex { $0.id == old.id && $0.rows == old.rows && $0.kind == old.kind }
        ?? new.lastIndex { line in !line.id.isEmpty && old.rows.allSatisfy(line.rows.contains) }
    }
    tree.reload(total: new.count, selecting: place) { Self.text(of: new[$0]) }
  }

  /// What a filter looks at.
  static func text(of row: LayerRow) -> String { row.name + " " + row.kind.rawValue }
  static func text(of line: LayerLine) -> String { (line.id.isEmpty ? line.title : line.id) + " " + line.detail }
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

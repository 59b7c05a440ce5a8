// The runs pane's state: the runs of the project in an order, what is laid over the curves, a comparison of some of
// them, and what was removed and can be put back.

import Canvas
import Messages
import Support

/// What the runs pane shows.
struct RunsState: Sendable, Equatable {
  /// By what the list is sorted.
  enum Order: String, Sendable, CaseIterable {
    case newest, name, validation, test

    var title: String {
      switch self {
      case .newest: "newest first"
      case .name: "by name"
      case .validation: "best validation first"
      case .test: "best test result first"
      }
    }
  }

  /// In the order in which they are shown; nil before the first list came.
  private(set) var runs: [RunSummary]?
  private(set) var order = Order.newest
  var list = BrowsableList()
  /// Runs that `=` compares, and whose curves lie over those on show: by folder, in the order in which they were chosen.
  var chosen: [String] = []
  /// Curves of chosen runs that were asked for.
  var requested: Set<String> = []
  /// Runs beside each other; nil while the list is shown.
  var comparison: Comparison?
  /// Where removed runs lie, and where they were: the last one is put back first.
  var removed: [(from: String, trash: String)] = []

  enum Comparison: Sendable, Equatable {
    case waiting
    case table(RunTable, scroll: Int)
    case failed(String)
  }

  /// So many can be chosen: as many as can be told apart.
  static let mostChosen = 4

  var selected: RunSummary? { list.selectedItem.flatMap { runs?[$0] } }

  mutating func apply(_ new: [RunSummary]) {
    let kept = selected?.folder
    let shown = Self.sorted(new, by: order)
    runs = shown
    chosen.removeAll { folder in !shown.contains { $0.folder == folder } }
    list.reload(total: shown.count, selecting: kept.flatMap { kept in shown.firstIndex { $0.folder == kept } }) {
      Self.text(of: shown[$0])
    }
  }

  /// Takes in how far a run has come.
  mutating func update(_ folder: String, _ change: (inout RunSummary) -> Void) {
    guard let place = runs?.firstIndex(where: { $0.folder == folder }) else { return }
    change(&runs![place])
  }

  mutating func sortDifferently() {
    order = order.next
    if let runs { apply(runs) }
  }

  private static func sorted(_ runs: [RunSummary], by order: Order) -> [RunSummary] {
    // Among equals the newest first, and then in their own order.
    let dated = runs.enumerated().sorted { left, right in
      let (one, other) = (left.element.changed ?? "", right.element.changed ?? "")
      if left.element.state.isLive != right.element.state.isLive { return left.element.state.isLive }
      return one != other ? one > other : left.offset < right.offset
    }.map(\.element)
    func best(_ value: (RunSummary) -> Double?) -> [RunSummary] {
      dated.enumerated().sorted { left, right in
        let (one, other) = (value(left.element) ?? -.infinity, value(right.element) ?? -.infinity)
        return one != other ? one > other : left.offset < right.offset
      }.map(\.element)
    }
    switch order {
    case .newest: return dated
    case .name: return runs.sorted { NaturalOrder.precedes($0.name, $1.name) }
    case .validation: return best { run in run.best.map { $0.metric == .loss ? -$0.value : $0.value } }
    case .test: return best { $0.test?.top1 }
    }
  }

  /// What a filter looks at.
  static func text(of run: RunSummary) -> String {
    [run.name, run.network ?? "", run.networkOptions ?? "", run.data ?? "", run.state.rawValue, run.note ?? ""]
      .joined(separator: " ")
  }

  static func == (left: RunsState, right: RunsState) -> Bool {
    left.runs == right.runs && left.order == right.order && left.list == right.list && left.chosen == right.chosen
      && left.requested == right.requested && left.comparison == right.comparison
      && left.removed.elementsEqual(right.removed, by: ==)
  }
}

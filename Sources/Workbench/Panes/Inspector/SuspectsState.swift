// Labels that are probably wrong, as they are looked at, and two checkpoints side by side.

import Messages

/// The list of suspected labels.
struct SuspectsState: Sendable, Equatable {
  /// nil until the engine has found them.
  private(set) var report: LabelErrorReport?
  var list = BrowsableList()
  /// What somebody has looked at and finds right: it is not listed.
  private(set) var confirmed = ConfirmedLabels()
  /// How many of the suspects that is.
  private(set) var left = 0

  var selected: SuspectedLabel? {
    guard let report, let item = list.selectedItem else { return nil }
    return report.suspects[item]
  }

  mutating func take(_ new: LabelErrorReport) {
    report = new
    show(filter: list.filter)
  }

  /// Takes in which labels are confirmed.
  mutating func take(_ labels: [ConfirmedLabel]) {
    let new = ConfirmedLabels(labels)
    guard new != confirmed else { return }
    confirmed = new
    show(filter: list.filter)
  }

  /// Leaves one out, before anybody has kept it.
  mutating func confirm(_ label: ConfirmedLabel) {
    confirmed.insert(label)
    show(filter: list.filter)
  }

  mutating func narrow(to filter: String) { show(filter: filter) }

  /// What a filter looks at.
  func text(of index: Int) -> String {
    guard let report, report.suspects.indices.contains(index) else { return "" }
    let suspect = report.suspects[index]
    return "\(name(suspect.label)) > \(name(suspect.suggested)) \(suspect.path) \(suspect.split.rawValue)"
  }

  func name(_ label: Int) -> String {
    guard let classes = report?.classes, classes.indices.contains(label) else { return "class \(label)" }
    return classes[label]
  }

  private func isConfirmed(_ suspect: SuspectedLabel) -> Bool {
    confirmed.contains(suspect.path, name(suspect.label))
  }

  private mutating func show(filter: String) {
    guard let report else { return }
    let (place, wanted) = (list.selected, filter.lowercased())
    let items = report.suspects.indices.filter {
      !isConfirmed(report.suspects[$0]) && (wanted.isEmpty || text(of: $0).lowercased().contains(wanted))
    }
    left = report.suspects.count(where: isConfirmed)
    list.show(items, of: report.suspects.count, filter: filter)
    // What came after one that is gone.
    if list.selected == 0, place > 0 { list.select(place, page: 1) }
  }
}

/// Two checkpoints on the same images.
struct ComparisonState: Sendable, Equatable {
  enum Part: Int, Sendable, CaseIterable {
    case fixed, broken, stillWrong

    var title: String {
      switch self {
      case .fixed: "fixed"
      case .broken: "broken"
      case .stillWrong: "still wrong"
      }
    }
  }

  private(set) var comparison: EvaluationComparison?
  /// What is to be compared as soon as both are evaluated: the one before, and the one on show.
  var wanted: InspectionCommand?
  /// The same, also once it is answered.
  var question: InspectionCommand?
  private(set) var part = Part.fixed
  var list = BrowsableList()

  var shown: [ComparedImage] {
    guard let comparison else { return [] }
    switch part {
    case .fixed: return comparison.fixed
    case .broken: return comparison.broken
    case .stillWrong: return comparison.stillWrong
    }
  }

  var selected: ComparedImage? { list.selectedItem.map { shown[$0] } }

  mutating func take(_ new: EvaluationComparison) {
    (comparison, wanted) = (new, nil)
    // The first list that has something in it.
    part = !new.fixed.isEmpty ? .fixed : !new.broken.isEmpty ? .broken : .stillWrong
    list.reset(total: shown.count)
  }

  mutating func changePart(by places: Int) {
    let count = Part.allCases.count
    part = Part(rawValue: (part.rawValue + places + count) % count) ?? .fixed
    list.reset(total: shown.count)
  }
}

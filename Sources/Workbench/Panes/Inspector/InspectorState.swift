// The inspector's state: the checkpoints, the evaluation under way, and the last report with a place in each of its
// views.

import Messages

/// What the inspector shows.
struct InspectorState: Sendable, Equatable {
  enum View: Int, Sendable, Equatable, CaseIterable {
    case checkpoints, overview, classes, confusion, mistakes

    var title: String {
      switch self {
      case .checkpoints: "checkpoints"
      case .overview: "overview"
      case .classes: "classes"
      case .confusion: "confusion"
      case .mistakes: "mistakes"
      }
    }
  }

  struct Evaluating: Sendable, Equatable {
    var checkpoint: String
    var progress: TaskProgress?
  }

  /// Two classes that were mixed up, and how often.
  struct ConfusedPair: Sendable, Equatable {
    var truth: Int
    var predicted: Int
    var count: Int
  }

  var view = View.checkpoints
  /// Nil until the first list came.
  var checkpoints: [CheckpointInfo]?
  var list = BrowsableList()
  /// Whether the person chose a checkpoint since the newest run began; until then the best one of that run is.
  private(set) var isChosen = false
  /// The folder of the run that was begun, attached to or watched last: until a checkpoint is chosen, its best one is.
  private(set) var followed: String?
  /// The split to evaluate on; nil until one was chosen: the test images, or all images of data that are not divided.
  var split: EvaluationSplit?
  var evaluating: Evaluating?
  var report: EvaluationReport?
  /// The most confused pairs of the report, the most frequent first: found once, not for each frame.
  var confused: [ConfusedPair] = []
  var pairs = BrowsableList()
  var classes = BrowsableList()
  var confusionRows = BrowsableList()
  /// The first column in view.
  var confusionColumn = 0
  /// Columns of the widest label of a row, and digits of the largest number in the matrix: found once too.
  var confusionLabel = 0
  var confusionDigits = 1
  var mistakes = BrowsableList()

  static let pairLimit = 50

  var selectedCheckpoint: CheckpointInfo? {
    guard let checkpoints, let item = list.selectedItem else { return nil }
    return checkpoints[item]
  }

  var selectedMistake: Misclassification? {
    guard let report, let item = mistakes.selectedItem else { return nil }
    return report.misclassified[item]
  }

  /// The path, from the working folder, of the image that was misclassified.
  var mistakePath: String? {
    guard let report, let mistake = selectedMistake else { return nil }
    return joined(report.data, mistake.path)
  }

  /// Takes in the checkpoints by their runs, those of the open dataset first and the newest of them before others.
  /// What was chosen stays chosen; before that, the best of the newest run is.
  mutating func apply(_ new: [CheckpointInfo]) {
    let kept = isChosen ? selectedCheckpoint?.path : nil
    let sorted = Self.grouped(new)
    checkpoints = sorted
    list.reload(total: sorted.count) { Self.text(of: sorted[$0]) }
    let item = sorted.firstIndex { $0.path == kept } ?? sorted.firstIndex { $0.runFolder == followed }
    list.select(item: item ?? 0)
  }

  /// Takes in one that was just saved, in place of an older file of the same path.
  mutating func apply(saved checkpoint: CheckpointInfo) {
    var saved = checkpoint
    if let known = checkpoints?.first(where: { $0.runFolder == saved.runFolder && $0.fit != nil }) {
      (saved.data, saved.fit) = (saved.data ?? known.data, saved.fit ?? known.fit)
    }
    apply((checkpoints ?? []).filter { $0.path != saved.path } + [saved])
  }

  /// The person moved in the list: new checkpoints leave the choice alone.
  mutating func choose() {
    if view == .checkpoints { (isChosen, followed) = (true, nil) }
  }

  /// A run begins, or is looked at: what will be evaluated is its own.
  mutating func follow(_ folder: String) {
    (isChosen, followed) = (false, folder)
    if let checkpoints { apply(checkpoints) }
  }

  /// The folder of a run was renamed.
  mutating func followMoved(to folder: String, from old: String?) {
    if followed != nil, followed == old { followed = folder }
  }

  /// That the filter leaves none of those there are; nil otherwise.
  var noneMatches: String? {
    list.count == 0 && list.total > 0 ? "no checkpoint matches \"\(list.filter)\": Esc clears the filter" : nil
  }

  private static func grouped(_ checkpoints: [CheckpointInfo]) -> [CheckpointInfo] {
    let runs = Dictionary(grouping: checkpoints, by: \.runFolder).values.map { run in
      run.sorted { ($0.rank, $1.epoch, $0.name) < ($1.rank, $0.epoch, $1.name) }
    }
    func key(_ run: [CheckpointInfo]) -> (isForeign: Bool, savedAt: String, folder: String) {
      (run[0].isForeign, run.map(\.savedAt).max() ?? "", run[0].runFolder)
    }
    return runs.sorted { left, right in
      let (left, right) = (key(left), key(right))
      if left.isForeign != right.isForeign { return right.isForeign }
      return (right.savedAt, left.folder) < (left.savedAt, right.folder)
    }.flatMap { $0 }
  }

  mutating func apply(_ new: EvaluationReport) {
    report = new
    evaluating = nil
    view = .overview
    confused = new.confusedPairs(limit: Self.pairLimit).map {
      ConfusedPair(truth: $0.truth, predicted: $0.predicted, count: $0.count)
    }
    pairs.reset(total: confused.count)
    classes.reset(total: new.classes.count)
    confusionRows.reset(total: new.confusion.classes)
    confusionColumn = 0
    confusionLabel = (0..<new.confusion.classes).map { InspectorPane.confusionLabel($0, new).columns }.max() ?? 0
    let largest = new.confusion.cells.map(\.count).max() ?? 0
    confusionDigits = max("\(largest)".count, "\(max(0, new.confusion.classes - 1))".count)
    mistakes.reset(total: new.misclassified.count)
  }

  /// What a filter looks at: run and name.
  static func text(of checkpoint: CheckpointInfo) -> String {
    "\(checkpoint.runName)/\(checkpoint.name) \(checkpoint.runName) \(checkpoint.name)"
  }
}

extension EvaluationReport {
  /// A class by its label; a label out of range is shown as it is.
  func className(_ label: Int) -> String {
    classes.indices.contains(label) ? classes[label].name : "class \(label)"
  }

  /// `"cat" > "dog"`: a filter of this text shows the mistakes of one pair, the quotes keep class 1 from class 11.
  func pairText(truth: Int, predicted: Int) -> String { truthText(truth) + "\"\(className(predicted))\"" }

  /// `"cat" > `: a filter of this text shows the mistakes of one class.
  func truthText(_ truth: Int) -> String { "\"\(className(truth))\" > " }

  /// What a filter of the mistakes looks at.
  func text(of mistake: Misclassification) -> String {
    (mistake.top.first.map { pairText(truth: mistake.truth, predicted: $0.label) } ?? truthText(mistake.truth))
      + " " + mistake.path
  }
}

extension CheckpointInfo {
  /// Whether it is of another dataset than the one that is open.
  var isForeign: Bool { fit == .otherData || fit == .otherClasses }

  /// The best first, then the last, then the numbered ones.
  fileprivate var rank: Int {
    switch name {
    case "best": 0
    case "last": 1
    default: name.hasPrefix("epoch-") ? 2 : 3
    }
  }

  /// The run's folder: what stands before `/checkpoints/` in the path.
  var runFolder: String {
    var parts = path.split(separator: "/", omittingEmptySubsequences: false)
    if !parts.isEmpty { parts.removeLast() }
    if parts.last == "checkpoints" { parts.removeLast() }
    return parts.joined(separator: "/")
  }

  var runName: String { lastComponent(runFolder) }
}

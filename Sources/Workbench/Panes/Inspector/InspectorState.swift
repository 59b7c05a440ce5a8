// The inspector's state: the checkpoints, the evaluation under way, and the last report with a place in each of its
// views.

import Messages

/// What the inspector shows.
struct InspectorState: Sendable, Equatable {
  enum View: Int, Sendable, Equatable, CaseIterable {
    case checkpoints, hardest, confusion, overview, classes, images, confidence, suspects, comparison

    var title: String {
      switch self {
      case .checkpoints: "checkpoints"
      case .hardest: "hardest validation images"
      case .confusion: "confusion"
      case .overview: "pairs"
      case .classes: "classes"
      case .images: "images"
      case .confidence: "confidence"
      case .suspects: "suspected labels"
      case .comparison: "two checkpoints"
      }
    }
  }

  struct Evaluating: Sendable, Equatable {
    var checkpoint: String
    var progress: TaskProgress?
  }

  /// An evaluation of the weights of a moment: first they are saved, then that checkpoint is evaluated.
  enum Moment: Sendable, Equatable {
    case asked
    /// The checkpoint's path.
    case saved(String)
  }

  /// A run whose settings are read, to go on from its weights with mended data.
  struct Mending: Sendable, Equatable {
    var run: String
    var checkpoint: String
  }

  /// A view, and the filter with which it opened another.
  struct Origin: Sendable, Equatable {
    var view: View
    var filter: String
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
  var confusion = ConfusionState()
  var images = ImagesState()
  /// Whence the images were opened, and what was chosen of them there: the way back.
  var origin: Origin?
  /// The hardest validation images of the run under way.
  var hardest = HardestState()
  /// The weights of a moment of the run, which are to be evaluated.
  var moment: Moment?
  var mending: Mending?
  var confidence = ConfidenceState()
  var suspects = SuspectsState()
  var comparison = ComparisonState()
  /// What the engine was asked about the evaluation, with its answers.
  var answers = AnswerStore()
  /// Whether where the network looked is shown over one image.
  var showsHeat = false
  /// Small pictures that were asked for last.
  var askedThumbnails: [String] = []

  static let pairLimit = 50

  var selectedCheckpoint: CheckpointInfo? {
    guard let checkpoints, let item = list.selectedItem else { return nil }
    return checkpoints[item]
  }

  /// The path, from the working folder, of the image that is chosen in the view.
  var imagePath: String? {
    switch view {
    case .images, .confusion: images.row.flatMap { images.path(of: $0) }
    case .suspects: suspects.selected.flatMap { suspect in suspects.report.map { joined($0.data, suspect.path) } }
    case .comparison:
      comparison.selected.flatMap { image in images.table.map { joined($0.root, image.path) } }
    case .checkpoints, .hardest, .overview, .classes, .confidence: nil
    }
  }

  /// Which evaluation is on show; nil for none.
  var source: EvaluationSource? {
    report.map { EvaluationSource(checkpoint: $0.checkpoint, data: $0.data, split: $0.split) }
  }

  /// What tells where the network looked in the chosen image.
  var explanationQuestion: InspectionCommand? {
    guard let report, let table = images.table, let row = images.row, let path = images.path(of: row) else {
      return nil
    }
    return .explain(checkpoint: report.checkpoint, file: path, classes: [Int(table.truths[row])])
  }

  /// What tells which training images an image resembles.
  func resemblanceQuestion(of path: String) -> InspectionCommand? {
    source.map {
      .findSimilar(
        EvaluationSource(checkpoint: $0.checkpoint, data: $0.data, split: .train), file: path, count: 6)
    }
  }

  var suspectsQuestion: InspectionCommand? { source.map { .findLabelErrors([$0]) } }

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
      run.sorted { ($0.rank, $1.epoch, $1.step, $0.name) < ($1.rank, $0.epoch, $0.step, $1.name) }
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
    let isAgain = report?.checkpoint == new.checkpoint && report?.split == new.split && report?.data == new.data
    report = new
    evaluating = nil
    // Whoever evaluates again, with mended data, goes on where they are.
    if !isAgain || [.checkpoints, .hardest].contains(view) { (view, origin) = (.confusion, nil) }
    confused = new.confusedPairs(limit: Self.pairLimit).map {
      ConfusedPair(truth: $0.truth, predicted: $0.predicted, count: $0.count)
    }
    pairs.reset(total: confused.count)
    classes.reset(total: new.classes.count)
    confusion = ConfusionState(new.confusion, start: confused.first.map { ($0.truth, $0.predicted) })
    images.take(EvaluationTable(mistakesOf: new), isWhole: false, isSame: isAgain)
    confidence = ConfidenceState()
    (suspects, comparison) = (SuspectsState(), ComparisonState())
    answers = AnswerStore()
  }

  /// Takes in every image of the evaluation on show.
  mutating func apply(_ table: EvaluationTable) {
    images.take(table, isWhole: true, isSame: true)
    confidence.take(table)
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
}

extension CheckpointInfo {
  /// Whether it is of another dataset than the one that is open.
  var isForeign: Bool { fit == .otherData || fit == .otherClasses }

  /// Whether it is of the weights of a moment.
  var isOfMoment: Bool { name.hasPrefix("step-") }

  /// The best first, then the last, then the numbered ones and those of moments.
  fileprivate var rank: Int {
    switch name {
    case "best": 0
    case "last": 1
    default: name.hasPrefix("epoch-") || isOfMoment ? 2 : 3
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

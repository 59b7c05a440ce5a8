// The images of an evaluation as they are looked at: which of them, in which order, which one, which are marked. The
// images' figures are the evaluation's own table, or, where only its report is there, the mistakes that this names.

import Glibc
import Messages

/// The sheet of images.
struct ImagesState: Sendable, Equatable {
  /// nil until there is an evaluation.
  private(set) var table: EvaluationTable?
  /// Whether the table has every image; else the mistakes only.
  private(set) var isWhole = false
  private(set) var sort = EvaluationSort.loss
  /// The rows that pass the filter, in the order of the sort.
  var list = BrowsableList()
  /// Marked rows of the table.
  private(set) var marks: Set<Int> = []
  /// Whether one image fills the view.
  var isSingle = false
  /// The first line of pictures in view.
  var top = 0

  /// The chosen row of the table.
  var row: Int? { list.selectedItem }

  /// The rows that an action is about: the marked ones, else the chosen one.
  var chosen: [Int] { marks.isEmpty ? row.map { [$0] } ?? [] : marks.sorted() }

  /// Takes in a table. Of the same evaluation as before, the place, the filter and the marks stay.
  mutating func take(_ new: EvaluationTable, isWhole: Bool, isSame: Bool) {
    // Whoever has not moved yet begins at the first of all.
    let path = list.selected > 0 ? row.flatMap { table?.paths[$0] } : nil
    let marked = marks.compactMap { table?.paths[$0] }
    table = new
    self.isWhole = isWhole
    guard isSame else {
      (marks, isSingle, top, sort) = ([], false, 0, .loss)
      narrow(to: "")
      return
    }
    marks = []
    if !marked.isEmpty {
      let places = Dictionary(
        new.paths.enumerated().map { (Array($1.utf8), $0) }, uniquingKeysWith: { first, _ in first })
      marks = Set(marked.compactMap { places[Array($0.utf8)] })
    }
    narrow(to: list.filter)
    list.select(0, page: 1)
    if let path, let row = new.row(of: path) { list.select(item: row) }
  }

  mutating func narrow(to filter: String) {
    guard let table else { return }
    let rows = table.rows(ImageQuery.filter(filter, classes: table.classes), sortedBy: sort)
    list.show(rows.map { Int($0) }, of: table.count, filter: filter)
    top = 0
  }

  /// The next order; the first image of it is chosen.
  mutating func changeSort() {
    let all = EvaluationSort.allCases
    sort = all[((all.firstIndex(of: sort) ?? 0) + 1) % all.count]
    narrow(to: list.filter)
    list.select(0, page: 1)
  }

  mutating func toggleMark() {
    guard let row else { return }
    if marks.remove(row) == nil { marks.insert(row) }
  }

  /// Marks all that are shown, or takes their marks away if all have one.
  mutating func markAll() {
    let shown = Set((0..<list.count).compactMap { list.item(at: $0) })
    if shown.isSubset(of: marks) { marks.subtract(shown) } else { marks.formUnion(shown) }
  }

  mutating func clearMarks() { marks = [] }

  /// An image's path from the working folder.
  func path(of row: Int) -> String? {
    guard let table, table.paths.indices.contains(row) else { return nil }
    return joined(table.root, table.paths[row])
  }
}

extension EvaluationTable {
  /// What a report alone says of its images: the mistakes.
  init(mistakesOf report: EvaluationReport) {
    let mistakes = report.misclassified
    let ranks = mistakes.map(\.top.count).max() ?? 0
    func column<Value>(_ value: (Misclassification) -> Value) -> [Value] { mistakes.map(value) }
    func ranked<Value>(_ value: (ClassProbability) -> Value, orElse none: Value) -> [Value] {
      mistakes.flatMap { mistake in (0..<ranks).map { $0 < mistake.top.count ? value(mistake.top[$0]) : none } }
    }
    self.init(
      source: EvaluationSource(checkpoint: report.checkpoint, data: report.data, split: report.split),
      root: report.data, classes: report.classes.map(\.name), paths: column(\.path),
      // Which part each is of is not said; of an evaluation of one part it is that.
      splits: column { _ in report.split.split ?? .test },
      truths: column { Int32(clamping: $0.truth) },
      predictions: column { $0.top.first.map { Int32(clamping: $0.label) } ?? Self.noPrediction },
      confidences: column { Float($0.top.first?.probability ?? 0) },
      margins: column { Float(($0.top.first?.probability ?? 0) - ($0.top.dropFirst().first?.probability ?? 0)) },
      losses: column { Self.loss(of: $0.truthProbability) }, ranks: ranks,
      topLabels: ranked({ Int32(clamping: $0.label) }, orElse: Self.noPrediction),
      topProbabilities: ranked({ Float($0.probability) }, orElse: 0), provenance: report.provenance)
  }

  /// In nats; the greatest finite number for a probability that is none.
  private static func loss(of probability: Double) -> Float {
    probability > 0
      ? Float(min(-log(probability), Double(Float.greatestFiniteMagnitude))) : .greatestFiniteMagnitude
  }

  /// A class by its label; a label out of range is shown as it is.
  func className(_ label: Int32) -> String {
    classes.indices.contains(Int(label)) ? classes[Int(label)] : label < 0 ? "none" : "class \(label)"
  }
}

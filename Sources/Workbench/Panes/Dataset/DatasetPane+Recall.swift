// The dataset pane's classes while a run trains on them: the recall of each after every epoch and how it changed, in the
// place of the bars, and below them the two classes that are confused the most.

import Canvas
import Messages

/// The recalls of the newest validation, by the dataset's classes.
struct ShownRecalls {
  private let details: ValidationDetails
  private let labels: [ClassName: Int]

  /// Where each class stands: a recall and its change, 0...1 and -1...1; nil where there is none.
  func recall(of name: String) -> (value: Double, change: Double?)? {
    guard let label = labels[ClassName(name)], details.recalls.indices.contains(label),
      let value = details.recalls[label]
    else { return nil }
    return (value, details.change(ofRecall: label))
  }

  var epoch: Int { details.epoch }

  init(_ details: ValidationDetails, classes: [String]) {
    self.details = details
    labels = Dictionary(
      classes.enumerated().map { (ClassName($1), $0) }, uniquingKeysWith: { first, _ in first })
  }
}

/// The columns of the recalls, and how wide their bar is.
struct RecallColumns {
  /// Columns of the bar; 0 where there is no room for it.
  let bar: Int
  private let epoch: Int
  private static let share = 4
  private static let change = 4
  /// The least and the most that a bar takes.
  private static let bars = 4...24

  /// - Parameter room: what names and counts leave.
  init(room: Int, epoch: Int) {
    self.epoch = epoch
    let left = room - Self.share - 1 - Self.change - 1 - 1
    bar = left >= Self.bars.lowerBound ? min(left, Self.bars.upperBound) : 0
  }

  func columns(_ theme: Theme) -> [Table.Column] {
    // The title stands over bar and percentage; where there is no bar it is the percentage's.
    let titles = ["recall, \(epoch)", "recall", "rec."]
    let title = titles.first { $0.columns <= bar } ?? "rec."
    return (bar > 0 ? [Table.Column(title, width: .fixed(bar))] : []) + [
      Table.Column(bar > 0 ? "" : title, width: .fixed(Self.share), alignment: .trailing),
      Table.Column(
        theme.glyphs.chartDots == .braille ? "Δ" : "+/-", width: .fixed(Self.change), alignment: .trailing),
    ]
  }

  func cells(_ recall: (value: Double, change: Double?)?, _ theme: Theme) -> [Table.Content] {
    guard let recall else { return (bar > 0 ? [.text("")] : []) + [.text(Format.absent), .text("")] }
    let points = recall.change.flatMap { abs($0) <= 1 ? Int(($0 * 100).rounded()) : nil } ?? 0
    let change = points == 0 ? "" : points > 0 ? "+\(points)" : "\(points)"
    return (bar > 0 ? [.bar(fraction: recall.value, role: .barSecond)] : []) + [
      .text(Format.percent(recall.value, decimals: 0)),
      .spans([Span(change, theme[points > 0 ? .success : .error])]),
    ]
  }
}

extension DatasetPane {
  /// The two classes that are confused the most: `disc ↔ hexagon: 5 of 9 mistakes`.
  static func confusedText(_ state: WorkbenchState, theme: Theme) -> String? {
    guard let details = state.shownValidation, let pair = details.confused else { return nil }
    let arrows = "\(theme.glyphs.leftArrow)\(theme.glyphs.rightArrow)"
    let sign = theme.glyphs.chartDots == .braille ? "↔" : arrows
    return "\(state.runClass(pair.first)) \(sign) \(state.runClass(pair.second)): \(Format.count(pair.count)) of "
      + Format.counted(details.wrong, "mistake")
  }
}

extension WorkbenchState {
  /// The newest validation of the run on show, where that is of the dataset on show.
  var shownValidation: ValidationDetails? {
    guard let run = curves.run, !curves.isHistory, let details = curves.validated, !isForeign(run) else {
      return nil
    }
    return details
  }
}

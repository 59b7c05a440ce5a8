// An evaluation for people. Its totals come first and last; between them stands what grows with classes and mistakes,
// cut to what somebody reads unless all of it was asked for.

import Canvas
import Messages

/// Prints a report for people.
struct EvaluationPrinter {
  let report: EvaluationReport
  /// Every class, the whole matrix and every mistake, however many there are.
  let isWhole: Bool

  /// Up to so many classes, each has its line and its column.
  private static let manyClasses = 30
  /// Up to so many mistakes, each has its line.
  private static let manyMistakes = 100
  /// So many of what there are many of.
  private static let shown = 20

  private var names: [String] { report.classes.map(\.name) }

  func print() {
    heading()
    totals()
    Console.print("")
    if isWhole || report.classes.count <= Self.manyClasses {
      classes(report.classes, title: nil)
      Console.print("")
      // A larger one is nearly all zeros, and has a line of kilobytes for each class.
      if report.hasDenseConfusion { matrix() } else { pairs(limit: .max) }
    } else {
      classes(
        worst, title: "the \(Self.shown) classes of \(Format.count(report.classes.count)) with the lowest recall")
      Console.print("")
      pairs(limit: Self.shown)
    }
    if report.mistakes > 0 { mistakes() }
    if !report.nonFinite.isEmpty || !report.skipped.isEmpty || !report.unknownClasses.isEmpty { Console.print("") }
    notes(report.nonFinite, count: report.nonFiniteImages, of: "images") {
      "\($0): the outputs are NaN or infinite"
    }
    notes(report.unknownClasses, count: report.unknownClasses.count, of: "classes") {
      "class '\($0)' is unknown to the checkpoint: not counted"
    }
    notes(report.skipped, count: report.skippedImages, of: "images") { "\($0) does not decode: not counted" }
    Console.print("")
    totals()
  }

  private func heading() {
    let part = report.split == .all ? "all" : "the"
    let split = report.split == .all ? "" : "\(report.split.rawValue) "
    let count = report.images == report.found ? "" : "\(Format.count(report.images)) of "
    let weights = report.provenance?.weights.map { ", \($0.text)," } ?? ""
    let own = report.provenance?.isRunsOwn == false && report.split != .all ? ", as they are divided there" : ""
    Console.print(
      "\(report.checkpoint)\(weights) on \(count)\(part) \(Format.count(report.found)) \(split)images of \(report.data)\(own)"
    )
    if let precision = report.precision { Console.print("computed in \(precision.rawValue)") }
    if let augmentation = report.augmentation { Console.print("test-time augmentation: \(augmentation.text)") }
  }

  private func totals() {
    let loss = report.loss.map { Format.fixed($0, 4) } ?? Format.absent
    Console.print(
      "\(Format.count(report.images)) images  loss \(loss)  top-1 "
        + "\(Format.percent(report.top1, decimals: 2))  top-5 \(Format.percent(report.top5, decimals: 2))  "
        + "balanced \(Format.percent(report.balancedAccuracy, decimals: 2))  "
        + "macro F1 \(Format.percent(report.macroF1, decimals: 2))  "
        + (report.calibrationError.map { "ECE \(Format.percent($0, decimals: 2))  " } ?? "")
        + "\(Format.fixed(report.imagesPerSecond, 1)) images/s")
    var left: [String] = []
    if report.nonFiniteImages > 0 {
      left.append("\(Format.count(report.nonFiniteImages)) of them with outputs that are NaN or infinite")
    }
    if report.skippedImages > 0 { left.append("\(Format.count(report.skippedImages)) not counted, do not decode") }
    if report.unknownImages > 0 {
      left.append(
        "\(Format.count(report.unknownImages)) not counted, of "
          + "\(Format.counted(report.unknownClasses.count, "class", plural: "classes")) unknown to the checkpoint")
    }
    if !left.isEmpty { Console.print("! " + left.joined(separator: "; ")) }
    if let edits = report.edits { Console.print("! \(edits)") }
  }

  // MARK: Classes

  /// The lowest recall first; of equal ones the class of more images.
  private var worst: [ClassMetrics] {
    let counted = report.classes.enumerated().filter { $0.element.support > 0 }
    return counted.sorted { first, second in
      let (a, b) = (first.element, second.element)
      return (a.recall ?? 0, b.support, first.offset) < (b.recall ?? 0, a.support, second.offset)
    }.prefix(Self.shown).map(\.element)
  }

  private func classes(_ classes: [ClassMetrics], title: String?) {
    if let title { Console.print(title) }
    func share(_ value: Double?) -> String { Format.percent(value, decimals: 2) }
    let rows = classes.map {
      [$0.name, share($0.precision), share($0.recall), share($0.f1), Format.count($0.support)]
    }
    lines(Console.table([["class", "precision", "recall", "F1", "images"]] + rows))
  }

  private func matrix() {
    Console.print("confusion (a row a true class, a column a predicted one)")
    let names = names
    lines(
      Console.table(
        [[""] + names] + zip(names, report.confusion.rows).map { [$0] + $1.map { $0 == 0 ? "." : "\($0)" } }))
  }

  private func pairs(limit: Int) {
    let pairs = report.confusedPairs(limit: limit)
    guard !pairs.isEmpty else { return Console.print("no class was predicted as another") }
    Console.print(limit == .max ? "the confused pairs" : "the most confused pairs")
    let names = names
    lines(
      Console.table(
        [["true", "predicted", "count", "of class"]]
          + pairs.map { pair in
            let support = max(1, report.classes[pair.truth].support)
            return [
              names[pair.truth], names[pair.predicted], Format.count(pair.count),
              Format.percent(Double(pair.count) / Double(support), decimals: 2),
            ]
          }))
  }

  // MARK: Mistakes

  private func mistakes() {
    Console.print("")
    var listed = report.misclassified
    let isCut = !isWhole && listed.count > Self.manyMistakes
    if isCut {
      // The most confident mistakes tell the most: of labels that are wrong, and of classes that look alike.
      let order = listed.indices.sorted {
        (listed[$1].top.first?.probability ?? 0, $0) < (listed[$0].top.first?.probability ?? 0, $1)
      }
      listed = order.prefix(Self.shown).map { listed[$0] }
    }
    Console.print(
      "\(Format.count(report.mistakes)) misclassified images"
        + (isCut ? ", the \(Self.shown) most confident of them (--all or --json for all)" : ""))
    let names = names
    let rows = listed.map { mistake in
      [mistake.path, names[mistake.truth]]
        + mistake.top.prefix(1).flatMap { [names[$0.label], Format.percent($0.probability, decimals: 2)] }
        + [Format.percent(mistake.truthProbability, decimals: 2)]
    }
    lines(
      Console.table([["image", "true", "predicted", "probability", "of the true class"]] + rows, hasPaths: true))
  }

  /// - Parameter count: how many there are.
  private func notes(_ names: [String], count: Int, of what: String, _ text: (String) -> String) {
    let listed = isWhole ? names : Array(names.prefix(Self.shown))
    for name in listed { Console.print("! " + text(name)) }
    if count > listed.count {
      Console.print("! and \(Format.count(count - listed.count)) more such \(what) (--all or --json for all)")
    }
  }

  private func lines(_ lines: [String]) {
    for line in lines { Console.print(line) }
  }
}

extension PrecisionComparison {
  /// - Parameter report: of the lower precision.
  func text(of report: EvaluationReport) -> String {
    let points = 100 * (report.top1 - top1)
    let part = report.split == .all ? "image" : "\(report.split.rawValue) image"
    return "\(Format.counted(images, part)): accuracy \(Format.percent(top1, decimals: 2)) in fp32, "
      + "\(Format.percent(report.top1, decimals: 2)) in \((report.precision ?? .fp32).rawValue) "
      + "(\(points < 0 ? "" : "+")\(Format.fixed(points, 2)) points); the same class for "
      + "\(Format.percent(agreement, decimals: 2)), its probability \(Format.fixed(meanDifference, 4)) apart on average, "
      + "\(Format.fixed(largestDifference, 4)) at most"
  }
}

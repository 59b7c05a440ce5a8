// The confusion matrix as a map: what was right along the diagonal in one color, mistakes beside it in another.

import Messages
import Support

extension EvaluationReport {
  /// `best on test: top-1 89.4 %, 320 images`
  var headline: String {
    printed("top-1 %.1f %%", top1 * 100) + " of \(images) images" + (split == .all ? "" : " (\(split.rawValue))")
  }
}

extension Figure {
  /// Up to so many classes have their names beside the map.
  private static let namedClasses = 60

  /// A row a true class, a column a predicted one, shaded by the share of the true class.
  public static func confusion(_ report: EvaluationReport, name: String) -> Figure {
    let count = max(1, report.classes.count)
    let isNamed = count <= namedClasses
    let cell = count <= 12 ? 46.0 : count <= 24 ? 32 : isNamed ? 20 : max(1.5, 760 / Double(count))
    let size = cell >= 32 ? 12.0 : cell >= 20 ? 10 : 9
    let names = report.classes.map { Markup.shortened($0.name, to: 26) }
    let longest = isNamed ? names.map { Markup.width($0, size: size) }.max() ?? 0 : 30
    let left = 34 + longest + 8
    // Names of columns stand upright where they would run into each other.
    let isUpright = isNamed && longest > cell - 4
    let bottom = isNamed ? (isUpright ? longest + 16 : 24) : 24
    let side = cell * Double(count)
    let top = 58.0
    let heading = Markup.shortened(name, to: 48)
    let width = max(left + side + 24, 40 + Markup.width("\(heading): \(report.headline)", size: 14) * 1.08, 420)
    var figure = Figure(
      width: width, height: top + side + bottom + 26, title: "Confusion matrix of \(name): \(report.headline)")
    figure.text(heading, 18, 24, "head")
    figure.text(report.headline, 18, 43, "faint")
    draw(report, into: &figure, left: left, top: top, cell: cell, size: size)
    figure.rectangle(left, top, side, side, "frame")
    figure.text("true class", 20, top + side / 2, "faint", .middle, turned: -90)
    figure.text("predicted class", left + side / 2, top + side + bottom + 16, "faint", .middle)
    for (label, name) in names.enumerated() where isNamed {
      let middle = (Double(label) + 0.5) * cell
      figure.text(name, left - 7, top + middle + size * 0.35, "name", .end, size: size)
      if isUpright {
        figure.text(name, left + middle + size * 0.35, top + side + 8, "name", .end, turned: -90, size: size)
      } else {
        figure.text(name, left + middle, top + side + 16, "name", .middle, size: size)
      }
    }
    if !isNamed {
      // By their numbers, as the checkpoint has them.
      for tick in Axis(from: 0, to: Double(count), .count, ticks: 8, isRounded: false).ticks
      where tick < Double(count) {
        let place = (tick + 0.5) * cell
        figure.text("\(Int(tick))", left - 7, top + place + 4, "faint", .end)
        figure.text("\(Int(tick))", left + place, top + side + 16, "faint", .middle)
      }
    }
    return figure
  }

  private static func draw(
    _ report: EvaluationReport, into figure: inout Figure, left: Double, top: Double, cell: Double, size: Double
  ) {
    let count = report.classes.count
    for entry in report.confusion.cells {
      let total = report.confusion.total(ofRow: entry.truth)
      let share = Double(entry.count) / Double(max(1, total))
      let (x, y) = (left + Double(entry.predicted) * cell, top + Double(entry.truth) * cell)
      let isRight = entry.truth == entry.predicted
      // A single mistake must be seen, too.
      let shade = 0.08 + 0.92 * share.squareRoot()
      let (truth, predicted) = (report.classes[entry.truth].name, report.classes[entry.predicted].name)
      figure.rectangle(
        x, y, cell, cell, isRight ? "right" : "wrong", opacity: shade,
        note: "\(truth) seen as \(predicted): \(entry.count) of \(total)")
      guard cell >= 20 else { continue }
      let text = "\(entry.count)"
      let fit = min(size, (cell - 4) / (Double(text.count) * 0.6))
      figure.text(
        text, x + cell / 2, y + cell / 2 + fit * 0.35, isRight && shade > 0.85 ? "on" : "", .middle, size: fit)
    }
    guard cell >= 20 else { return }
    for line in 1..<max(2, count) {
      let place = Double(line) * cell
      figure.line(left + place, top, left + place, top + cell * Double(count), "grid")
      figure.line(left, top + place, left + cell * Double(count), top + place, "grid")
    }
  }
}

// The recall of each class over the epochs of a run: a line a class, those of lowest recall at the end where there are more
// than can be told apart.

import Messages
import Support
import Training

extension Figure {
  private static let recallWidth = 720.0
  private static let recallHeight = 400.0

  /// - Parameters:
  ///   - recalls: of each epoch, in order, as metrics.jsonl has them.
  ///   - name: of the run.
  public static func recall(_ recalls: [ClassRecalls], name: String) -> Figure {
    let lines = lowest(recalls)
    let (left, right, top, bottom) = (54.0, 200.0, 34.0, 40.0)
    var figure = Figure(
      width: recallWidth, height: recallHeight, title: "Recall of each class of \(name) by epoch")
    let inner = (width: recallWidth - left - right, height: recallHeight - top - bottom)
    let low = lines.flatMap { $0.points.map(\.y) }.min() ?? 0
    let vertical = Axis(from: max(0, low), to: 1, .share)
    let horizontal = Axis(
      from: 0, to: Double(max(1, recalls.last?.epoch ?? 1)), .count, ticks: 6, isRounded: false)
    func x(_ value: Double) -> Double { left + horizontal.place(value) * inner.width }
    func y(_ value: Double) -> Double { top + (1 - vertical.place(value)) * inner.height }
    let classes = Set(recalls.flatMap { $0.recall.keys }).count
    figure.text(
      lines.count < classes ? "Recall, the \(lines.count) lowest of \(classes) classes" : "Recall", left, 20, "head"
    )
    for tick in vertical.ticks {
      figure.line(left, y(tick), left + inner.width, y(tick), "grid")
      figure.text(vertical.label(tick), left - 7, y(tick) + 4, "faint", .end)
    }
    for tick in horizontal.ticks {
      figure.line(x(tick), top + inner.height, x(tick), top + inner.height + 4, "axis")
      figure.text(horizontal.label(tick), x(tick), top + inner.height + 18, "faint", .middle)
    }
    figure.line(left, top + inner.height, left + inner.width, top + inner.height, "axis")
    figure.text("epoch", left + inner.width / 2, recallHeight - 6, "faint", .middle)
    figure.clip("clip-recall", left, top - 4, inner.width + 6, inner.height + 8)
    for (index, line) in lines.enumerated() {
      let color = FigureStyle.series(index)
      let isSquare = index >= FigureStyle.light.series.count
      figure.path(line.points.map { (x($0.x), y($0.y)) }, "\(color) solid", clip: "clip-recall")
      if let last = line.points.last { figure.dot(x(last.x), y(last.y), color, isSquare: isSquare) }
      let row = top + 10 + Double(index) * 22
      figure.dot(left + inner.width + 20, row - 4, color, isSquare: isSquare)
      let share = line.points.last.map { printed(" %.0f %%", $0.y * 100) } ?? ""
      figure.text(Markup.shortened(line.name, to: 20) + share, left + inner.width + 32, row, "strong")
    }
    if lines.isEmpty {
      figure.text("nothing was measured yet", left + inner.width / 2, top + inner.height / 2, "faint", .middle)
    }
    return figure
  }

  /// The classes as lines, the lowest recall of the last epoch first.
  private static func lowest(_ recalls: [ClassRecalls]) -> [(name: String, points: [(x: Double, y: Double)])] {
    var points: [String: [(x: Double, y: Double)]] = [:]
    for epoch in recalls {
      for (name, value) in epoch.recall where value.isFinite {
        points[name, default: []].append((Double(epoch.epoch), value))
      }
    }
    return points.map { (name: $0.key, points: $0.value) }
      .sorted { ($0.points.last?.y ?? 0, $0.name) < ($1.points.last?.y ?? 0, $1.name) }
      .prefix(mostRuns).map { $0 }
  }
}

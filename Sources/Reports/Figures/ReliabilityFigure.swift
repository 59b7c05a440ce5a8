// How far probabilities can be trusted, as two panels: the reliability diagram, accuracy against confidence, and the
// histogram of the confidence of right and wrong answers.

import Messages
import Support

extension Figure {
  private static let panel = (width: 420.0, height: 300.0)
  private static let left = 54.0
  private static let right = 16.0
  private static let top = 52.0
  private static let bottom = 40.0

  /// - Parameter name: what it is of; empty on a page that says it.
  public static func reliability(_ reliability: Reliability, name: String) -> Figure {
    let error = reliability.expectedCalibrationError
    let text = error.map { printed("expected calibration error %.1f %%", $0 * 100) } ?? "no image has a prediction"
    let head = name.isEmpty ? 0.0 : 30
    var figure = Figure(
      width: panel.width * 2, height: panel.height + head,
      title: "Reliability\(name.isEmpty ? "" : " of \(name)"): \(text)")
    if !name.isEmpty { figure.text(Markup.shortened(name, to: 64), left, 22, "head") }
    figure.add(diagram(reliability, text), x: 0, y: head)
    figure.add(histogram(reliability), x: panel.width, y: head)
    return figure
  }

  private static var inner: (width: Double, height: Double) {
    (panel.width - left - right, panel.height - top - bottom)
  }

  private static func axes(_ figure: inout Figure, _ vertical: Axis) {
    for tick in vertical.ticks {
      let y = top + (1 - vertical.place(tick)) * inner.height
      figure.line(left, y, left + inner.width, y, "grid")
      figure.text(vertical.label(tick), left - 7, y + 4, "faint", .end)
    }
    for tick in stride(from: 0.0, through: 1, by: 0.2) {
      let x = left + tick * inner.width
      figure.line(x, top + inner.height, x, top + inner.height + 4, "axis")
      figure.text(printed("%.0f %%", tick * 100), x, top + inner.height + 18, "faint", .middle)
    }
    figure.line(left, top + inner.height, left + inner.width, top + inner.height, "axis")
    figure.text("confidence", left + inner.width / 2, panel.height - 6, "faint", .middle)
  }

  private static func diagram(_ reliability: Reliability, _ text: String) -> Figure {
    var figure = Figure(width: panel.width, height: panel.height, title: "Accuracy by confidence")
    figure.text("Accuracy by confidence", left, 20, "head")
    figure.text(text, left, 38, "faint")
    axes(&figure, Axis(from: 0, to: 1, .share))
    func x(_ share: Double) -> Double { left + share * inner.width }
    func y(_ share: Double) -> Double { top + (1 - share) * inner.height }
    for bin in reliability.bins {
      guard let accuracy = bin.accuracy, let confidence = bin.confidence else { continue }
      // Too confident is the worse of the two.
      figure.rectangle(
        x(bin.lower) + 1, y(accuracy), x(bin.upper) - x(bin.lower) - 2, max(1, y(0) - y(accuracy)),
        accuracy < confidence - 0.05 ? "wrong" : "right", opacity: 0.75,
        note: printed("%.0f", bin.lower * 100) + printed(" to %.0f %%: ", bin.upper * 100)
          + printed("%.1f %% right, ", accuracy * 100) + printed("%.1f %% confident, ", confidence * 100)
          + "\(bin.images) images")
    }
    figure.line(x(0), y(0), x(1), y(1), "axis dashed")
    return figure
  }

  private static func histogram(_ reliability: Reliability) -> Figure {
    var figure = Figure(width: panel.width, height: panel.height, title: "Confidence of right and wrong answers")
    let (right, wrong) = reliability.bins.reduce((0, 0)) { ($0.0 + $1.right, $0.1 + $1.wrong) }
    figure.text("Confidence of right and wrong answers", left, 20, "head")
    figure.rectangle(left, 30, 9, 9, "right")
    figure.text("\(right) right", left + 14, 38, "faint")
    let second = left + 28 + Markup.width("\(right) right", size: 12)
    figure.rectangle(second, 30, 9, 9, "wrong")
    figure.text("\(wrong) wrong", second + 14, 38, "faint")
    let most = reliability.bins.map { max($0.right, $0.wrong) }.max() ?? 0
    let vertical = Axis(from: 0, to: Double(max(1, most)), .count)
    axes(&figure, vertical)
    for bin in reliability.bins {
      let width = inner.width / Double(reliability.bins.count)
      for (side, (count, style)) in [(bin.right, "right"), (bin.wrong, "wrong")].enumerated() where count > 0 {
        // A single answer among thousands is to be seen too.
        let height = max(1.5, vertical.place(Double(count)) * inner.height)
        figure.rectangle(
          left + bin.lower * inner.width + 1 + Double(side) * (width / 2 - 0.5), top + inner.height - height,
          width / 2 - 1.5, height, style, note: "\(count) \(style)")
      }
    }
    return figure
  }
}

extension EvaluationExport {
  /// The picture of it; nil for what is none.
  /// - Parameter failure: told of images that cannot be shown.
  public func figure(failure: (_ images: Int, _ first: String) -> Void = { _, _ in }) -> Figure? {
    switch content {
    case .images(let table): .sheet(table, name: name, failure: failure)
    case .confusion(let report): .confusion(report, name: name)
    case .reliability(let reliability): .reliability(reliability, name: name)
    case .suspects(let report): .sheet(report, name: name, failure: failure)
    case .pairs, .metrics, .comparison, .explanation: nil
    }
  }
}

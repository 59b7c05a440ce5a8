// How the loss went as the learning rate grew: a line for every few steps with a bar of the loss, on the screen and in a
// shell alike.

import Canvas
import Messages

public enum LearningRateChart {
  /// Rates, smoothed losses and bars, the suggested rate marked.
  /// - Parameters:
  ///   - width: columns.
  ///   - rows: lines at most.
  public static func lines(_ curve: LearningRateCurve, width: Int, rows: Int) -> [String] {
    guard !curve.points.isEmpty, rows > 0 else { return [] }
    let every = max(1, (curve.points.count + rows - 1) / rows)
    let points = stride(from: 0, to: curve.points.count, by: every).map { curve.points[$0] }
    // At the end the loss may be many times what it was: what matters is where it fell.
    let most = points.prefix(points.count / 2 + 1).map(\.smoothed).max() ?? 1
    let room = max(4, width - 24)
    let nearest = curve.suggestion.flatMap { rate in
      points.indices.min { distance(points[$0].rate, rate) < distance(points[$1].rate, rate) }
    }
    return points.indices.map { place in
      let point = points[place]
      let columns = Int((max(0, min(1, point.smoothed / most)) * Double(room)).rounded())
      let bar = String(repeating: place == nearest ? "=" : "-", count: columns)
      return right(Format.general(point.rate)) + right(Format.fixed(point.smoothed, 3)) + "  " + bar
        + (place == nearest ? " <" : "")
    }
  }

  /// What follows from it.
  public static func verdict(_ curve: LearningRateCurve) -> String {
    guard let suggestion = curve.suggestion, let lowest = curve.lowest else {
      return "the loss never fell: look at the data, or choose another network"
    }
    return "suggested: \(Format.general(suggestion)), a quarter of the rate at which the loss was lowest "
      + "(\(Format.general(lowest)))"
  }

  /// Between two rates, on their logarithmic scale.
  private static func distance(_ one: Double, _ other: Double) -> Double { max(one / other, other / one) }

  private static func right(_ text: String) -> String {
    String(repeating: " ", count: max(0, 10 - text.count)) + text
  }

  static func draw(_ curve: LearningRateCurve, into frame: inout Frame, theme: Theme) {
    let theme = theme.over(.overlay)
    let screen = Rect(frame.size).inset(bottom: 2)
    let width = min(84, frame.size.width - 4)
    let rows = max(4, min(26, screen.height - 5))
    let lines = lines(curve, width: width - 4, rows: rows)
    let box = screen.centered(width: width, height: lines.count + 4)
    let inner = frame.overlay(box, title: "Learning rates", trailing: "rate, loss", theme: theme)
    for (row, line) in lines.enumerated() {
      frame.put(line, in: inner.row(row), style: theme[line.hasSuffix("<") ? .success : .text])
    }
    frame.put(verdict(curve), in: inner.row(lines.count + 1), style: theme[.text])
  }
}

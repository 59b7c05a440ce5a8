// Where the curves pane's charts stand, and how the figures of steps and epochs are put on one axis.

import Canvas
import Messages

extension CurvesPane {
  /// - Parameter table: the charts there are.
  static func drawCharts(
    _ curves: CurvesState, into frame: inout Frame, in rect: Rect, theme: Theme,
    table: [CurveChart] = CurveChart.all
  ) {
    let shown =
      switch curves.view {
      case .all: table
      case .one(let index): [table[index]]
      }
    for (chart, place) in zip(shown, places(for: shown.count, in: rect)) {
      chart.draw(curves, into: &frame, in: place, theme: theme)
    }
  }

  /// Below each other in a high pane, else side by side; where there is no room for all of them, for the first ones.
  private static func places(for count: Int, in rect: Rect) -> [Rect] {
    guard count > 1 else { return [rect] }
    if rect.height >= 7 * count, rect.width < 110 {
      let (upper, rest) = rect.splitTop((rect.height + count - 1) / count)
      return [upper] + places(for: count - 1, in: rest)
    }
    guard rect.width >= 20 * count else { return places(for: count - 1, in: rect) }
    var (places, rest) = ([Rect](), rect)
    for left in (1...count).reversed() {
      let (place, more) = rest.splitLeft(rest.width / left)
      places.append(place.inset(left: left == count ? 0 : 1, right: left == 1 ? 0 : 1))
      rest = more
    }
    return places
  }
}

/// Points at steps, brought to evenly spaced positions.
enum Resampling {
  /// - Parameters:
  ///   - points: rising steps, each with a value, or nil for a gap.
  ///   - total: the step at the right end, at least 1.
  /// - Returns: a value a position up to the last point: the mean where several points fall on one, a straight line
  ///   between points further apart, nil before the first, after the last and around gaps.
  static func values(_ points: [(step: Int, value: Double?)], total: Int, positions: Int) -> [Double?] {
    guard positions > 1, total > 0 else { return [] }
    var result = [Double?](repeating: nil, count: positions)
    var counts = [Int](repeating: 0, count: positions)
    var previous: (position: Int, value: Double)?
    for point in points {
      let share = min(1, max(0, Double(point.step) / Double(total)))
      let position = Int((share * Double(positions - 1)).rounded())
      guard let value = point.value, value.isFinite else {
        previous = nil
        continue
      }
      if let previous, position > previous.position + 1 {
        let from = result[previous.position] ?? previous.value
        let span = Double(position - previous.position)
        for between in (previous.position + 1)..<position {
          result[between] = from + (value - from) * Double(between - previous.position) / span
        }
      }
      let count = Double(counts[position])
      result[position] = ((result[position] ?? 0) * count + value) / (count + 1)
      counts[position] += 1
      previous = (position, value)
    }
    return result
  }
}

// A sparkline: the newest values as small columns, as many as there is room for. No axis, no labels.

/// Columns of eighths of a cell, one a value, the newest at the right.
public struct Sparkline: Sendable, Equatable {
  /// nil, NaN and infinite values leave their column empty; zero is the lowest column, not an empty one.
  public var values: [Double?]
  /// nil: from the least to the greatest value shown.
  public var range: ClosedRange<Double>?
  public var role: ThemeRole

  public init(_ values: [Double?], range: ClosedRange<Double>? = nil, role: ThemeRole = .trainingCurve) {
    self.values = values
    self.range = range
    self.role = role
  }

  /// Counts as columns, in so many of them: by the root, so that what is seldom is still seen. A count of nothing is an
  /// empty column.
  public static func text(counts: [Int], width: Int, glyphs: Glyphs) -> String {
    guard !counts.isEmpty, width > 0 else { return "" }
    let ramp = glyphs.sparkline
    let width = min(width, counts.count)
    let columns = (0..<width).map { column in
      counts[column * counts.count / width..<(column + 1) * counts.count / width].reduce(0, +)
    }
    let highest = Double(max(1, columns.max() ?? 1)).squareRoot()
    return String(
      columns.map { count in
        let level = (Double(max(0, count)).squareRoot() / highest * Double(ramp.count - 1)).rounded()
        return count <= 0 ? " " : ramp[Int(level)]
      })
  }

  public func draw(into frame: inout Frame, in rect: Rect, theme: Theme) {
    guard !rect.isEmpty else { return }
    let shown = values.suffix(rect.width).map { $0.flatMap { $0.isFinite ? $0 : nil } }
    let finite = shown.compactMap { $0 }
    guard let lower = range?.lowerBound ?? finite.min(), let upper = range?.upperBound ?? finite.max() else {
      return
    }
    let ramp = theme.glyphs.sparkline
    let levels = ramp.count * rect.height
    for (column, value) in shown.enumerated() {
      guard let value else { continue }
      // 1...levels, so that the least value is still seen.
      let level = 1 + Int((Self.position(value, lower, upper) * Double(levels - 1)).rounded())
      for row in 0..<rect.height {
        let filled = min(ramp.count, level - row * ramp.count)
        guard filled > 0 else { break }
        let x = rect.right - shown.count + column
        frame[x, rect.bottom - 1 - row] = Cell(ramp[filled - 1], theme[role])
      }
    }
  }

  /// 0...1. A constant series lies in the middle, unless it is all zero: then at the bottom.
  private static func position(_ value: Double, _ lower: Double, _ upper: Double) -> Double {
    let span = upper - lower
    guard span > 0, span.isFinite else { return value == 0 ? 0 : 0.5 }
    return min(max((value - lower) / span, 0), 1)
  }
}

// The metrics of steps and epochs, put on one axis.

/// Points at steps, brought to evenly spaced positions.
enum CurveSampling {
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

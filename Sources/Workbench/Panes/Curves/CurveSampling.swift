// The metrics of steps and epochs, put on one axis.

/// A value at a place on the horizontal axis.
struct CurvePoint: Sendable, Equatable {
  /// In epochs since the run began.
  var x: Double
  /// nil for a gap.
  var value: Double?
}

/// Points at steps, brought to evenly spaced positions.
enum CurveSampling {
  /// - Parameters:
  ///   - points: rising, each with a value, or nil for a gap.
  ///   - window: what is at the left and the right end.
  /// - Returns: a value a position: the mean where several points fall on one, a straight line between points further
  ///   apart, nil before the first, after the last and around gaps.
  static func values(
    _ points: [CurvePoint], in window: ClosedRange<Double>, positions: Int
  ) -> [Double?] {
    let width = window.upperBound - window.lowerBound
    guard positions > 1, width > 0 else { return [] }
    var result = [Double?](repeating: nil, count: positions)
    var counts = [Int](repeating: 0, count: positions)
    var previous: (place: Double, value: Double)?
    for point in points {
      let place = (point.x - window.lowerBound) / width * Double(positions - 1)
      guard let value = point.value, value.isFinite else {
        previous = nil
        continue
      }
      defer { previous = (place, value) }
      let position = Int(min(max(place.rounded(), -1), Double(positions)))
      if let previous, previous.place <= Double(positions - 1), place >= 0 {
        let from = Int(max(0, previous.place.rounded() + 1))
        // Between the points, as far as that is in view.
        if from < min(position, positions) {
          for between in from..<min(position, positions) where counts[between] == 0 {
            let part = (Double(between) - previous.place) / (place - previous.place)
            result[between] = previous.value + (value - previous.value) * min(max(part, 0), 1)
          }
        }
      }
      guard (0..<positions).contains(position) else { continue }
      let count = Double(counts[position])
      result[position] = ((count == 0 ? 0 : result[position] ?? 0) * count + value) / (count + 1)
      counts[position] += 1
    }
    return result
  }

  /// An exponential moving average over the points, of which none comes before its time: the first values are weighed
  /// as the few that they are. Gaps stay gaps.
  /// - Parameter factor: 0 for none, below 1.
  static func smoothed(_ points: [CurvePoint], factor: Double) -> [CurvePoint] {
    guard factor > 0 else { return points }
    var (mean, weight) = (0.0, 0.0)
    return points.map { point in
      guard let value = point.value, value.isFinite else { return point }
      mean = factor * mean + (1 - factor) * value
      weight = factor * weight + (1 - factor)
      return CurvePoint(x: point.x, value: mean / weight)
    }
  }
}

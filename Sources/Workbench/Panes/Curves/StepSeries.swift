// The figures of every step, in bounded memory: when there are too many points, neighbours are averaged in pairs.

import Messages

/// Loss and accuracy over the steps of a run, fewer than `capacity` points of them.
struct StepSeries: Sendable, Equatable {
  struct Point: Sendable, Equatable {
    /// The last step it stands for.
    var step: Int
    /// Nil where the loss was not a number.
    var loss: Double?
    var accuracy: Double?
  }

  static let capacity = 2048

  private(set) var points: [Point] = []
  /// Steps that a point averages.
  private(set) var stride = 1
  private var open: [Point] = []

  /// Adds a step. One that is not after the last goes back: the run was resumed from there, and what lay after it is
  /// dropped.
  mutating func add(step: Int, loss: Double, accuracy: Double) {
    if let last = open.last ?? points.last, step <= last.step {
      points.removeAll { $0.step >= step }
      open.removeAll { $0.step >= step }
    }
    open.append(
      Point(step: step, loss: loss.isFinite ? loss : nil, accuracy: accuracy.isFinite ? accuracy : nil))
    guard open.count >= stride else { return }
    points.append(Self.mean(open))
    open = []
    if points.count >= Self.capacity { halve() }
  }

  /// Drops what lies after a step: the run went back to it.
  mutating func drop(after step: Int) {
    points.removeAll { $0.step > step }
    open.removeAll { $0.step > step }
  }

  /// Every point, the unfinished one included.
  var all: [Point] { open.isEmpty ? points : points + [Self.mean(open)] }

  private mutating func halve() {
    points = Swift.stride(from: 0, to: points.count, by: 2).map { start in
      Self.mean(Array(points[start..<min(start + 2, points.count)]))
    }
    stride *= 2
  }

  private static func mean(_ points: [Point]) -> Point {
    Point(
      step: points.last?.step ?? 0, loss: mean(points.compactMap(\.loss)),
      accuracy: mean(points.compactMap(\.accuracy)))
  }

  private static func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}

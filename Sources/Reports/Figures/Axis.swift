// Where an axis has its ticks and what is written at them.

import Support

/// A range of values with round ticks in it.
struct Axis {
  let range: ClosedRange<Double>
  let ticks: [Double]
  private let step: Double
  private let unit: Unit

  enum Unit {
    case number
    /// 0...1, written in percent.
    case share
    /// Whole numbers only.
    case count
  }

  /// - Parameters:
  ///   - low: the least value; the axis begins there or a little below.
  ///   - count: about how many ticks.
  init(from low: Double, to high: Double, _ unit: Unit, ticks count: Int = 5, isRounded: Bool = true) {
    let low = low.isFinite ? min(max(low, -1e300), 1e300) : 0
    var high = high.isFinite ? min(max(high, -1e300), 1e300) : 1
    // A range that no digits tell apart is none.
    if high - low <= max(abs(low), abs(high), 1e-200) * 1e-9 { high = low + (low == 0 ? 1 : abs(low) * 0.1) }
    var step = Self.roundStep((high - low) / Double(max(1, count)))
    if unit == .count { step = max(1, step.rounded(.up)) }
    let first = (low / step).rounded(.down)
    let last = (high / step - 1e-9).rounded(.up)
    self.step = step
    self.unit = unit
    let all = stride(from: first, through: last, by: 1).map { $0 * step }
    range = isRounded ? first * step...last * step : low...high
    ticks = isRounded ? all : all.filter { $0 >= low - step * 1e-6 && $0 <= high + step * 1e-6 }
  }

  /// 1, 2 or 5 times a power of ten, no less than a value.
  private static func roundStep(_ value: Double) -> Double {
    var power = 1.0
    while power * 10 <= value { power *= 10 }
    while power > value { power /= 10 }
    return [1, 2, 5, 10].map { $0 * power }.first { $0 >= value * 0.999 } ?? power * 10
  }

  /// Where a value lies, 0 at the beginning and 1 at the end.
  func place(_ value: Double) -> Double { (value - range.lowerBound) / (range.upperBound - range.lowerBound) }

  /// As many digits as the step has.
  func label(_ value: Double) -> String {
    switch unit {
    case .share: return Self.fixed(value * 100, step: step * 100) + " %"
    case .count: return "\(Int(value.rounded()))"
    case .number:
      if abs(value) < step / 2 { return "0" }
      return step < 1e-4 ? Self.scientific(value) : Self.fixed(value, step: step)
    }
  }

  private static func fixed(_ value: Double, step: Double) -> String {
    var (digits, scaled) = (0, step)
    while digits < 6, abs(scaled - scaled.rounded()) > 1e-6 {
      scaled *= 10
      digits += 1
    }
    let formats: [StaticString] = ["%.0f", "%.1f", "%.2f", "%.3f", "%.4f", "%.5f", "%.6f"]
    return printed(formats[digits], value)
  }

  private static func scientific(_ value: Double) -> String { printed("%.1e", value) }
}

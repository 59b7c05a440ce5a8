// The vertical axis of a chart: its range, where its ticks stand and what they say. Numbers and rows, no cells.

import Glibc

/// How values are written.
public enum ValueFormat: Sendable, Hashable {
  case number
  /// Values are fractions, shown times 100 with a percent sign.
  case percent
}

/// How values become heights.
public enum ValueScale: Sendable, Hashable {
  case linear
  /// Equal factors are equal heights; zero and less have no place.
  case logarithmic
}

struct ValueAxis: Equatable {
  var range: ClosedRange<Double>
  /// Ascending, within the range, at least one. On an axis with rows to spare they stand on whole rows, all the same
  /// number of rows apart.
  var ticks: [Double]
  private let scale: ValueScale
  private var decimals: Int
  private var format: ValueFormat

  /// Greater magnitudes are taken for this one: differences between them must stay finite.
  static let largest = 1e100

  /// An axis that holds the values, widened so that ticks at round numbers fall on whole rows; or the given range,
  /// which is widened upward where no round numbers would.
  /// - Parameters:
  ///   - rows: its height in cells.
  ///   - maximumTicks: so many at most.
  /// - Returns: nil when there is neither a range nor a value that the scale has a place for.
  init?(
    values: [Double], range given: ClosedRange<Double>?, rows: Int, maximumTicks: Int,
    scale: ValueScale = .linear, format: ValueFormat
  ) {
    let finite = values.filter { $0.isFinite && (scale == .linear || $0 > 0) }
      .map { min(max($0, -Self.largest), Self.largest) }
    var (lower, upper): (Double, Double)
    if let given, given.lowerBound.isFinite, given.upperBound.isFinite, scale == .linear || given.lowerBound > 0 {
      (lower, upper) = (max(given.lowerBound, -Self.largest), min(given.upperBound, Self.largest))
    } else if let least = finite.min(), let greatest = finite.max() {
      (lower, upper) = (least, greatest)
    } else {
      return nil
    }
    self.scale = scale
    self.format = format
    guard scale == .linear else {
      let ladder = Ladder.logarithmic(from: lower, to: upper, rows: rows, maximumTicks: maximumTicks)
      range = exp2(ladder.lower)...exp2(ladder.upper)
      ticks = ladder.ticks.map { exp2($0) }
      decimals = 0
      return
    }
    // The width must be visible beside the magnitude, or the ticks would all be one number.
    let leastSpan = max(abs(lower), abs(upper)) * 1e-9
    if !(upper - lower > leastSpan) {
      let pad = max(abs(lower) * 0.1, 1e-6)
      (lower, upper) = lower == 0 ? (0, 1) : (lower - pad, upper + pad)
    }
    let ladder = Ladder.linear(
      from: lower, to: upper, isGiven: given != nil, rows: rows, maximumTicks: maximumTicks,
      hasQuarters: format == .percent)
    range = ladder.lower...ladder.upper
    ticks = ladder.ticks
    let shownStep = format == .percent ? ladder.step * 100 : ladder.step
    decimals = min(max(0, Int((-log10(shownStep) - 1e-9).rounded(.up))), 9)
    // A quarter needs two decimals where a half needs one.
    if decimals < 9, let tick = ladder.ticks.dropFirst().first {
      let shown = (format == .percent ? tick * 100 : tick) * pow(10, Double(decimals))
      if abs(shown - shown.rounded()) > 0.01 { decimals += 1 }
    }
  }

  /// 0 at the lower end, 1 at the upper; values beyond an end are put on it.
  func position(of value: Double) -> Double {
    let clamped = min(max(value, range.lowerBound), range.upperBound)
    guard scale == .logarithmic else {
      return (clamped - range.lowerBound) / (range.upperBound - range.lowerBound)
    }
    let (lower, upper) = (log2(range.lowerBound), log2(range.upperBound))
    return (log2(clamped) - lower) / (upper - lower)
  }

  func label(_ tick: Double) -> String {
    let value = format == .percent ? tick * 100 : tick
    let suffix = format == .percent ? "%" : ""
    if scale == .logarithmic { return Format.general(value) + suffix }
    let magnitude = max(abs(range.lowerBound), abs(range.upperBound))
    if magnitude >= 1e7 || decimals > 5 { return Self.scientific(value) + suffix }
    if magnitude >= 1e4, decimals == 0 {
      let thousands = value / 1000
      let text = Format.fixed(thousands, thousands == thousands.rounded() ? 0 : 1)
      return value == 0 ? "0" + suffix : text + "k" + suffix
    }
    return Format.fixed(value, decimals) + suffix
  }

  /// One decimal and an exponent of at least two digits: `2.5e+07`.
  private static func scientific(_ value: Double) -> String {
    guard value != 0 else { return "0.0e+00" }
    var exponent = Int(log10(value.magnitude).rounded(.down))
    var mantissa = Format.fixed(value / pow(10, Double(exponent)), 1)
    // 9.97 is 10.0 with one decimal.
    if mantissa.hasSuffix("10.0") { (mantissa, exponent) = (mantissa.replacing("10.0", with: "1.0"), exponent + 1) }
    let digits = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
    return mantissa + (exponent < 0 ? "e-" : "e+") + digits
  }
}

/// Ticks at equal distances, on rows at equal distances.
struct Ladder {
  var lower: Double
  var upper: Double
  var step: Double
  var ticks: [Double]

  /// The ladder of a step through an interval.
  ///
  /// What rows are left above the highest tick that is needed belong to the axis: else the distances would differ.
  /// - Parameter mayExceed: whether ticks stand there too.
  private init(from lower: Double, step: Double, intervals: Int, rows: Int, mayExceed: Bool = true) {
    let each = max(1, (rows - 1) / max(1, intervals))
    self.step = step
    self.lower = lower
    let above = max(0, rows - 1 - each * intervals)
    upper = lower + step * (Double(intervals) + (rows > 1 ? Double(above) / Double(each) : 0))
    let count = intervals + (mayExceed ? above / each : 0)
    ticks = (0...count).map { index in
      // Counted in steps from zero, so that a round number comes out as one.
      let tick = ((lower / step).rounded() + Double(index)) * step
      return abs(lower / step - (lower / step).rounded()) > 1e-6
        ? lower + Double(index) * step : tick == 0 ? 0 : tick
    }
  }

  /// How much of the height the interval takes, and half as much for as many ticks as are wanted.
  private func merit(span: Double, wanted: Int) -> Double {
    span / (upper - lower) + 0.5 * Double(min(ticks.count, wanted)) / Double(wanted)
  }

  /// With steps of 1, 2 or 5 times a power of ten.
  /// - Parameters:
  ///   - isGiven: whether the ends are to stay where they are.
  ///   - hasQuarters: whether 2.5 times a power of ten will do too.
  static func linear(
    from lower: Double, to upper: Double, isGiven: Bool, rows: Int, maximumTicks: Int, hasQuarters: Bool
  ) -> Ladder {
    let most = max(1, min(maximumTicks - 1, rows - 1))
    let span = upper - lower
    let power = log10(span / Double(most)).rounded(.down)
    var best: Ladder?
    for exponent in Int(power)...Int(power) + 2 {
      for factor in hasQuarters ? [1, 2, 2.5, 5] : [1, 2, 5] {
        let step = factor * pow(10, Double(exponent))
        let first = (lower / step + 1e-9).rounded(.down)
        let last = (upper / step - 1e-9).rounded(.up)
        let start = isGiven ? lower : first * step
        let intervals = isGiven ? (span / step).rounded() : last - first
        guard intervals >= 1, intervals <= Double(most) else { continue }
        if isGiven, abs(intervals * step - span) > span * 1e-6 { continue }
        let ladder = Ladder(from: start, step: step, intervals: Int(intervals), rows: rows, mayExceed: !isGiven)
        if best.map({ ladder.merit(span: span, wanted: most) > $0.merit(span: span, wanted: most) + 1e-9 }) ?? true
        {
          best = ladder
        }
      }
    }
    return best ?? Ladder(from: lower, step: span, intervals: 1, rows: rows)
  }

  /// In powers of two, with steps of a factor of 2, 4 or a power of ten.
  static func logarithmic(from lower: Double, to upper: Double, rows: Int, maximumTicks: Int) -> Ladder {
    let most = max(1, min(maximumTicks - 1, rows - 1))
    let least = 1 / ValueAxis.largest
    let (low, high) = (log2(max(lower, least)), log2(max(upper, lower, least)))
    let span = max(high - low, 1e-9)
    var best: Ladder?
    for step in [1, 2] + (1...200).map({ Double($0) * log2(10) }) {
      let first = (low / step + 1e-9).rounded(.down)
      let last = max(first + 1, (high / step - 1e-9).rounded(.up))
      guard last - first <= Double(most) else { continue }
      let ladder = Ladder(from: first * step, step: step, intervals: Int(last - first), rows: rows)
      if best.map({ ladder.merit(span: span, wanted: most) > $0.merit(span: span, wanted: most) + 1e-9 }) ?? true {
        best = ladder
      }
    }
    return best ?? Ladder(from: low, step: span, intervals: 1, rows: rows)
  }
}

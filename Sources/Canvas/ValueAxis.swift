// The vertical axis of a chart: its range, where its ticks stand and what they say. Numbers only, no cells.

import Glibc

/// How values are written.
public enum ValueFormat: Sendable, Hashable {
  case number
  /// Values are fractions, shown times 100 with a percent sign.
  case percent
}

struct ValueAxis: Equatable {
  var range: ClosedRange<Double>
  /// Ascending, within the range, at least one.
  var ticks: [Double]
  private var decimals: Int
  private var format: ValueFormat

  /// Greater magnitudes are taken for this one: differences between them must stay finite.
  static let largest = 1e100

  /// An axis that holds the values, widened to round numbers; or the given range as it is.
  /// - Returns: nil when there is neither a range nor a finite value.
  init?(values: [Double], range given: ClosedRange<Double>?, maximumTicks: Int, format: ValueFormat) {
    let finite = values.filter(\.isFinite).map { min(max($0, -Self.largest), Self.largest) }
    var lower: Double
    var upper: Double
    if let given, given.lowerBound.isFinite, given.upperBound.isFinite {
      (lower, upper) = (max(given.lowerBound, -Self.largest), min(given.upperBound, Self.largest))
    } else if let least = finite.min(), let greatest = finite.max() {
      (lower, upper) = (least, greatest)
    } else {
      return nil
    }
    let isGiven = given != nil
    // The width must be visible beside the magnitude, or the ticks would all be one number.
    let leastSpan = max(abs(lower), abs(upper)) * 1e-9
    if !(upper - lower > leastSpan) {
      let pad = max(abs(lower) * 0.1, 1e-6)
      (lower, upper) = lower == 0 ? (0, 1) : (lower - pad, upper + pad)
    }
    let step = Self.niceStep((upper - lower) / Double(max(1, maximumTicks - 1)))
    if !isGiven {
      lower = (lower / step + 1e-9).rounded(.down) * step
      upper = (upper / step - 1e-9).rounded(.up) * step
    }
    var ticks: [Double] = []
    let first = (lower / step - 1e-9).rounded(.up)
    for index in 0..<64 {
      let tick = (first + Double(index)) * step
      if tick > upper + step * 1e-6 { break }
      ticks.append(tick == 0 ? 0 : tick)
    }
    self.range = lower...upper
    self.ticks = ticks.isEmpty ? [lower] : ticks
    self.format = format
    let shownStep = format == .percent ? step * 100 : step
    decimals = min(max(0, Int((-log10(shownStep) - 1e-9).rounded(.up))), 9)
  }

  /// 1, 2 or 5 times a power of ten, no less than the raw step.
  static func niceStep(_ raw: Double) -> Double {
    let magnitude = pow(10, log10(raw).rounded(.down))
    let normalized = raw / magnitude
    let factor: Double = normalized <= 1 + 1e-9 ? 1 : normalized <= 2 + 1e-9 ? 2 : normalized <= 5 + 1e-9 ? 5 : 10
    return factor * magnitude
  }

  /// 0 at the lower end, 1 at the upper; values beyond an end are put on it.
  func position(of value: Double) -> Double {
    let clamped = min(max(value, range.lowerBound), range.upperBound)
    return (clamped - range.lowerBound) / (range.upperBound - range.lowerBound)
  }

  func label(_ tick: Double) -> String {
    let value = format == .percent ? tick * 100 : tick
    let suffix = format == .percent ? "%" : ""
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

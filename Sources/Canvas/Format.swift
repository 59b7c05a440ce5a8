// How numbers are written for people, on the screen and by the commands: short, aligned, the same everywhere. Nothing
// here depends on a locale, so that a frame is the same on every machine.

import Glibc

/// Numbers as text.
public enum Format {
  /// What stands for a value that is absent.
  public static let absent = "-"

  /// With separators: `12,345`.
  public static func count(_ value: Int) -> String {
    var digits = String(value.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    groups.insert(digits, at: 0)
    return (value < 0 ? "-" : "") + groups.joined(separator: ",")
  }

  /// At most four digits and a unit: `432`, `9.41k`, `40.6M`, `4.09G`.
  public static func short(_ value: Int) -> String {
    scaled(Double(value), base: 1000, units: ["", "k", "M", "G", "T", "P"])
  }

  /// Bytes in units of 1024: `118 MiB`.
  public static func bytes(_ value: Int) -> String {
    scaled(Double(value), base: 1024, units: [" B", " KiB", " MiB", " GiB", " TiB", " PiB"])
  }

  /// So many decimals; `NaN` and `inf` as themselves.
  public static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard !value.isNaN else { return "NaN" }
    guard value.isFinite else { return value < 0 ? "-inf" : "inf" }
    let scaled = (value.magnitude * power(decimals)).rounded()
    guard scaled < 1e18 else { return "\(value)" }
    let sign = value < 0 && scaled > 0 ? "-" : ""
    var digits = String(UInt64(scaled))
    guard decimals > 0 else { return sign + digits }
    if digits.count <= decimals { digits = String(repeating: "0", count: decimals + 1 - digits.count) + digits }
    return sign + digits.dropLast(decimals) + "." + digits.suffix(decimals)
  }

  /// About four significant digits, without trailing zeros: `0.1`, `0.0813`, `5e-4`.
  public static func general(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : fixed(value, 0) }
    var exponent = 0
    var mantissa = value.magnitude
    while mantissa >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    // What is rounded up to ten is one of the next power.
    if mantissa >= 9.995 { (mantissa, exponent) = (1, exponent + 1) }
    if (-3..<5).contains(exponent) { return trimmed(fixed(value, max(0, 3 - exponent))) }
    return (value < 0 ? "-" : "") + trimmed(fixed(mantissa, 2)) + "e\(exponent)"
  }

  /// A number above 0 as a power of ten: `1e-3.1`.
  public static func powerOfTen(_ value: Double) -> String {
    guard value > 0, value.isFinite else { return value == 0 ? "0" : fixed(value, 0) }
    return "1e" + fixed(log10(value), 1)
  }

  /// A loss: three decimals while it is small, `6.45e27` where it has run away.
  public static func loss(_ value: Double?) -> String {
    guard let value else { return absent }
    guard value.magnitude < 1e6 || !value.isFinite else { return general(value) }
    return fixed(value, value.magnitude < 100 ? 3 : value.magnitude < 10_000 ? 1 : 0)
  }

  /// A share in 0...1 as `93.4%`.
  public static func percent(_ share: Double?, decimals: Int = 1) -> String {
    guard let share else { return absent }
    return fixed(share * 100, decimals) + "%"
  }

  /// Seconds as `8 s`, `2 min 05 s`, `1 h 07 min`, `3 d 4 h`.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return absent }
    let total = Int(max(0, seconds).rounded())
    switch total {
    case ..<60: return "\(total) s"
    case ..<3600: return "\(total / 60) min \(padded(total % 60)) s"
    case ..<86400: return "\(total / 3600) h \(padded(total % 3600 / 60)) min"
    default: return "\(total / 86400) d \(total % 86400 / 3600) h"
    }
  }

  /// Seconds that are mostly fractions of one, as `80 us`, `3.5 ms`, `120 ms`, `1.25 s`.
  public static func interval(_ seconds: Double) -> String {
    switch seconds {
    case 0: "0 s"
    case ..<1e-3: "\(fixed(seconds * 1e6, 0)) us"
    case ..<1: "\(fixed(seconds * 1e3, seconds < 0.1 ? 1 : 0)) ms"
    default: "\(fixed(seconds, 2)) s"
    }
  }

  /// Images/s.
  public static func speed(_ value: Double) -> String {
    let isLarge = value.isFinite && value >= 1000 && value < 1e15
    return (isLarge ? count(Int(value.rounded())) : fixed(value, value < 10 ? 1 : 0)) + " img/s"
  }

  /// `1 image`, `2 images`.
  public static func counted(_ value: Int, _ noun: String, plural: String? = nil) -> String {
    count(value) + " " + (value == 1 ? noun : plural ?? noun + "s")
  }

  /// An ISO 8601 time as `2026-01-31 14:05`.
  public static func minute(_ time: String) -> String {
    String(time.prefix(16).map { $0 == "T" ? " " : $0 })
  }

  private static func scaled(_ value: Double, base: Double, units: [String]) -> String {
    var (value, unit) = (value, 0)
    while value.magnitude >= base - 0.5, unit < units.count - 1 { (value, unit) = (value / base, unit + 1) }
    let decimals = unit == 0 || value.magnitude >= 99.95 ? 0 : value.magnitude >= 9.995 ? 1 : 2
    return fixed(value, decimals) + units[unit]
  }

  private static func power(_ exponent: Int) -> Double {
    (0..<max(0, exponent)).reduce(1.0) { power, _ in power * 10 }
  }

  private static func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var text = text
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
  }
}

// A number that somebody may set: what it is called, what it means, and where it may lie. The rows themselves are in
// Settings.swift and Limits.swift; what a number is set for is none of this file's business.

import Support

/// A kind of number that a setting may be.
public protocol SettableNumber: Comparable, Sendable, LosslessStringConvertible {
  /// With its article: "a whole number".
  static var noun: String { get }
  /// For people: `1,000,000`, `0.1`.
  var written: String { get }
  /// As it is typed: the shortest text that reads back to the same number.
  var plain: String { get }
}

extension Int: SettableNumber {
  public static var noun: String { "a whole number" }
  public var written: String { withSeparators(String(self)) }
  public var plain: String { "\(self)" }
}

extension UInt64: SettableNumber {
  public static var noun: String { "a whole number" }
  public var written: String { withSeparators(String(self)) }
  public var plain: String { "\(self)" }
}

extension Double: SettableNumber {
  public static var noun: String { "a number" }
  public var written: String { shortNumber("\(self)") }
  public var plain: String { plainNumber(self) }
}

extension Float: SettableNumber {
  public static var noun: String { "a number" }
  public var written: String { shortNumber("\(self)") }
  public var plain: String { "\(self)" }
}

/// Digits in groups of three.
private func withSeparators(_ digits: String) -> String {
  guard digits.first != "-" else { return "-" + withSeparators(String(digits.dropFirst())) }
  var text = ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index) % 3 == 0 { text += "," }
    text.append(digit)
  }
  return text
}

/// Swift's text of a floating-point number without what says nothing: `16,000` for `16000.0`, `1e30` for `1e+30`.
private func shortNumber(_ text: String) -> String {
  if text.hasSuffix(".0") { return withSeparators(String(text.dropLast(2))) }
  guard let plus = text.firstIndex(of: "+") else { return text }
  return String(text[..<plus] + text[text.index(after: plus)...])
}

/// The numbers between two bounds. NaN is in no range.
public struct NumericRange<Number: SettableNumber>: Sendable, Equatable {
  public let lower: Number
  public let upper: Number
  /// Whether the bounds themselves are in it.
  public let includesLower: Bool
  public let includesUpper: Bool

  private init(_ lower: Number, _ upper: Number, _ includesLower: Bool, _ includesUpper: Bool) {
    (self.lower, self.upper) = (lower, upper)
    (self.includesLower, self.includesUpper) = (includesLower, includesUpper)
  }

  public static func from(_ lower: Number, to upper: Number) -> Self { Self(lower, upper, true, true) }
  public static func from(_ lower: Number, below upper: Number) -> Self { Self(lower, upper, true, false) }
  public static func above(_ lower: Number, to upper: Number) -> Self { Self(lower, upper, false, true) }
  public static func above(_ lower: Number, below upper: Number) -> Self { Self(lower, upper, false, false) }

  public func contains(_ number: Number) -> Bool {
    (includesLower ? number >= lower : number > lower) && (includesUpper ? number <= upper : number < upper)
  }

  /// `1 to 65,536`, `above 0, at most 16`, `0 or more and below 1`.
  public var text: String {
    if includesLower, includesUpper, Number.noun == Int.noun { return "\(lower.written) to \(upper.written)" }
    let begin = includesLower ? "\(lower.written) or more" : "above \(lower.written)"
    return begin + (includesUpper ? ", at most \(upper.written)" : " and below \(upper.written)")
  }

  /// `a whole number from 1 to 65,536`, `a number above 0, at most 16`.
  public var requirement: String {
    "\(Number.noun) \(includesLower && includesUpper && Number.noun == Int.noun ? "from " : "")\(text)"
  }
}

/// One number that somebody may set.
public struct NumericSetting<Number: SettableNumber>: Sendable {
  /// Its option without dashes, or what else it goes by.
  public let name: String
  /// A few words with the unit, for help.
  public let meaning: String
  public let range: NumericRange<Number>

  public init(_ name: String, _ meaning: String, _ range: NumericRange<Number>) {
    self.name = name
    self.meaning = meaning
    self.range = range
  }

  /// Reads what was typed.
  /// - Throws: `OutOfRange` for text that is no such number, or one that is too large or too small.
  public func parse(_ text: String) throws(OutOfRange) -> Number {
    guard let number = Number(text), range.contains(number) else {
      throw OutOfRange(place: "--\(name)", value: text, requirement: range.requirement)
    }
    return number
  }

  /// - Parameter place: where the number stands in a file, as `settings.batchSize`; nil where it came by its option.
  /// - Throws: `OutOfRange`.
  public func check(_ number: Number, at place: String? = nil) throws(OutOfRange) {
    guard !range.contains(number) else { return }
    throw OutOfRange(place: place ?? "--\(name)", value: "\(number)", requirement: range.requirement)
  }

  /// The same for a number that may be absent.
  public func check(_ number: Number?, at place: String? = nil) throws(OutOfRange) {
    if let number { try check(number, at: place) }
  }
}

/// A number that is not in its range, or a text that is none.
public struct OutOfRange: Error, Equatable, Sendable, CustomStringConvertible {
  /// The option, or the place in a file.
  public var place: String
  public var value: String
  /// What it must be: "a whole number from 1 to 65,536".
  public var requirement: String

  public init(place: String, value: String, requirement: String) {
    self.place = place
    self.value = value
    self.requirement = requirement
  }

  public var description: String { "\(place) \(value): it must be \(requirement)" }
}

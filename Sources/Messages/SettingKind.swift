// What a setting may be: a number in a range, one of a few words, on or off, any text, or something with a notation of
// its own. A kind reads, writes and checks a value; which settings there are is in Settings.swift.

import Support

/// A kind of value that a setting may have.
public protocol SettingKind: Sendable {
  associatedtype Value: Sendable, Equatable

  /// Reads what was typed, on a command line or in the form.
  /// - Throws: `SettingRefusal` with what would be right.
  func parse(_ text: String) throws(SettingRefusal) -> Value
  /// The text from which `parse` makes the same value.
  func text(of value: Value) -> String
  /// The value as help writes it: `1,000` where `text` is `1000`.
  func shown(_ value: Value) -> String
  /// The words of a command line that say it.
  func words(_ option: String, _ value: Value) -> [String]
  /// - Parameter place: where the value stands in a file, as `settings.batchSize`; nil where it came by its option.
  /// - Throws: `OutOfRange` for a number in it that is not in its range.
  func check(_ value: Value, of option: String, at place: String?) throws(OutOfRange)
  /// What can be chosen; nil where any fitting text is taken.
  var choices: [String]? { get }
  /// The range for help: `1 to 65,536`; nil where there is none, or its own words say it.
  var rangeText: String? { get }
  /// Whether the option's value is whatever word follows, also one that begins with a dash: `--lr -1` is a rate that is
  /// refused, not a missing one.
  var takesAnyWord: Bool { get }
}

extension SettingKind {
  public func shown(_ value: Value) -> String { text(of: value) }
  public func words(_ option: String, _ value: Value) -> [String] { [shellOption("--\(option)", text(of: value))] }
  public func check(_ value: Value, of option: String, at place: String?) throws(OutOfRange) {}
  public var choices: [String]? { nil }
  public var rangeText: String? { nil }
  public var takesAnyWord: Bool { false }
}

/// Why a text is no value of a setting, in words that follow the text itself: "it must be a whole number from 1 to 9".
public struct SettingRefusal: Error, Equatable, Sendable, CustomStringConvertible {
  public var reason: String

  public init(_ reason: String) { self.reason = reason }

  public var description: String { reason }
}

/// A kind that is one number.
public protocol NumericKind: SettingKind where Value: SettableNumber {
  var range: NumericRange<Value> { get }
}

/// Numbers in a range are a kind.
extension NumericRange: NumericKind {
  public var range: NumericRange<Number> { self }

  public func parse(_ text: String) throws(SettingRefusal) -> Number {
    guard let number = Number(text), contains(number) else { throw SettingRefusal("it must be \(requirement)") }
    return number
  }

  public func text(of number: Number) -> String { number.plain }
  public func shown(_ number: Number) -> String { number.written }
  public var rangeText: String? { text }
  public var takesAnyWord: Bool { true }

  public func check(_ number: Number, of option: String, at place: String?) throws(OutOfRange) {
    guard !contains(number) else { return }
    throw OutOfRange(place: place ?? "--\(option)", value: "\(number)", requirement: requirement)
  }
}

/// One of a few words.
public struct Choice<Value: RawRepresentable<String> & CaseIterable & Sendable & Equatable>: SettingKind {
  public init() {}

  public func parse(_ text: String) throws(SettingRefusal) -> Value {
    guard let value = Value(rawValue: text) else {
      throw SettingRefusal("choose " + Value.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return value
  }

  public func text(of value: Value) -> String { value.rawValue }
  public var choices: [String]? { Value.allCases.map(\.rawValue) }
}

/// On or off: a flag of the command line.
public struct Switch: SettingKind {
  /// Whether `--no-NAME` turns it off; without, the flag turns on what is off.
  public let hasInverse: Bool

  public init(hasInverse: Bool) { self.hasInverse = hasInverse }

  public func parse(_ text: String) throws(SettingRefusal) -> Bool {
    guard text == "on" || text == "off" else { throw SettingRefusal("choose on or off") }
    return text == "on"
  }

  public func text(of value: Bool) -> String { value ? "on" : "off" }
  public var choices: [String]? { ["on", "off"] }

  public func words(_ option: String, _ value: Bool) -> [String] {
    if value { return ["--\(option)"] }
    return hasInverse ? ["--no-\(option)"] : []
  }
}

/// Any text that a rule takes.
public struct FreeText: SettingKind {
  private let rule: @Sendable (String) -> SettingRefusal?
  public let takesAnyWord: Bool

  /// - Parameter rule: why a text is refused; nil where it is taken.
  public init(takesAnyWord: Bool = false, rule: @escaping @Sendable (String) -> SettingRefusal? = { _ in nil }) {
    self.rule = rule
    self.takesAnyWord = takesAnyWord
  }

  public func parse(_ text: String) throws(SettingRefusal) -> String {
    if let refusal = rule(text) { throw refusal }
    return text
  }

  public func text(of value: String) -> String { value }
}

/// A value with a notation of its own.
public struct Notation<Value: Sendable & Equatable>: SettingKind {
  private let read: @Sendable (String) throws(SettingRefusal) -> Value
  private let write: @Sendable (Value) -> String
  private let numbers: @Sendable (Value, _ option: String, _ place: String?) throws(OutOfRange) -> Void
  public let takesAnyWord: Bool

  /// - Parameters:
  ///   - read, write: the two directions.
  ///   - numbers: checks the numbers in a value; see `SettingKind.check`.
  public init(
    takesAnyWord: Bool = false,
    read: @escaping @Sendable (String) throws(SettingRefusal) -> Value,
    write: @escaping @Sendable (Value) -> String,
    numbers: @escaping @Sendable (Value, _ option: String, _ place: String?) throws(OutOfRange) -> Void = {
      _, _, _ in
    }
  ) {
    self.takesAnyWord = takesAnyWord
    self.read = read
    self.write = write
    self.numbers = numbers
  }

  public func parse(_ text: String) throws(SettingRefusal) -> Value { try read(text) }
  public func text(of value: Value) -> String { write(value) }

  public func check(_ value: Value, of option: String, at place: String?) throws(OutOfRange) {
    try numbers(value, option, place)
  }
}

// Options for numbers: name, help and range of each come from the table of limits. The value is whatever word follows,
// also one that begins with a dash: `--lr -1` is a rate that is refused, not a missing one.

import ArgumentParser
import Messages

extension Option {
  /// A number that need not be given.
  /// - Parameters:
  ///   - usual: what holds where it is not given, for the help.
  ///   - instead: the same in words, where it is no number.
  ///   - note: what else to say of it.
  init<Number>(
    _ setting: NumericSetting<Number>, usual: Number? = nil, instead: String? = nil, note: String? = nil,
    visibility: ArgumentVisibility = .default
  ) where Value == Number? {
    let end = instead ?? usual.map { "default: \($0.written)" }
    self.init(
      name: .customLong(setting.name), parsing: .unconditional,
      help: ArgumentHelp(setting.help(note, end), visibility: visibility),
      transform: { text in try Self.parsed(text, setting) })
  }

  /// A number with a default.
  init(wrappedValue: Value, _ setting: NumericSetting<Value>, note: String? = nil) where Value: SettableNumber {
    self.init(
      wrappedValue: wrappedValue, name: .customLong(setting.name), parsing: .unconditional,
      help: ArgumentHelp(setting.help(note, nil)), transform: { text in try Self.parsed(text, setting) })
  }

  private static func parsed<Number>(_ text: String, _ setting: NumericSetting<Number>) throws -> Number {
    do { return try setting.parse(text) } catch { throw Unfitting(error) }
  }
}

/// Why a value is refused, in the words that the argument parser puts after value and option.
struct Unfitting: Error, CustomStringConvertible {
  let description: String

  init(_ error: OutOfRange) { description = "it must be \(error.requirement)" }
  init(_ description: String) { self.description = description }
}

extension NumericSetting {
  /// `Images a step, 1 to 65,536. (default: 64)`
  fileprivate func help(_ note: String?, _ end: String?) -> String {
    [meaning + ", " + range.text + ".", note, end.map { "(\($0))" }].compactMap { $0 }.joined(separator: " ")
  }
}

/// The text of an argument; an empty one is a variable of a script that was not set, or a slip.
func given(_ text: String) throws -> String {
  guard !text.isEmpty else { throw Unfitting("it is empty") }
  return text
}

/// Three numbers with commas between them, for red, green and blue; or that they are to be measured.
struct Channels: Equatable {
  /// nil for `measured`.
  var values: [Float]?

  /// - Parameter mayBeMeasured: whether `measured` may stand for the numbers.
  /// - Throws: `Unfitting` unless all three are numbers in their range.
  init(_ text: String, _ setting: NumericSetting<Float>, mayBeMeasured: Bool) throws(Unfitting) {
    if mayBeMeasured, text == "measured" { return }
    let words = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = words.compactMap { try? setting.parse(String($0)) }
    guard words.count == 3, numbers.count == 3 else {
      throw Unfitting(
        "it must be three numbers such as 0.485,0.456,0.406, each \(setting.range.text)"
          + (mayBeMeasured ? ", or 'measured'" : ""))
    }
    values = numbers
  }
}

extension Option where Value == Channels? {
  /// Three numbers, one a channel.
  init(channels setting: NumericSetting<Float>, mayBeMeasured: Bool = false, note: String) {
    self.init(
      name: .customLong(setting.name), parsing: .unconditional,
      help: ArgumentHelp("\(setting.meaning), as 0.485,0.456,0.406, each \(setting.range.text); \(note)"),
      transform: { try Channels($0, setting, mayBeMeasured: mayBeMeasured) })
  }
}

// Options as the tables have them: name, help, and what is taken come from a row of the table of settings, or of the
// one of limits. The value of a number is whatever word follows, also one that begins with a dash: `--lr -1` is a rate
// that is refused, not a missing one.

import ArgumentParser
import Messages

extension Option {
  /// A setting of a run.
  /// - Parameter help: where the row does not know all of it.
  init<Kind>(_ row: Setting<Kind>, saying help: String? = nil) where Value == Kind.Value? {
    self.init(
      name: .customLong(row.option), parsing: row.kind.takesAnyWord ? .unconditional : .next,
      help: ArgumentHelp(help ?? row.help, valueName: row.valueName),
      transform: { text in
        do throws(SettingRefusal) { return try row.kind.parse(text) } catch { throw Unfitting(error.reason) }
      })
  }

  /// A setting with a few choices, which the argument parser lists.
  init<Choices: ExpressibleByArgument>(_ row: Setting<Choice<Choices>>) where Value == Choices? {
    self.init(name: .customLong(row.option), help: ArgumentHelp(row.help, valueName: row.valueName))
  }

  /// A setting whose text is read together with others, or with a file.
  init<Kind>(text row: Setting<Kind>) where Value == String? {
    self.init(name: .customLong(row.option), help: ArgumentHelp(row.help, valueName: row.valueName))
  }

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

extension Flag where Value == Bool? {
  /// A setting that is on or off.
  init(_ row: Setting<Switch>) {
    self.init(name: .customLong(row.option), inversion: .prefixedNo, help: ArgumentHelp(row.help))
  }
}

extension Flag where Value == Bool {
  /// A setting that may be turned on.
  init(wrappedValue: Bool, _ row: Setting<Switch>) {
    self.init(wrappedValue: wrappedValue, name: .customLong(row.option), help: ArgumentHelp(row.help))
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

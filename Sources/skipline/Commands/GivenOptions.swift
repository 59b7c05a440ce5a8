// Which options of a run were given, found by the properties that declare them, so that a new option is declared in one
// line and needs no other. A property is called as its option is: `weightDecay` for `--weight-decay`.

import ArgumentParser
import Messages

/// The options of a run that were given, with their values.
struct GivenOptions {
  /// The values by option, without dashes.
  private(set) var values: [String: Any] = [:]

  /// - Parameter options: parsed options; those of groups in it are found too.
  init(_ options: some ParsableArguments) { collect(options) }

  private mutating func collect(_ options: Any) {
    for property in Mirror(reflecting: options).children {
      switch property.value {
      case let group as any OptionGroupProperty: collect(group.options)
      case let option as any OptionProperty:
        // A wrapped property's storage has an underscore before its name.
        guard let label = property.label, let value = option.given else { break }
        values[Self.option(of: String(label.drop { $0 == "_" }))] = value
      default: break
      }
    }
  }

  /// `weight-decay` for `weightDecay`.
  static func option(of property: String) -> String {
    property.reduce(into: "") { text, character in
      text += character.isUppercase ? "-" + character.lowercased() : String(character)
    }
  }

  /// Gives an option that was given the value that its row has, where a file was to be looked at for that.
  mutating func replace<Kind: SettingKind>(_ row: Setting<Kind>, with value: Kind.Value?) {
    values[row.option] = value
  }

  func put(into settings: inout TrainingSettings) {
    for row in Settings.all { if let value = values[row.option] { row.put(value: value, in: &settings) } }
  }

  func put(into changes: inout ResumeChanges) {
    for row in Settings.all { if let value = values[row.option] { row.put(value: value, in: &changes) } }
  }

  /// Those that say what a run is from its first step on, as they were given: `--no-flip`.
  var fixed: [String] {
    Settings.all.filter { !$0.isChangeable }.compactMap { row in values[row.option].map { row.given($0) } }
  }
}

/// A property that declares an option or a flag.
private protocol OptionProperty {
  /// nil where it was not given.
  var given: Any? { get }
}

extension Option: OptionProperty {
  fileprivate var given: Any? { unwrapped(wrappedValue) }
}

extension Flag: OptionProperty {
  fileprivate var given: Any? {
    // A flag without an opposite is false where it was not given.
    if let flag = wrappedValue as? Bool, Value.self == Bool.self { return flag ? true : nil }
    return unwrapped(wrappedValue)
  }
}

private protocol OptionGroupProperty {
  var options: Any { get }
}

extension OptionGroup: OptionGroupProperty {
  fileprivate var options: Any { wrappedValue }
}

private func unwrapped<Value>(_ value: Value) -> Any? {
  guard let optional = value as? any Absentable else { return value }
  return optional.wrapped
}

private protocol Absentable {
  var wrapped: Any? { get }
}

extension Optional: Absentable {
  fileprivate var wrapped: Any? { self }
}

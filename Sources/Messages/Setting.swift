// A row of the table of settings: everything that is known of one setting. Options with their help, the form, the
// checks of a record, what a resumed run may change, and the command line that starts a run are all read from it. The
// rows themselves are in Settings.swift.

/// What all rows have, whatever their values are.
public protocol SettingRow: Sendable {
  /// The option without dashes.
  var option: String { get }
  /// Where the value stands in the settings of a record, as `optimizer.momentum`.
  var key: String { get }
  /// For `--help`: what it means, its range, and what holds where it is not given.
  var help: String { get }
  /// What can be chosen; nil where any fitting text is taken.
  var choices: [String]? { get }
  /// The range in words, as `1 to 65,536`; nil where there is none.
  var rangeText: String? { get }
  /// Whether it is on or off.
  var isSwitch: Bool { get }
  /// How it stands in the form; nil where it does not.
  var field: FormField? { get }
  /// Whether it may have no value, which leaves it to the program.
  var mayBeUnset: Bool { get }
  /// Whether the recipe chooses it where nobody does.
  var mayBeAutomatic: Bool { get }
  /// Whether a run that is resumed may have another.
  var isChangeable: Bool { get }

  /// The value as text; nil where it has none.
  func text(in settings: TrainingSettings) -> String?
  /// Puts a text into the settings.
  /// - Throws: `SettingRefusal`; the settings are then as they were.
  func put(_ text: String, in settings: inout TrainingSettings) throws(SettingRefusal)
  /// Takes the value away, where it may have none.
  func unset(in settings: inout TrainingSettings)
  /// Puts in the value of the row's option.
  func put(value: Any, in settings: inout TrainingSettings)
  /// The same for a run that is resumed; for a row that is changeable.
  func put(value: Any, in changes: inout ResumeChanges)
  /// What changes say of it, put into the settings.
  func apply(_ changes: ResumeChanges, to settings: inout TrainingSettings)

  /// The words of the command line that say what the settings say; none where that is as usual.
  func words(for settings: TrainingSettings, usual: TrainingSettings) -> [String]
  /// The option as a value of it was given: `--no-flip`.
  func given(_ value: Any) -> String

  /// - Parameter place: where the settings stand in a file, as `settings`; nil where they came by options.
  /// - Throws: `OutOfRange`.
  func check(_ settings: TrainingSettings, at place: String?) throws(OutOfRange)
  /// - Throws: `OutOfRange`.
  func check(_ changes: ResumeChanges) throws(OutOfRange)
}

/// One setting of a run.
public struct Setting<Kind: SettingKind>: SettingRow {
  public typealias Value = Kind.Value

  public let option: String
  /// A few words, or a sentence, with the unit.
  public let meaning: String
  public let kind: Kind
  public let key: String
  /// What the option's value is called in help; nil for the option's own name.
  public private(set) var valueName: String?
  public private(set) var field: FormField?
  private var note: String?
  private var usual = UsualText.shown
  public private(set) var mayBeAutomatic = false
  private var isAlwaysWritten = false
  private var comesWithWeights = false
  private var change: Change?
  private let get: @Sendable (TrainingSettings) -> Value?
  private let set: @Sendable (Value, inout TrainingSettings) -> Void
  private let clear: (@Sendable (inout TrainingSettings) -> Void)?

  /// What help says of the value that holds where the option is not given.
  private enum UsualText: Sendable {
    case shown
    case hidden
    case words(String)
  }

  /// Where a resumed run's value is.
  private struct Change: Sendable {
    var get: @Sendable (ResumeChanges) -> Value?
    var set: @Sendable (Value, inout ResumeChanges) -> Void
    var entersSettings = true
  }

  /// - Parameters:
  ///   - get: the value; nil where there is none.
  ///   - clear: takes it away; nil where there always is one.
  public init(
    _ option: String, _ meaning: String, _ kind: Kind, key: String,
    get: @escaping @Sendable (TrainingSettings) -> Value?,
    set: @escaping @Sendable (Value, inout TrainingSettings) -> Void,
    clear: (@Sendable (inout TrainingSettings) -> Void)? = nil
  ) {
    self.option = option
    self.meaning = meaning
    self.kind = kind
    self.key = key
    self.get = get
    self.set = set
    self.clear = clear
  }

  /// A setting that always has a value.
  public init(
    _ option: String, _ meaning: String, _ kind: Kind,
    _ path: WritableKeyPath<TrainingSettings, Kind.Value> & Sendable, key: String
  ) {
    self.init(
      option, meaning, kind, key: key, get: { $0[keyPath: path] }, set: { $1[keyPath: path] = $0 })
  }

  /// A setting that may have none.
  public init(
    _ option: String, _ meaning: String, _ kind: Kind,
    _ path: WritableKeyPath<TrainingSettings, Kind.Value?> & Sendable, key: String
  ) {
    self.init(
      option, meaning, kind, key: key, get: { $0[keyPath: path] }, set: { $1[keyPath: path] = $0 },
      clear: { $0[keyPath: path] = nil })
  }

  // MARK: What else a row may say

  /// - Parameter note: what else help says of it.
  func note(_ note: String) -> Self { with { $0.note = note } }

  /// - Parameter words: what help says holds where the option is not given; nil for nothing.
  func usually(_ words: String?) -> Self { with { $0.usual = words.map { .words($0) } ?? .hidden } }

  /// - Parameter name: what the option's value is called in help.
  func value(_ name: String) -> Self { with { $0.valueName = name } }

  /// Where nothing is said, the recipe chooses it from the data.
  func automatic() -> Self { with { $0.mayBeAutomatic = true } }

  /// The command line says it also where it is as usual.
  func alwaysWritten() -> Self { with { $0.isAlwaysWritten = true } }

  /// Where a run starts from weights, what is not said is taken from these: the command line says it then.
  func takenFromWeights() -> Self { with { $0.comesWithWeights = true } }

  /// The setting is in the form.
  /// - Parameters:
  ///   - label: what it is called there.
  ///   - hint: what it means, for the line below the form.
  ///   - sayingRange: whether its range is added to that.
  ///   - unset: what stands for having no value.
  func inForm(
    _ group: FormField.Group, _ label: String, _ hint: String, sayingRange: Bool = false,
    unset: String = "none"
  ) -> Self {
    let range = sayingRange ? kind.rangeText.map { ", \($0)" } ?? "" : ""
    return with { $0.field = FormField(group: group, label: label, hint: hint + range, unset: unset) }
  }

  /// A resumed run may have another value.
  /// - Parameter entersSettings: false for what is no more among the settings of a run that has begun.
  func changeable(
    _ path: WritableKeyPath<ResumeChanges, Kind.Value?> & Sendable, entersSettings: Bool = true
  ) -> Self {
    with {
      $0.change = Change(
        get: { $0[keyPath: path] }, set: { $1[keyPath: path] = $0 }, entersSettings: entersSettings)
    }
  }

  private func with(_ edit: (inout Self) -> Void) -> Self {
    var row = self
    edit(&row)
    return row
  }

  // MARK: Reading the row

  public var help: String {
    let lead = kind.rangeText.map { "\(meaning), \($0)." } ?? meaning
    var end: String? =
      switch usual {
      case .hidden: nil
      case .words(let words): words
      case .shown: usualText
      }
    if mayBeAutomatic { end = AutomaticSettings.word + (end.map { "; with --recipe none \($0)" } ?? "") }
    return [lead, note, end.map { "(default: \($0))" }].compactMap { $0 }.joined(separator: " ")
  }

  private var usualText: String? {
    guard let value = get(Settings.usual) else { return nil }
    guard let isOn = value as? Bool else { return kind.shown(value) }
    // A flag without an opposite is off.
    return (kind as? Switch)?.hasInverse == true ? (isOn ? "--\(option)" : "--no-\(option)") : nil
  }

  public var choices: [String]? {
    kind.choices.map { choices in
      // Some have a choice of this name themselves.
      let isOwn = choices.contains(AutomaticSettings.word)
      return mayBeAutomatic
        ? [AutomaticSettings.word] + (isOwn ? choices.filter { $0 != AutomaticSettings.word } : choices) : choices
    }
  }
  public var rangeText: String? { kind.rangeText }
  public var isSwitch: Bool { kind is Switch }
  public var mayBeUnset: Bool { clear != nil }
  public var isChangeable: Bool { change != nil }

  public func text(in settings: TrainingSettings) -> String? {
    isAutomatic(in: settings) ? AutomaticSettings.word : get(settings).map(kind.text(of:))
  }

  /// Whether these settings leave it to the recipe.
  private func isAutomatic(in settings: TrainingSettings) -> Bool {
    mayBeAutomatic && settings.automatic.contains(option)
  }

  public func put(_ text: String, in settings: inout TrainingSettings) throws(SettingRefusal) {
    if mayBeAutomatic, text == AutomaticSettings.word {
      // Without a recipe it is a choice of its own, where there is one of that name.
      if settings.automatic.isEmpty, let own = try? kind.parse(text) { return choose(own, in: &settings) }
      return settings.automatic.insert(option)
    }
    choose(try kind.parse(text), in: &settings)
  }

  public func unset(in settings: inout TrainingSettings) { clear?(&settings) }

  public func put(value: Any, in settings: inout TrainingSettings) {
    if mayBeAutomatic, value as? String == AutomaticSettings.word {
      settings.automatic.insert(option)
    } else {
      choose(own(value), in: &settings)
    }
  }

  private func choose(_ value: Value, in settings: inout TrainingSettings) {
    set(value, &settings)
    settings.automatic.remove(option)
  }

  public func put(value: Any, in changes: inout ResumeChanges) { change?.set(own(value), &changes) }
  public func given(_ value: Any) -> String { value as? Bool == false ? "--no-\(option)" : "--\(option)" }

  private func own(_ value: Any) -> Value {
    guard let value = value as? Value else {
      preconditionFailure("--\(option) is declared with another type than its row has")
    }
    return value
  }

  public func apply(_ changes: ResumeChanges, to settings: inout TrainingSettings) {
    if let change, change.entersSettings, let value = change.get(changes) { set(value, &settings) }
  }

  public func words(for settings: TrainingSettings, usual: TrainingSettings) -> [String] {
    guard !isAutomatic(in: settings), let value = get(settings) else { return [] }
    // Beside others that are left to the recipe, silence would leave it to the recipe too.
    let isSaid =
      isAlwaysWritten || (comesWithWeights && settings.initialWeights != nil)
      || (mayBeAutomatic && !settings.automatic.isEmpty)
    return isSaid || value != get(usual) ? kind.words(option, value) : []
  }

  public func check(_ settings: TrainingSettings, at place: String?) throws(OutOfRange) {
    if let value = get(settings) { try kind.check(value, of: option, at: place.map { "\($0).\(key)" }) }
  }

  public func check(_ changes: ResumeChanges) throws(OutOfRange) {
    if let value = change?.get(changes) { try kind.check(value, of: option, at: nil) }
  }
}

extension Setting where Kind == Switch {
  /// A resumed run may turn on what was off.
  func changeable(_ path: WritableKeyPath<ResumeChanges, Bool> & Sendable) -> Self {
    with {
      $0.change = Change(get: { $0[keyPath: path] ? true : nil }, set: { $1[keyPath: path] = $0 })
    }
  }
}

/// A setting that is a number, as other commands take it too.
extension Setting where Kind: NumericKind {
  public var range: NumericRange<Value> { kind.range }
  public var number: NumericSetting<Value> { NumericSetting(option, meaning, kind.range) }

  /// - Throws: `OutOfRange`; see `NumericSetting.check`.
  public func check(_ number: Value?, at place: String? = nil) throws(OutOfRange) {
    if let number { try kind.check(number, of: option, at: place) }
  }
}

/// How a setting stands in the form.
public struct FormField: Sendable {
  /// The form's parts, in their order; in each, fields stand in the order of the table.
  public enum Group: String, Sendable, CaseIterable {
    case network = "Network"
    case training = "Training"
    case generalization = "Generalization"
    case data = "Data"
    case weights = "Weights to start from"
    case details = "Network, in detail"
    case images = "Images"
    case augmentation = "Augmentation"
    case optimizer = "Optimizer"
    case machine = "Machine and checkpoints"
    case run = "Run"

    public var title: String { rawValue }
  }

  public let group: Group
  public let label: String
  /// What it means, for the line below the form.
  public let hint: String
  /// What stands for having no value.
  public let unset: String

  init(group: Group, label: String, hint: String, unset: String) {
    self.group = group
    self.label = label
    self.hint = hint
    self.unset = unset
  }
}

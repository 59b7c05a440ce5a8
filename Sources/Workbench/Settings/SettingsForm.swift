// The settings form's state: which field it stands on and what is being typed there. A text that a field refuses
// stays in the field; only what it takes reaches the settings.

import Messages

/// The form for the next run's settings.
struct SettingsForm: Sendable, Equatable {
  private(set) var selected = 0
  /// What is being typed into the selected field; nil while it shows its setting.
  private(set) var typed: String?
  /// Why the typed text was refused.
  private(set) var error: String?

  static let longestText = 120
  /// Fields of a page.
  static let page = 10

  var field: SettingsField { SettingsField.all[selected] }

  /// The choices that the typed text leaves, those that begin with it first.
  func matches(networks: [String]) -> [String] {
    guard let choices = field.choices(networks: networks), let typed else { return [] }
    let wanted = typed.lowercased()
    let begin = choices.filter { $0.lowercased().hasPrefix(wanted) }
    return begin + choices.filter { !$0.lowercased().hasPrefix(wanted) && $0.lowercased().contains(wanted) }
  }

  mutating func type(_ character: Character) {
    guard (typed ?? "").count < Self.longestText else { return }
    typed = (typed ?? "") + String(character)
    error = nil
  }

  /// Takes the last character away; of the setting's own text if nothing was typed yet.
  mutating func erase(in settings: TrainingSettings) {
    typed = String((typed ?? field.text(in: settings)).dropLast())
    error = nil
  }

  mutating func clear() {
    typed = ""
    error = nil
  }

  /// Drops what is being typed.
  /// - Returns: false if nothing was.
  mutating func discard() -> Bool {
    guard typed != nil else { return false }
    (typed, error) = (nil, nil)
    return true
  }

  /// Puts what was typed into the settings.
  /// - Returns: false if the field refused it, or no run could be started with it; it stays, with the reason.
  mutating func commit(to settings: inout TrainingSettings, rules: TrainingRules) -> Bool {
    guard let typed else { return true }
    var text = typed.trimmed
    let choices = field.choices(networks: rules.networks)
    if let choices, !choices.contains(text) {
      guard let match = matches(networks: rules.networks).first else {
        error = "nothing matches; left and right go through the choices"
        return false
      }
      text = match
    }
    do throws(SettingRefusal) {
      var changed = settings
      try field.apply(text, to: &changed, networks: rules.networks)
      // A choice may need another field to fit it, which then is the next to be changed: it is taken, and the form goes
      // on to say what is refused.
      if choices == nil, let reason = rules.refusal(of: changed), reason != rules.refusal(of: settings) {
        throw SettingRefusal(reason)
      }
      settings = changed
      (self.typed, error) = (nil, nil)
      return true
    } catch {
      self.error = error.reason
      return false
    }
  }

  /// Goes to another field, if the one left takes what was typed.
  mutating func move(by rows: Int, settings: inout TrainingSettings, rules: TrainingRules) {
    guard commit(to: &settings, rules: rules) else { return }
    select(selected + rows)
  }

  mutating func select(_ row: Int) { selected = max(0, min(row, SettingsField.all.count - 1)) }

  /// The next or previous choice; nothing where a field is typed.
  mutating func cycle(by places: Int, settings: inout TrainingSettings, rules: TrainingRules) {
    guard let choices = field.choices(networks: rules.networks), !choices.isEmpty else { return }
    _ = discard()
    let now = choices.firstIndex(of: field.text(in: settings))
    let next = now.map { ($0 + places + choices.count) % choices.count } ?? 0
    // A choice is always taken: it comes from the field itself.
    try? field.apply(choices[next], to: &settings, networks: rules.networks)
  }
}

extension String {
  /// Without spaces at either end.
  var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}

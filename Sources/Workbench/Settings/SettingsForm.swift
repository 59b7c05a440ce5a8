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

  var field: SettingsField { SettingsField.allCases[selected] }

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
  /// - Returns: false if the field refused it; it stays, with the reason.
  mutating func commit(to settings: inout TrainingSettings, networks: [String]) -> Bool {
    guard let typed else { return true }
    var text = typed.trimmed
    if let choices = field.choices(networks: networks), !choices.contains(text) {
      guard let match = matches(networks: networks).first else {
        error = "nothing matches; left and right go through the choices"
        return false
      }
      text = match
    }
    do {
      try field.apply(text, to: &settings, networks: networks)
      (self.typed, error) = (nil, nil)
      return true
    } catch {
      self.error = error.reason
      return false
    }
  }

  /// Goes to another field, if the one left takes what was typed.
  mutating func move(by rows: Int, settings: inout TrainingSettings, networks: [String]) {
    guard commit(to: &settings, networks: networks) else { return }
    select(selected + rows)
  }

  mutating func select(_ row: Int) { selected = max(0, min(row, SettingsField.allCases.count - 1)) }

  /// The next or previous choice; nothing where a field is typed.
  mutating func cycle(by places: Int, settings: inout TrainingSettings, networks: [String]) {
    guard let choices = field.choices(networks: networks), !choices.isEmpty else { return }
    _ = discard()
    let now = choices.firstIndex(of: field.text(in: settings))
    let next = now.map { ($0 + places + choices.count) % choices.count } ?? 0
    // A choice is always taken: it comes from the field itself.
    try? field.apply(choices[next], to: &settings, networks: networks)
  }
}

extension String {
  /// Without spaces at either end.
  var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}

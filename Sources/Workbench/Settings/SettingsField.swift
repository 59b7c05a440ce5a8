// The fields of the settings form: the rows of the table of settings that stand in it. How each reads as text and what
// text it takes is the row's; only the names of networks come from whoever can build them.

import Messages

/// One line of the settings form.
struct SettingsField: Sendable {
  let row: any SettingRow
  private let field: FormField

  private init?(_ row: any SettingRow) {
    guard let field = row.field else { return nil }
    self.row = row
    self.field = field
  }

  /// By the form's parts, in each in the order of the table.
  static let all: [SettingsField] = FormField.Group.allCases.flatMap { group in
    Settings.all.compactMap(SettingsField.init).filter { $0.field.group == group }
  }

  var label: String { field.label }

  /// What the field means, for the line below the form.
  var explanation: String { field.hint }

  /// What stands for an empty text.
  var emptyText: String { field.unset }

  private var isNetwork: Bool { row.option == Settings.network.option }

  /// What can be chosen; nil where any fitting text is taken.
  func choices(networks: [String]) -> [String]? {
    if isNetwork { return [AutomaticSettings.word] + networks }
    return row.choices.map { row.mayBeUnset ? [field.unset] + $0 : $0 }
  }

  func text(in settings: TrainingSettings) -> String {
    if let part = field.part { return part.text(settings) }
    return row.text(in: settings) ?? (row.choices == nil ? "" : field.unset)
  }

  /// What the recipe chose for it, where it is left to the recipe.
  func choice(in state: WorkbenchState) -> RecipeReport.Choice? {
    guard state.settings.automatic.contains(row.option) else { return nil }
    return state.plan?.recipe.choices.first { $0.option == row.option }
  }

  /// As it is shown: what the recipe chose beside the word that leaves it to it.
  func shownText(in state: WorkbenchState) -> String {
    let text = text(in: state.settings)
    return choice(in: state).map { "\(text): \($0.value)" } ?? text
  }

  /// Puts a text into the settings.
  /// - Throws: `SettingRefusal`; the settings are then as they were.
  func apply(_ text: String, to settings: inout TrainingSettings, networks: [String]) throws(SettingRefusal) {
    if isNetwork, text != AutomaticSettings.word, !networks.contains(text) {
      throw SettingRefusal("there is no network called \(text)")
    }
    let optimizer = settings.optimizer.method
    defer { settings.optimizerChanged(from: optimizer) }
    if row.mayBeAutomatic, text.isEmpty {
      try row.put(AutomaticSettings.word, in: &settings)
    } else if let part = field.part {
      part.put(text, &settings)
    } else if row.mayBeUnset, text == (row.choices == nil ? "" : field.unset) {
      row.unset(in: &settings)
    } else {
      try row.put(text, in: &settings)
    }
  }
}

extension SettingsField: Equatable {
  static func == (one: SettingsField, other: SettingsField) -> Bool { one.row.option == other.row.option }
}

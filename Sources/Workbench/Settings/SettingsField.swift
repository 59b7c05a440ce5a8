// The fields of the settings form: the rows of the table of settings that stand in it. How each reads as text and what
// text it takes is the row's; only the names of networks come from whoever can build them.

import Canvas
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

  /// What stands over it, where it is the first of its part of the form.
  var group: FormField.Group { field.group }

  func text(in settings: TrainingSettings) -> String {
    row.text(in: settings) ?? (row.choices == nil ? "" : field.unset)
  }

  /// What the recipe chose for it, where it is left to the recipe.
  func choice(in state: WorkbenchState) -> RecipeReport.Choice? {
    guard state.settings.automatic.contains(row.option) else { return nil }
    return state.plan?.recipe.choices.first { $0.option == row.option }
  }

  /// As it is shown: what it comes to beside the word that leaves it open.
  func shownText(in state: WorkbenchState) -> String {
    let text = text(in: state.settings)
    let word = text.isEmpty ? field.unset : text
    if let other = brought(in: state) { return other }
    return value(in: state).map { "\(word): \($0)" } ?? word
  }

  /// What it comes to where it is left open: by the recipe, or by what goes with the others; nil where it says itself
  /// what it is, and before that is known.
  private func value(in state: WorkbenchState) -> String? {
    if state.settings.automatic.contains(row.option) {
      guard let plan = state.plan else { return nil }
      // Of what it leaves alone, the recipe says nothing.
      return choice(in: state)?.value ?? row.text(in: plan.settings)
    }
    if row.option == Settings.budget.option {
      return state.settings.budget == nil ? state.plan.map { Format.duration($0.recipe.budget) } : nil
    }
    return state.resolvedSettings[row.option]
  }

  /// What a setting that is not left open comes to where a network that is chosen brings it along, as a width, or
  /// weights do, as an input.
  private func brought(in state: WorkbenchState) -> String? {
    guard let plan = state.plan, !state.settings.automatic.contains(row.option),
      row.option != Settings.recipe.option, let text = row.text(in: plan.settings),
      text != row.text(in: state.settings)
    else { return nil }
    return "\(text), with \(plan.settings.network.name)"
  }

  /// What stands beside the value: why the recipe chose it, else what else it could be.
  func note(in state: WorkbenchState) -> String {
    choice(in: state)?.reason ?? alternatives(networks: state.rules.networks)
  }

  /// What it can be.
  func alternatives(networks: [String]) -> String {
    if isNetwork { return "" }
    if let choices = choices(networks: networks) { return choices.joined(separator: " ") }
    return row.rangeText ?? ""
  }

  /// Puts a text into the settings.
  /// - Throws: `SettingRefusal`; the settings are then as they were.
  func apply(_ text: String, to settings: inout TrainingSettings, networks: [String]) throws(SettingRefusal) {
    if isNetwork, text != AutomaticSettings.word, !networks.contains(text) {
      throw SettingRefusal("there is no network called \(text)")
    }
    guard text != self.text(in: settings) else { return }
    let optimizer = settings.optimizer.method
    defer { settings.optimizerChanged(from: optimizer) }
    if row.mayBeAutomatic, text.isEmpty {
      try row.put(AutomaticSettings.word, in: &settings)
    } else if text.isEmpty, row.option == Settings.momentum.option, settings.optimizer.method.usual.momentum != nil
    {
      // Of an optimizer that has one, none is 0: a command line that says nothing means the usual one.
      try row.put("0", in: &settings)
    } else if row.mayBeUnset, text == (row.choices == nil ? "" : field.unset) {
      row.unset(in: &settings)
    } else {
      var changed = settings
      try row.put(text, in: &changed)
      if row.option == Settings.std.option, row.text(in: changed) == nil {
        throw SettingRefusal("it goes with a mean of three numbers: give that first")
      }
      settings = changed
    }
  }
}

extension SettingsField: Equatable {
  static func == (one: SettingsField, other: SettingsField) -> Bool { one.row.option == other.row.option }
}

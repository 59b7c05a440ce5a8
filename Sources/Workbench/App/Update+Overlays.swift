// What actions do while an overlay has the keys: help, notices, palette, settings form, prompts and questions.

import Canvas
import Messages

extension WorkbenchState {
  mutating func performInOverlay(_ action: Action) -> [Effect] {
    switch overlay {
    case .help, .notices: performReading(action)
    case .palette(let palette): return perform(action, in: palette)
    case .themes(let chooser): return perform(action, in: chooser)
    case .settings(let form): return perform(action, in: form)
    case .prompt(let prompt): return perform(action, in: prompt)
    case .rates(let curve, let form): return perform(action, in: curve, over: form)
    case .recipes(let chooser, let form): return perform(action, in: chooser, over: form)
    case .relabel(let chooser): return perform(action, in: chooser)
    case .lab(let dialog): return perform(action, in: dialog)
    case .export(let dialog): return perform(action, in: dialog)
    case .diverged(let dialog): return perform(action, in: dialog)
    case .dataChanged(let scroll): return perform(action, inDataChange: scroll)
    case .confirmStart: return performInStart(action)
    case .confirmStop:
      overlay = nil
      guard action == .accept, canBeStopped else { return [] }
      engine = .stopping
      return [.send(.training(.stop))]
    case .liveRuns(let chooser): return perform(action, in: chooser)
    case .confirmQuit:
      overlay = nil
      if action == .leaveRunning { return [.quit] }
      guard action == .accept else { return [] }
      guard mayChange() else { return [] }
      // The run may have ended while the question stood.
      return runUnderWay ? stopAndQuit() : [.quit]
    case nil: break
    }
    return []
  }

  private mutating func performReading(_ action: Action) {
    let page = readingBox(in: size).interior.height
    switch action {
    case .up: scrollReading(by: -1)
    case .down: scrollReading(by: 1)
    case .pageUp: scrollReading(by: -max(1, page - 1))
    case .pageDown: scrollReading(by: max(1, page - 1))
    case .first: scrollReading(by: -100_000)
    case .last: scrollReading(by: 100_000)
    case .cancel: overlay = nil
    default: break
    }
  }

  /// Scrolls the help or the notices, to their ends and no further.
  mutating func scrollReading(by rows: Int) {
    let inner = readingBox(in: size).interior
    switch overlay {
    case .help(let scroll):
      overlay = .help(scroll: max(0, min(scroll + rows, HelpView.lines(self).count - inner.height)))
    case .notices(let scroll):
      let count = NoticesView.lines(self, width: inner.width).count
      overlay = .notices(scroll: max(0, min(scroll + rows, count - inner.height)))
    default: break
    }
  }

  private mutating func perform(_ action: Action, in palette: CommandPalette) -> [Effect] {
    switch action {
    case .cancel: overlay = nil
    case .accept:
      guard let chosen = palette.selected else { return [] }
      overlay = nil
      if let pane = chosen.context.pane { focus = pane }
      recentCommands = Array(([chosen.action] + recentCommands.filter { $0 != chosen.action }).prefix(5))
      return perform(chosen.action)
    case .copyCommand:
      return palette.selected.map { copyCommand(for: $0.action) } ?? []
    default:
      var palette = palette
      palette.perform(action, page: SearchBox.rows(in: size))
      overlay = .palette(palette)
    }
    return []
  }

  private mutating func perform(_ action: Action, in prompt: TextPrompt) -> [Effect] {
    switch action {
    case .erase:
      overlay = .prompt(TextPrompt(prompt.purpose, TextEntry(text: String(prompt.entry.text.dropLast()))))
    case .clear: overlay = .prompt(TextPrompt(prompt.purpose, TextEntry()))
    case .up: overlay = .prompt(showingRecent(prompt, by: 1))
    case .down: overlay = .prompt(showingRecent(prompt, by: -1))
    case .cancel:
      overlay = prompt.purpose.form.map { .settings($0) }
    case .accept:
      do {
        let effects = try accept(prompt.entry.text.trimmed, for: prompt.purpose)
        return effects
      } catch {
        overlay = .prompt(TextPrompt(prompt.purpose, TextEntry(text: prompt.entry.text, error: error.reason)))
      }
    default: break
    }
    return []
  }

  /// Does what a line was typed for, and closes the prompt.
  /// - Throws: `SettingRefusal` for what it cannot be.
  private mutating func accept(_ text: String, for purpose: TextPrompt.Purpose) throws(SettingRefusal) -> [Effect] {
    switch purpose {
    case .recipeName(let form, let replacing):
      if let refusal = RecipeName.refusal(text) { throw refusal }
      overlay = .settings(form)
      return [.browse(.recipes(.save(name: text, settings, replaces: replacing == text)))]
    case .learningRate:
      let rate = try Settings.learningRate.kind.parse(text)
      overlay = nil
      return change(learningRate: rate)
    case .openDataset:
      guard !text.isEmpty else { throw SettingRefusal("type the folder of a dataset; up shows recent ones") }
      overlay = nil
      return [.open(data: text)]
    case .runNote(let folder):
      overlay = nil
      return [.browse(.changeRun(.note(folder: folder, text: text)))]
    case .runName(let folder):
      if let refusal = RunName.refusal(text) { throw refusal }
      overlay = nil
      return text == lastComponent(folder) ? [] : [.browse(.changeRun(.rename(folder: folder, name: text)))]
    }
  }

  // MARK: Learning rates that were tried

  private mutating func perform(_ action: Action, in curve: LearningRateCurve, over form: SettingsForm) -> [Effect]
  {
    guard [.accept, .cancel].contains(action) else { return [] }
    overlay = .settings(form)
    guard action == .accept, let rate = curve.suggestion else { return [] }
    return change(learningRate: rate)
  }

  /// Has growing learning rates tried with the settings of the form.
  private mutating func findLearningRate() -> [Effect] {
    guard !runUnderWay else {
      notify(.information, "a run is under way: learning rates are tried when the machine is free")
      return []
    }
    if let refusal {
      notify(.warning, refusal)
      return []
    }
    notify(
      .information,
      "trying learning rates: $ "
        + settings.commandLine.replacing("skipline train", with: "skipline lr-find", maxReplacements: 1))
    return [.ask(.findLearningRate(planned))]
  }

  // MARK: Settings form

  /// Runs a change of the form; what it does to the settings reaches the layers and the dataset pane.
  mutating func edit(
    _ form: SettingsForm, _ change: (inout SettingsForm, inout TrainingSettings, TrainingRules) -> Void
  ) -> [Effect] {
    var form = form
    let (before, old) = (describeNetwork, settings)
    change(&form, &settings, rules)
    overlay = .settings(form)
    let planned = settings == old ? [] : requestPlan()
    resolveSettings()
    let described: [Effect] = describeNetwork == before ? [] : [.browse(describeNetwork)]
    // A dataset that is read again is planned for again.
    return described + (settings.split == old.split ? planned : openDataset(checkingFiles: false))
  }

  mutating func edit(_ form: SettingsForm, pasting text: String) -> [Effect] {
    edit(form) { form, _, _ in for character in text { form.type(character) } }
  }

  mutating func edit(_ form: SettingsForm, typing character: Character) -> [Effect] {
    edit(form) { form, settings, rules in
      // A space cannot be part of a choice: it goes to the next one.
      if character == " ", form.field.choices(networks: rules.networks) != nil {
        form.cycle(by: 1, settings: &settings, rules: rules)
      } else {
        form.type(character)
      }
    }
  }

  private mutating func perform(_ action: Action, in form: SettingsForm) -> [Effect] {
    switch action {
    case .findLearningRate: return findLearningRate()
    case .saveRecipe: return askForRecipeName(over: form)
    case .loadRecipe: return openRecipes(over: form)
    case .copyCommand: return [.copy(settings.commandLine)]
    default: break
    }
    var closes = false
    let effects = edit(form) { form, settings, rules in
      switch action {
      case .up: form.move(by: -1, settings: &settings, rules: rules)
      case .down, .accept: form.move(by: 1, settings: &settings, rules: rules)
      case .pageUp: form.move(by: -SettingsForm.page, settings: &settings, rules: rules)
      case .pageDown: form.move(by: SettingsForm.page, settings: &settings, rules: rules)
      case .first: form.move(by: -SettingsField.all.count, settings: &settings, rules: rules)
      case .last: form.move(by: SettingsField.all.count, settings: &settings, rules: rules)
      case .left: form.cycle(by: -1, settings: &settings, rules: rules)
      case .right: form.cycle(by: 1, settings: &settings, rules: rules)
      case .erase: form.erase(in: settings)
      case .clear: form.clear()
      case .cancel: closes = !form.discard()
      default: break
      }
    }
    guard closes else { return effects }
    overlay = nil
    // The layers show the run again.
    guard runUnderWay, let run = curves.run else { return effects }
    return effects + [.browse(describe(run))]
  }
}

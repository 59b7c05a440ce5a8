// What actions do while an overlay has the keys: help, notices, palette, settings form, prompts and questions.

import Canvas
import Messages

extension WorkbenchState {
  mutating func performInOverlay(_ action: Action) -> [Effect] {
    switch overlay {
    case .help, .notices: performReading(action)
    case .palette(let palette): return perform(action, in: palette)
    case .settings(let form): return perform(action, in: form)
    case .learningRate(let entry): return perform(action, in: entry)
    case .rates(let curve, let form): return perform(action, in: curve, over: form)
    case .relabel(let chooser): return perform(action, in: chooser)
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
    default:
      var palette = palette
      palette.perform(action, page: SearchBox.rows(in: size))
      overlay = .palette(palette)
    }
    return []
  }

  private mutating func perform(_ action: Action, in entry: TextEntry) -> [Effect] {
    switch action {
    case .erase: overlay = .learningRate(TextEntry(text: String(entry.text.dropLast())))
    case .clear: overlay = .learningRate(TextEntry())
    case .cancel: overlay = nil
    case .accept:
      do {
        let rate = try Settings.learningRate.kind.parse(entry.text.trimmed)
        overlay = nil
        return change(learningRate: rate)
      } catch {
        overlay = .learningRate(TextEntry(text: entry.text, error: error.reason))
      }
    default: break
    }
    return []
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
    triesRates = true
    notify(
      .information,
      "trying learning rates: $ "
        + settings.commandLine.replacing("skipline train", with: "skipline lr-find", maxReplacements: 1))
    return [.ask(.findLearningRate(planned))]
  }

  // MARK: Settings form

  /// Runs a change of the form; what it does to the settings reaches the layers and the dataset pane.
  private mutating func edit(
    _ form: SettingsForm, _ change: (inout SettingsForm, inout TrainingSettings, TrainingRules) -> Void
  ) -> [Effect] {
    var form = form
    let (before, old) = (describeNetwork, settings)
    change(&form, &settings, rules)
    overlay = .settings(form)
    let planned = settings == old ? [] : requestPlan()
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
    if action == .findLearningRate { return findLearningRate() }
    var closes = false
    let effects = edit(form) { form, settings, rules in
      switch action {
      case .up: form.move(by: -1, settings: &settings, rules: rules)
      case .down, .accept: form.move(by: 1, settings: &settings, rules: rules)
      case .first: form.move(by: -100, settings: &settings, rules: rules)
      case .last: form.move(by: 100, settings: &settings, rules: rules)
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

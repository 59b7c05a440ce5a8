// What keys, the mouse and the terminal's size change: finding the binding of a key, typing, clicking, the wheel.

import Canvas
import Messages

extension WorkbenchState {
  mutating func handle(_ input: Canvas.Input) -> [Effect] {
    if ScreenLayout.isTooSmall(size) {
      switch input {
      case .key(let key): return pressUnseen(key)
      case .paste, .burst, .click, .doubleClick, .drag, .release, .scroll: return []
      case .resized, .endOfInput: break
      }
    }
    switch input {
    case .key(let key): return pressed(key)
    case .paste(let text):
      let (taken, effects) = insert(text)
      if !taken { notify(.information, "pasted text is not a command: it is ignored outside a text field") }
      return effects
    case .burst(let text):
      // What follows the key that opens a line to type in is meant for it.
      var effects: [Effect] = []
      var rest = text[...]
      if overlay == nil, !filtering, let first = text.first, ["/", ":"].contains(first) {
        effects = pressed(.character(first))
        rest = rest.dropFirst()
      }
      let (taken, more) = insert(String(rest))
      effects += more
      guard taken else {
        notify(.information, "so much text at once counts as pasted, and is ignored outside a text field")
        return effects
      }
      return effects + (text.last?.isNewline == true ? pressed(.enter) : [])
    case .click(let x, let y): return click(x: x, y: y)
    case .doubleClick(let x, let y): return doubleClick(x: x, y: y)
    case .drag(let x, let y): dragDivider(x: x, y: y)
    case .release: grabbed = nil
    case .scroll(let x, let y, let rows): return scroll(x: x, y: y, rows: rows)
    case .resized(let new):
      size = new
      settleLists()
    // A run that is under way does without a terminal.
    case .endOfInput: return [.quit]
    }
    return []
  }

  /// Where keys are looked up now, the innermost first.
  var contexts: [Context] {
    switch overlay {
    case .help, .notices: return [.reading, .always]
    case .palette: return [.palette, .always]
    case .themes: return [.themes, .always]
    case .settings: return [.form, .always]
    case .rates: return [.rates, .always]
    case .recipes: return [.recipes, .always]
    case .prompt: return [.prompt, .always]
    case .relabel: return [.chooser, .always]
    case .lab: return [.lab, .always]
    case .export: return [.exporting, .always]
    case .liveRuns: return [.liveRuns, .always]
    case .diverged: return [.diverged, .always]
    case .dataChanged: return [.dataChanged, .always]
    case .confirmStart: return [.confirmStart, .always]
    case .confirmStop: return [.confirmStop, .always]
    case .confirmQuit: return [.confirmQuit, .always]
    case nil: break
    }
    if filtering { return [.filter, .always] }
    return panes[focus].contexts(in: self) + [.lists, .workbench, .always]
  }

  /// While the terminal has no room for a frame only what leaves is taken, and nothing is asked: the question could not
  /// be read. A run that is under way is left running.
  private mutating func pressUnseen(_ key: Key) -> [Effect] {
    if key == .character("q") { return [.quit] }
    guard let binding = panes.keymap.binding(for: key, in: [.always]) else { return [] }
    if binding.action == .interrupt, runUnderWay, asksBeforeStopping { return [.quit] }
    return perform(binding.action)
  }

  mutating func pressed(_ key: Key) -> [Effect] {
    if let binding = panes.keymap.binding(for: key, in: contexts) {
      if hasUnseenQuestion, overlay?.question != nil, binding.context != .always { return [] }
      return perform(binding.action)
    }
    if case .character(let character) = key { return type(character) }
    return []
  }

  /// Most that is taken of a pasted text.
  private static let longestPaste = 400

  /// Puts text where text is taken, without line feeds and other controls.
  /// - Returns: whether it is taken anywhere now.
  private mutating func insert(_ pasted: String) -> (taken: Bool, effects: [Effect]) {
    var text = ""
    for scalar in pasted.unicodeScalars.lazy.filter({ $0.properties.generalCategory != .control })
      .prefix(Self.longestPaste)
    {
      text.unicodeScalars.append(scalar)
    }
    switch overlay {
    case .palette(var palette):
      palette.narrow(to: palette.text + text)
      overlay = .palette(palette)
    case .relabel(var chooser):
      chooser.narrow(to: chooser.text + text)
      overlay = .relabel(chooser)
    case .recipes(var chooser, let form):
      chooser.narrow(to: chooser.text + text)
      overlay = .recipes(chooser, form)
    case .lab(let dialog): return (true, edit(dialog, typing: text))
    case .export(var dialog):
      dialog.type(text)
      overlay = .export(dialog)
    case .prompt(let prompt): overlay = .prompt(prompt.typing(text))
    case .settings(let form): return (true, edit(form, pasting: text))
    case nil where filtering: setFilter((activeFilter ?? "") + text)
    default: return (false, [])
    }
    return (true, [])
  }

  /// A character without a binding: text, where text is taken.
  private mutating func type(_ character: Character) -> [Effect] {
    switch overlay {
    case .palette(var palette):
      palette.type(character)
      overlay = .palette(palette)
    case .prompt(let prompt): overlay = .prompt(prompt.typing(String(character)))
    case .settings(let form): return edit(form, typing: character)
    case .relabel(var chooser):
      chooser.type(character)
      overlay = .relabel(chooser)
    case .recipes(var chooser, let form):
      chooser.type(character)
      overlay = .recipes(chooser, form)
    case .lab(let dialog): return edit(dialog, typing: String(character))
    case .export(var dialog):
      dialog.type(String(character))
      overlay = .export(dialog)
    case .help, .notices, .themes, .rates, .liveRuns, .diverged, .dataChanged, .confirmStart, .confirmStop,
      .confirmQuit:
      break
    case nil:
      if filtering, let filter = activeFilter { setFilter(filter + String(character)) }
    }
    return []
  }
}

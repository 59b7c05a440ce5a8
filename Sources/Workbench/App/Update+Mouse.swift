// What the mouse changes: clicks on panes, on the line of keys and on what lies over the panes; lines between panes that
// are dragged; the wheel.

import Canvas
import Messages

extension WorkbenchState {
  mutating func click(x: Int, y: Int) -> [Effect] {
    grabbed = nil
    guard !ScreenLayout.isTooSmall(size) else { return [] }
    // The line of keys is what it says, whatever lies over the panes.
    if let hint = HintView.places(self, in: layout.hints, glyphs: glyphs).first(where: {
      $0.rect.contains(x: x, y: y)
    }) {
      return pressed(hint.hint.key)
    }
    guard overlay == nil else { return clickOverlay(x: x, y: y) }
    grabDivider(x: x, y: y)
    guard let pane = layout.pane(x: x, y: y) else { return [] }
    let body = listBody(of: pane)
    filtering = false
    if let inner = layout[pane]?.interior, panes[pane].clicked(x: x, y: y, in: inner, &self) {
      focus = pane
      return []
    }
    if let path = list(of: pane)?.path, body.contains(x: x, y: y) {
      let row = self[keyPath: path].window(height: body.height).lowerBound + y - body.y
      if row < self[keyPath: path].count { self[keyPath: path].select(row, page: body.height) }
      panes[pane].selected(&self)
    }
    focus = pane
    // The focused pane may be larger now.
    moveSelection(in: pane, by: 0)
    return []
  }

  /// The first of the two clicks has chosen what is under it: the second opens it.
  mutating func doubleClick(x: Int, y: Int) -> [Effect] {
    guard !ScreenLayout.isTooSmall(size), !layout.hints.contains(x: x, y: y) else { return click(x: x, y: y) }
    switch overlay {
    case .palette, .relabel, .themes:
      guard overlayList?.contains(x: x, y: y) == true else { return [] }
      return perform(.accept)
    case nil:
      guard let pane = layout.pane(x: x, y: y), pane == focus, let inner = layout[pane]?.interior else { return [] }
      // On a border there is nothing to open: the pane gets the screen, or gives it back.
      guard inner.contains(x: x, y: y) else { return perform(.zoom) }
      return perform(.open)
    default: return click(x: x, y: y)
    }
  }

  /// The rows of the list in the overlay that has one.
  private var overlayList: Rect? {
    switch overlay {
    case .palette, .relabel, .recipes: SearchBox.list(in: size)
    case .themes: Self.themeBox(in: size, names: themeNames).interior
    default: nil
    }
  }

  private mutating func clickOverlay(x: Int, y: Int) -> [Effect] {
    if let question = scrollingQuestion {
      guard let answer = question.answer(x: x, y: y, in: size), answer.isPossible else { return [] }
      return answer.key.count == 1 ? pressed(.character(Character(answer.key))) : []
    }
    if case .settings(let form) = overlay { return click(form, x: x, y: y) }
    guard let rows = overlayList, rows.contains(x: x, y: y) else { return [] }
    func selecting(_ list: inout BrowsableList) {
      let row = list.window(height: rows.height).lowerBound + y - rows.y
      if row < list.count { list.select(row, page: rows.height) }
    }
    switch overlay {
    case .palette(var palette):
      selecting(&palette.list)
      overlay = .palette(palette)
    case .relabel(var chooser):
      selecting(&chooser.list)
      overlay = .relabel(chooser)
    case .recipes(var chooser, let form):
      selecting(&chooser.list)
      overlay = .recipes(chooser, form)
    case .themes(var chooser):
      selecting(&chooser.list)
      return show(chooser)
    default: break
    }
    return []
  }

  /// Goes to the field that is clicked, if the one left takes what was typed; where that is chosen already, on to its next
  /// choice, or back at the arrow before it.
  private mutating func click(_ form: SettingsForm, x: Int, y: Int) -> [Effect] {
    guard let hit = SettingsView.field(x: x, y: y, form, self) else { return [] }
    return edit(form) { form, settings, rules in
      guard hit.field == form.field else {
        let row = SettingsField.all.firstIndex(of: hit.field) ?? form.selected
        return form.move(by: row - form.selected, settings: &settings, rules: rules)
      }
      if form.typed == nil { form.cycle(by: hit.isBack ? -1 : 1, settings: &settings, rules: rules) }
    }
  }

  mutating func scroll(x: Int, y: Int, rows: Int) -> [Effect] {
    let rows = max(-1000, min(rows, 1000))
    switch overlay {
    case .help, .notices: scrollReading(by: rows)
    case .palette(var palette):
      palette.list.move(by: rows, page: SearchBox.rows(in: size))
      overlay = .palette(palette)
    case .relabel(var chooser):
      chooser.list.move(by: rows, page: SearchBox.rows(in: size))
      overlay = .relabel(chooser)
    case .recipes(var chooser, let form):
      chooser.list.move(by: rows, page: SearchBox.rows(in: size))
      overlay = .recipes(chooser, form)
    case .diverged, .dataChanged: scrollQuestion(by: rows)
    case .settings(let form):
      return edit(form) { form, settings, rules in form.move(by: rows, settings: &settings, rules: rules) }
    case .themes(var chooser):
      chooser.list.move(by: rows, page: Self.themeBox(in: size, names: themeNames).interior.height)
      return show(chooser)
    case .prompt, .rates, .lab, .export, .liveRuns, .confirmStart, .confirmStop, .confirmQuit:
      break
    case nil:
      guard !ScreenLayout.isTooSmall(size), let pane = layout.pane(x: x, y: y) else { return [] }
      if panes[pane].scrolled(by: rows, &self) { return [] }
      moveSelection(in: pane, by: rows)
      panes[pane].selected(&self)
    }
    return []
  }
}

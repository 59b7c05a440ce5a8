// Choosing a theme: a list beside the panes, which are drawn in the theme that is selected.

import Canvas

/// The list of themes and the one to go back to.
struct ThemeChooser: Sendable, Equatable {
  var list: BrowsableList
  let before: Int

  init(names: [String], current: Int) {
    list = BrowsableList(total: names.count)
    before = current
    list.select(current, page: names.count)
  }
}

extension WorkbenchState {
  /// Where the list stands: at the right, over as little as possible.
  static func themeBox(in size: Size, names: [String]) -> Rect {
    let width = min(size.width - 4, max(24, (names.map(\.columns).max() ?? 0) + 4))
    let height = min(size.height - 4, names.count + 2)
    return Rect(x: size.width - width - 1, y: 1, width: width, height: height)
  }

  mutating func perform(_ action: Action, in chooser: ThemeChooser) -> [Effect] {
    var chooser = chooser
    let page = Self.themeBox(in: size, names: themeNames).interior.height
    switch action {
    case .up: chooser.list.move(by: -1, page: page)
    case .down: chooser.list.cycle(by: 1, page: page)
    case .first: chooser.list.select(0, page: page)
    case .last: chooser.list.select(themeNames.count - 1, page: page)
    case .accept:
      overlay = nil
      isThemeChosen = true
      notify(.information, "theme \(themeNames[theme])")
      return []
    case .cancel:
      overlay = nil
      theme = chooser.before
      return [.useTheme(themeNames[theme])]
    default: return []
    }
    return show(chooser)
  }

  /// Shows the screen in the theme that is selected.
  mutating func show(_ chooser: ThemeChooser) -> [Effect] {
    overlay = .themes(chooser)
    guard let selected = chooser.list.selectedItem, selected != theme else { return [] }
    theme = selected
    return [.useTheme(themeNames[theme])]
  }
}

enum ThemeChooserView {
  static func draw(_ chooser: ThemeChooser, _ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    let theme = theme.over(.overlay)
    let box = WorkbenchState.themeBox(in: frame.size, names: state.themeNames)
    let inner = frame.overlay(box, title: "Theme", theme: theme)
    Table.of(
      chooser.list, columns: [Table.Column("", width: .flexible(minimum: 8, weight: 1))], height: inner.height,
      focused: true, showsHeader: false
    ) { item in [.text(state.themeNames[item])] }.draw(into: &frame, in: inner, theme: theme)
  }
}

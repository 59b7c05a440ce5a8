// The command palette's state: what was typed, and which actions it leaves.

/// A list of actions narrowed by typing.
struct Palette: SearchableList, Sendable, Equatable {
  private(set) var text = ""
  var list: BrowsableList

  init() { list = BrowsableList(total: Palette.entries.count) }

  /// Every action that makes sense by name, in the keymap's order.
  static let entries = Keymap.bindings.filter(\.inPalette)

  var selected: Keymap.Binding? { list.selectedItem.map { Palette.entries[$0] } }

  mutating func narrow(to text: String) {
    self.text = text
    list.narrow(to: text) { Palette.entries[$0].paletteText }
    list.select(0, page: 1)
  }
}

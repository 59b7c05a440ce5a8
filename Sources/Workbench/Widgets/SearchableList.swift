// A list that is narrowed by typing: what the command palette and the chooser of a class do alike with keys, characters
// and the wheel. What is in the list, and what choosing an item does, is their own.

/// A line of text and the list of what matches it.
protocol SearchableList {
  var text: String { get }
  var list: BrowsableList { get set }
  /// Takes in another text, and with it another list.
  mutating func narrow(to text: String)
}

extension SearchableList {
  /// Moves in the list, or shortens the text; any other action does nothing.
  /// - Parameter page: rows in view.
  mutating func perform(_ action: Action, page: Int) {
    switch action {
    case .up: list.move(by: -1, page: page)
    case .down: list.move(by: 1, page: page)
    case .pageUp: list.move(by: -page, page: page)
    case .pageDown: list.move(by: page, page: page)
    case .erase: narrow(to: String(text.dropLast()))
    case .clear: narrow(to: "")
    default: break
    }
  }

  mutating func type(_ character: Character) { narrow(to: text + String(character)) }
}

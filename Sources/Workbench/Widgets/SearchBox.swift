// What the command palette and the chooser of a class share: a box in the middle of the screen with a line to type in,
// a list of what matches, and a line below it.

import Canvas

enum SearchBox {
  private static func box(in size: Size) -> Rect {
    let screen = Rect(size).inset(bottom: 2)
    return screen.centered(width: min(size.width - 4, 72), height: min(size.height - 4, 22))
  }

  /// How many rows of the list are in view.
  static func rows(in size: Size) -> Int { max(1, box(in: size).interior.height - 2) }

  /// Where they are.
  static func list(in size: Size) -> Rect { box(in: size).interior.splitTop(1).rest.splitBottom(1).rest }

  /// Draws the box and what was typed.
  /// - Returns: where the list and the line below it go.
  static func draw(
    title: String, trailing: String, typed: String, into frame: inout Frame, theme: Theme
  ) -> (list: Rect, foot: Rect) {
    let inner = frame.overlay(box(in: frame.size), title: title, trailing: trailing, theme: theme)
    let (entry, rest) = inner.splitTop(1)
    frame.fill(entry, style: theme[.input])
    frame.put(typed: ": " + typed, in: entry, style: theme[.input], caret: true)
    let (list, foot) = rest.splitBottom(1)
    return (list, foot)
  }
}

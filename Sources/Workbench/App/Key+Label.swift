// How keys are named on the screen.

import Canvas

extension Key {
  /// The key as the hint bar, the palette and the help name it.
  func label(_ glyphs: Glyphs) -> String {
    switch self {
    case .character(" "): "space"
    case .character(let character): String(character)
    case .control(let letter): "ctrl-\(letter)"
    case .function(let number): "F\(number)"
    case .enter: "Enter"
    case .escape: "Esc"
    case .tab: "Tab"
    case .backTab: "S-Tab"
    case .backspace: "Backspace"
    case .delete: "Del"
    case .up: Self.arrow(glyphs.upArrow, "up")
    case .down: Self.arrow(glyphs.downArrow, "down")
    case .left: Self.arrow(glyphs.leftArrow, "left")
    case .right: Self.arrow(glyphs.rightArrow, "right")
    case .home: "Home"
    case .end: "End"
    case .pageUp: "PgUp"
    case .pageDown: "PgDn"
    }
  }

  /// An arrow that is made of a letter or a sign would be taken for that key.
  private static func arrow(_ glyph: Character, _ word: String) -> String {
    glyph.isASCII ? word : String(glyph)
  }
}

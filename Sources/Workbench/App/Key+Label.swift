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
    case .up: String(glyphs.upArrow)
    case .down: String(glyphs.downArrow)
    case .left: String(glyphs.leftArrow)
    case .right: String(glyphs.rightArrow)
    case .home: "Home"
    case .end: "End"
    case .pageUp: "PgUp"
    case .pageDown: "PgDn"
    }
  }
}

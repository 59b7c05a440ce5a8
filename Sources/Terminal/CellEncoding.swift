// From a cell's character to what the C library will take for the same number of columns. Where it would count
// other columns than the frame did, the row would shift: such characters are replaced.

import Canvas

enum CellEncoding {
  /// As many combining scalars as fit in a `cchar_t` beside their base.
  private static let combiningLimit = 4

  /// What to write for a character: one entry a terminal cell written to, each the scalars of that cell. A wide
  /// character that is kept is a single entry.
  /// - Parameter width: the columns that the C library gives a scalar in the current locale; negative for none.
  static func entries(for character: Character, width: (Unicode.Scalar) -> Int) -> [[Unicode.Scalar]] {
    let columns = DisplayWidth.of(character)
    guard columns > 0, let base = character.unicodeScalars.first else { return [[" "]] }
    guard width(base) == columns else {
      let substitute = substitutes[base] ?? "?"
      return Array(repeating: [substitute], count: columns)
    }
    // Spacing scalars after the first (a flag's second letter, an emoji's skin) would take columns of their own; a
    // variation selector changes the width in some terminals only.
    let combining = character.unicodeScalars.dropFirst().filter {
      width($0) == 0 && !(0xFE00...0xFE0F).contains($0.value) && $0.value != 0x200D
    }
    return [[base] + combining.prefix(combiningLimit)]
  }

  /// Nearest signs for terminals without Unicode.
  private static let substitutes: [Unicode.Scalar: Unicode.Scalar] = [
    "…": "~", "·": ".", "•": "*", "–": "-", "—": "-", "‘": "'", "’": "'", "“": "\"", "”": "\"", "×": "x", "→": ">",
    "←": "<", "↑": "^", "↓": "v", "─": "-", "│": "|", "✓": "+", "✗": "x", "█": "#",
  ]
}

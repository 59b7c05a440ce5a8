// What is switched on at the terminal while the screen is open, and off again on every way out: mouse reports, and
// marks around pasted text. ncurses has no word for the latter, and would read the former by terminfo's idea of them,
// which in many entries ends at column 223.

/// Modes of a terminal (xterm, "Private Modes"), as the sequences that set them.
struct TerminalModes: Sendable, Equatable {
  /// Whether the terminal takes sequences of ECMA-48.
  let isANSI: Bool
  /// Empty where the terminal would not understand.
  let on: String
  let off: String

  /// - Parameters:
  ///   - isANSI: whether the terminal takes sequences of ECMA-48; those ignore a mode that they do not know.
  ///   - mouse: whether clicks and the wheel are wanted, and the terminal has a mouse.
  init(isANSI: Bool, mouse: Bool) {
    self.isANSI = isANSI
    guard isANSI else {
      (on, off) = ("", "")
      return
    }
    // Buttons, motion while one is held, and reports as numbers; text that was pasted between marks.
    let numbers = (mouse ? [1000, 1002, 1006] : []) + [2004]
    on = numbers.map { "\u{1B}[?\($0)h" }.joined()
    off = numbers.reversed().map { "\u{1B}[?\($0)l" }.joined()
  }
}

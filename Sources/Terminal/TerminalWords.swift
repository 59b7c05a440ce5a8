// What is said to a terminal that is nothing on its screen: the title of its window, a notice on the desktop, a text for
// the clipboard. All are control strings that a terminal drops where it does not know them (xterm, "Operating System
// Commands").

import Canvas
import FoundationEssentials

/// The sequences that this terminal is likely to understand; empty ones for what it has no word for.
struct TerminalWords: Sendable, Equatable {
  /// Keeps the title that is there, and brings it back.
  let keepTitle: String
  let restoreTitle: String
  private let takesStrings: Bool
  private let hasTitle: Bool
  private let isTmux: Bool
  private let notice: Notice

  private enum Notice: Sendable, Equatable {
    /// iTerm2's, OSC 9; urxvt's, OSC 777.
    case text, titled
  }

  /// Longer texts some terminals drop.
  static let longestNotice = 200
  /// xterm takes so many bytes for its clipboard, and tmux more.
  static let longestCopy = 65_536

  /// - Parameters:
  ///   - isANSI: whether the terminal takes sequences of ECMA-48.
  ///   - name: as it says itself (XTVERSION).
  ///   - environment: `TERM`, `TMUX` and what terminals say of themselves there.
  ///   - hasTitle: whether it has a title that may be set.
  init(isANSI: Bool, name: String?, environment: [String: String], hasTitle: Bool) {
    let term = environment["TERM"] ?? ""
    // The Linux console reads a title as text.
    takesStrings = isANSI && !["linux", "vt", "ansi", "cons", "dumb", "sun"].contains { term.hasPrefix($0) }
    isTmux = TerminalAnswers.isTmux(environment)
    let knownByTerm = ["xterm", "tmux", "screen", "rxvt", "alacritty", "foot", "st-", "kitty", "wezterm"]
    self.hasTitle = takesStrings && (hasTitle || knownByTerm.contains { term.hasPrefix($0) })
    (keepTitle, restoreTitle) = self.hasTitle ? ("\u{1B}[22;2t", "\u{1B}[23;2t") : ("", "")
    let isTitled =
      term.hasPrefix("rxvt") || term.hasPrefix("foot") || environment["VTE_VERSION"] != nil
      || name?.lowercased().hasPrefix("vte") == true
    notice = isTitled ? .titled : .text
  }

  func title(_ text: String) -> String { hasTitle ? "\u{1B}]2;\(Self.plain(text, longest: 120))\u{1B}\\" : "" }

  /// With the bell, by which tmux and window managers mark a window that is not looked at.
  func notice(_ text: String) -> String {
    guard takesStrings else { return "\u{07}" }
    let text = Self.plain(text, longest: Self.longestNotice)
    let string =
      switch notice {
      // A number at the start would be another command.
      case .text: "\u{1B}]9;\(text.first?.isNumber == true ? "skipline: " + text : text)\u{07}"
      case .titled: "\u{1B}]777;notify;skipline;\(text.replacing(";", with: ","))\u{07}"
      }
    return passed(string) + "\u{07}"
  }

  /// OSC 52, which tmux hands on by itself where it may.
  func copy(_ text: String) -> String {
    guard takesStrings, text.utf8.count <= Self.longestCopy else { return "" }
    return "\u{1B}]52;c;\(Data(text.utf8).base64EncodedString())\u{07}"
  }

  /// What tmux hands to the terminal around it, where it may.
  private func passed(_ sequence: String) -> String {
    isTmux ? "\u{1B}Ptmux;\(sequence.replacing("\u{1B}", with: "\u{1B}\u{1B}"))\u{1B}\\" : sequence
  }

  private static func plain(_ text: String, longest: Int) -> String {
    String(Sanitizer.sanitized(text).prefix(longest))
  }
}

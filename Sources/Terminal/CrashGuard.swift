// What is written to the terminal when the program crashes under an open screen. The handler itself is in
// CTerminal.

import CNcurses
import CTerminal
import Glibc

/// Restores the terminal on a fatal signal, from the moment a screen is open until it is closed.
enum CrashGuard {
  /// Installs the handlers.
  /// - Parameters:
  ///   - settings: of the terminal, from before the screen was opened.
  ///   - modes: what was switched on at the terminal besides the screen.
  ///   - pictures: what takes every picture away.
  ///   - message: shown on the normal screen after the crash.
  static func begin(settings: termios, modes: TerminalModes, pictures: String = "", message: String) throws {
    let restore = restoreSequence(modes: modes, pictures: pictures) { name in
      shim_terminfo_string(name).map { String(cString: $0) }
    }
    var settings = settings
    let result = terminal_guard_begin(
      STDOUT_FILENO, &settings, restore, restore.utf8.count, message, message.utf8.count)
    guard result == 0 else {
      throw TerminalFailure(description: "cannot handle signals: \(String(cString: strerror(errno)))")
    }
  }

  /// The escape sequences that leave the screen: mouse reports and marked pastes off, pictures away, keypad, attributes,
  /// colors and cursor as they were, back to the normal screen.
  static func restoreSequence(
    modes: TerminalModes, pictures: String = "", terminfo: (String) -> String?
  ) -> String {
    let strings = ["rmkx", "sgr0", "op", "cnorm", "rmcup", "sgr0"].compactMap(terminfo)
    return modes.off + pictures + strings.map(withoutPadding).joined()
  }

  /// A terminfo string without its delays, `$<5>` or `$<10/>`: only `tputs` can carry those out (terminfo(5)).
  static func withoutPadding(_ text: String) -> String {
    var result = ""
    var rest = text[...]
    while let start = rest.firstRange(of: "$<") {
      result += rest[..<start.lowerBound]
      guard let end = rest[start.upperBound...].firstIndex(of: ">") else {
        return result + rest[start.lowerBound...]
      }
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }
}

// Questions about the terminal that may be asked before any screen is opened.

import FoundationEssentials
import Glibc

/// The terminal that the program was started from.
public enum Terminal {
  /// Whether standard input and standard output are both a terminal: without that there is no screen, no prompt and
  /// no escape code.
  public static var isInteractive: Bool {
    isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
  }

  /// Whether the user asked for no color: `NO_COLOR` is set and not empty (https://no-color.org).
  public static var refusesColor: Bool {
    ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
  }
}

/// Why there is no screen, and what to do about it.
public struct TerminalFailure: Error, Equatable, CustomStringConvertible {
  public var description: String
}

// What the environment says of a terminal, without opening a screen: for reports of bugs.

import CNcurses
import FoundationEssentials
import Glibc

/// A terminal by its name in terminfo, and the locale.
public struct TerminalDescription: Sendable, Equatable {
  /// `TERM`; nil where it is not set.
  public var name: String?
  /// Whether terminfo has an entry of this name.
  public var isKnown: Bool
  /// Colors by terminfo; 0 for none.
  public var colors: Int
  /// Whether `COLORTERM` promises 24-bit colors.
  public var hasTrueColor: Bool
  /// The locale that the environment asks for, and whether it is installed.
  public var locale: String
  public var isLocaleInstalled: Bool
  /// Whether its text is UTF-8.
  public var isUTF8: Bool
  /// nil where standard output is no terminal.
  public var columns: Int?
  public var rows: Int?

  /// The terminal and the locale that the environment describes. Sets the process's locale for characters.
  public static func current() -> TerminalDescription {
    let environment = ProcessInfo.processInfo.environment
    let name = environment["TERM"].flatMap { $0.isEmpty ? nil : $0 }
    var isKnown = false
    var colors = 0
    if let name {
      isKnown = shim_read_terminal(name) != 0
      if isKnown { colors = max(0, Int(tigetnum("colors"))) }
    }
    let locale =
      ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? "C"
    let isInstalled = setlocale(LC_CTYPE, "") != nil
    var size = winsize()
    let hasSize = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return TerminalDescription(
      name: name, isKnown: isKnown, colors: colors,
      hasTrueColor: ["truecolor", "24bit"].contains(environment["COLORTERM"] ?? ""), locale: locale,
      isLocaleInstalled: isInstalled,
      isUTF8: isInstalled && String(cString: nl_langinfo(Int32(CODESET))) == "UTF-8",
      columns: hasSize ? Int(size.ws_col) : nil, rows: hasSize ? Int(size.ws_row) : nil)
  }
}

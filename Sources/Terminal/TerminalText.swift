// A frame among other lines of output, as a command prints it: its cells with the escape sequences for their colors, in as
// many as the terminal has. No screen is opened and the terminal is asked nothing.

import CNcurses
import Canvas
import FoundationEssentials
import Glibc

/// Prints frames as lines.
public struct TerminalText: Sendable {
  /// How many colors the terminal shows; none also where the user wants none.
  public let colors: ColorDepth
  /// The drawing characters that it has.
  public let glyphs: Glyphs

  public init(colors: ColorDepth, glyphs: Glyphs) {
    self.colors = colors
    self.glyphs = glyphs
  }

  /// For standard output; nil where that is no terminal, or one that knows no escape codes.
  public static func ofStandardOutput() -> TerminalText? {
    let environment = ProcessInfo.processInfo.environment
    guard isatty(STDOUT_FILENO) == 1, let term = environment["TERM"], !term.isEmpty, term != "dumb" else {
      return nil
    }
    let refusesColor = Terminal.refusesColor
    guard let entry = TerminalEntry.ofEnvironment(refusesColor: refusesColor) else { return nil }
    let colors: ColorDepth
    if refusesColor {
      colors = .none
    } else if entry.embedded != nil {
      colors = .direct
    } else {
      colors = shim_read_terminal(entry.plainName) != 0 ? ColorDepth(colors: Int(tigetnum("colors"))) : .none
    }
    return TerminalText(
      colors: colors,
      glyphs: TerminalScreen.glyphs(isUTF8: LocaleChoice.adopt().isUTF8, environment: environment))
  }

  /// How pictures are drawn for it.
  public var theme: Theme {
    (colors == .none ? Theme.monochrome : .dark).with(glyphs: glyphs, pictures: colors.pictures)
  }

  /// The rows of a frame from the top; each leaves the terminal's colors as they were.
  public func lines(of frame: Frame) -> [String] {
    (0..<frame.size.height).map { row in
      let cells = frame.cells[row * frame.size.width..<(row + 1) * frame.size.width]
      let last = cells.lastIndex { $0.character != " " || $0.style.background != .standard }
      var (line, now) = ("", (foreground: -1, background: -1))
      for cell in cells[..<(last.map { $0 + 1 } ?? cells.startIndex)] {
        // The second half of a wide character.
        guard let character = cell.character else { continue }
        let wanted = colors.indices(of: cell.style)
        if wanted != now {
          line += sequence(wanted)
          now = wanted
        }
        line.append(character)
      }
      return now == (-1, -1) ? line : line + "\u{1B}[0m"
    }
  }

  /// What changes the colors (ECMA-48, 8.3.117, and xterm's for more of them).
  private func sequence(_ indices: (foreground: Int, background: Int)) -> String {
    func code(_ index: Int, basic: Int, bright: Int, kind: Int) -> String {
      switch index {
      case ..<0: "\(basic + 9)"
      case ..<8: "\(basic + index)"
      case ..<16: "\(bright + index - 8)"
      case _ where colors == .direct: "\(kind);2;\(index >> 16);\(index >> 8 & 0xFF);\(index & 0xFF)"
      default: "\(kind);5;\(index)"
      }
    }
    return "\u{1B}[" + code(indices.foreground, basic: 30, bright: 90, kind: 38) + ";"
      + code(indices.background, basic: 40, bright: 100, kind: 48) + "m"
  }
}

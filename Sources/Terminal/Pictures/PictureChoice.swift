// How pictures come onto the screen: what the person asked for, against what the terminal says that it can.

import Canvas

/// What was asked for with `--pictures`.
public enum PictureChoice: String, Sendable, CaseIterable {
  /// The best of what the terminal says that it can.
  case auto
  /// Kitty's graphics protocol.
  case kitty
  case sixel
  /// Cells: blocks, dots or characters, in the colors that there are.
  case blocks
  /// No pictures.
  case none
}

/// How this screen shows them.
enum PictureProtocol: Sendable, Equatable {
  case cells, none
  /// - Parameter throughTmux: whether each sequence has to be wrapped, for tmux to pass it on.
  case kitty(throughTmux: Bool)
  /// - Parameter cell: the extent of a cell in pixels.
  case sixel(cell: Size)

  /// - Parameters:
  ///   - isTmux: whether tmux, which does not pass on the terminal's answer about pictures, is in between.
  ///   - isUTF8: without it there are no marks for a picture's cells.
  ///   - hasColor: a mark names its picture by its color.
  /// - Throws: `TerminalFailure` where what was asked for cannot be.
  static func choose(
    _ choice: PictureChoice, answers: TerminalAnswers, isTmux: Bool, isUTF8: Bool, hasColor: Bool, cell: Size?
  ) throws(TerminalFailure) -> PictureProtocol {
    switch choice {
    case .blocks: return .cells
    case .none: return .none
    case .auto:
      guard hasColor else { return .cells }
      if answers.knowsMarks, isUTF8 { return .kitty(throughTmux: false) }
      if answers.hasSixel, let cell { return .sixel(cell: cell) }
      return .cells
    case .kitty:
      guard isUTF8, hasColor else {
        throw TerminalFailure(
          description:
            "--pictures kitty needs a UTF-8 locale and colors (NO_COLOR unset): each cell of a picture is a "
            + "colored character; --pictures blocks needs neither")
      }
      if isTmux { return .kitty(throughTmux: true) }
      guard answers.hasKitty else { throw Self.refused("kitty", "kitty's graphics protocol") }
      return .kitty(throughTmux: false)
    case .sixel:
      guard answers.hasSixel else { throw Self.refused("sixel", "sixel graphics") }
      guard let cell else {
        throw TerminalFailure(
          description: "--pictures sixel: the terminal does not say how large a cell is in pixels; "
            + "use --pictures blocks")
      }
      return .sixel(cell: cell)
    }
  }

  private static func refused(_ option: String, _ what: String) -> TerminalFailure {
    TerminalFailure(
      description: "--pictures \(option): asked for it, the terminal did not say that it shows \(what); "
        + "--pictures auto takes the best that it has")
  }

  /// What the theme has to know of it.
  var output: PictureOutput {
    switch self {
    case .cells: .cells
    case .none: .none
    case .kitty, .sixel: .pixels
    }
  }
}

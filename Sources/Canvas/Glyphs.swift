// The characters that drawings are made of: one table for terminals with Unicode, one for the rest. Which of them a
// terminal gets is the Terminal module's decision.

/// A table of drawing characters, each one column wide.
public struct Glyphs: Sendable, Equatable {
  /// How a picture is put into cells.
  public enum Pixels: Sendable, Equatable {
    /// Two by two parts a cell, in two colors.
    case quarters
    /// Two halves a cell, each in its color.
    case halves
    /// A colored space a cell.
    case spaces
  }

  public var horizontal: Character
  public var vertical: Character
  public var topLeft: Character
  public var topRight: Character
  public var bottomLeft: Character
  public var bottomRight: Character
  /// A vertical line with a tick to the left, as on a chart's axis.
  public var tick: Character
  /// Stands for what was cut from a text.
  public var ellipsis: Character
  public var bullet: Character
  public var checkMark: Character
  public var cross: Character
  public var upArrow: Character
  public var downArrow: Character
  public var leftArrow: Character
  public var rightArrow: Character
  /// Between two facts on one line.
  public var separator: Character
  /// The moving part of a scroll bar.
  public var scrollThumb: Character
  /// The part of a scroll bar that the thumb moves over.
  public var scrollTrack: Character
  /// A key's piece in a chart's legend.
  public var legendLine: Character
  /// Eight heights, lowest first.
  public var sparkline: [Character]
  /// Filled eighths of a cell from the left, one eighth first, the full cell last; without partial cells, the one
  /// full cell.
  public var horizontalBlocks: [Character]
  /// Full cells for segments of a bar that stand side by side, where color may not tell them apart.
  public var segments: [Character]
  /// Darkest to brightest, for pictures without color.
  public var luminance: [Character]
  /// How pictures are put into cells.
  public var pixels: Pixels
  /// Whether charts may be drawn in braille dots (two by four a cell).
  public var hasBraille: Bool
  /// Marks of a chart's series, in order, where there is no braille.
  public var chartMarks: [Character]
  /// Frames of an activity sign.
  public var spinner: [Character]

  /// For terminals in a UTF-8 locale.
  public static let unicode = Glyphs(
    horizontal: "─", vertical: "│", topLeft: "╭", topRight: "╮", bottomLeft: "╰", bottomRight: "╯", tick: "┤",
    ellipsis: "…", bullet: "•", checkMark: "✓", cross: "✗", upArrow: "↑", downArrow: "↓", leftArrow: "←",
    rightArrow: "→", separator: "·", scrollThumb: "┃", scrollTrack: "│", legendLine: "━",
    sparkline: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    horizontalBlocks: ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"], segments: ["█", "▓", "▒", "░"],
    luminance: [" ", "░", "▒", "▓", "█"], pixels: .quarters, hasBraille: true, chartMarks: ["•"],
    spinner: ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"])

  /// For everything else: only printable ASCII.
  public static let ascii = Glyphs(
    horizontal: "-", vertical: "|", topLeft: "+", topRight: "+", bottomLeft: "+", bottomRight: "+", tick: "+",
    ellipsis: "~", bullet: "*", checkMark: "+", cross: "x", upArrow: "^", downArrow: "v", leftArrow: "<",
    rightArrow: ">", separator: "-", scrollThumb: "#", scrollTrack: "|", legendLine: "-",
    sparkline: ["_", ".", "-", ":", "=", "+", "*", "#"], horizontalBlocks: ["#"], segments: ["#", "=", "-", "."],
    luminance: [" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"], pixels: .spaces, hasBraille: false,
    chartMarks: ["*", "o", "+", "x"], spinner: ["|", "/", "-", "\\"])
}

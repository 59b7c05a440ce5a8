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

  /// What curves are made of.
  public enum ChartDots: String, Sendable, Equatable, CaseIterable {
    /// Two by four dots a cell.
    case braille
    /// Two by two quarters of a cell.
    case blocks
    /// A mark a cell, another for each curve.
    case marks
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
  /// What the curves of charts are made of.
  public var chartDots: ChartDots
  /// A piece of the lines that lead from a chart's ticks to its curves.
  public var guide: Character
  /// The line below a chart, and a tick on it.
  public var baseline: Character
  public var baselineTick: Character
  /// Where a chart's cursor is.
  public var cursor: Character
  /// What is best.
  public var star: Character
  /// Where a line goes off to the right, and where two come together again.
  public var fork: Character
  public var joint: Character
  /// Before what hides something, and before what shows it.
  public var folded: Character
  public var unfolded: Character
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
    luminance: [" ", "░", "▒", "▓", "█"], pixels: .quarters, chartDots: .braille, guide: "┈",
    baseline: "─", baselineTick: "┴", cursor: "┊", star: "★", fork: "├", joint: "⊕", folded: "▸", unfolded: "▾",
    chartMarks: ["•", "o", "+", "x"],
    spinner: ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"])

  /// For the console of a Linux machine, whose font has the signs of IBM's code page 437 and no others.
  public static let console = Glyphs(
    horizontal: "─", vertical: "│", topLeft: "┌", topRight: "┐", bottomLeft: "└", bottomRight: "┘", tick: "┤",
    ellipsis: "~", bullet: "•", checkMark: "√", cross: "x", upArrow: "↑", downArrow: "↓", leftArrow: "←",
    rightArrow: "→", separator: "·", scrollThumb: "█", scrollTrack: "│", legendLine: "═",
    sparkline: ["▄", "█"], horizontalBlocks: ["▌", "█"], segments: ["█", "▓", "▒", "░"],
    luminance: [" ", "░", "▒", "▓", "█"], pixels: .halves, chartDots: .marks, guide: "·",
    baseline: "─", baselineTick: "┴", cursor: "│", star: "*", fork: "├", joint: "+", folded: "+", unfolded: "-",
    chartMarks: ["•", "o", "+", "x"],
    spinner: ["|", "/", "-", "\\"])

  /// For everything else: only printable ASCII.
  public static let ascii = Glyphs(
    horizontal: "-", vertical: "|", topLeft: "+", topRight: "+", bottomLeft: "+", bottomRight: "+", tick: "+",
    ellipsis: "~", bullet: "*", checkMark: "+", cross: "x", upArrow: "^", downArrow: "v", leftArrow: "<",
    rightArrow: ">", separator: "-", scrollThumb: "#", scrollTrack: "|", legendLine: "-",
    sparkline: ["_", ".", "-", ":", "=", "+", "*", "#"], horizontalBlocks: ["#"], segments: ["#", "=", "-", "."],
    luminance: [" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"], pixels: .spaces, chartDots: .marks, guide: ".",
    baseline: "-", baselineTick: "+", cursor: "|", star: "*", fork: "|", joint: "+", folded: "+", unfolded: "-",
    chartMarks: ["*", "o", "+", "x"],
    spinner: ["|", "/", "-", "\\"])
}

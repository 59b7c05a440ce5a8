// Keys and other input as values: what the terminal reports and the workbench's keymap names.

/// A key press.
public enum Key: Sendable, Hashable {
  case character(Character)
  /// A letter with Control, in lower case: `.control("c")`.
  case control(Character)
  case function(Int)
  case enter, escape, tab, backTab, backspace, delete
  case up, down, left, right, home, end, pageUp, pageDown
}

/// Something a person did at the terminal.
public enum Input: Sendable, Hashable {
  case key(Key)
  /// Text that the terminal marked as pasted, as it came: line feeds and controls included.
  case paste(String)
  /// More text at once than a person types, from a terminal that does not mark what is pasted. A line feed at its
  /// end may be the Enter key.
  case burst(String)
  /// The first button pressed in a cell.
  case click(x: Int, y: Int)
  /// Pressed there once more, soon after a click.
  case doubleClick(x: Int, y: Int)
  /// Moved into a cell while it is held.
  case drag(x: Int, y: Int)
  /// Let go.
  case release(x: Int, y: Int)
  /// The wheel turned over a cell; `rows` is negative toward the top.
  case scroll(x: Int, y: Int, rows: Int)
  case resized(Size)
  /// The terminal is gone.
  case endOfInput
}

// The screen as lines of text, one after another: for screen readers, and for terminals that can do nothing else. What is
// shown is what `render` would draw, without borders and without what stands beside it.

import Canvas

/// What a person has before them: the question or list that lies over the panes, or else the pane with the focus.
public enum PlainScreen {
  /// Wide enough for every column, and high enough for long lists.
  private static let size = Size(width: 100, height: 240)

  /// - Returns: lines without blanks at their ends; several empty ones in a row are one.
  public static func lines(_ state: WorkbenchState, theme: Theme) -> [String] {
    var state = state
    state.size = size
    state.zoomed = true
    var pictures = DrawnPictures()
    var frame = Frame(size: size, filledWith: Cell(" ", theme[.text]), ellipsis: theme.glyphs.ellipsis)
    guard state.overlay == nil else {
      drawOverlay(state, into: &frame, theme: theme, pictures: &pictures)
      return text(of: frame, theme: theme)
    }
    let pane = state.panes[state.focus]
    let area = Rect(size).inset(bottom: 2)
    pane.draw(state, into: &frame, in: area, theme: theme, pictures: &pictures)
    let caption = pane.caption(state, width: size.width, theme: theme).map(\.text).joined()
    return ["\(state.heading(of: state.focus))\(caption.isEmpty ? "" : ": \(caption)")"]
      + text(of: frame, theme: theme)
  }

  /// What has just been said; nil where nothing is new.
  public static func message(_ state: WorkbenchState) -> String? { state.message.map { $0.level.mark + $0.text } }

  /// Whether a key is awaited as an answer.
  public static func isAsking(_ state: WorkbenchState) -> Bool { state.overlay != nil }

  /// The keys that mean something now, as `space train`.
  public static func keys(_ state: WorkbenchState) -> String {
    state.hints.map { "\($0.key.label(.ascii)) \($0.text)" }.joined(separator: ", ")
  }

  private static func text(of frame: Frame, theme: Theme) -> [String] {
    var lines: [String] = []
    for y in 0..<frame.size.height {
      let row = (0..<frame.size.width).map { frame[$0, y].character.map(String.init) ?? "" }.joined()
      let line = Self.spoken(String(row.map { isBorder($0) ? " " : $0 }).trimmed)
      if line.isEmpty && (lines.last ?? "").isEmpty { continue }
      lines.append(line)
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  /// Lines of boxes, which a reader would spell out.
  private static func isBorder(_ character: Character) -> Bool {
    guard let scalar = character.unicodeScalars.first else { return false }
    return (0x2500...0x257F).contains(scalar.value) || character == "|"
  }

  /// A line without the parts of it that are drawings: rows of one sign, such as a bar or the edge of a box.
  private static func spoken(_ line: String) -> String {
    var (kept, run) = ("", "")
    func end() {
      let isDrawing = run.count >= 3 && run.first.map { !$0.isLetter && !$0.isNumber && $0 != "." } == true
      kept += isDrawing ? " " : run
    }
    for character in line {
      if character != run.last {
        end()
        run = ""
      }
      run.append(character)
    }
    end()
    // What is left of the corners.
    let words = kept.split(separator: " ", omittingEmptySubsequences: false)
    let first = words.first.map { ["+", "+-"].contains($0) } == true ? 1 : 0
    let last = words.count > first && words.last.map { ["+", "-+"].contains($0) } == true ? 1 : 0
    return words.dropFirst(first).dropLast(last).joined(separator: " ").trimmed
  }
}

// Frames as text, for tests and bug reports. Nothing here is read back.

extension Frame {
  /// The characters row by row, trailing spaces trimmed.
  public func text() -> String {
    rows { row in String(row.compactMap(\.character)).trimmingTrailing(" ") }
  }

  /// The text, then the styles: a letter a cell (`.` is the plain style, trailing ones trimmed), then what each
  /// letter means, in order of appearance.
  public func snapshot() -> String {
    var letters: [Style: Character] = [.plain: "."]
    var legend: [String] = []
    let styles = rows { row in
      String(
        row.map { cell in
          if let letter = letters[cell.style] { return letter }
          let letter = Self.letter(legend.count)
          letters[cell.style] = letter
          legend.append("\(letter) \(cell.style.notation)")
          return letter
        }
      ).trimmingTrailing(".")
    }
    return ([text(), "--- styles", styles, "---"] + legend).joined(separator: "\n") + "\n"
  }

  private func rows(_ line: (ArraySlice<Cell>) -> String) -> String {
    (0..<size.height)
      .map { line(cells[$0 * size.width..<($0 + 1) * size.width]) }
      .joined(separator: "\n")
  }

  /// Letters and digits; pictures need more, and take them from the Latin and later letters beyond ASCII.
  private static func letter(_ index: Int) -> Character {
    let plain = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    if index < plain.count { return plain[index] }
    return Unicode.Scalar(UInt32(0x100 + index)).map { Character($0) } ?? "?"
  }
}

extension String {
  fileprivate func trimmingTrailing(_ character: Character) -> String {
    var result = self[...]
    while result.last == character { result.removeLast() }
    return String(result)
  }
}

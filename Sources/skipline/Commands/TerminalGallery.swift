// Pictures among the results of a command, where standard output is a terminal: drawn as the screen draws them, in the
// colors that the terminal has. Anywhere else there is none, and no escape code.

import Canvas
import Images
import Terminal

/// Prints thumbnails side by side.
struct TerminalGallery {
  private let text: TerminalText
  private let columns: Int
  /// Cells across, and half of that down.
  private static let side = 20
  private static let gap = 2

  /// - Returns: nil where there is no such terminal.
  init?() {
    guard let width = Console.terminalWidth, width >= Self.side, let text = TerminalText.ofStandardOutput() else {
      return nil
    }
    self.text = text
    columns = max(1, (width + Self.gap) / (Self.side + Self.gap))
  }

  /// - Parameter files: with what stands below each.
  func print(_ files: [(path: String, caption: String)]) {
    let (decoder, theme) = (ImageDecoder(), text.theme)
    let height = Self.side / 2
    for begin in stride(from: 0, to: files.count, by: columns) {
      let row = files[begin..<min(begin + columns, files.count)]
      var frame = Frame(size: Size(width: row.count * (Self.side + Self.gap) - Self.gap, height: height + 1))
      for (place, file) in row.enumerated() {
        let x = place * (Self.side + Self.gap)
        if let image = try? decoder.decode(path: file.path, minimumSide: Self.side * 4) {
          Picture(width: image.width, height: image.height, pixels: image.pixels)?
            .draw(into: &frame, in: Rect(x: x, y: 0, width: Self.side, height: height), theme: theme)
        }
        frame.put(file.caption, in: Rect(x: x, y: height, width: Self.side, height: 1))
      }
      for line in text.lines(of: frame) { Console.print(verbatim: line) }
    }
  }
}

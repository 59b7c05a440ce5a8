// Frames as lines of text: the colors that the terminal has, said once for neighbors alike, and nothing left behind.

import Canvas
import Testing

@testable import Terminal

struct TerminalTextTests {
  private func line(_ colors: ColorDepth, _ cells: [Cell]) -> String {
    var frame = Frame(size: Size(width: cells.count + 2, height: 1))
    for (x, cell) in cells.enumerated() { frame[x, 0] = cell }
    return TerminalText(colors: colors, glyphs: .unicode).lines(of: frame)[0]
  }

  @Test func `each number of colors has its own codes`() {
    let style = Style(foreground: .rgb(red: 255, green: 1, blue: 2), background: .rgb(red: 0, green: 0, blue: 0))
    let cells = [Cell("a", style), Cell("b", style), Cell("c"), Cell(" ")]
    #expect(line(.direct, cells) == "\u{1B}[38;2;255;1;2;48;2;1;1;1mab\u{1B}[39;49mc")
    #expect(line(.palette, cells) == "\u{1B}[38;5;196;48;5;16mab\u{1B}[39;49mc")
    #expect(line(.sixteen, cells) == "\u{1B}[91;40mab\u{1B}[39;49mc")
    #expect(line(.eight, cells) == "\u{1B}[31;40mab\u{1B}[39;49mc")
    #expect(line(.none, cells) == "abc")
  }

  @Test func `a colored end stays, and the colors end with the line`() {
    let ground = Style(background: .palette(4))
    #expect(line(.eight, [Cell("漢"), Cell(nil), Cell(" ", ground)]) == "漢\u{1B}[39;44m \u{1B}[0m")
    #expect(line(.eight, []) == "")
  }

  @Test func `a picture is drawn in what there is`() throws {
    let pixels = (0..<16 * 16).flatMap { _ in [UInt8](arrayLiteral: 200, 40, 40) }
    let picture = try #require(Picture(width: 16, height: 16, pixels: pixels))
    for (colors, glyphs) in [
      (ColorDepth.direct, Glyphs.unicode), (.palette, .unicode), (.eight, .console), (.eight, .ascii),
      (.none, .unicode), (.none, .ascii),
    ] {
      let text = TerminalText(colors: colors, glyphs: glyphs)
      var frame = Frame(size: Size(width: 8, height: 4))
      picture.draw(into: &frame, in: Rect(frame.size), theme: text.theme)
      let lines = text.lines(of: frame).joined()
      #expect(lines.contains("\u{1B}[") == (colors != .none), "\(colors)")
      #expect(lines.unicodeScalars.allSatisfy { $0.isASCII } || glyphs != .ascii)
    }
  }
}

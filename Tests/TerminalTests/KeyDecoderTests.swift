// From what ncurses reads to inputs.

import CNcurses
import Canvas
import Testing

@testable import Terminal

struct KeyDecoderTests {
  private func typed(_ text: String) -> [Input] {
    KeyDecoder.decode(text.unicodeScalars.map { .character($0) })
  }

  @Test(arguments: [
    ("a", Key.character("a")), ("é", .character("é")), ("漢", .character("漢")), (" ", .character(" ")),
    ("\u{3}", .control("c")), ("\u{1A}", .control("z")), ("\u{1}", .control("a")), ("\u{0}", .control(" ")),
    ("\u{1C}", .control("\\")), ("\r", .enter), ("\n", .enter), ("\t", .tab), ("\u{7F}", .backspace),
    ("\u{8}", .backspace), ("\u{1B}", .escape),
  ])
  func `a character is a key`(text: String, key: Key) {
    #expect(typed(text) == [.key(key)])
  }

  @Test(arguments: [
    (KEY_UP, Key.up), (KEY_DOWN, .down), (KEY_LEFT, .left), (KEY_RIGHT, .right), (KEY_HOME, .home), (KEY_END, .end),
    (KEY_PPAGE, .pageUp), (KEY_NPAGE, .pageDown), (KEY_BTAB, .backTab), (KEY_DC, .delete), (KEY_ENTER, .enter),
    (KEY_BACKSPACE, .backspace), (KEY_F0 + 1, .function(1)), (KEY_F0 + 12, .function(12)),
  ])
  func `a function key has its name`(code: Int32, key: Key) {
    #expect(KeyDecoder.decode([.code(code)]) == [.key(key)])
  }

  @Test func `keys without a name are dropped`() {
    #expect(KeyDecoder.decode([.code(KEY_F0), .code(KEY_F0 + 64), .code(KEY_UNDO), .code(600)]) == [])
  }

  @Test func `common sequences that terminfo did not promise are keys`() {
    #expect(typed("\u{1B}[1~\u{1B}OF\u{1B}[Z") == [.key(.home), .key(.end), .key(.backTab)])
  }

  @Test func `an unknown sequence types nothing, and what follows it is kept`() {
    #expect(typed("\u{1B}[1;5Cx") == [.key(.character("x"))])
    #expect(typed("\u{1B}[200~") == [])
    #expect(typed("\u{1B}Oz") == [])
  }

  @Test func `an escape that begins no sequence is a key of its own`() {
    #expect(typed("\u{1B}q") == [.key(.escape), .key(.character("q"))])
    #expect(typed("\u{1B}\u{1B}") == [.key(.escape), .key(.escape)])
    #expect(typed("\u{1B}[") == [.key(.escape), .key(.character("["))])
    #expect(typed("\u{1B}[1;") == [.key(.escape)] + "[1;".map { .key(.character($0)) })
    #expect(KeyDecoder.decode([.character("\u{1B}"), .code(KEY_UP)]) == [.key(.escape), .key(.up)])
  }

  @Test func `mouse and size are passed on, of several sizes the last`() {
    let sizes = [Size(width: 80, height: 24), Size(width: 100, height: 30)]
    let raw: [RawInput] = [
      .resized(sizes[0]), .click(x: 1, y: 2), .wheel(x: 3, y: 4, rows: -3), .resized(sizes[1]), .character("a"),
    ]
    #expect(
      KeyDecoder.decode(raw) == [
        .click(x: 1, y: 2), .scroll(x: 3, y: 4, rows: -3), .resized(sizes[1]), .key(.character("a")),
      ])
  }
}

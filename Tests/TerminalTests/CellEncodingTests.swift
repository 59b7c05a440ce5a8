// What a cell's character becomes before ncurses gets it.

import Canvas
import Testing

@testable import Terminal

struct CellEncodingTests {
  /// As the C library answers in a UTF-8 locale.
  private func unicode(_ scalar: Unicode.Scalar) -> Int {
    DisplayWidth.of(Character(scalar))
  }

  /// As the C library answers in the locale C.
  private func plain(_ scalar: Unicode.Scalar) -> Int {
    scalar.isASCII ? 1 : -1
  }

  @Test func `a character stays with its accents`() {
    #expect(CellEncoding.entries(for: "a", width: unicode) == [["a"]])
    #expect(CellEncoding.entries(for: "漢", width: unicode) == [["漢"]])
    #expect(CellEncoding.entries(for: "e\u{301}\u{323}", width: unicode) == [["e", "\u{301}", "\u{323}"]])
  }

  @Test func `more accents than a cell holds are cut off`() {
    let tower = Character("e" + String(repeating: "\u{301}", count: 50))
    #expect(CellEncoding.entries(for: tower, width: unicode).first?.count == 5)
  }

  @Test func `what would take columns of its own is left out`() {
    #expect(CellEncoding.entries(for: "👍🏽", width: unicode) == [["👍"]])
    #expect(CellEncoding.entries(for: "🇬🇧", width: unicode) == [["🇬"]])
    #expect(CellEncoding.entries(for: "❤\u{FE0F}", width: unicode) == [["❤"]])
  }

  @Test func `without Unicode every character keeps its columns`() {
    #expect(CellEncoding.entries(for: "漢", width: plain) == [["?"], ["?"]])
    #expect(CellEncoding.entries(for: "é", width: plain) == [["?"]])
    #expect(CellEncoding.entries(for: "…", width: plain) == [["~"]])
  }

  @Test func `a character that the C library counts otherwise cannot shift the row`() {
    #expect(CellEncoding.entries(for: "漢", width: { _ in 1 }) == [["?"], ["?"]])
    #expect(CellEncoding.entries(for: "✓", width: { _ in 2 }) == [["+"]])
  }

  @Test func `a control that got this far is a space`() {
    for character: Character in ["\u{1B}", "\n", "\u{9B}", "\u{200B}", "\u{301}"] {
      #expect(CellEncoding.entries(for: character, width: unicode) == [[" "]])
    }
  }
}

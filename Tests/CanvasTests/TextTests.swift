// Widths, sanitizing, cutting and wrapping of text.

import Canvas
import Testing

struct DisplayWidthTests {
  @Test(
    arguments: [
      ("a", 1), ("é", 1), ("e\u{301}", 1), ("漢", 2), ("Ａ", 2), ("ｱ", 1), ("👍", 2), ("👍🏽", 2), ("한", 2), ("✓", 1),
      ("…", 1),
      ("⠿", 1), ("█", 1), ("\u{301}", 0), ("\u{200B}", 0), ("\u{7}", 0), ("\u{9B}", 0), ("\u{AC00}", 2),
      ("\u{1FAF6}", 2),
    ] as [(Character, Int)])
  func `a character takes the columns that wcwidth gives its base`(character: Character, columns: Int) {
    #expect(DisplayWidth.of(character) == columns)
  }

  @Test func `a text takes the sum of its characters`() {
    #expect(DisplayWidth.of("ab漢字") == 6)
    #expect(DisplayWidth.of("") == 0)
  }
}

struct SanitizerTests {
  @Test func `escape sequences in names become visible`() {
    #expect(Sanitizer.sanitized("\u{1B}]0;x\u{7}") == "␛]0;x␇")
    #expect(Sanitizer.sanitized("a\r\nb\tc\u{7F}") == "a␍␊b␉c␡")
  }

  @Test func `bidirectional, invisible and C1 controls become replacement characters`() {
    for scalar: Unicode.Scalar in [
      "\u{202E}", "\u{2066}", "\u{200B}", "\u{200D}", "\u{FEFF}", "\u{85}", "\u{9B}", "\u{AD}", "\u{2028}",
      "\u{2029}",
      "\u{E0041}", "\u{FFF9}", "\u{3164}", "\u{FE0F}",
    ] {
      #expect(Sanitizer.sanitized("a\(scalar)b") == "a\u{FFFD}b", "U+\(String(scalar.value, radix: 16))")
    }
  }

  @Test func `bytes that are no UTF-8 are visible too`() {
    let text = String(decoding: [0x61, 0xFF, 0xC0, 0x62] as [UInt8], as: UTF8.self)
    #expect(Sanitizer.sanitized(text) == "a\u{FFFD}\u{FFFD}b")
  }

  @Test func `bytes of names that are no UTF-8 are one sign of one column each`() {
    for value in UInt32(0xF780)...0xF7FF {
      let name = "a\(Unicode.Scalar(value).map(String.init) ?? "")b"
      #expect(Sanitizer.sanitized(name) == "a\u{FFFD}b")
      #expect(DisplayWidth.of(Sanitizer.sanitized(name)) == 3)
    }
    #expect(Sanitizer.isSafe("\u{F77F}\u{F800}"), "others of the private use area are as they were")
  }

  @Test func `ordinary text of any script stays as it is`() {
    for text in ["plain", "naïve", "漢字", "e\u{301}", "❤\u{FE0F}", "مرحبا", "👍🏽"] {
      #expect(Sanitizer.sanitized(text) == text)
      #expect(Sanitizer.isSafe(text))
    }
  }

  @Test func `sanitizing twice changes nothing more, whatever the text`() {
    var random = SystemlessGenerator(seed: 1)
    for _ in 0..<2_000 {
      let text = random.text(maximumLength: 30)
      let once = Sanitizer.sanitized(text)
      #expect(Sanitizer.sanitized(once) == once)
      let controls = once.unicodeScalars.filter { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) }
      #expect(controls.isEmpty)
    }
  }
}

struct TruncationTests {
  @Test(arguments: [
    (Truncation.end, 5, "abcd…"), (.start, 5, "…efgh"), (.middle, 5, "ab…gh"), (.clip, 5, "abcde"),
    (.end, 8, "abcdefgh"),
    (.end, 1, "…"), (.start, 1, "…"), (.middle, 1, "…"), (.clip, 1, "a"), (.end, 0, ""), (.middle, -3, ""),
    (.middle, 2, "a…"),
  ])
  func `a text is cut where it should be`(truncation: Truncation, width: Int, expected: String) {
    #expect(truncation.fit("abcdefgh", width: width) == expected)
  }

  @Test func `a wide character that would be cut in two goes as a whole`() {
    #expect(Truncation.end.fit("漢字漢字", width: 6) == "漢字…")
    #expect(Truncation.start.fit("漢字漢字", width: 6) == "…漢字")
    #expect(Truncation.clip.fit("漢字漢字", width: 5) == "漢字")
  }

  @Test func `no cut text is ever too wide`() {
    var random = SystemlessGenerator(seed: 2)
    for _ in 0..<500 {
      let text = random.text(maximumLength: 20)
      for width in 0...12 {
        for truncation: Truncation in [.end, .start, .middle, .clip] {
          #expect(DisplayWidth.of(truncation.fit(text, width: width)) <= width)
        }
      }
    }
  }
}

struct ParagraphTests {
  @Test func `lines break at spaces, and inside words that are too long`() {
    #expect(Paragraph.wrapped("one two three", width: 7) == ["one two", "three"])
    #expect(Paragraph.wrapped("abcdefghij k", width: 4) == ["abcd", "efgh", "ij k"])
    #expect(Paragraph.wrapped("漢字漢字", width: 5) == ["漢字", "漢字"])
  }

  @Test func `line breaks stay and empty lines with them`() {
    #expect(Paragraph.wrapped("a\n\nb\r\nc", width: 9) == ["a", "", "b", "c"])
    #expect(Paragraph.wrapped("", width: 9) == [""])
  }

  @Test func `a width of zero or of half a character gives nothing to draw`() {
    #expect(Paragraph.wrapped("abc", width: 0).isEmpty)
    #expect(Paragraph.wrapped("漢", width: 1) == [""])
  }
}

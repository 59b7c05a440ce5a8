// Drawing into frames: text, boxes, halves of wide characters, rectangles that are empty or lie outside.

import Canvas
import Testing

struct FrameTests {
  private let red = Style(foreground: .palette(1))

  @Test func `text is cut with an ellipsis and stays in its rectangle`() {
    var frame = Frame(size: Size(width: 10, height: 1), filledWith: Cell("."))
    frame.put("abcdefgh", in: Rect(x: 2, y: 0, width: 5, height: 1))
    #expect(frame.text() == "..abcd…...")
  }

  @Test func `text stands where it is aligned`() {
    var frame = Frame(size: Size(width: 7, height: 3), filledWith: Cell("."))
    let rect = Rect(frame.size)
    frame.put("abc", in: rect.row(0))
    frame.put("abc", in: rect.row(1), align: .center)
    frame.put("abc", in: rect.row(2), align: .trailing)
    #expect(frame.text() == "abc....\n..abc..\n....abc")
  }

  @Test func `an ASCII frame cuts with an ASCII sign`() {
    var frame = Frame(size: Size(width: 4, height: 1), ellipsis: Glyphs.ascii.ellipsis)
    frame.put("abcdefgh", in: Rect(frame.size))
    #expect(frame.text() == "abc~")
  }

  @Test func `spans keep their styles and the cut takes that of its neighbor`() {
    var frame = Frame(size: Size(width: 5, height: 1))
    frame.put([Span("ab"), Span("cdef", red)], in: Rect(frame.size), style: Style(bold: true))
    #expect(frame.snapshot() == "abcd…\n--- styles\naabbb\n---\na bold\nb 1\n")
  }

  @Test func `a hostile name cannot leave its line`() {
    var frame = Frame(size: Size(width: 12, height: 2))
    frame.put("a\u{1B}[2J\nb\u{202E}", in: Rect(x: 0, y: 0, width: 12, height: 1))
    #expect(frame.text() == "a␛[2J␊b\u{FFFD}\n")
  }

  @Test func `a wide character takes two cells`() {
    var frame = Frame(size: Size(width: 6, height: 1))
    frame.put("a漢b", in: Rect(frame.size))
    #expect(frame.cells.map(\.character) == ["a", "漢", nil, "b", " ", " "])
    #expect(frame.text() == "a漢b")
  }

  @Test func `overwriting half a wide character blanks the other half`() {
    var left = Frame(size: Size(width: 4, height: 1))
    left.put("漢字", in: Rect(left.size))
    left[0, 0] = Cell("x")
    #expect(left.cells.map(\.character) == ["x", " ", "字", nil])
    var right = Frame(size: Size(width: 4, height: 1))
    right.put("漢字", in: Rect(right.size))
    right[1, 0] = Cell("x")
    #expect(right.cells.map(\.character) == [" ", "x", "字", nil])
    var both = Frame(size: Size(width: 4, height: 1))
    both.put("漢字", in: Rect(both.size))
    both.put("語", in: Rect(x: 1, y: 0, width: 2, height: 1))
    #expect(both.cells.map(\.character) == [" ", "語", nil, " "])
  }

  @Test func `restyling keeps both halves of a wide character`() {
    var frame = Frame(size: Size(width: 2, height: 1))
    frame.put("漢", in: Rect(frame.size))
    frame.restyle(Rect(frame.size)) { $0.bold = true }
    #expect(frame.cells == [Cell("漢", Style(bold: true)), Cell(nil, Style(bold: true))])
  }

  @Test func `a wide character at the frame's edge becomes a space`() {
    var frame = Frame(size: Size(width: 3, height: 1), filledWith: Cell("."))
    frame.put("ab漢", in: Rect(x: 0, y: 0, width: 9, height: 1))
    frame.put("漢", in: Rect(x: -1, y: 0, width: 2, height: 1))
    #expect(frame.text() == " b")
  }

  @Test func `a box has its title, its trailing text and its inside`() {
    var frame = Frame(size: Size(width: 20, height: 3))
    let inner = frame.box(
      Rect(frame.size), title: "Loss", theme: .monochrome, focused: false, trailing: [Span("1/9")])
    #expect(frame.text() == "╭─ Loss ───── 1/9 ─╮\n│                  │\n╰──────────────────╯")
    #expect(inner == Rect(x: 1, y: 1, width: 18, height: 1))
  }

  @Test func `a title that is too long is cut and drops the trailing text`() {
    var frame = Frame(size: Size(width: 12, height: 3))
    frame.box(
      Rect(frame.size), title: "Validation loss", theme: .monochrome, focused: true, trailing: [Span("1/9")],
      footer: "x")
    #expect(
      frame.text() == "╭─ Valid… ─╮\n│          │\n╰────── x ─╯")
  }

  @Test func `a focused box differs without color`() {
    func snapshot(_ focused: Bool) -> Frame {
      var frame = Frame(size: Size(width: 12, height: 3))
      frame.box(Rect(frame.size), title: "A", theme: .monochrome, focused: focused)
      return frame
    }
    #expect(snapshot(true) != snapshot(false))
  }

  @Test func `a box without room for content gets no border and gives the room`() {
    for size in [
      Size(width: 2, height: 5), Size(width: 9, height: 2), Size(width: 0, height: 0), Size(width: 1, height: 9),
    ] {
      var frame = Frame(size: Size(width: 10, height: 10))
      let inner = frame.box(
        Rect(size), title: "Title", theme: .dark, focused: true, trailing: [Span("x")], footer: "y")
      #expect(inner == Rect(size))
      #expect(frame == Frame(size: Size(width: 10, height: 10)))
    }
  }

  @Test func `drawing outside the frame is ignored`() {
    var frame = Frame(size: Size(width: 4, height: 2))
    let outside = Rect(x: -3, y: -1, width: 20, height: 9)
    frame.fill(outside, style: red)
    frame.box(outside, title: "far", theme: .dark, focused: false)
    frame.put("abcdefgh", in: Rect(x: -2, y: 1, width: 20, height: 1))
    #expect(frame.text() == "\ncdef")
  }

  @Test func `a frame of negative size is empty`() {
    var frame = Frame(size: Size(width: -1, height: 4))
    frame.put("abc", in: Rect(x: 0, y: 0, width: 9, height: 9))
    #expect(frame.cells.isEmpty)
  }

  @Test func `a snapshot tells styles apart and trims what is plain`() {
    var frame = Frame(size: Size(width: 4, height: 2))
    frame.put(
      "ab", in: Rect(frame.size), style: Style(foreground: .rgb(red: 1, green: 2, blue: 255), underline: true))
    #expect(frame.snapshot() == "ab\n\n--- styles\naa\n\n---\na #0102ff underline\n")
  }
}

struct RectTests {
  @Test func `rectangles that do not meet have an empty intersection`() {
    let first = Rect(x: 0, y: 0, width: 2, height: 2)
    #expect(first.intersection(Rect(x: 5, y: 5, width: 2, height: 2)).isEmpty)
    #expect(first.intersection(Rect(x: 1, y: -1, width: 9, height: 2)) == Rect(x: 1, y: 0, width: 1, height: 1))
  }

  @Test func `a dialog is no larger than the screen`() {
    let screen = Rect(x: 0, y: 0, width: 10, height: 4)
    #expect(screen.centered(width: 4, height: 2) == Rect(x: 3, y: 1, width: 4, height: 2))
    #expect(screen.centered(width: 99, height: 99) == screen)
    #expect(screen.centered(width: -1, height: -1).isEmpty)
  }
}

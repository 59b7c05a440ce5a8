// Pictures that the terminal draws itself: their cells are marked, and what is drawn over them takes cells from them.

import Testing

@testable import Canvas

struct PlacedPictureTests {
  private static let theme = Theme.dark.with(glyphs: .unicode, pictureOutput: .pixels)

  private func picture(_ shade: UInt8, width: Int = 8, height: Int = 8) throws -> Picture {
    try #require(
      Picture(width: width, height: height, pixels: [UInt8](repeating: shade, count: width * height * 3)))
  }

  @Test func `every cell is marked with its row and column in the picture's color`() throws {
    var frame = Frame(size: Size(width: 20, height: 6))
    try picture(9).draw(into: &frame, in: Rect(x: 3, y: 1, width: 12, height: 4), theme: Self.theme)
    let placed = try #require(frame.pictures.first)
    #expect(frame.pictures.count == 1)
    #expect(placed.place == Rect(x: 5, y: 1, width: 8, height: 4))
    for y in 0..<6 {
      for x in 0..<20 {
        let isInside = placed.place.contains(x: x, y: y)
        #expect(placed.covers(frame[x, y]) == isInside)
        guard isInside else { continue }
        #expect(frame[x, y].character == PictureMark.character(row: y - 1, column: x - 5))
        #expect(DisplayWidth.of(frame[x, y].character ?? " ") == 1)
      }
    }
  }

  @Test func `the marks are those of kitty's protocol`() {
    // The first, the second, some in the middle and the last of its list that are used here.
    let known: [(Int, UInt32)] = [
      (0, 0x0305), (1, 0x030D), (17, 0x0363), (60, 0x0616), (129, 0x0951), (150, 0x1B6B), (213, 0x2DE0),
      (255, 0xA8E5),
    ]
    for (index, accent) in known {
      let mark = PictureMark.character(row: index, column: 0)
      #expect(mark?.unicodeScalars.map(\.value) == [0x10EEEE, accent, 0x0305], "\(index)")
      #expect(PictureMark.character(row: 0, column: index)?.unicodeScalars.last?.value == accent)
    }
    #expect(PictureMark.character(row: 256, column: 0) == nil)
    #expect(PictureMark.character(row: 0, column: -1) == nil)
    let all = Set((0..<256).compactMap { PictureMark.character(row: $0, column: 0) })
    #expect(all.count == 256)
  }

  @Test func `a dialog over it takes its cells, and text that is like it does not get them`() throws {
    var frame = Frame(size: Size(width: 12, height: 6))
    try picture(40).draw(into: &frame, in: Rect(frame.size), theme: Self.theme)
    frame.fill(Rect(x: 4, y: 2, width: 4, height: 2), style: .plain)
    let placed = try #require(frame.pictures.first)
    #expect(frame.cells.filter(placed.covers).count == 12 * 6 - 8)
    frame[0, 0] = Cell("x", frame[0, 0].style)
    #expect(!placed.covers(frame[0, 0]))
  }

  @Test func `a key says which picture it is: the same one keeps it, others have their own`() throws {
    func key(_ picture: Picture, _ rect: Rect) throws -> UInt32 {
      var frame = Frame(size: Size(width: 40, height: 20))
      picture.draw(into: &frame, in: rect, theme: Self.theme)
      return try #require(frame.pictures.first?.key)
    }
    let place = Rect(x: 0, y: 0, width: 12, height: 6)
    let first = try key(picture(1), place)
    #expect(try key(picture(1), Rect(x: 9, y: 7, width: 12, height: 6)) == first)
    #expect(try key(picture(2), place) != first)
    #expect(try key(picture(1), Rect(x: 0, y: 0, width: 16, height: 8)) != first)
    // None is one of the palette's first colors, which stand for themselves.
    #expect(first >= 0x100 && first <= 0xFF_FFFF)
  }

  @Test func `one that is larger than the marks reach is drawn in blocks`() throws {
    var frame = Frame(size: Size(width: 300, height: 160))
    try picture(200).draw(into: &frame, in: Rect(frame.size), theme: Self.theme)
    #expect(frame.pictures.isEmpty)
    #expect(frame.cells.contains { $0.style.background == .rgb(red: 200, green: 200, blue: 200) })
  }

  @Test func `where pictures are off nothing is drawn`() throws {
    var frame = Frame(size: Size(width: 12, height: 6))
    try picture(200).draw(
      into: &frame, in: Rect(frame.size),
      theme: Theme.dark.with(glyphs: .unicode, pictureOutput: PictureOutput.none))
    #expect(frame == Frame(size: frame.size))
  }
}

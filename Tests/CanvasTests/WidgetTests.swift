// Gauges, bars, tables, scrolling and pictures, by what they leave in a frame.

import Testing

@testable import Canvas

private let ascii = Theme.dark.with(glyphs: .ascii)
private let plain = Theme.monochrome.with(glyphs: .ascii)

struct GaugeTests {
  private func frame(_ gauge: Gauge, width: Int, theme: Theme = .dark) -> Frame {
    var frame = Frame(size: Size(width: width, height: 1))
    gauge.draw(into: &frame, in: Rect(frame.size), theme: theme)
    return frame
  }

  private func filled(_ gauge: Gauge, width: Int, theme: Theme = .dark) -> Int {
    frame(gauge, width: width, theme: theme).cells.filter { $0.style == theme[.gaugeFilled] }.count
  }

  @Test func `the text stands on both parts in their styles`() {
    let frame = frame(Gauge(0.5, text: "50 %"), width: 8)
    #expect(frame.text() == "  50 %")
    #expect(frame[3, 0].style == Theme.dark[.gaugeFilled])
    #expect(frame[4, 0].style == Theme.dark[.gaugeEmpty])
  }

  @Test func `fractions beyond the ends, absent and NaN are full or empty`() {
    #expect(filled(Gauge(1.7), width: 8) == 8)
    #expect(filled(Gauge(.infinity), width: 8) == 8)
    #expect(filled(Gauge(-1), width: 8) == 0)
    #expect(filled(Gauge(nil), width: 8) == 0)
    #expect(filled(Gauge(.nan), width: 8) == 0)
    #expect(filled(Gauge(0.5), width: 0) == 0)
  }

  @Test func `the last part of a cell is an eighth block`() {
    #expect(frame(Gauge(0.25), width: 2)[0, 0].character == "▌")
    #expect(frame(Gauge(0.25), width: 2, theme: ascii)[0, 0].character == " ")
  }

  @Test func `without color the filled part can be told from the empty one`() {
    #expect(filled(Gauge(0.5), width: 8, theme: .monochrome) == 4)
    #expect(Theme.monochrome[.gaugeFilled] != Theme.monochrome[.gaugeEmpty])
  }
}

struct BarTests {
  private func text(_ bar: Bar, _ width: Int, theme: Theme = .dark) -> String {
    drawn(width, 1, theme: theme) { bar.draw(into: &$0, in: $1, theme: $2) }
  }

  @Test func `a bar has eighths of a cell`() {
    #expect(text(Bar(0.5), 4) == "██")
    #expect(text(Bar(0.53125), 4) == "██▏")
    #expect(text(Bar(1), 4) == "████")
  }

  @Test func `a small count is seen and none is not`() {
    #expect(text(Bar(1e-9), 4) == "▏")
    #expect(text(Bar(0), 4) == "")
  }

  @Test func `negative, NaN and infinite fractions count as none and a sum above one is cut`() {
    for fraction in [-1, Double.nan, .infinity, -.infinity] { #expect(text(Bar(fraction), 4) == "") }
    #expect(text(Bar([.init(0.7), .init(0.7, role: .barSecond)]), 4, theme: plain) == "###=")
    #expect(text(Bar(0.5), 0) == "")
  }

  @Test func `segments meet within a cell in two colors`() {
    var frame = Frame(size: Size(width: 2, height: 1))
    Bar([.init(0.25), .init(0.75, role: .barSecond)]).draw(into: &frame, in: Rect(frame.size), theme: .dark)
    let boundary = Style(
      foreground: Theme.dark[.bar].foreground, background: Theme.dark[.barSecond].foreground)
    #expect(frame[0, 0] == Cell("▌", boundary))
    #expect(frame[1, 0] == Cell("█", Theme.dark[.barSecond]))
  }

  @Test func `without color the segments differ in their characters`() {
    let bar = Bar([.init(0.5), .init(0.25, role: .barSecond), .init(0.25, role: .barThird)])
    #expect(text(bar, 8, theme: plain) == "####==--")
  }
}

struct TableTests {
  private let columns: [Table.Column] = [
    .init("name", width: .flexible(minimum: 4, weight: 1)), .init("count", width: .fixed(5), alignment: .trailing),
  ]

  private func text(_ table: Table, _ width: Int, _ height: Int, theme: Theme = .monochrome) -> String {
    drawn(width, height, theme: theme) { table.draw(into: &$0, in: $1, theme: $2) }
  }

  @Test func `columns stand under their titles`() {
    let table = Table(
      columns: columns, rows: [["cat", "12"], ["a long name", "3"], ["漢字漢字漢字", .spans([Span("4")])]])
    #expect(
      text(table, 14, 4)
        == "name     count\ncat         12\na long …     3\n漢字漢…      4")
  }

  @Test func `a list longer than its pane gets a scroll bar that touches the ends only at the ends`() {
    let rows: [[Table.Content]] = (0..<40).map { ["\($0)"] }
    func bar(_ offset: Int) -> [Character] {
      let table = Table(columns: columns, rows: rows, offset: offset, showsHeader: false)
      return text(table, 14, 4, theme: plain).split(separator: "\n").compactMap(\.last)
    }
    #expect(bar(0) == ["#", "|", "|", "|"])
    #expect(bar(1) == ["|", "#", "|", "|"])
    #expect(bar(35) == ["|", "|", "#", "|"])
    #expect(bar(36) == ["|", "|", "|", "#"])
  }

  @Test func `the selected row is marked over its whole width, with and without the focus`() {
    for focused in [true, false] {
      var frame = Frame(size: Size(width: 12, height: 3))
      let table = Table(columns: columns, rows: [["a", "1"], ["b", "2"]], selected: 1, focused: focused)
      table.draw(into: &frame, in: Rect(frame.size), theme: .dark)
      let background = Theme.dark.selection(focused: focused).background
      for x in 0..<12 {
        #expect(frame[x, 2].style.background == background)
        #expect(frame[x, 1].style.background == .standard)
      }
    }
  }

  @Test func `a part of a long list is drawn where it belongs`() {
    let table = Table(
      columns: columns, rows: [["500", ""], ["501", ""]], firstIndex: 500, count: 100_000, selected: 501,
      offset: 500)
    #expect(
      text(table, 12, 3, theme: plain)
        == "name  count\n500        #\n501        |")
    #expect(table.index(atRow: 0, in: Rect(x: 0, y: 0, width: 12, height: 3)) == nil)
    #expect(table.index(atRow: 2, in: Rect(x: 0, y: 0, width: 12, height: 3)) == 501)
    #expect(table.index(atRow: 3, in: Rect(x: 0, y: 0, width: 12, height: 3)) == nil)
  }

  @Test func `columns that find no room go from the right, the first is cut`() {
    #expect(Table.places(of: columns, width: 9).map(\.width) == [9])
    #expect(Table.places(of: columns, width: 10).map(\.width) == [4, 5])
    #expect(Table.places(of: columns, width: 2).map(\.width) == [2])
    #expect(Table.places(of: columns, width: 0).isEmpty)
    #expect(Table.places(of: [], width: 9).isEmpty)
  }

  @Test func `what is left is shared by weight to the last column`() {
    let columns: [Table.Column] = [
      .init("a", width: .flexible(minimum: 1, weight: 1)), .init("b", width: .flexible(minimum: 1, weight: 2)),
      .init("c", width: .flexible(minimum: 1, weight: 1)),
    ]
    let places = Table.places(of: columns, width: 20)
    #expect(places.map(\.width).reduce(0, +) + 2 == 20)
    #expect(places.map(\.width) == [4, 9, 5])
  }

  @Test func `a table of any size draws inside its rectangle`() {
    let rows: [[Table.Content]] = (0..<9).map { ["漢字\($0)", .bar(fraction: .nan, role: .bar), "too many"] }
    for width in 0...14 {
      for height in 0...5 {
        for offset in [-3, 0, 7, 99] {
          var frame = Frame(size: Size(width: width + 2, height: height + 2), filledWith: Cell("·"))
          let table = Table(columns: columns, rows: rows, selected: offset, offset: offset)
          table.draw(into: &frame, in: Rect(x: 1, y: 1, width: width, height: height), theme: .dark)
          for x in 0..<width + 2 { #expect(frame[x, 0] == Cell("·") && frame[x, height + 1] == Cell("·")) }
          for y in 0..<height + 2 { #expect(frame[0, y] == Cell("·") && frame[width + 1, y] == Cell("·")) }
        }
      }
    }
  }
}

struct ScrollStateTests {
  @Test func `the selection pulls the view after it`() {
    var state = ScrollState()
    state.move(by: 5, count: 20, height: 4)
    #expect(state == ScrollState(selected: 5, offset: 2))
    state.move(by: -4, count: 20, height: 4)
    #expect(state == ScrollState(selected: 1, offset: 1))
    state.move(by: .max, count: 20, height: 4)
    #expect(state == ScrollState(selected: 19, offset: 16))
    state.move(by: .min, count: 20, height: 4)
    #expect(state == ScrollState(selected: 0, offset: 0))
  }

  @Test func `a list that shrank keeps both in range`() {
    var state = ScrollState(selected: 19, offset: 16)
    state.keepVisible(count: 3, height: 4)
    #expect(state == ScrollState(selected: 2, offset: 0))
    state.keepVisible(count: 0, height: 0)
    #expect(state == ScrollState(selected: 0, offset: 0))
  }

  @Test func `the wheel moves the view and takes the selection along at its edge`() {
    var state = ScrollState(selected: 1, offset: 0)
    state.scroll(by: 3, count: 20, height: 4)
    #expect(state == ScrollState(selected: 3, offset: 3))
    state.scroll(by: -99, count: 20, height: 4)
    #expect(state == ScrollState(selected: 3, offset: 0))
    state.scroll(by: 1, count: 0, height: 4)
    #expect(state == ScrollState(selected: 0, offset: 0))
  }
}

struct PictureTests {
  private func picture(_ width: Int, _ height: Int, _ color: (Int, Int) -> [UInt8]) throws -> Picture {
    let pixels = (0..<height).flatMap { y in (0..<width).flatMap { x in color(x, y) } }
    return try #require(Picture(width: width, height: height, pixels: pixels))
  }

  private func frame(_ picture: Picture, _ width: Int, _ height: Int, theme: Theme) -> Frame {
    var frame = Frame(size: Size(width: width, height: height))
    picture.draw(into: &frame, in: Rect(frame.size), theme: theme)
    return frame
  }

  private let white: [UInt8] = [255, 255, 255]
  private let black: [UInt8] = [0, 0, 0]

  @Test func `bytes that do not fit the extent make no picture`() {
    #expect(Picture(width: 2, height: 2, pixels: Array(repeating: 0, count: 11)) == nil)
    #expect(Picture(width: 0, height: 2, pixels: []) == nil)
    #expect(Picture(width: -1, height: -1, pixels: [0, 0, 0]) == nil)
    #expect(Picture(width: .max, height: 2, pixels: [0, 0, 0]) == nil)
  }

  @Test func `aspect is kept and the picture stands in the middle`() throws {
    let square = try picture(8, 8) { _, _ in white }
    #expect(square.place(in: Rect(x: 0, y: 0, width: 20, height: 5)) == Rect(x: 5, y: 0, width: 10, height: 5))
    #expect(square.place(in: Rect(x: 1, y: 1, width: 4, height: 9)) == Rect(x: 1, y: 4, width: 4, height: 2))
    #expect(square.place(in: Rect(x: 0, y: 0, width: 0, height: 5)).isEmpty)
    let line = try picture(100, 1) { _, _ in white }
    #expect(line.place(in: Rect(x: 0, y: 0, width: 10, height: 5)).height == 1)
  }

  @Test func `a checkerboard of four pixels is one diagonal quarter block`() throws {
    let board = try picture(2, 2) { x, y in x == y ? white : black }
    let cell = frame(board, 1, 1, theme: .dark)[0, 0]
    #expect(cell.character == "▚")
    #expect(cell.style.foreground == .rgb(red: 255, green: 255, blue: 255))
    #expect(cell.style.background == .rgb(red: 0, green: 0, blue: 0))
  }

  @Test func `each quarter can be the one that differs`() throws {
    for (index, character) in zip(0..<4, ["▘", "▝", "▖", "▗"] as [Character]) {
      let corner = try picture(2, 2) { x, y in y * 2 + x == index ? white : black }
      #expect(frame(corner, 1, 1, theme: .dark)[0, 0].character == character)
    }
  }

  @Test func `with half blocks the upper and the lower half have their colors`() throws {
    var glyphs = Glyphs.unicode
    glyphs.pixels = .halves
    let flag = try picture(1, 2) { _, y in y == 0 ? white : black }
    let cell = frame(flag, 1, 1, theme: Theme.dark.with(glyphs: glyphs))[0, 0]
    #expect(
      cell
        == Cell(
          "▀",
          Style(
            foreground: .rgb(red: 255, green: 255, blue: 255), background: .rgb(red: 0, green: 0, blue: 0))))
  }

  @Test func `without blocks the background is the picture`() throws {
    let red = try picture(2, 2) { _, _ in [255, 0, 0] }
    #expect(frame(red, 2, 1, theme: ascii)[1, 0] == Cell(" ", Style(background: .rgb(red: 255, green: 0, blue: 0))))
  }

  @Test func `without color brightness is a character`() throws {
    let ramp = try picture(10, 2) { x, _ in Array(repeating: UInt8(x * 28), count: 3) }
    #expect(frame(ramp, 10, 1, theme: plain).text() == " .:-=+*#%@")
  }

  @Test func `shrinking averages areas, also of uneven parts`() throws {
    let stripes = try picture(4, 1) { x, _ in x % 2 == 0 ? white : black }
    #expect(stripes.scaled(columns: 2, rows: 1).map { $0.red.rounded() } == [128, 128])
    let thirds = try picture(3, 1) { x, _ in [UInt8(x * 100), 0, 0] }
    let halves = thirds.scaled(columns: 2, rows: 1).map(\.red)
    #expect(abs(halves[0] - 100.0 / 3) < 0.01)
    #expect(abs(halves[1] - 500.0 / 3) < 0.01)
  }

  @Test func `growing repeats pixels`() throws {
    let two = try picture(2, 1) { x, _ in x == 0 ? white : black }
    #expect(two.scaled(columns: 4, rows: 2).map(\.red) == [255, 255, 0, 0, 255, 255, 0, 0])
  }
}

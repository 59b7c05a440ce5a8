// Which palette index a color becomes, and which pair two of them become.

import Canvas
import Testing

@testable import Terminal

struct ColorDepthTests {
  @Test(arguments: [
    (-1, ColorDepth.none), (0, .none), (7, .none), (8, .eight), (15, .eight), (16, .sixteen), (88, .sixteen),
    (256, .palette), (0x100_0000, .direct),
  ])
  func `the depth is what the terminal has at least`(colors: Int, depth: ColorDepth) {
    #expect(ColorDepth(colors: colors) == depth)
  }

  @Test func `every color of the palette is nearest to itself`() {
    for index in 16..<256 {
      let channels = ColorDepth.channels(ofPalette: index).map { UInt8($0) }
      let color = Color.rgb(red: channels[0], green: channels[1], blue: channels[2])
      let found = ColorDepth.palette.index(of: color)
      // Some grays are in the cube and in the ramp.
      #expect(ColorDepth.channels(ofPalette: found) == ColorDepth.channels(ofPalette: index))
      #expect(ColorDepth.palette.index(of: .palette(UInt8(index))) == index)
    }
  }

  @Test func `colors between those of the palette go to the nearer one`() {
    #expect(ColorDepth.palette.index(of: .rgb(red: 250, green: 4, blue: 3)) == 196)
    #expect(ColorDepth.palette.index(of: .rgb(red: 0x2E, green: 0x34, blue: 0x40)) == 237)
    #expect(ColorDepth.palette.index(of: .rgb(red: 115, green: 115, blue: 115)) == 243)
    #expect(ColorDepth.sixteen.index(of: .rgb(red: 120, green: 130, blue: 125)) == 8)
    #expect(ColorDepth.eight.index(of: .rgb(red: 220, green: 30, blue: 30)) == 1)
  }

  @Test(
    arguments: [
      (12, 4, 12), (196, 1, 9), (117, 6, 14), (114, 2, 2), (215, 3, 11), (28, 2, 2), (25, 4, 4), (245, 7, 8),
      (255, 7, 7), (231, 7, 15),
      (234, 0, 0),
    ] as [(UInt8, Int, Int)])
  func `with few colors the hue is kept, also that of a pale color`(index: UInt8, eight: Int, sixteen: Int) {
    // Magenta stands behind it, so that grays are not taken for the terminal's own.
    let style = Style(foreground: .palette(index), background: .palette(5))
    #expect(ColorDepth.eight.indices(of: style) == (eight, 5))
    #expect(ColorDepth.sixteen.indices(of: style) == (sixteen, 5))
  }

  @Test func `the terminal's own colors stay its own in every depth`() {
    for depth: ColorDepth in [.none, .eight, .sixteen, .palette, .direct] {
      #expect(depth.indices(of: .plain) == (-1, -1))
    }
    #expect(ColorDepth.none.indices(of: Style(foreground: .palette(9), background: .palette(3))) == (-1, -1))
  }

  @Test func `with colors of 24 bits the first sixteen are the palette's and the rest are themselves`() {
    let depth = ColorDepth.direct
    #expect(depth.index(of: .rgb(red: 0x12, green: 0x34, blue: 0x56)) == 0x123456)
    #expect(depth.index(of: .palette(9)) == 9)
    #expect(depth.index(of: .palette(231)) == 0xFFFFFF)
    // Not one of the palette, which may be anything.
    #expect(depth.index(of: .rgb(red: 0, green: 0, blue: 4)) >= 16)
    #expect(depth.indices(of: Style(foreground: .rgb(red: 9, green: 9, blue: 9))) == (0x090909, -1))
  }

  @Test func `with few colors no text vanishes in its background`() {
    for depth: ColorDepth in [.eight, .sixteen] {
      for theme in Theme.builtIn {
        for role in ThemeRole.allCases where theme[role].foreground != theme[role].background {
          let (foreground, background) = depth.indices(of: theme[role])
          #expect(foreground != background || foreground == -1, "\(theme.name) \(role)")
        }
      }
      // A dark gray on the terminal's own background, which may be black.
      #expect(depth.indices(of: Style(foreground: .palette(236))) == (-1, -1))
      #expect(depth.indices(of: Style(foreground: .palette(0))) == (0, -1))
    }
  }
}

struct PairTableTests {
  private func colors(_ foreground: Int, _ background: Int) -> PairTable.Colors {
    PairTable.Colors(foreground: foreground, background: background)
  }

  @Test func `a pair is defined once and the terminal's own is number zero`() {
    var table = PairTable(capacity: 64)
    #expect(table.number(for: colors(-1, -1)) == .known(0))
    #expect(table.number(for: colors(1, 2)) == .new(1))
    #expect(table.number(for: colors(2, 1)) == .new(2))
    #expect(table.number(for: colors(1, 2)) == .known(1))
  }

  @Test func `a full table refuses and starts afresh when told to`() {
    var table = PairTable(capacity: 3)
    #expect(table.number(for: colors(1, 1)) == .new(1))
    #expect(table.number(for: colors(1, 2)) == .new(2))
    #expect(!table.overflowed)
    #expect(table.number(for: colors(1, 3)) == .full)
    #expect(table.number(for: colors(1, 1)) == .known(1))
    #expect(table.overflowed)
    table.removeAll()
    #expect(!table.overflowed)
    #expect(table.number(for: colors(1, 3)) == .new(1))
  }
}

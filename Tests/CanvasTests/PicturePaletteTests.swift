// Pictures in few colors: grounds are even, colors keep their hue, edges stay.

import Testing

@testable import Canvas

struct PicturePaletteTests {
  private static let palettes: [PicturePalette] = [.indexed, .sixteen, .eight]

  /// A picture of a size in pixels, drawn into as many cells as half of it.
  private func drawn(
    _ palette: PicturePalette, width: Int = 32, height: Int = 32, glyphs: Glyphs = .unicode,
    pixel: (Int, Int) -> [UInt8]
  ) throws -> Frame {
    let pixels = (0..<height).flatMap { y in (0..<width).flatMap { x in pixel(x, y) } }
    let picture = try #require(Picture(width: width, height: height, pixels: pixels))
    var frame = Frame(size: Size(width: width / 2, height: height / 4))
    picture.draw(into: &frame, in: Rect(frame.size), theme: Theme.dark.with(glyphs: glyphs, pictures: palette))
    return frame
  }

  /// What a cell looks like from afar.
  private func color(of cell: Cell, _ palette: PicturePalette) -> RGB {
    let colors = Dictionary(uniqueKeysWithValues: palette.entries.map { ($0.index, $0.color) })
    func rgb(_ color: Color) -> RGB {
      if case .palette(let index) = color { return colors[index] ?? RGB(red: 0, green: 0, blue: 0) }
      return RGB(red: 0, green: 0, blue: 0)
    }
    let share: Float =
      switch cell.character ?? " " {
      case "░": 0.25
      case "▒", "▀", "▌", "▚": 0.5
      case "▓": 0.75
      case "▘", "▝", "▖", "▗": 0.25
      default: 0
      }
    return rgb(cell.style.foreground) * share + rgb(cell.style.background) * (1 - share)
  }

  private func mean(_ frame: Frame, _ palette: PicturePalette) -> RGB {
    RGB.mean(frame.cells.map { color(of: $0, palette) })
  }

  @Test(arguments: palettes) func `every cell is in the palette's colors`(palette: PicturePalette) throws {
    let allowed = Set(palette.entries.map { Color.palette($0.index) } + [.standard])
    let frame = try drawn(palette) { x, y in [UInt8(x * 8), UInt8(y * 8), UInt8((x + y) * 4)] }
    #expect(
      frame.cells.allSatisfy { allowed.contains($0.style.foreground) && allowed.contains($0.style.background) })
  }

  @Test(arguments: [
    [200, 200, 200], [120, 120, 120], [182, 141, 98], [40, 44, 52], [230, 190, 170], [96, 120, 70],
  ])
  func `a plain ground has its color from a little way off, also with a camera's noise`(ground: [Int]) throws {
    for palette in Self.palettes {
      for noise in [0, 1] {
        let frame = try drawn(palette, width: 48, height: 48) { x, y in
          ground.map { UInt8($0 + ((x * 7 + y * 13) % 5 - 2) * noise) }
        }
        // In every square of the middle, eight cells by four.
        for y in stride(from: 4, to: frame.size.height - 4, by: 2) {
          for x in stride(from: 4, to: frame.size.width - 8, by: 4) {
            let square = RGB.mean(
              (y..<y + 4).flatMap { row in (x..<x + 8).map { color(of: frame[$0, row], palette) } })
            for (value, wanted) in zip([square.red, square.green, square.blue], ground) {
              #expect(abs(value - Float(wanted)) < 26, "\(palette) \(ground) \(x) \(y): \(square)")
            }
          }
        }
      }
    }
  }

  @Test func `cardboard is brown and not pink`() throws {
    for cardboard in [[190, 150, 110], [201, 166, 133], [214, 184, 156], [170, 132, 96]] {
      for palette in Self.palettes {
        let shown = mean(try drawn(palette) { _, _ in cardboard.map { UInt8($0) } }, palette)
        // Red before green before blue, as in the picture. Two of eight or sixteen colors make no brown: nearest to it
        // are yellows, never grays and never pinks.
        if palette == .indexed {
          #expect(shown.red > shown.green && shown.green > shown.blue, "\(cardboard): \(shown)")
        } else {
          #expect(shown.red >= shown.green, "\(palette) \(cardboard): \(shown)")
          #expect(shown.green > shown.blue + 20, "\(palette) \(cardboard): \(shown)")
        }
      }
      let shown = mean(try drawn(.indexed) { _, _ in cardboard.map { UInt8($0) } }, .indexed)
      for (value, wanted) in zip([shown.red, shown.green, shown.blue], cardboard) {
        #expect(abs(value - Float(wanted)) < 12, "\(cardboard): \(shown)")
      }
    }
  }

  @Test func `grays stay gray`() throws {
    for palette in Self.palettes {
      for level in stride(from: 0, through: 255, by: 15) {
        let shown = mean(try drawn(palette) { _, _ in [UInt8(level), UInt8(level), UInt8(level)] }, palette)
        #expect(
          max(shown.red, shown.green, shown.blue) - min(shown.red, shown.green, shown.blue) < 16,
          "\(palette) \(level): \(shown)")
      }
    }
  }

  @Test(arguments: palettes) func `an edge within a cell stays where it is`(palette: PicturePalette) throws {
    let frame = try drawn(palette, width: 6, height: 8) { x, _ in x < 3 ? [0, 0, 0] : [255, 255, 255] }
    #expect(frame.cells[1].character == "▌" || frame.cells[1].character == "▐")
  }

  @Test func `without Unicode whole cells are colored`() throws {
    let frame = try drawn(.eight, glyphs: .ascii) { x, _ in x < 16 ? [250, 20, 20] : [20, 20, 250] }
    #expect(frame.cells.allSatisfy { $0.character == " " })
    #expect(Set(frame.cells.map(\.style.background)) == [.palette(1), .palette(4)])
  }
}

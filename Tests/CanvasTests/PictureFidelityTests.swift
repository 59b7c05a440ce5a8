// How true pictures in cells are: the same picture beside a reference rendering of it, in every way of drawing, as the
// mean distance in CIE Lab. A picture is looked at from where cells of one texture blend, so both sides are averaged over
// a few cells first; edges are compared as they are.

import Testing

@testable import Canvas

struct PictureFidelityTests {
  /// A made photograph: a cardboard box, lit from one side and with a camera's noise, before a wall; a bottle, a leaf, a
  /// label with dark lines.
  static let photograph: Picture = {
    let (width, height) = (160, 160)
    var noise = SystemlessGenerator(seed: 4)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(width * height * 3)
    for y in 0..<height {
      for x in 0..<width {
        let (u, v) = (Double(x) / Double(width), Double(y) / Double(height))
        var color = [214 - 40 * v, 216 - 38 * v, 220 - 30 * v]
        if (0.12...0.7).contains(u), (0.35...0.95).contains(v) {
          let light = 0.75 + 0.35 * (1 - u)
          color = [190 * light, 150 * light, 110 * light]
          if (0.25...0.5).contains(u), (0.5...0.7).contains(v) {
            color = y % 6 < 2 ? [60, 55, 50] : [236, 232, 220]
          }
        }
        let (du, dv) = ((u - 0.8) / 0.1, (v - 0.55) / 0.38)
        if du * du + dv * dv < 1 {
          let shine = max(0, 1 - abs(du + 0.4) * 3)
          color = [30 + 190 * shine, 120 + 110 * shine, 60 + 150 * shine]
        }
        let (lu, lv) = (u - 0.3, v - 0.2)
        if lu * lu * 3 + lv * lv * 20 < 0.1 { color = [96 + 60 * lu, 150 - 80 * lv, 40] }
        let grain = Double(Int(noise.next() % 9)) - 4
        pixels += color.map { UInt8(min(max($0 + grain, 0), 255)) }
      }
    }
    guard let picture = Picture(width: width, height: height, pixels: pixels) else {
      preconditionFailure("no picture")
    }
    return picture
  }()

  /// Cells across and down.
  private static let size = Size(width: 64, height: 32)

  /// The parts of a frame's cells, 2 by 4 a cell, as a terminal with an even font would show them.
  static func shown(_ frame: Frame, foreground: RGB = RGB(red: 229, green: 229, blue: 229)) -> [[RGB]] {
    let black = RGB(red: 0, green: 0, blue: 0)
    func rgb(_ color: Color, orElse standard: RGB) -> RGB {
      switch color {
      case .standard: return standard
      case .rgb(let red, let green, let blue): return RGB(red: Float(red), green: Float(green), blue: Float(blue))
      case .palette(let index):
        let palettes: [PicturePalette] = [.sixteen, .indexed]
        return palettes.flatMap(\.entries).first { $0.index == index }?.color ?? standard
      }
    }
    var image = [[RGB]](
      repeating: [RGB](repeating: black, count: frame.size.width * 2), count: frame.size.height * 4)
    for y in 0..<frame.size.height {
      for x in 0..<frame.size.width {
        let cell = frame[x, y]
        let front = rgb(cell.style.foreground, orElse: foreground)
        let back = rgb(cell.style.background, orElse: black)
        for row in 0..<4 {
          for column in 0..<2 {
            let share = coverage(of: cell.character ?? " ", column: column, row: row)
            image[y * 4 + row][x * 2 + column] = front * share + back * (1 - share)
          }
        }
      }
    }
    return image
  }

  /// How much of a pixel a character covers.
  private static func coverage(of character: Character, column: Int, row: Int) -> Float {
    let quarter = (row < 2 ? 0 : 2) + column
    if let pattern = QuarterBlock.patterns.first(where: { $0.character == character }) {
      return pattern.mask & (8 >> quarter) != 0 ? 1 : 0
    }
    switch character {
    case "░": return 0.25
    case "▒": return 0.5
    case "▓": return 0.75
    case "█": return 1
    default: break
    }
    if let scalar = character.unicodeScalars.first?.value, (0x2800...0x28FF).contains(scalar) {
      let dots: [[UInt32]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]
      return scalar & dots[row][column] != 0 ? 1 : 0
    }
    let ramp = Glyphs.ascii.luminance
    return ramp.firstIndex(of: character).map { Float($0) / Float(ramp.count - 1) } ?? 0
  }

  /// The mean of squares of an image.
  private static func blurred(_ image: [[RGB]], width: Int, height: Int) -> [RGB] {
    var result: [RGB] = []
    for y in stride(from: 0, to: image.count - height + 1, by: height) {
      for x in stride(from: 0, to: image[0].count - width + 1, by: width) {
        result.append(RGB.mean((y..<y + height).flatMap { image[$0][x..<x + width] }))
      }
    }
    return result
  }

  /// CIE 1976, of sRGB under D65.
  static func lab(_ color: RGB) -> (l: Double, a: Double, b: Double) {
    func linear(_ value: Float) -> Double {
      let share = Double(value) / 255
      return share <= 0.04045 ? share / 12.92 : power((share + 0.055) / 1.055, 2.4)
    }
    let (r, g, b) = (linear(color.red), linear(color.green), linear(color.blue))
    func f(_ t: Double) -> Double { t > 216.0 / 24389 ? power(t, 1.0 / 3) : (24389.0 / 27 * t + 16) / 116 }
    let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505)
    let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b)
    let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089)
    return (116 * y - 16, 500 * (x - y), 200 * (y - z))
  }

  /// `base` to the `exponent`, by halves: there is no mathematics library below Canvas.
  private static func power(_ base: Double, _ exponent: Double) -> Double {
    guard base > 0 else { return 0 }
    var (result, root, rest) = (1.0, base, exponent)
    while rest >= 1 {
      result *= base
      rest -= 1
    }
    for _ in 0..<40 where rest > 0 {
      root = root.squareRoot()
      rest *= 2
      if rest >= 1 {
        result *= root
        rest -= 1
      }
    }
    return result
  }

  /// The mean distance of what is shown from the picture, over squares of a few pixels.
  static func error(
    _ theme: Theme, square: (width: Int, height: Int), lightness: Bool = false
  ) throws -> Double {
    var frame = Frame(size: size)
    photograph.draw(into: &frame, in: Rect(size), theme: theme)
    let reference = photograph.scaled(columns: size.width * 2, rows: size.height * 4)
    let rows = (0..<size.height * 4).map { Array(reference[$0 * size.width * 2..<($0 + 1) * size.width * 2]) }
    let (drawn, wanted) = (
      blurred(shown(frame), width: square.width, height: square.height),
      blurred(rows, width: square.width, height: square.height)
    )
    let distances = zip(drawn, wanted).map { drawn, wanted -> Double in
      let (a, b) = (lab(drawn), lab(wanted))
      let (dl, da, db) = (a.l - b.l, lightness ? 0 : a.a - b.a, lightness ? 0 : a.b - b.b)
      return (dl * dl + da * da + db * db).squareRoot()
    }
    return distances.reduce(0, +) / Double(distances.count)
  }

  @Test(arguments: [
    (PicturePalette.full, 0.2, 0.6), (.indexed, 1.3, 6.3), (.sixteen, 4.1, 14.9), (.eight, 4.9, 19.8),
  ])
  func `each number of colors is as true as it can be`(
    palette: PicturePalette, fromAfar: Double, close: Double
  ) throws {
    let theme = Theme.dark.with(glyphs: .unicode, pictures: palette)
    let afar = try Self.error(theme, square: (8, 8))
    let near = try Self.error(theme, square: (1, 2))
    #expect(afar < fromAfar, "\(palette) from afar \(afar)")
    #expect(near < close, "\(palette) close \(near)")
  }

  @Test func `without color brightness is kept in dots, and in characters`() throws {
    let dots = try Self.error(.monochrome, square: (8, 8), lightness: true)
    #expect(dots < 16, "dots \(dots)")
    let characters = try Self.error(.monochrome.with(glyphs: .ascii), square: (8, 8), lightness: true)
    #expect(characters < 7, "characters \(characters)")
  }

  @Test func `a picture stays as it is wherever it is scrolled to`() throws {
    for theme in [Theme.monochrome, .dark.with(glyphs: .unicode, pictures: .indexed)] {
      var frame = Frame(size: Size(width: 90, height: 50))
      let (first, second) = (Rect(x: 1, y: 2, width: 40, height: 20), Rect(x: 46, y: 27, width: 40, height: 20))
      Self.photograph.draw(into: &frame, in: first, theme: theme)
      Self.photograph.draw(into: &frame, in: second, theme: theme)
      for y in 0..<20 {
        for x in 0..<40 { #expect(frame[first.x + x, first.y + y] == frame[second.x + x, second.y + y]) }
      }
    }
  }
}

// A picture, for looking at what is in a dataset: handed to the terminal, or in cells of two by two parts in two colors,
// without color in dots. It takes decoded pixels and reads no files.

/// An RGB image scaled into a rectangle, its aspect kept, in the middle of it.
///
/// Cells are taken to be twice as high as wide.
public struct Picture: Sendable, Equatable {
  /// In pixels.
  public let width: Int
  public let height: Int
  /// Red, green, blue, 0...255, rows from the top: [height, width, 3].
  public let pixels: [UInt8]

  /// - Returns: nil when the number of bytes is not that of the extent, or the extent is empty.
  public init?(width: Int, height: Int, pixels: [UInt8]) {
    guard width > 0, height > 0, pixels.count.isMultiple(of: 3) else { return nil }
    let (product, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, product == pixels.count / 3 else { return nil }
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// The cells that the picture covers in a rectangle: as large as fits, in the middle.
  public func place(in rect: Rect) -> Rect {
    guard !rect.isEmpty else { return Rect(x: rect.x, y: rect.y, width: 0, height: 0) }
    let scale = min(Double(rect.width) / Double(width), Double(rect.height) * 2 / Double(height))
    let columns = max(1, Int((Double(width) * scale).rounded()))
    let rows = max(1, Int((Double(height) * scale / 2).rounded()))
    return rect.centered(width: columns, height: rows)
  }

  public func draw(into frame: inout Frame, in rect: Rect, theme: Theme) {
    let place = place(in: rect)
    guard !place.isEmpty, theme.pictureOutput != .none else { return }
    if theme.pictureOutput == .pixels, frame.place(self, in: place, ground: theme[.text]) { return }
    guard theme.usesColor else {
      if theme.glyphs.chartDots == .braille {
        drawDots(into: &frame, in: place, theme: theme)
      } else {
        drawLuminance(into: &frame, in: place, theme: theme)
      }
      return
    }
    let pixels = theme.glyphs.pixels
    let across = pixels == .quarters ? 2 : 1
    let down = pixels == .spaces ? 1 : 2
    let parts = scaled(columns: place.width * across, rows: place.height * down)
    guard theme.pictures == .full else {
      drawMixed(parts, into: &frame, in: place, theme: theme)
      return
    }
    for row in 0..<place.height {
      for column in 0..<place.width {
        func part(_ x: Int, _ y: Int) -> RGB {
          parts[(row * down + y) * place.width * across + column * across + x]
        }
        let cell: Cell
        switch pixels {
        case .spaces: cell = Cell(" ", Style(background: part(0, 0).color))
        case .halves:
          cell = Cell("▀", Style(foreground: part(0, 0).color, background: part(0, 1).color))
        case .quarters: cell = QuarterBlock.cell(part(0, 0), part(1, 0), part(0, 1), part(1, 1))
        }
        frame[place.x + column, place.y + row] = cell
      }
    }
  }

  /// In the colors of a palette. What a cell is off, its neighbors make good (Floyd and Steinberg, 1976), every second line
  /// from right to left, so that no worms run through even grounds. Of few colors not all is carried on: the steps are
  /// large, and what little is lost from afar is less than the specks that are seen close by.
  private func drawMixed(_ parts: [RGB], into frame: inout Frame, in place: Rect, theme: Theme) {
    let pixels = theme.glyphs.pixels
    let (across, down) = (pixels == .quarters ? 2 : 1, pixels == .spaces ? 1 : 2)
    var mixer = PaletteMixer(theme.pictures, hasShades: pixels != .spaces)
    let share: Float = theme.pictures == .indexed ? 1 : 0.75
    let none = RGB(red: 0, green: 0, blue: 0)
    var below = [RGB](repeating: none, count: place.width + 2)
    for row in 0..<place.height {
      var here = below
      below = [RGB](repeating: none, count: place.width + 2)
      let step = row.isMultiple(of: 2) ? 1 : -1
      for column in step > 0 ? Array(0..<place.width) : (0..<place.width).reversed() {
        let debt = here[column + 1]
        let wanted = (0..<4).map { part in
          let (x, y) = (part % 2 * (across - 1), part / 2 * (down - 1))
          return (parts[(row * down + y) * place.width * across + column * across + x] + debt).clamped
        }
        let mean = RGB.mean(wanted)
        let (cell, shown) = pixels == .spaces ? mixer.space(mean) : mixer.cell(wanted)
        frame[place.x + column, place.y + row] = cell
        let error = (mean - shown).limited(to: Self.mostDebt) * share
        here[column + 1 + step] = here[column + 1 + step] + error * (7 / 16)
        below[column + 1 - step] = below[column + 1 - step] + error * (3 / 16)
        below[column + 1] = below[column + 1] + error * (5 / 16)
        below[column + 1 + step] = below[column + 1 + step] + error * (1 / 16)
      }
    }
  }

  /// Of each channel, 0...255: what the palette cannot reach is not carried on for ever.
  private static let mostDebt: Float = 64

  /// Braille dots, two by four a cell, for screens without color: lit where it is bright. What a dot is off, its
  /// neighbors make good (Floyd and Steinberg, 1976), within the picture, so that it stays as it is wherever it goes.
  private func drawDots(into frame: inout Frame, in place: Rect, theme: Theme) {
    let (columns, rows) = (place.width * 2, place.height * 4)
    var wanted = Self.stretched(scaled(columns: columns, rows: rows).map { $0.luminance / 255 })
    var dots = [UInt8](repeating: 0, count: place.width * place.height)
    for y in 0..<rows {
      for x in 0..<columns {
        let value = wanted[y * columns + x]
        let isLit = value >= 0.5
        if isLit { dots[y / 4 * place.width + x / 2] |= Self.dots[y % 4][x % 2] }
        let error = value - (isLit ? 1 : 0)
        for (dx, dy, share) in Self.spread where (0..<columns).contains(x + dx) && y + dy < rows {
          wanted[(y + dy) * columns + x + dx] += error * share
        }
      }
    }
    for (index, dots) in dots.enumerated() {
      let character = Unicode.Scalar(0x2800 + UInt32(dots)).map { Character($0) } ?? " "
      frame[place.x + index % place.width, place.y + index / place.width] = Cell(character, theme[.text])
    }
  }

  /// Which dot of a braille character is where, [row][column].
  private static let dots: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]
  private static let spread: [(Int, Int, Float)] = [
    (1, 0, 7 / 16), (-1, 1, 3 / 16), (0, 1, 5 / 16), (1, 1, 1 / 16),
  ]

  /// Brightness over the whole range from black to white, unless there is next to none to stretch.
  private static func stretched(_ values: [Float]) -> [Float] {
    let sorted = values.sorted()
    guard let least = sorted[safe: sorted.count / 50],
      let greatest = sorted[safe: sorted.count - 1 - sorted.count / 50],
      greatest - least > 0.15
    else { return values }
    return values.map { min(max(($0 - least) / (greatest - least), 0), 1) }
  }

  /// Characters of rising brightness, for screens without color and without dots.
  private func drawLuminance(into frame: inout Frame, in place: Rect, theme: Theme) {
    let ramp = theme.glyphs.luminance
    for (index, color) in scaled(columns: place.width, rows: place.height).enumerated() {
      let level = min(ramp.count - 1, Int(color.luminance / 256 * Float(ramp.count)))
      frame[place.x + index % place.width, place.y + index / place.width] = Cell(ramp[level], theme[.text])
    }
  }

  /// The picture at another size, each part the mean of the area that it covers. Of large areas a grid of samples
  /// is averaged: more would cost time and change no shade that can be seen.
  func scaled(columns: Int, rows: Int) -> [RGB] {
    let xs = Self.areas(of: width, parts: columns)
    let ys = Self.areas(of: height, parts: rows)
    var result: [RGB] = []
    result.reserveCapacity(columns * rows)
    pixels.withUnsafeBufferPointer { pixels in
      for y in ys {
        for x in xs {
          var sum = RGB(red: 0, green: 0, blue: 0)
          var weight: Float = 0
          for row in y {
            for column in x {
              let index = (row.index * width + column.index) * 3
              let share = row.weight * column.weight
              sum.red += share * Float(pixels[index])
              sum.green += share * Float(pixels[index + 1])
              sum.blue += share * Float(pixels[index + 2])
              weight += share
            }
          }
          result.append(RGB(red: sum.red / weight, green: sum.green / weight, blue: sum.blue / weight))
        }
      }
    }
    return result
  }

  /// The same as bytes: red, green, blue, rows from the top, [rows, columns, 3].
  public func pixels(columns: Int, rows: Int) -> [UInt8] {
    guard columns > 0, rows > 0 else { return [] }
    return scaled(columns: columns, rows: rows).flatMap { color in
      [color.red, color.green, color.blue].map { UInt8(min(max($0.rounded(), 0), 255)) }
    }
  }

  private struct Sample {
    var index: Int
    var weight: Float
  }

  /// For each part of a length, the pixels under it and how much of each it covers.
  private static func areas(of length: Int, parts: Int) -> [[Sample]] {
    let size = Double(length) / Double(parts)
    let stride = max(1, Int(size) / 12)
    return (0..<parts).map { part in
      let (start, end) = (Double(part) * size, Double(part + 1) * size)
      let first = min(length - 1, Int(start))
      let last = max(first, min(length - 1, Int(end.rounded(.up)) - 1))
      return Swift.stride(from: first, through: last, by: stride).map { index in
        let covered = min(end, Double(index + 1)) - max(start, Double(index))
        return Sample(index: index, weight: Float(max(covered, 1e-6)))
      }
    }
  }
}

extension Array {
  fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}

// A picture in cells, for looking at what is in a dataset: two by two parts a cell, each cell with two colors. It
// takes decoded pixels and reads no files.

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
    guard !place.isEmpty else { return }
    guard theme.usesColor else {
      drawLuminance(into: &frame, in: place, theme: theme)
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

  /// In the colors of a palette. What a cell is off in 256 colors, its neighbors make good (Floyd and Steinberg, 1976);
  /// in fewer the steps are so large that this would be specks.
  private func drawMixed(_ parts: [RGB], into frame: inout Frame, in place: Rect, theme: Theme) {
    let pixels = theme.glyphs.pixels
    let (across, down) = (pixels == .quarters ? 2 : 1, pixels == .spaces ? 1 : 2)
    var mixer = PaletteMixer(theme.pictures, hasShades: pixels != .spaces)
    let passesOn: Float = theme.pictures == .indexed ? 1 : 0
    let none = RGB(red: 0, green: 0, blue: 0)
    var below = [RGB](repeating: none, count: place.width + 2)
    for row in 0..<place.height {
      var here = below
      below = [RGB](repeating: none, count: place.width + 2)
      for column in 0..<place.width {
        let debt = here[column + 1]
        let wanted = (0..<4).map { part in
          let (x, y) = (part % 2 * (across - 1), part / 2 * (down - 1))
          return (parts[(row * down + y) * place.width * across + column * across + x] + debt).clamped
        }
        let mean = RGB.mean(wanted)
        let (cell, shown) = pixels == .spaces ? mixer.space(mean) : mixer.cell(wanted)
        frame[place.x + column, place.y + row] = cell
        let error = (mean - shown) * passesOn
        here[column + 2] = here[column + 2] + error * (7 / 16)
        below[column] = below[column] + error * (3 / 16)
        below[column + 1] = below[column + 1] + error * (5 / 16)
        below[column + 2] = below[column + 2] + error * (1 / 16)
      }
    }
  }

  /// Characters of rising brightness, for screens without color.
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

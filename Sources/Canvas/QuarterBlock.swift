// One cell of a picture: which of the eight ways to divide a cell into two colors comes nearest to four wanted
// ones.

/// A color while it is calculated with: 0...255 a channel.
struct RGB: Equatable {
  var red: Float
  var green: Float
  var blue: Float

  var color: Color {
    func byte(_ value: Float) -> UInt8 { UInt8(min(max(value.rounded(), 0), 255)) }
    return .rgb(red: byte(red), green: byte(green), blue: byte(blue))
  }

  /// Relative brightness of 0...255, weighted as in Recommendation ITU-R BT.601.
  var luminance: Float { 0.299 * red + 0.587 * green + 0.114 * blue }

  func squaredDistance(to other: RGB) -> Float {
    let (r, g, b) = (red - other.red, green - other.green, blue - other.blue)
    return r * r + g * g + b * b
  }

  static func mean(_ colors: [RGB]) -> RGB {
    var sum = RGB(red: 0, green: 0, blue: 0)
    for color in colors {
      sum.red += color.red
      sum.green += color.green
      sum.blue += color.blue
    }
    let count = Float(max(1, colors.count))
    return RGB(red: sum.red / count, green: sum.green / count, blue: sum.blue / count)
  }
}

enum QuarterBlock {
  /// Which quarters are foreground (bits 8, 4, 2, 1: upper left, upper right, lower left, lower right). The others
  /// of the sixteen are these with the colors exchanged. Halves come first, so that they win where all are equal.
  static let patterns: [(mask: Int, character: Character)] = [
    (0b1100, "▀"), (0b1010, "▌"), (0b1000, "▘"), (0b0100, "▝"), (0b0010, "▖"), (0b0001, "▗"), (0b1001, "▚"),
  ]

  /// The cell that comes nearest to four colors, by the sum of squared distances in RGB.
  static func cell(_ upperLeft: RGB, _ upperRight: RGB, _ lowerLeft: RGB, _ lowerRight: RGB) -> Cell {
    let parts = [upperLeft, upperRight, lowerLeft, lowerRight]
    var best = Cell("▀")
    var least = Float.infinity
    for (mask, character) in patterns {
      var (inside, outside): ([RGB], [RGB]) = ([], [])
      for (index, part) in parts.enumerated() {
        if mask & (8 >> index) != 0 { inside.append(part) } else { outside.append(part) }
      }
      let (foreground, background) = (RGB.mean(inside), RGB.mean(outside))
      let error =
        inside.reduce(0) { $0 + $1.squaredDistance(to: foreground) }
        + outside.reduce(0) { $0 + $1.squaredDistance(to: background) }
      if error < least {
        least = error
        best = Cell(character, Style(foreground: foreground.color, background: background.color))
      }
    }
    return best
  }
}

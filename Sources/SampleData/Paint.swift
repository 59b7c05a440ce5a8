// What fills an area: two colors and a texture between them. Knows nothing of shapes.

import Support

/// Red, green and blue, 0...1 as stored in the file (no linear light: a picture is drawn in the file's own values).
public typealias Color = SIMD3<Float>

/// The perceived brightness of a color, 0...1 (the weights of ITU-R BT.601).
public func luma(_ color: Color) -> Float { 0.299 * color.x + 0.587 * color.y + 0.114 * color.z }

/// How a paint passes from one of its colors to the other.
enum Texture: Sendable {
  case flat
  /// From one side of the picture to the other.
  case gradient(Rotation)
  /// Soft stripes; the period in pixels, the phase in periods.
  case stripes(Rotation, period: Float, phase: Float)
  /// A soft checkerboard; the period in pixels.
  case checks(Rotation, period: Float)
  /// Values on a lattice of `side` x `side` points over the picture, with linear passages.
  case clouds([Float], side: Int)
}

/// A filling: `base` where the texture is 0, `accent` where it is 1.
public struct Paint: Sendable {
  public let base: Color
  public let accent: Color
  let texture: Texture

  /// Any color, a second one not far from it, and any texture.
  init(using generator: inout RandomGenerator) {
    base = generator.color()
    let offset = Color(
      generator.uniform(in: -0.12...0.12), generator.uniform(in: -0.12...0.12), generator.uniform(in: -0.12...0.12))
    accent = (base + offset).clamped(lowerBound: .zero, upperBound: .one)
    texture =
      switch generator.integer(below: 5) {
      case 0: .flat
      case 1: .gradient(generator.rotation())
      case 2:
        .stripes(generator.rotation(), period: generator.uniform(in: 4...12), phase: generator.uniform())
      case 3: .checks(generator.rotation(), period: generator.uniform(in: 6...14))
      default: .clouds((0..<49).map { _ in generator.uniform() }, side: 7)
      }
  }

  /// The color at a point of a picture, in pixels from its upper left corner.
  ///
  /// - Parameter extent: the picture's side, pixels.
  func color(at point: Point, extent: Float) -> Color {
    base + (accent - base) * texture.value(at: point, extent: extent)
  }
}

extension Texture {
  /// 0...1 at a point of a picture.
  func value(at point: Point, extent: Float) -> Float {
    switch self {
    case .flat: return 0
    case .gradient(let direction):
      let along = direction.turnBack(point - extent / 2).x
      return min(1, max(0, 0.5 + along / extent))
    case .stripes(let direction, let period, let phase):
      return Self.wave(direction.turnBack(point).x / period + phase)
    case .checks(let direction, let period):
      let turned = direction.turnBack(point) / period
      let (a, b) = (Self.wave(turned.x), Self.wave(turned.y))
      return a + b - 2 * a * b
    case .clouds(let values, let side):
      let place = point / extent * Float(side - 1)
      let (column, row) = (min(side - 2, Int(place.x)), min(side - 2, Int(place.y)))
      let (x, y) = (place.x - Float(column), place.y - Float(row))
      let first = row * side + column
      let top = values[first] * (1 - x) + values[first + 1] * x
      let bottom = values[first + side] * (1 - x) + values[first + side + 1] * x
      return top * (1 - y) + bottom * y
    }
  }

  /// Up from 0 to 1 and down again, once a unit, in straight lines.
  private static func wave(_ position: Float) -> Float {
    let fraction = position - position.rounded(.down)
    return 1 - abs(2 * fraction - 1)
  }
}

extension RandomGenerator {
  /// Uniform in the cube of all colors.
  mutating func color() -> Color { Color(uniform(), uniform(), uniform()) }

  /// Uniform among all rotations: a point of the disc, drawn until it lies inside, gives the direction.
  mutating func rotation() -> Rotation {
    while true {
      let point = Point(uniform(in: -1...1), uniform(in: -1...1))
      let squared = squaredLength(point)
      if squared > 0.01, squared <= 1 {
        let length = squared.squareRoot()
        return Rotation(cosine: point.x / length, sine: point.y / length)
      }
    }
  }

  /// True so often among a hundred.
  mutating func chance(percent: Int) -> Bool { integer(below: 100) < percent }
}

// Everything that decides one picture: the shape, where and how it lies, its colors and what disturbs the view.
// Only `shape` knows the class; the rest is drawn in the same way for every class, so that nothing but the outline
// tells one from another.

import Support

/// A straight band of one color.
struct Stroke: Sendable {
  /// Pixels from the upper left corner.
  var start: Point
  var end: Point
  /// Pixels.
  var width: Float
  var color: Color
}

/// How a shape's own units become pixels: turned, stretched along another direction, scaled and moved.
struct Placement: Sendable {
  /// Pixels from the upper left corner.
  var center: Point
  /// Pixels a unit.
  var scale: Float
  /// The shape's own rotation, before it is stretched.
  var rotation: Rotation
  /// The direction of the stretching, and the factor along it; across it is the inverse, so that areas stay.
  var tilt: Rotation
  var stretch: Float

  /// The place in the shape's own units that is seen at a point of the picture.
  func local(_ point: Point) -> Point {
    let tilted = tilt.turnBack(point - center)
    let relaxed = Point(tilted.x / stretch, tilted.y * stretch) / scale
    return rotation.turnBack(tilt.turn(relaxed))
  }
}

/// A picture before it is drawn.
public struct Scene: Sendable {
  public let shape: Shape
  let placement: Placement
  public let background: Paint
  public let foreground: Paint
  /// Thin strokes behind the shape.
  let strokes: [Stroke]
  /// A bar across a part of the shape.
  let occluder: Stroke?
  /// Passes of a [1 2 1] / 4 filter in both directions.
  let blurs: Int
  /// Standard deviation of the noise, 0...1 being the full range.
  let noise: Float
  /// Where the noise itself begins.
  let noiseSeed: UInt64

  /// The least difference of luma between any color of the shape and any of the background.
  public static let leastContrast: Float = 0.32

  /// A random scene of a square picture.
  ///
  /// - Parameter side: the picture's width and height, pixels.
  public init(shape: Shape, side: Int, using generator: inout RandomGenerator) {
    let extent = Float(side)
    self.shape = shape

    // The same range of areas for every class, in parts of the picture: neither the mean color nor its spread
    // may give the class away.
    let area = generator.uniform(in: 0.14...0.28) * extent * extent
    placement = Placement(
      center: Point(
        extent * generator.uniform(in: 0.4...0.6), extent * generator.uniform(in: 0.4...0.6)),
      scale: (area / shape.outline.area).squareRoot(),
      rotation: generator.rotation(), tilt: generator.rotation(), stretch: generator.uniform(in: 1...1.1))

    (background, foreground) = Self.paints(using: &generator)
    strokes = (0..<generator.integer(below: 3)).map { _ in
      Stroke(
        start: Point(generator.uniform(), generator.uniform()) * extent,
        end: Point(generator.uniform(), generator.uniform()) * extent,
        width: generator.uniform(in: 1...2.5), color: generator.color())
    }
    occluder = generator.chance(percent: 30) ? Self.bar(across: placement, area: area, using: &generator) : nil
    blurs = generator.integer(below: 3)
    noise = generator.uniform(in: 0...0.03)
    noiseSeed = generator.next()
  }

  /// The least difference of luma between a color of the shape and one of the background.
  public var contrast: Float { Self.contrast(background, foreground) }

  private static func contrast(_ first: Paint, _ second: Paint) -> Float {
    let (a, b) = (luma(first.base), luma(first.accent))
    let (c, d) = (luma(second.base), luma(second.accent))
    return max(min(a, b) - max(c, d), min(c, d) - max(a, b))
  }

  /// Two paints that can be told apart. Both are drawn together, so neither tends to be the brighter one.
  private static func paints(using generator: inout RandomGenerator) -> (Paint, Paint) {
    while true {
      let pair = (Paint(using: &generator), Paint(using: &generator))
      if contrast(pair.0, pair.1) >= leastContrast { return pair }
    }
  }

  /// A bar from edge to edge that passes the shape's center at some distance.
  private static func bar(across placement: Placement, area: Float, using generator: inout RandomGenerator)
    -> Stroke
  {
    let direction = generator.rotation()
    let distance = area.squareRoot() * generator.uniform(in: 0.25...0.6)
    let foot = placement.center + direction.turn(Point(distance, 0))
    // Longer than any picture's diagonal in its own terms: the shape is a part of the picture.
    let reach = direction.turn(Point(0, area.squareRoot() * 8))
    return Stroke(
      start: foot - reach, end: foot + reach, width: generator.uniform(in: 2.5...5), color: generator.color())
  }
}

// MARK: Drawing

// From a scene to pixels: fill, cover, blur, add noise, round.

extension Scene {
  /// Draws the scene.
  ///
  /// - Parameter side: the picture's width and height, pixels: the one that the scene was made for.
  public func drawn(side: Int) -> Drawing {
    let extent = Float(side)
    var canvas = [Color](repeating: .zero, count: side * side)
    for row in 0..<side {
      for column in 0..<side {
        let center = Point(Float(column) + 0.5, Float(row) + 0.5)
        var color = background.color(at: center, extent: extent)
        for stroke in strokes { color = stroke.covering(color, at: center) }
        let share = coverage(ofPixelAt: Point(Float(column), Float(row)))
        if share > 0 { color += (foreground.color(at: center, extent: extent) - color) * share }
        if let occluder { color = occluder.covering(color, at: center) }
        canvas[row * side + column] = color
      }
    }
    for _ in 0..<blurs { canvas = Self.blurred(canvas, side: side) }
    return Drawing(side: side, pixels: quantized(canvas))
  }

  /// How much of a pixel the shape covers, 0...1, by sixteen samples.
  private func coverage(ofPixelAt corner: Point) -> Float {
    let outline = shape.outline
    var hits = 0
    for step in 0..<16 {
      let offset = Point(Float(step % 4) + 0.5, Float(step / 4) + 0.5) / 4
      if outline.contains(placement.local(corner + offset)) { hits += 1 }
    }
    return Float(hits) / 16
  }

  /// [1 2 1] / 4 along rows, then along columns; beyond the border the border's own pixel is repeated.
  private static func blurred(_ canvas: [Color], side: Int) -> [Color] {
    func filtered(_ source: [Color], stride: Int, across: Int) -> [Color] {
      var result = source
      for line in 0..<side {
        for place in 0..<side {
          let index = line * across + place * stride
          let before = place > 0 ? source[index - stride] : source[index]
          let after = place < side - 1 ? source[index + stride] : source[index]
          result[index] = (before + source[index] * 2 + after) / 4
        }
      }
      return result
    }
    return filtered(filtered(canvas, stride: 1, across: side), stride: side, across: 1)
  }

  /// Adds noise to each channel and rounds to bytes. The sum of four uniform numbers stands for a normal one.
  private func quantized(_ canvas: [Color]) -> [UInt8] {
    var generator = RandomGenerator(seed: noiseSeed)
    // A uniform number has a variance of 1/12, the sum of four of 1/3.
    let factor = noise * Float(3).squareRoot()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(canvas.count * 3)
    for color in canvas {
      for channel in 0..<3 {
        let sum = generator.uniform() + generator.uniform() + generator.uniform() + generator.uniform()
        let value = (color[channel] + (sum - 2) * factor) * 255
        bytes.append(UInt8(min(255, max(0, value.rounded()))))
      }
    }
    return bytes
  }
}

extension Stroke {
  /// The color under the stroke, replaced as far as the stroke covers the pixel around `point`.
  fileprivate func covering(_ color: Color, at point: Point) -> Color {
    let along = end - start
    let length = squaredLength(along)
    let offset = point - start
    let projection = length > 0 ? (offset.x * along.x + offset.y * along.y) / length : 0
    let nearest = along * min(1, max(0, projection))
    let distance = squaredLength(offset - nearest).squareRoot()
    let share = min(1, max(0, width / 2 - distance + 0.5))
    return color + (self.color - color) * share
  }
}

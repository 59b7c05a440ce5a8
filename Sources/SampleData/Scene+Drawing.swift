// From a scene to pixels: fill, cover, blur, add noise, round.

import Support

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

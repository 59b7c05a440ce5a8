// Outlines and paints against formulas, and a drawn picture against what its scene says.

import Support
import Testing

@testable import SampleData

@Suite struct OutlineTests {
  @Test func `measured areas agree with the formulas`() {
    let formulas: [Shape: Float] = [
      .disc: 3.14159, .ring: 3.14159 * (1 - 0.55 * 0.55), .square: 4,
      .cross: 4 * 0.72 - 0.72 * 0.72,
      .hexagon: 2.598_08,  // 3 sqrt(3) / 2
      .pentagon: 2.377_64,  // 5/2 sin(72 degrees)
      .star: 10 * 0.48 * 0.587_785 / 2,  // ten triangles between radii 1 and 0.48, 36 degrees apart
    ]
    for (shape, area) in formulas {
      #expect(abs(shape.outline.area - area) < 0.005 * area, "\(shape): \(shape.outline.area), not \(area)")
    }
    // The disc less its overlap with a disc of radius 0.78 at 0.42: two circular segments, by their formula.
    #expect(abs(Shape.crescent.outline.area - 1.463_5) < 0.007, "\(Shape.crescent.outline.area)")
  }

  @Test func `outlines cover the points they should`() {
    #expect(Shape.disc.outline.contains(.zero) && !Shape.disc.outline.contains(Point(0.8, 0.8)))
    #expect(!Shape.ring.outline.contains(.zero) && Shape.ring.outline.contains(Point(0, 0.8)))
    #expect(!Shape.crescent.outline.contains(Point(0.8, 0)) && Shape.crescent.outline.contains(Point(-0.8, 0)))
    #expect(Shape.square.outline.contains(Point(0.95, -0.95)))
    #expect(!Shape.cross.outline.contains(Point(0.6, 0.6)) && Shape.cross.outline.contains(Point(0.9, 0)))
    // A tip upwards, and a notch between two tips.
    #expect(Shape.star.outline.contains(Point(0, -0.9)) && !Shape.star.outline.contains(Point(0, 0.6)))
    #expect(Shape.pentagon.outline.contains(Point(0, 0.8)) && !Shape.pentagon.outline.contains(Point(0, 0.85)))
  }

  @Test func `a placement turns about its center and keeps areas`() {
    let placement = Placement(
      center: Point(20, 16), scale: 10, rotation: .fifth, tilt: .tenth, stretch: 1.1)
    #expect(placement.local(Point(20, 16)) == .zero)
    let (right, down) = (placement.local(Point(21, 16)), placement.local(Point(20, 17)))
    let determinant = right.x * down.y - right.y * down.x
    #expect(abs(determinant - 0.01) < 1e-6, "a square pixel is 1/100 of a square unit: \(determinant)")
  }

  @Test func `textures stay between their two colors`() {
    var generator = RandomGenerator(seed: 3)
    for _ in 0..<200 {
      let paint = Paint(using: &generator)
      for _ in 0..<50 {
        let point = Point(generator.uniform(), generator.uniform()) * 40
        let value = paint.texture.value(at: point, extent: 40)
        #expect((0...1.000_01).contains(value), "\(paint.texture) at \(point): \(value)")
      }
    }
  }

  @Test func `random rotations have length one and no preferred direction`() {
    var generator = RandomGenerator(seed: 1)
    var sum = Point.zero
    for _ in 0..<4000 {
      let rotation = generator.rotation()
      let length = rotation.cosine * rotation.cosine + rotation.sine * rotation.sine
      #expect(abs(length - 1) < 1e-6)
      sum += Point(rotation.cosine, rotation.sine)
    }
    // Each component's mean has a std of 0.011.
    #expect(squaredLength(sum / 4000) < 0.05 * 0.05)
  }
}

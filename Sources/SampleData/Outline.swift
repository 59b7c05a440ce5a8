// The geometry of the sample shapes: which points of the plane they cover. No sizes in pixels and no colors.
//
// Nothing here or in the rest of the module calls a sine, logarithm or power of the system's library: their last
// bit differs between machines. Sums, products, quotients and square roots do not, so that the same seed draws the
// same pixels everywhere.

/// A position or a displacement: x to the right, y downwards.
public typealias Point = SIMD2<Float>

/// A rotation, held as the unit vector that (1, 0) is turned to.
public struct Rotation: Sendable, Equatable {
  public let cosine: Float
  public let sine: Float

  init(cosine: Float, sine: Float) {
    self.cosine = cosine
    self.sine = sine
  }

  /// The point turned about the origin.
  func turn(_ point: Point) -> Point {
    Point(cosine * point.x - sine * point.y, sine * point.x + cosine * point.y)
  }

  /// The point turned the other way.
  func turnBack(_ point: Point) -> Point {
    Point(cosine * point.x + sine * point.y, cosine * point.y - sine * point.x)
  }

  static let sixth = Rotation(cosine: 0.5, sine: 0.866_025_4)
  static let fifth = Rotation(cosine: 0.309_017, sine: 0.951_056_5)
  static let tenth = Rotation(cosine: 0.809_017, sine: 0.587_785_25)
}

/// The area that a shape covers, in units of its own: within about 1 of the origin.
public struct Outline: Sendable {
  enum Form: Sendable {
    /// The corners in order; a point is inside if a ray from it crosses the boundary an odd number of times.
    case polygon([Point])
    /// The disc of radius 1, with or without a circular hole, which may reach over the edge.
    case disc(hole: (center: Point, radius: Float)?)
  }

  let form: Form
  /// Square units, to about half a percent.
  public let area: Float

  init(_ form: Form) {
    self.form = form
    area = Self.measured(form)
  }

  /// Whether the shape covers the point.
  public func contains(_ point: Point) -> Bool { Self.covers(form, point) }

  private static func covers(_ form: Form, _ point: Point) -> Bool {
    switch form {
    case .disc(let hole):
      if squaredLength(point) > 1 { return false }
      guard let hole else { return true }
      return squaredLength(point - hole.center) > hole.radius * hole.radius
    case .polygon(let corners):
      var inside = false
      var previous = corners.count - 1
      for current in corners.indices {
        let (a, b) = (corners[current], corners[previous])
        if (a.y > point.y) != (b.y > point.y), point.x < (b.x - a.x) * (point.y - a.y) / (b.y - a.y) + a.x {
          inside.toggle()
        }
        previous = current
      }
      return inside
    }
  }

  /// Counts the covered points of a grid that spans -1.5 ... 1.5 both ways: one rule for every form.
  private static func measured(_ form: Form) -> Float {
    let steps = 300
    let width = 3 / Float(steps)
    var covered = 0
    for row in 0..<steps {
      for column in 0..<steps {
        let point = Point(Float(column) + 0.5, Float(row) + 0.5) * width - 1.5
        if covers(form, point) { covered += 1 }
      }
    }
    return Float(covered) * width * width
  }
}

func squaredLength(_ point: Point) -> Float { point.x * point.x + point.y * point.y }

// The classes of the sample data and the outline of each. Sizes, colors and disturbances are a Scene's matter.

/// What a picture shows; the raw value names the class folder.
///
/// Some resemble each other on purpose, so that a trained network still makes mistakes worth looking at: pentagon
/// and hexagon, hexagon and disc, ring and crescent.
public enum Shape: String, Sendable, CaseIterable {
  case crescent, cross, disc, hexagon, pentagon, ring, square, star

  /// The covered area, in units of the shape's own.
  public var outline: Outline {
    switch self {
    case .crescent: Self.crescentOutline
    case .cross: Self.crossOutline
    case .disc: Self.discOutline
    case .hexagon: Self.hexagonOutline
    case .pentagon: Self.pentagonOutline
    case .ring: Self.ringOutline
    case .square: Self.squareOutline
    case .star: Self.starOutline
    }
  }

  // Built once: an outline measures its own area.
  private static let crescentOutline = Outline(.disc(hole: (Point(0.42, 0), 0.78)))
  private static let discOutline = Outline(.disc(hole: nil))
  private static let ringOutline = Outline(.disc(hole: (.zero, 0.55)))
  private static let hexagonOutline = Outline(.polygon(spokes([1, 1, 1, 1, 1, 1], apart: .sixth)))
  private static let pentagonOutline = Outline(.polygon(spokes([1, 1, 1, 1, 1], apart: .fifth)))
  private static let starOutline = Outline(
    .polygon(spokes([1, 0.48, 1, 0.48, 1, 0.48, 1, 0.48, 1, 0.48], apart: .tenth)))
  private static let squareOutline = Outline(
    .polygon([Point(-1, -1), Point(1, -1), Point(1, 1), Point(-1, 1)]))
  private static let crossOutline: Outline = {
    let arm: Float = 0.36
    return Outline(
      .polygon([
        Point(-arm, -1), Point(arm, -1), Point(arm, -arm), Point(1, -arm), Point(1, arm), Point(arm, arm),
        Point(arm, 1), Point(-arm, 1), Point(-arm, arm), Point(-1, arm), Point(-1, -arm), Point(-arm, -arm),
      ]))
  }()

  /// Corners at the given distances from the origin, each a rotation further than the last.
  private static func spokes(_ lengths: [Float], apart rotation: Rotation) -> [Point] {
    var direction = Point(0, -1)
    return lengths.map { length in
      defer { direction = rotation.turn(direction) }
      return direction * length
    }
  }
}

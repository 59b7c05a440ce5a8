// Height and width together: what kernels, paddings and maps are measured in.

/// A height and a width in pixels: of a kernel, or of the padding on each side of a map. A number alone is both.
public struct Extent: Sendable, Hashable, ExpressibleByIntegerLiteral, CustomStringConvertible {
  public var height: Int
  public var width: Int

  public init(height: Int, width: Int) { (self.height, self.width) = (height, width) }
  public init(_ side: Int) { self.init(height: side, width: side) }
  public init(integerLiteral side: Int) { self.init(side) }

  /// Pixels.
  public var count: Int { height * width }

  /// `3x3`
  public var description: String { "\(height)x\(width)" }
}

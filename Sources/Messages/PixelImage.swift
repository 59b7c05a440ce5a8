// A decoded picture as everything above the decoder sees it.

/// A decoded picture: 8-bit RGB, rows from the top, three bytes a pixel.
public struct PixelImage: Codable, Sendable, Equatable {
  public var width: Int
  public var height: Int
  /// [height, width, 3], 0...255.
  public var pixels: [UInt8]

  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(pixels.count == width * height * 3, "an RGB image has three bytes a pixel")
    self.width = width
    self.height = height
    self.pixels = pixels
  }
}

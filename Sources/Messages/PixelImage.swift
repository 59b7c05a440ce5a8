// A decoded picture as everything above the decoder sees it.

/// A decoded picture: 8-bit RGB, rows from the top, three bytes a pixel.
public struct PixelImage: Codable, Sendable, Equatable {
  public var width: Int
  public var height: Int
  /// [height, width, 3], 0...255.
  public var pixels: [UInt8]
  /// The file that it was decoded from, where somebody may want to know.
  public var file: FileFacts?

  /// What a file says of its image.
  public struct FileFacts: Codable, Sendable, Equatable {
    /// As people write it: `JPEG`.
    public var format: String
    /// In pixels, before it was made smaller.
    public var width: Int
    public var height: Int
    public var bytes: Int?

    public init(format: String, width: Int, height: Int, bytes: Int? = nil) {
      self.format = format
      self.width = width
      self.height = height
      self.bytes = bytes
    }
  }

  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(pixels.count == width * height * 3, "an RGB image has three bytes a pixel")
    self.width = width
    self.height = height
    self.pixels = pixels
  }
}

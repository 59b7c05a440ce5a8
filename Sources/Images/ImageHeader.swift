// What a file says of its image before any pixel is decoded.

/// The format, size and colors of an image file.
public struct ImageHeader: Codable, Sendable, Equatable {
  /// How the file stores its samples; decoding makes RGB of each.
  public enum Channels: String, Codable, Sendable, CaseIterable {
    case gray, grayAlpha = "gray with alpha", rgb, rgbAlpha = "rgb with alpha", palette, cmyk
  }

  public var format: ImageFormat
  /// Pixels, as shown: after the camera's orientation.
  public var width: Int
  public var height: Int
  public var channels: Channels
  /// Bits a sample; of a palette's entry number for palette images.
  public var bitDepth: Int

  public init(format: ImageFormat, width: Int, height: Int, channels: Channels, bitDepth: Int) {
    self.format = format
    self.width = width
    self.height = height
    self.channels = channels
    self.bitDepth = bitDepth
  }
}

extension ImageDecoder {
  /// Reads what a file says of its image; a file whose pixels are damaged may pass.
  /// - Throws: `DecodingFailure`, which names the file and the cause.
  public func header(path: String, name: String? = nil) throws(DecodingFailure) -> ImageHeader {
    try withContents(path: path, name: name) { (bytes) throws(DecodingFailure) in
      try header(bytes: bytes, name: name ?? path)
    }
  }

  /// The header of a file that is in memory; see `header(path:name:)`.
  public func header(bytes: UnsafeRawBufferPointer, name: String) throws(DecodingFailure) -> ImageHeader {
    do throws(ImageFault) {
      switch ImageFormat(bytes) {
      case .png: return try headerOfPNG(bytes)
      case .jpeg: return try headerOfJPEG(bytes)
      case .webp: return try headerOfWebP(bytes)
      case .gif: return try headerOfGIF(bytes)
      case nil: throw ImageFault(ImageFormat.describeForeign(bytes))
      }
    } catch {
      throw DecodingFailure(path: name, reason: error.reason, cause: error.cause)
    }
  }
}

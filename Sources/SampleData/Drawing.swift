// Finished pixels, and their PNG file as bytes. Reading PNG files is Datasets' work.

import CPNG

/// A square 8-bit RGB picture.
public struct Drawing: Sendable, Equatable {
  /// Width and height, pixels.
  public let side: Int
  /// [side, side, 3], rows from the top, 0...255.
  public let pixels: [UInt8]

  public init(side: Int, pixels: [UInt8]) {
    precondition(side > 0 && pixels.count == side * side * 3, "an RGB picture has three bytes a pixel")
    self.side = side
    self.pixels = pixels
  }

  /// The picture as a PNG file (W3C PNG specification, color type 2, 8 bits).
  ///
  /// The same pixels give the same bytes with the same libpng and zlib; other versions may compress otherwise.
  ///
  /// - Throws: `SampleDataError.encoding` if libpng refuses.
  public func encodedAsPNG() throws -> [UInt8] {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.width = png_uint_32(side)
    image.height = png_uint_32(side)
    image.format = png_uint_32(PNG_FORMAT_RGB)
    // Pixels that do not compress at all grow by less than this.
    var size = png_alloc_size_t(pixels.count + pixels.count / 8 + 1024)
    var file = [UInt8](repeating: 0, count: Int(size))
    guard png_image_write_to_memory(&image, &file, &size, 0, pixels, 0, nil) != 0 else {
      let reason = withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      throw SampleDataError.encoding(reason: reason)
    }
    file.removeSubrange(Int(size)...)
    return file
  }
}

// Reads a PNG file back with libpng, so that the tests compare pixels instead of compressed bytes.

import CPNG
import Foundation
import SampleData

struct NotPNG: Error { var reason: String }

/// The pixels of a square 8-bit RGB PNG file; refuses any other.
func decodedPNG(_ file: Data) throws -> Drawing {
  var image = png_image()
  image.version = png_uint_32(PNG_IMAGE_VERSION)
  defer { png_image_free(&image) }
  let bytes = [UInt8](file)
  guard png_image_begin_read_from_memory(&image, bytes, bytes.count) != 0 else {
    throw NotPNG(reason: "libpng cannot read the header")
  }
  guard image.width == image.height, image.format == png_uint_32(PNG_FORMAT_RGB) else {
    throw NotPNG(reason: "\(image.width) x \(image.height), format \(image.format): no square 8-bit RGB picture")
  }
  var pixels = [UInt8](repeating: 0, count: Int(image.width * image.height * 3))
  guard png_image_finish_read(&image, nil, &pixels, 0, nil) != 0 else {
    throw NotPNG(reason: "libpng cannot read the pixels")
  }
  return Drawing(side: Int(image.width), pixels: pixels)
}

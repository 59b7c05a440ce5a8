// JPEG by libjpeg-turbo: baseline, extended, progressive and arithmetic; gray, color, CMYK and YCCK at 8 bits; every
// subsampling. Files without Huffman tables, as Motion JPEG has them, get the specification's own (ITU-T T.81, annex
// K.3) from the library.

import CImageShims
import Messages

extension ImageDecoder {
  func headerOfJPEG(_ bytes: UnsafeRawBufferPointer) throws(ImageFault) -> ImageHeader {
    let header = try JPEGFile(bytes).readHeader()
    try checkSize(of: header)
    let size = (Orientation(jpeg: bytes) ?? .upright).size(width: Int(header.width), height: Int(header.height))
    let channels: ImageHeader.Channels = header.components == 4 ? .cmyk : header.components == 1 ? .gray : .rgb
    return ImageHeader(format: .jpeg, width: size.width, height: size.height, channels: channels, bitDepth: 8)
  }

  func decodeJPEG(_ bytes: UnsafeRawBufferPointer, minimumSide: Int?) throws(ImageFault) -> DecodedPicture {
    let file = try JPEGFile(bytes)
    let header = try file.readHeader()
    let requiredPixels = try checkSize(of: header)
    let (width, height) = (Int(header.width), Int(header.height))
    let divisor = Self.divisor(shorterSide: min(width, height), minimumSide: minimumSide)
    let orientation = Orientation(jpeg: bytes) ?? .upright
    let (smallWidth, smallHeight) = ((width + divisor - 1) / divisor, (height + divisor - 1) / divisor)
    try requireMemory(
      .jpeg, width: smallWidth, height: smallHeight, bytes: orientation == .upright ? 3 : 6)
    let image = try file.readPixels(width: smallWidth, height: smallHeight, divisor: divisor)
    return DecodedPicture(image, width: width, height: height, requiredPixels: requiredPixels).oriented(orientation)
  }

  /// Pixels, and the coefficients that a file of many scans keeps beside them: two bytes for each of three channels
  /// of every pixel allowed will do for any picture but one of four channels that is itself nearly as large.
  /// - Returns: the least cap with which it passes.
  @discardableResult
  private func checkSize(of header: image_jpeg_header) throws(ImageFault) -> Int {
    try checkSize(width: Int(header.width), height: Int(header.height))
    // A picture of one pixel still has blocks of 64.
    let required = max(
      Int(header.width) * Int(header.height), (Int(header.coefficient_bytes) - (1 << 16)) / 6)
    guard required <= maximumPixels else {
      throw ImageFault(
        "the image is \(header.width)x\(header.height) pixels in more scans than one, which takes more memory than "
          + "\(maximumPixels) pixels are allowed; \(PixelLimit.advice)", cause: .pixelLimit(required: required))
    }
    return required
  }

  /// The largest of 1, 2, 4 and 8 by which the shorter side can be divided and keep `minimumSide` pixels.
  private static func divisor(shorterSide: Int, minimumSide: Int?) -> Int {
    guard let minimumSide else { return 1 }
    return [8, 4, 2].first { (shorterSide + $0 - 1) / $0 >= max(1, minimumSide) } ?? 1
  }
}

/// A file that libjpeg is reading; closed when it goes.
private struct JPEGFile: ~Copyable {
  private let handle: OpaquePointer

  /// Encoders write about ten scans, those that search for the smallest file some more; bombs have thousands.
  private static let maximumScans: Int32 = 100

  /// - Parameter bytes: must outlive this.
  init(_ bytes: UnsafeRawBufferPointer) throws(ImageFault) {
    let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
    guard let handle = image_jpeg_open(start, bytes.count, Self.maximumScans) else { throw .noMemory(.jpeg) }
    self.handle = handle
  }

  deinit { image_jpeg_close(handle) }

  func readHeader() throws(ImageFault) -> image_jpeg_header {
    var header = image_jpeg_header()
    guard image_jpeg_read_header(handle, &header) else { throw fault }
    return header
  }

  /// - Parameters: width and height are the header's, divided by `divisor` and rounded up.
  func readPixels(width: Int, height: Int, divisor: Int) throws(ImageFault) -> PixelImage {
    var done = false
    let count = width * height * 3
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      done = image_jpeg_read_pixels(handle, Int32(divisor), UInt32(width), UInt32(height), buffer.baseAddress)
      initialized = done ? count : 0
    }
    guard done else { throw fault }
    return PixelImage(width: width, height: height, pixels: pixels)
  }

  private var fault: ImageFault {
    ImageFault(image_jpeg_fault(handle), .jpeg, message: "libjpeg: \(String(cString: image_jpeg_message(handle)))")
  }
}

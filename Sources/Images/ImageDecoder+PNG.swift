// PNG of every color type, depth and interlacing (PNG specification, third edition) by libpng; of an animation the
// default image.

import CImageShims
import Messages

extension ImageDecoder {
  func headerOfPNG(_ bytes: UnsafeRawBufferPointer) throws(ImageFault) -> ImageHeader {
    let header = try readHeader(of: PNGFile(bytes, keepsTransparency: true), bytes)
    let size = (Orientation(png: bytes) ?? .upright).size(width: Int(header.width), height: Int(header.height))
    let channels: ImageHeader.Channels =
      switch header.color_type {
      case 0: .gray
      case 3: .palette
      case 4: .grayAlpha
      case 6: .rgbAlpha
      default: .rgb
      }
    return ImageHeader(
      format: .png, width: size.width, height: size.height, channels: channels, bitDepth: Int(header.bit_depth))
  }

  func decodePNG(
    _ bytes: UnsafeRawBufferPointer, minimumSide: Int?, on background: Background
  ) throws(ImageFault) -> DecodedPicture {
    let file = try PNGFile(bytes, keepsTransparency: background != .none)
    let header = try readHeader(of: file, bytes)
    let (width, height) = (Int(header.width), Int(header.height))
    let orientation = Orientation(png: bytes) ?? .upright
    let turning = orientation == .upright ? 0 : 3
    let ground =
      header.has_alpha
      ? Ground(background, file: bytes, width: width, height: height, minimumSide: minimumSide) : nil
    guard let ground else {
      try requireMemory(.png, width: width, height: height, bytes: 3 + turning)
      let pixels = try file.readPixels(width: width, height: height, channels: 3)
      return DecodedPicture(PixelImage(width: width, height: height, pixels: pixels)).oriented(orientation)
    }
    try requireMemory(.png, width: width, height: height, bytes: 7)
    let rgba = try file.readPixels(width: width, height: height, channels: 4)
    let composed = rgba.withUnsafeBufferPointer {
      PixelImage.composed(width: width, height: height, rgba: $0, on: ground)
    }
    return DecodedPicture(composed.image, transparency: composed.transparency).oriented(orientation)
  }

  private func readHeader(
    of file: borrowing PNGFile, _ bytes: UnsafeRawBufferPointer
  ) throws(ImageFault) -> image_png_header {
    // Width and height stand at a fixed place. libpng would refuse a bomb too, but call it damaged.
    if bytes.count >= 24 {
      try checkSize(width: bytes.bigEndian32(at: 16), height: bytes.bigEndian32(at: 20))
    }
    let header = try file.readHeader()
    try checkSize(width: Int(header.width), height: Int(header.height))
    return header
  }
}

extension UnsafeRawBufferPointer {
  /// Four bytes, the most significant one first.
  fileprivate func bigEndian32(at offset: Int) -> Int {
    Int(UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
  }
}

/// A file that libpng is reading; closed when it goes.
private struct PNGFile: ~Copyable {
  private let handle: OpaquePointer

  /// Longer sides are refused, as libpng itself would do: a row alone would take megabytes.
  private static let maximumSide: UInt32 = 1_000_000

  /// - Parameter bytes: must outlive this.
  init(_ bytes: UnsafeRawBufferPointer, keepsTransparency: Bool) throws(ImageFault) {
    let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
    guard let handle = image_png_open(start, bytes.count, Self.maximumSide, keepsTransparency) else {
      throw .noMemory(.png)
    }
    self.handle = handle
  }

  deinit { image_png_close(handle) }

  func readHeader() throws(ImageFault) -> image_png_header {
    var header = image_png_header()
    guard image_png_read_header(handle, &header) else { throw fault }
    return header
  }

  /// - Parameters: width and height are the header's; 4 channels for alpha too.
  /// - Returns: [height, width, channels].
  func readPixels(width: Int, height: Int, channels: Int) throws(ImageFault) -> [UInt8] {
    var done = false
    let count = width * height * channels
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      done = image_png_read_pixels(handle, Int32(channels), buffer.baseAddress)
      initialized = done ? count : 0
    }
    guard done else { throw fault }
    return pixels
  }

  private var fault: ImageFault {
    ImageFault(image_png_fault(handle), .png, message: "libpng: \(String(cString: image_png_message(handle)))")
  }
}

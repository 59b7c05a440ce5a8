// PNG by libpng's simplified interface (libpng manual, section V), which needs no setjmp. What that interface would
// do of its own accord and Pillow does not, is kept from it by taking the optional chunks out of the file first.

import CPNG
import Messages

extension ImageDecoder {
  func decodePNG(_ bytes: UnsafeRawBufferPointer) throws(ImageFault) -> PixelImage {
    let outline = try PNGOutline(bytes)
    try checkSize(width: outline.width, height: outline.height)
    let image: PixelImage
    if outline.hasOptionalChunks {
      outline.copyNeededChunks(of: bytes, to: &scratch)
      image = try scratch.withUnsafeBufferPointer { (needed) throws(ImageFault) in
        try Self.read(UnsafeRawBufferPointer(needed), outline)
      }
    } else {
      image = try Self.read(bytes, outline)
    }
    return image.oriented(outline.orientation)
  }

  func headerOfPNG(_ bytes: UnsafeRawBufferPointer) throws(ImageFault) -> ImageHeader {
    let outline = try PNGOutline(bytes)
    try checkSize(width: outline.width, height: outline.height)
    let size = outline.orientation.size(width: outline.width, height: outline.height)
    return ImageHeader(
      format: .png, width: size.width, height: size.height, channels: outline.channels, bitDepth: outline.bitDepth)
  }

  private static func read(_ bytes: UnsafeRawBufferPointer, _ outline: PNGOutline) throws(ImageFault) -> PixelImage
  {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
      throw fault(image)
    }
    defer { png_image_free(&image) }
    guard Int(image.width) == outline.width, Int(image.height) == outline.height else {
      throw ImageFault("its header is damaged")
    }
    let pixels = outline.width * outline.height
    let colour = png_uint_32(PNG_FORMAT_FLAG_COLOR)

    var rgb: [UInt8]
    switch (outline.channels == .grayAlpha || outline.channels == .rgbAlpha, outline.bitDepth) {
    case (false, 16):
      // Sixteen bits are given out unchanged as "linear"; the high byte is the value.
      image.format = colour | png_uint_32(PNG_FORMAT_FLAG_LINEAR)
      let samples = try finish(&image, count: pixels * 3, of: UInt16.self)
      rgb = samples.map { UInt8(truncatingIfNeeded: $0 >> 8) }
    case (false, _):
      image.format = colour
      rgb = try finish(&image, count: pixels * 3, of: UInt8.self)
    case (true, 16) where outline.isInterlaced:
      // libpng 1.6.39 as of Debian 12 and some later ones mix up the rows of these when it brings them to 8 bits
      // (pnggroup/libpng issue 853).
      throw ImageFault(
        "PNG images of 16 bits that are both interlaced and transparent are not supported; save it "
          + "without one of the three")
    case (true, _):
      // Without this flag sixteen bits would be taken for linear light. They are rounded to eight, so they may be
      // one above the high byte; asked for in full they would come multiplied by alpha.
      image.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)
      image.format = colour | png_uint_32(PNG_FORMAT_FLAG_ALPHA)
      let rgba = try finish(&image, count: pixels * 4, of: UInt8.self)
      rgb = withoutAlpha(rgba, pixels: pixels)
    }
    return PixelImage(width: outline.width, height: outline.height, pixels: rgb)
  }

  /// Reads the pixels in the format that was set.
  private static func finish<Sample: BitwiseCopyable>(
    _ image: inout png_image, count: Int, of: Sample.Type
  ) throws(ImageFault) -> [Sample] {
    var done: Int32 = 0
    let samples = [Sample](unsafeUninitializedCapacity: count) { buffer, initialised in
      done = png_image_finish_read(&image, nil, buffer.baseAddress, 0, nil)
      initialised = done != 0 ? count : 0
    }
    guard done != 0 else { throw fault(image) }
    return samples
  }

  private static func withoutAlpha(_ rgba: [UInt8], pixels: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: pixels * 3) { rgb, count in
      rgba.withUnsafeBufferPointer { rgba in
        for pixel in 0..<pixels {
          rgb[3 * pixel] = rgba[4 * pixel]
          rgb[3 * pixel + 1] = rgba[4 * pixel + 1]
          rgb[3 * pixel + 2] = rgba[4 * pixel + 2]
        }
      }
      count = pixels * 3
    }
  }

  private static func fault(_ image: png_image) -> ImageFault {
    let text = withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return ImageFault("the PNG is damaged or cut short (libpng: \(text))")
  }
}

/// What is known of a PNG file without decoding it (PNG specification, third edition, sections 5 and 11).
private struct PNGOutline {
  private(set) var width = 0
  private(set) var height = 0
  private(set) var bitDepth = 0
  private(set) var channels = ImageHeader.Channels.rgb
  private(set) var isInterlaced = false
  private(set) var orientation = Orientation.upright
  /// Whether there are chunks that the pixels do not need: gamma and colour profiles would change them,
  /// transparency would have to be removed again, texts may be bombs.
  private(set) var hasOptionalChunks = false

  private static let signatureLength = 8
  /// Length, type and checksum.
  private static let frameLength = 12

  init(_ bytes: UnsafeRawBufferPointer) throws(ImageFault) {
    let header = Self.signatureLength + 8
    guard bytes.count >= header + 13, Self.type(in: bytes, at: Self.signatureLength) == "IHDR" else {
      throw ImageFault("the PNG is damaged or cut short (it does not begin with its header)")
    }
    width = bytes.bigEndian32(at: header)
    height = bytes.bigEndian32(at: header + 4)
    bitDepth = Int(bytes[header + 8])
    channels =
      switch bytes[header + 9] {
      case 0: .gray
      case 3: .palette
      case 4: .grayAlpha
      case 6: .rgbAlpha
      default: .rgb
      }
    isInterlaced = bytes[header + 12] != 0
    var orientation = Orientation.upright
    var hasOptionalChunks = false
    Self.forEachChunk(of: bytes) { chunk, isOptional in
      if isOptional { hasOptionalChunks = true }
      if isOptional, Self.type(in: bytes, at: chunk.lowerBound) == "eXIf" {
        let content = (chunk.lowerBound + 8)..<max(chunk.lowerBound + 8, chunk.upperBound - 4)
        orientation = Orientation(tiff: UnsafeRawBufferPointer(rebasing: bytes[content])) ?? orientation
      }
    }
    self.orientation = orientation
    self.hasOptionalChunks = hasOptionalChunks
  }

  func copyNeededChunks(of bytes: UnsafeRawBufferPointer, to copy: inout [UInt8]) {
    copy.removeAll(keepingCapacity: true)
    copy.append(contentsOf: bytes[..<Self.signatureLength])
    Self.forEachChunk(of: bytes) { chunk, isOptional in
      if !isOptional { copy.append(contentsOf: bytes[chunk]) }
    }
  }

  /// Calls `body` with the range of each chunk, frame included. A last chunk that is cut short is handed out as a
  /// needed one, so that libpng finds the damage.
  private static func forEachChunk(of bytes: UnsafeRawBufferPointer, _ body: (Range<Int>, Bool) -> Void) {
    var start = signatureLength
    while start + frameLength <= bytes.count {
      let end = start + frameLength + bytes.bigEndian32(at: start)
      guard end <= bytes.count else { break }
      // Bit 5 of the type's first letter says that a decoder may do without the chunk.
      body(start..<end, bytes[start + 4] & 0x20 != 0)
      if type(in: bytes, at: start) == "IEND" { return }
      start = end
    }
    if start < bytes.count { body(start..<bytes.count, false) }
  }

  private static func type(in bytes: UnsafeRawBufferPointer, at chunk: Int) -> String {
    String(decoding: bytes[(chunk + 4)..<(chunk + 8)], as: UTF8.self)
  }
}

extension UnsafeRawBufferPointer {
  /// Four bytes, the most significant one first.
  fileprivate func bigEndian32(at offset: Int) -> Int {
    Int(UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
  }
}

// From a file's bytes to RGB: chooses the format by content, holds what is reused from file to file, and turns every
// failure into one that names the file. The formats are in ImageDecoder+PNG.swift and its neighbors.

import Messages
import Resources

/// Decodes PNG, JPEG, WebP and GIF files. It keeps its buffer between files: use one for each thread.
///
/// Beside that buffer, no image takes more than about 12 bytes for each pixel allowed, most of it for progressive
/// JPEG; one that would is refused before.
public final class ImageDecoder {
  /// The cap where nothing else is asked for: 100 million pixels, or what the environment variable
  /// `SKIPLINE_MAX_PIXELS` says.
  public static var defaultMaximumPixels: Int { PixelLimit.current.pixels }

  /// Images of more pixels are refused before any memory is taken for them.
  public let maximumPixels: Int

  private var file = FileReader()

  public init(maximumPixels: Int = ImageDecoder.defaultMaximumPixels) {
    self.maximumPixels = maximumPixels
  }

  /// Decodes a file as Pillow's `convert("RGB")` after `exif_transpose` would: gray is spread over the three
  /// channels, CMYK taken as inverted. What is transparent is laid on the background first, as with `alpha_composite`.
  /// Of 16 bits the high 8 are taken, where Pillow clips gray of 16 bits; of animations the first picture.
  ///
  /// - Parameters:
  ///   - name: what the error calls the file; its path if nil.
  ///   - minimumSide: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size as long as its shorter side keeps so many
  ///     pixels, which is much faster; nil for full size. A background of noise is made so coarse that it outlasts
  ///     shrinking to half of this.
  ///   - background: what transparent pixels are laid on.
  /// - Throws: `DecodingFailure`, which names the file and the cause.
  public func decode(
    path: String, name: String? = nil, minimumSide: Int? = nil, background: Background = .white
  ) throws(DecodingFailure) -> PixelImage {
    try withContents(path: path, name: name) { (bytes) throws(DecodingFailure) in
      try decode(bytes: bytes, name: name ?? path, minimumSide: minimumSide, background: background)
    }
  }

  /// Reads a file and calls `body` with its bytes, which are valid until it returns: for more than one thing to be
  /// done with a file that is read once. `body` may decode these bytes, but no other file.
  /// - Parameter name: what the error calls the file; its path if nil.
  /// - Throws: `DecodingFailure` if it cannot be read, and what `body` throws.
  public func withContents<Result>(
    path: String, name: String? = nil, _ body: (UnsafeRawBufferPointer) throws(DecodingFailure) -> Result
  ) throws(DecodingFailure) -> Result {
    do throws(FileFault) {
      try file.read(path: path)
    } catch {
      throw DecodingFailure(path: name ?? path, reason: error.reason, cause: .circumstances)
    }
    return try file.withBytes(body)
  }

  /// Decodes a file that is in memory; see `decode(path:name:minimumSide:background:)`.
  public func decode(
    bytes: UnsafeRawBufferPointer, name: String, minimumSide: Int? = nil, background: Background = .white
  ) throws(DecodingFailure) -> PixelImage {
    try picture(bytes: bytes, name: name, minimumSide: minimumSide, background: background).image
  }

  /// Decodes a file that is in memory and says what was found on the way.
  public func picture(
    bytes: UnsafeRawBufferPointer, name: String, minimumSide: Int? = nil, background: Background = .white
  ) throws(DecodingFailure) -> DecodedPicture {
    do throws(ImageFault) {
      switch ImageFormat(bytes) {
      case .png: return try decodePNG(bytes, minimumSide: minimumSide, on: background)
      case .jpeg: return try decodeJPEG(bytes, minimumSide: minimumSide)
      case .webp: return try decodeWebP(bytes, minimumSide: minimumSide, on: background)
      case .gif: return try decodeGIF(bytes, minimumSide: minimumSide, on: background)
      case nil: throw ImageFault(ImageFormat.describeForeign(bytes))
      }
    } catch {
      throw DecodingFailure(path: name, reason: error.reason, cause: error.cause)
    }
  }

  /// Decodes one file with a decoder of its own.
  public static func decode(
    path: String, maximumPixels: Int = defaultMaximumPixels, minimumSide: Int? = nil,
    background: Background = .white
  ) throws(DecodingFailure) -> PixelImage {
    try ImageDecoder(maximumPixels: maximumPixels).decode(
      path: path, minimumSide: minimumSide, background: background)
  }

  /// Decodes one file that is in memory with a decoder of its own.
  public static func decode(
    bytes: [UInt8], name: String, maximumPixels: Int = defaultMaximumPixels, minimumSide: Int? = nil,
    background: Background = .white
  ) throws(DecodingFailure) -> PixelImage {
    let decoder = ImageDecoder(maximumPixels: maximumPixels)
    return try bytes.withUnsafeBufferPointer { (bytes) throws(DecodingFailure) in
      try decoder.decode(
        bytes: UnsafeRawBufferPointer(bytes), name: name, minimumSide: minimumSide, background: background)
    }
  }

  /// - Throws: `ImageFault` for an image without pixels or with more than are allowed.
  func checkSize(width: Int, height: Int) throws(ImageFault) {
    guard width > 0, height > 0 else {
      throw ImageFault("the image is \(width)x\(height) pixels; replace or remove it")
    }
    let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, pixels <= maximumPixels else {
      throw ImageFault(
        "the image is \(width)x\(height) pixels, more than the \(maximumPixels) allowed; \(PixelLimit.advice)",
        cause: .pixelLimit(required: overflow ? .max : pixels))
    }
  }

  /// - Parameter bytes: that will be taken a pixel.
  /// - Throws: `ImageFault` where there is no memory for an image of a size that is allowed.
  func requireMemory(_ format: ImageFormat, width: Int, height: Int, bytes: Int) throws(ImageFault) {
    guard Memory.has(width * height * bytes) else { throw .noMemory(format) }
  }
}

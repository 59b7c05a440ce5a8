// Pictures as files: thumbnails for reports, sheets for TensorBoard. Nothing that a network sees goes this way.

import CImageShims
import Glibc
import Messages

/// A picture as the bytes of a file.
public struct EncodedPicture: Sendable, Equatable {
  public enum Kind: String, Sendable { case png, jpeg }

  public var kind: Kind
  public var bytes: [UInt8]
  /// Pixels.
  public var width: Int
  public var height: Int

  public var mediaType: String { "image/\(kind.rawValue)" }
}

extension PixelImage {
  /// The picture as PNG, every pixel as it is.
  /// - Returns: nil for want of memory, or where a side is 0.
  public func encodedAsPNG() -> EncodedPicture? {
    encoded(.png) { image_encode_png($0, UInt32(width), UInt32(height), $1) }
  }

  /// The picture as PNG or, where that is smaller, as JPEG.
  /// - Returns: nil as above.
  public func encodedSmall(quality: Int = 85) -> EncodedPicture? {
    let exact = encodedAsPNG()
    let rounded = encoded(.jpeg) { image_encode_jpeg($0, UInt32(width), UInt32(height), Int32(quality), $1) }
    return [exact, rounded].compactMap { $0 }.min { $0.bytes.count < $1.bytes.count }
  }

  private func encoded(
    _ kind: EncodedPicture.Kind,
    _ encode: (UnsafePointer<UInt8>, UnsafeMutablePointer<Int>) -> UnsafeMutablePointer<UInt8>?
  ) -> EncodedPicture? {
    guard width > 0, height > 0, width < 1 << 16, height < 1 << 16 else { return nil }
    var count = 0
    let memory = pixels.withUnsafeBufferPointer { pixels in pixels.baseAddress.flatMap { encode($0, &count) } }
    guard let memory else { return nil }
    defer { free(memory) }
    return EncodedPicture(
      kind: kind, bytes: Array(UnsafeBufferPointer(start: memory, count: count)), width: width, height: height)
  }

  /// The whole picture, as large as fits into a square.
  /// - Parameter side: pixels; a picture is enlarged by whole numbers at most, so that a small one stays sharp.
  public func thumbnail(side: Int) -> PixelImage {
    let longest = max(1, max(width, height))
    if longest <= side {
      let factor = max(1, side / longest)
      return factor == 1 ? self : magnified(factor)
    }
    return resized(width: max(1, width * side / longest), height: max(1, height * side / longest))
  }

  /// Each pixel as a square of so many.
  private func magnified(_ factor: Int) -> PixelImage {
    var larger: [UInt8] = []
    larger.reserveCapacity(pixels.count * factor * factor)
    for row in 0..<height {
      var line: [UInt8] = []
      for column in 0..<width {
        let place = (row * width + column) * 3
        for _ in 0..<factor { line += pixels[place..<place + 3] }
      }
      for _ in 0..<factor { larger += line }
    }
    return PixelImage(width: width * factor, height: height * factor, pixels: larger)
  }
}

// What kind of image a file is, by its first bytes. The name has no say in it.

import Foundation
import Messages

/// An image format that can be decoded.
public enum ImageFormat: String, Codable, Sendable, CaseIterable {
  case png = "PNG"
  case jpeg = "JPEG"

  /// How many bytes are needed to tell.
  static let prefixLength = 12

  init?<Bytes: Collection>(_ bytes: Bytes) where Bytes.Element == UInt8 {
    if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
      self = .png
    } else if bytes.starts(with: [0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else {
      return nil
    }
  }

  /// What bytes that are no PNG or JPEG look like, for the error's text.
  static func describeForeign<Bytes: Collection>(_ bytes: Bytes) -> String where Bytes.Element == UInt8 {
    if bytes.isEmpty { return "the file is empty" }
    let known: [(start: [UInt8], name: String)] = [
      (Array("GIF8".utf8), "a GIF image"), (Array("BM".utf8), "a BMP image"),
      ([0x49, 0x49, 0x2a, 0x00], "a TIFF image"), ([0x4d, 0x4d, 0x00, 0x2a], "a TIFF image"),
      (Array("<svg".utf8), "an SVG drawing"), (Array("<?xml".utf8), "an XML file"),
      (Array("%PDF".utf8), "a PDF document"), ([0x50, 0x4b, 0x03, 0x04], "a ZIP archive"),
    ]
    var looks = known.first { bytes.starts(with: $0.start) }?.name
    if bytes.starts(with: Array("RIFF".utf8)), bytes.dropFirst(8).starts(with: Array("WEBP".utf8)) {
      looks = "a WebP image"
    }
    return "its content is neither PNG nor JPEG" + (looks.map { " but \($0)" } ?? "")
      + "; convert it to one of them or remove it"
  }

  /// Whether a name says PNG or JPEG.
  package static func isImageName(_ name: String) -> Bool {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
    return ["png", "jpg", "jpeg"].contains(name[name.index(after: dot)...].lowercased())
  }

  /// Whether a regular file begins like a PNG or a JPEG; false if it cannot be read.
  package static func isImageFile(_ path: String) -> Bool {
    let descriptor = path.withPathCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let bytes = [UInt8](unsafeUninitializedCapacity: prefixLength) { buffer, count in
      count = max(0, read(descriptor, buffer.baseAddress, prefixLength))
    }
    return ImageFormat(bytes) != nil
  }
}

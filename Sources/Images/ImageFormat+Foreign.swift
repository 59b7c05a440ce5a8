// Image formats that are known by their first bytes and cannot be decoded: worth naming, because a person takes such
// files for images.

import Foundation
import Messages

extension ImageFormat {
  /// What people call the image format that bytes begin like, if it is none that can be decoded; nil for anything
  /// else, texts and archives for instance. Twelve bytes are enough to tell.
  package static func unsupportedName(_ bytes: [UInt8]) -> String? {
    guard ImageFormat(bytes) == nil else { return nil }
    func has(_ text: String, at offset: Int = 0) -> Bool { bytes.dropFirst(offset).starts(with: text.utf8) }
    if has("GIF8") { return "GIF" }
    // Two letters alone begin many a text; the reserved field of a bitmap's header is zero.
    if has("BM"), bytes.count >= 10, bytes[6..<10].allSatisfy({ $0 == 0 }) { return "BMP" }
    if has("RIFF"), has("WEBP", at: 8) { return "WebP" }
    if bytes.starts(with: [0x49, 0x49, 0x2a, 0x00]) || bytes.starts(with: [0x4d, 0x4d, 0x00, 0x2a]) {
      return "TIFF"
    }
    if has("ftyp", at: 4) {
      if ["avif", "avis"].contains(where: { has($0, at: 8) }) { return "AVIF" }
      if ["heic", "heix", "hevc", "hevx", "mif1", "msf1"].contains(where: { has($0, at: 8) }) { return "HEIC" }
    }
    if bytes.starts(with: [0xff, 0x0a]) || bytes.starts(with: [0, 0, 0, 0x0c, 0x4a, 0x58, 0x4c, 0x20]) {
      return "JPEG XL"
    }
    if bytes.starts(with: [0, 0, 0, 0x0c, 0x6a, 0x50, 0x20, 0x20]) { return "JPEG 2000" }
    if has("8BPS") { return "Photoshop" }
    if has("<svg") { return "SVG" }
    // Portable anymaps: a letter, a digit, white space, then the width or a comment.
    if bytes.count >= 4, bytes[0] == UInt8(ascii: "P"), (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(bytes[1]),
      [0x0a, 0x20].contains(bytes[2]), bytes[3] == UInt8(ascii: "#") || (0x31...0x39).contains(bytes[3])
    {
      return "PNM"
    }
    return nil
  }

  /// The same of a regular file's first bytes; nil also if it cannot be read.
  package static func unsupportedName(ofFile path: String) -> String? {
    let descriptor = path.withPathCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let bytes = [UInt8](unsafeUninitializedCapacity: prefixLength) { buffer, count in
      count = max(0, read(descriptor, buffer.baseAddress, prefixLength))
    }
    return unsupportedName(bytes)
  }
}

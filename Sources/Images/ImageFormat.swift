// What kind of image a file is, by its first bytes. The name has no say in it. What cannot be decoded is told in
// ImageFormat+Unsupported.swift.

import Glibc
import Messages
import Support

/// An image format that can be decoded.
public enum ImageFormat: String, Codable, Sendable, CaseIterable {
  case png = "PNG"
  case jpeg = "JPEG"
  case webp = "WebP"
  case gif = "GIF"

  package init?<Bytes: Collection>(_ bytes: Bytes) where Bytes.Element == UInt8 {
    if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
      // Apple's own variant has this chunk first, and no pixels that other programs could read.
      if bytes.dropFirst(12).starts(with: Array("CgBI".utf8)) { return nil }
      self = .png
    } else if bytes.starts(with: [0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else if bytes.starts(with: Array("RIFF".utf8)), bytes.dropFirst(8).starts(with: Array("WEBP".utf8)) {
      self = .webp
    } else if bytes.starts(with: Array("GIF87a".utf8)) || bytes.starts(with: Array("GIF89a".utf8)) {
      self = .gif
    } else {
      return nil
    }
  }

  /// The endings of names that mean this format, in lower case.
  private var extensions: [String] {
    switch self {
    case .png: ["png", "apng"]
    case .jpeg: ["jpg", "jpeg", "jpe", "jfif"]
    case .webp: ["webp"]
    case .gif: ["gif"]
    }
  }

  private static let allExtensions = Set(allCases.flatMap(\.extensions))

  /// Whether a name says that the file is an image of a format that can be decoded.
  package static func isImageName(_ name: String) -> Bool {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
    return allExtensions.contains(name[name.index(after: dot)...].lowercased())
  }

  /// Whether a regular file begins like an image that can be decoded; false if it cannot be read.
  package static func isImageFile(_ path: String) -> Bool {
    ImageFormat(prefix(ofFile: path)) != nil
  }

  /// The first bytes of a file; none if it cannot be read or is no regular file.
  static func prefix(ofFile path: String) -> [UInt8] {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    let descriptor = path.withPathCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    return [UInt8](unsafeUninitializedCapacity: prefixLength) { buffer, count in
      count = max(0, read(descriptor, buffer.baseAddress, prefixLength))
    }
  }

  /// How many bytes are enough to tell every format that has a name here.
  static let prefixLength = 256
}

// MARK: Unsupported

// Names for what is no image that can be decoded: other image formats, so that their files can be counted and a
// person told what to do, and what else often lies about under an image's name. Only first bytes are looked at.

extension ImageFormat {
  /// The name of the image format that these bytes begin like, if it is a known one that cannot be decoded here.
  /// - Parameter bytes: the start of a file; 256 bytes are enough.
  package static func unsupportedName<Bytes: Collection>(_ bytes: Bytes) -> String? where Bytes.Element == UInt8 {
    let start = Array(bytes.prefix(prefixLength))
    if let signature = imageSignatures.first(where: { $0.matches(start) }) { return signature.name }
    if isBMP(start) { return "BMP" }
    if let brand = mediaBrand(start) { return mediaImages[brand] }
    return isSVG(start) ? "SVG" : nil
  }

  /// The same of a file; nil also if it cannot be read.
  package static func unsupportedName(ofFile path: String) -> String? { unsupportedName(prefix(ofFile: path)) }

  /// What bytes that no decoder takes look like and what to do about them, for the error's text.
  static func describeForeign<Bytes: Collection>(_ bytes: Bytes) -> String where Bytes.Element == UInt8 {
    if bytes.isEmpty { return "the file is empty; replace or remove it" }
    if let name = unsupportedName(bytes) {
      return "its format, \(name), is not supported; convert it to PNG or JPEG, or remove it"
    }
    let start = Array(bytes.prefix(prefixLength))
    let looks: String? =
      if start.allSatisfy({ $0 == 0 }) {
        "zeros, as a failed copy leaves them"
      } else if let signature = otherSignatures.first(where: { $0.matches(start) }) {
        signature.name
      } else if mediaBrand(start) != nil {
        "a film"
      } else {
        nil
      }
    return "its content is no PNG, JPEG, WebP or GIF image\(looks.map { " but \($0)" } ?? ""); replace or remove it"
  }

  /// Bytes at the beginning of a file, or at an offset.
  private struct Signature {
    var name: String
    var bytes: [UInt8]
    var offset = 0

    init(_ name: String, _ bytes: [UInt8], at offset: Int = 0) {
      self.name = name
      self.bytes = bytes
      self.offset = offset
    }

    init(_ name: String, _ text: String, at offset: Int = 0) { self.init(name, Array(text.utf8), at: offset) }

    func matches(_ start: [UInt8]) -> Bool { start.dropFirst(offset).starts(with: bytes) }
  }

  private static let imageSignatures: [Signature] =
    [
      Signature("CgBI (PNG changed by Xcode for iPhones)", "CgBI", at: 12),
      Signature("Canon CR2", [0x49, 0x49, 0x2a, 0, 0x10, 0, 0, 0, 0x43, 0x52]),
      Signature("TIFF", [0x49, 0x49, 0x2a, 0]), Signature("TIFF", [0x4d, 0x4d, 0, 0x2a]),
      Signature("BigTIFF", [0x49, 0x49, 0x2b, 0]), Signature("BigTIFF", [0x4d, 0x4d, 0, 0x2b]),
      Signature("JPEG 2000", [0, 0, 0, 12, 0x6a, 0x50, 0x20, 0x20, 13, 10]),
      Signature("JPEG 2000", [0xff, 0x4f, 0xff, 0x51]),
      Signature("JPEG XL", [0, 0, 0, 12, 0x4a, 0x58, 0x4c, 0x20, 13, 10]), Signature("JPEG XL", [0xff, 0x0a]),
      Signature("JPEG XR", [0x49, 0x49, 0xbc, 1]), Signature("Photoshop", "8BPS"), Signature("GIMP", "gimp xcf"),
      Signature("OpenEXR", [0x76, 0x2f, 0x31, 1]), Signature("Radiance HDR", "#?RADIANCE"),
      Signature("DirectDraw", "DDS "), Signature("QOI", "qoif"), Signature("FITS", "SIMPLE  ="),
      Signature("DICOM", "DICM", at: 128), Signature("Sun raster", [0x59, 0xa6, 0x6a, 0x95]),
      Signature("icon", [0, 0, 1, 0, 1, 0]), Signature("PCX", [10, 5, 1, 8]), Signature("DjVu", "AT&TFORM"),
      Signature("Fuji raw", "FUJIFILMCCD-RAW"),
    ] + (1...7).flatMap { number in ["\n", " "].map { Signature("Netpbm", "P\(number)\($0)") } }

  private static let otherSignatures: [Signature] = [
    Signature("a PDF document", "%PDF"), Signature("a ZIP archive", [0x50, 0x4b, 3, 4]),
    Signature("a gzip archive", [0x1f, 0x8b]), Signature("a web page", "<!DOCTYPE html"),
    Signature("a web page", "<!doctype html"), Signature("a web page", "<html"), Signature("an XML file", "<?xml"),
    Signature("a Git LFS pointer (run 'git lfs pull')", "version https://git-lfs"),
  ]

  /// "BM" alone begins many a text: the reserved fields must be zero, and the second header of a length that exists.
  private static func isBMP(_ start: [UInt8]) -> Bool {
    guard start.count >= 18, start.starts(with: Array("BM".utf8)), start[6..<10].allSatisfy({ $0 == 0 }) else {
      return false
    }
    return [12, 16, 40, 52, 56, 64, 108, 124].contains(start[14]) && start[15..<18].allSatisfy { $0 == 0 }
  }

  /// The four letters that say what an ISO media file holds (ISO/IEC 14496-12, section 4.3).
  private static func mediaBrand(_ start: [UInt8]) -> String? {
    guard start.count >= 12, start[4..<8].elementsEqual("ftyp".utf8) else { return nil }
    return String(decoding: start[8..<12], as: UTF8.self)
  }

  private static let mediaImages = [
    "heic": "HEIC", "heix": "HEIC", "hevc": "HEIC", "hevx": "HEIC", "heim": "HEIC", "heis": "HEIC", "mif1": "HEIF",
    "msf1": "HEIF", "avif": "AVIF", "avis": "AVIF", "crx ": "Canon CR3",
  ]

  private static func isSVG(_ start: [UInt8]) -> Bool {
    let text = String(decoding: start, as: UTF8.self).drop { $0.isWhitespace || $0 == "\u{feff}" }
    return text.hasPrefix("<svg") || text.hasPrefix("<?xml") && text.contains("<svg")
      || text.hasPrefix("<!DOCTYPE svg")
  }
}

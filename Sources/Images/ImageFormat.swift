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

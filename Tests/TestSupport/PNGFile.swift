// Writes PNG files byte by byte, so that a test shows its pixels beside the answer. Nothing is compressed: the
// data is one stored block.

import Messages
import Support

/// The parts of a PNG file (PNG specification, third edition, sections 5 and 11).
package struct PNGFile {
  package enum Color: UInt8 {
    case gray = 0
    case rgb = 2
    case palette = 3
    case grayAlpha = 4
    case rgba = 6
  }

  package var width: Int
  package var height: Int
  package var depth: UInt8 = 8
  package var color: Color
  package var interlaced = false
  /// Each row with its filter byte, 0, in front.
  package var rows: [[UInt8]]
  /// Chunks between the header and the data.
  package var chunks: [(type: String, content: [UInt8])] = []

  package init(
    width: Int, height: Int, depth: UInt8 = 8, color: Color, interlaced: Bool = false, rows: [[UInt8]],
    chunks: [(type: String, content: [UInt8])] = []
  ) {
    self.width = width
    self.height = height
    self.depth = depth
    self.color = color
    self.interlaced = interlaced
    self.rows = rows
    self.chunks = chunks
  }

  package var bytes: [UInt8] {
    var file: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    file += Self.chunk(
      "IHDR", Self.word(width) + Self.word(height) + [depth, color.rawValue, 0, 0, interlaced ? 1 : 0])
    for chunk in chunks { file += Self.chunk(chunk.type, chunk.content) }
    file += Self.chunk("IDAT", Self.stored(rows.flatMap { $0 }))
    file += Self.chunk("IEND", [])
    return file
  }

  /// An ordinary color image.
  package static func rgb(_ image: PixelImage) -> [UInt8] {
    let rows = (0..<image.height).map { row in
      [0] + image.pixels[(row * image.width * 3)..<((row + 1) * image.width * 3)]
    }
    return PNGFile(width: image.width, height: image.height, color: .rgb, rows: rows).bytes
  }

  /// An image of one color.
  package static func plain(width: Int = 4, height: Int = 4, red: UInt8, green: UInt8, blue: UInt8) -> [UInt8] {
    let pixels = (0..<(width * height)).flatMap { _ in [red, green, blue] }
    return rgb(PixelImage(width: width, height: height, pixels: pixels))
  }

  /// Any small image will do.
  package static let any = plain(red: 10, green: 20, blue: 30)

  package static func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + content
    return word(content.count) + body + word(Int(checksum(body)))
  }

  package static func word(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
  }

  /// A zlib stream of stored blocks (RFC 1950, RFC 1951 section 3.2.4).
  private static func stored(_ data: [UInt8]) -> [UInt8] {
    precondition(data.count < 65_536, "a stored block holds less than 64 KiB")
    var (low, high) = (1, 0)
    for byte in data {
      low = (low + Int(byte)) % 65_521
      high = (high + low) % 65_521
    }
    let length = [UInt8(data.count & 255), UInt8(data.count >> 8)]
    return [0x78, 0x01, 0x01] + length + length.map { ~$0 } + data + word(high << 16 | low)
  }

  /// CRC-32 as PNG has it (annex D).
  package static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = .max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? 0xedb8_8320 ^ (crc >> 1) : crc >> 1 }
    }
    return ~crc
  }
}

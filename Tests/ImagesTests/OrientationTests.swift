// Where a file may say which way up it is: what Pillow's exif_transpose honors, in its order.

import Messages
import TestSupport
import Testing

@testable import Images

/// EXIF data whose only entry is the orientation, or another tag.
private func exif(_ orientation: UInt8, tag: UInt8 = 0x12, type: UInt8 = 3) -> [UInt8] {
  [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, tag, 0, type, 0, 0, 0, 1]
    + (type == 4 || type == 9 ? [0, 0, 0, orientation] : [0, orientation, 0, 0]) + [0, 0, 0, 0]
}

private func hex(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// As ImageMagick and exiftool write it: 36 bytes a line.
private func profile(_ bytes: [UInt8], name: String = "exif") -> [UInt8] {
  var digits = hex(bytes)[...]
  var lines: [Substring] = []
  while !digits.isEmpty {
    lines.append(digits.prefix(20))
    digits = digits.dropFirst(20)
  }
  return Array("\n\(name)\n\(bytes.count)\n\(lines.joined(separator: "\n"))\n".utf8)
}

/// A zlib stream of one stored block; the sum at its end is left out, as in a file that was cut short.
private func stored(_ data: [UInt8]) -> [UInt8] {
  let length = [UInt8(data.count & 255), UInt8(data.count >> 8)]
  return [0x78, 0x01, 0x01] + length + length.map { ~$0 } + data
}

private typealias Chunk = (type: String, content: [UInt8])

private func text(_ keyword: String, _ content: [UInt8]) -> Chunk { ("tEXt", Array("\(keyword)\0".utf8) + content) }

private func compressed(_ keyword: String, _ content: [UInt8]) -> Chunk {
  ("zTXt", Array("\(keyword)\0\0".utf8) + stored(content))
}

private func international(_ keyword: String, _ content: [UInt8], isCompressed: Bool = false) -> Chunk {
  (
    "iTXt",
    Array("\(keyword)\0".utf8) + [isCompressed ? 1 : 0, 0] + Array("de\0Name\0".utf8)
      + (isCompressed ? stored(content) : content)
  )
}

private func xmp(_ orientation: Int, asElement: Bool = false) -> [UInt8] {
  let value =
    asElement
    ? "<tiff:Orientation>\(orientation)</tiff:Orientation>" : "<rdf:D tiff:Orientation=\"\(orientation)\"/>"
  return Array("<x:xmpmeta>tiff:Orientation \(value)</x:xmpmeta>".utf8)
}

private let xmpName = "XML:com.adobe.xmp"
private let profileName = "Raw profile type exif"

private func png(_ before: [Chunk], behind: [Chunk] = []) -> [UInt8] {
  let bytes = PNGFile(width: 3, height: 1, color: .gray, rows: [[0, 1, 2, 3]], chunks: before).bytes
  // The end chunk has twelve bytes.
  return bytes.dropLast(12) + behind.flatMap { PNGFile.chunk($0.type, $0.content) } + bytes.suffix(12)
}

private func orientation(_ before: [Chunk], behind: [Chunk] = []) -> Int? {
  png(before, behind: behind).withUnsafeBytes { Orientation(png: $0) }?.rawValue
}

@Suite struct `The orientation of` {
  @Test func `a PNG is read from every text that may hold it`() {
    let marked = Array("Exif\0\0".utf8) + exif(6)
    #expect(orientation([("eXIf", exif(6))]) == 6)
    #expect(orientation([("eXIf", Array("Exif\0\0".utf8) + marked)]) == 6)
    #expect(orientation([text("exif", marked)]) == 6)
    for content in [
      profile(exif(6)), profile(marked), Array("\n\n\n".utf8) + Array(hex(exif(6)).uppercased().utf8),
    ] {
      #expect(orientation([text(profileName, content)]) == 6)
      #expect(orientation([compressed(profileName, content)]) == 6)
      #expect(orientation([international(profileName, content)]) == 6)
      #expect(orientation([international(profileName, content, isCompressed: true)]) == 6)
      #expect(orientation([], behind: [compressed(profileName, content)]) == 6)
    }
    for isElement in [false, true] {
      #expect(orientation([international(xmpName, xmp(3, asElement: isElement))]) == 3)
      #expect(orientation([text(xmpName, xmp(3, asElement: isElement))]) == 3)
      #expect(orientation([compressed(xmpName, xmp(3, asElement: isElement))]) == 3)
    }
  }

  @Test func `a PNG is EXIF's before a text's, and that before XMP's`() {
    let all: [Chunk] = [international(xmpName, xmp(3)), text(profileName, profile(exif(8)))]
    #expect(orientation(all) == 8)
    #expect(orientation(all + [("eXIf", exif(6))]) == 6)
    // A chunk of EXIF data stands for the text even where it does not speak of this.
    #expect(orientation(all + [("eXIf", exif(6, tag: 0x13))]) == 3)
    #expect(orientation([text(profileName, profile(exif(8, tag: 0x13))), international(xmpName, xmp(3))]) == 3)
    // It speaks, and says nothing: then nobody is asked.
    for value: UInt8 in [0, 9, 200] { #expect(orientation(all + [("eXIf", exif(value))]) == nil) }
    #expect(orientation(all + [("eXIf", exif(6, type: 1))]) == nil)
    for type: UInt8 in [3, 4, 8, 9] { #expect(orientation([("eXIf", exif(6, type: type))]) == 6) }
    // Of several the last.
    #expect(orientation([("eXIf", exif(6)), ("eXIf", exif(8))]) == 8)
    #expect(orientation([text(profileName, profile(exif(6)))], behind: [text(profileName, profile(exif(5)))]) == 5)
  }

  @Test func `a PNG is not taken from what makes no sense`() {
    #expect(orientation([text("Raw profile type APP1", profile(exif(6)))]) == nil)
    #expect(orientation([text("raw profile type exif", profile(exif(6)))]) == nil)
    #expect(orientation([text(profileName, Array(profile(exif(6)).dropFirst()))]) == nil)
    #expect(orientation([text(profileName, Array("\nexif\n26\nnot hexadecimal\n".utf8))]) == nil)
    #expect(orientation([text(profileName, Array("\nexif\n26\n4d4".utf8))]) == nil)
    #expect(orientation([("zTXt", Array("\(profileName)\0\u{1}".utf8) + stored(profile(exif(6))))]) == nil)
    #expect(orientation([("zTXt", Array("\(profileName)\0\0".utf8) + [0x78, 0x01, 0xff, 0xff])]) == nil)
    #expect(orientation([("iTXt", Array("\(xmpName)\0\0\0".utf8) + xmp(3))]) == nil)
    #expect(orientation([international(xmpName, Array("tiff:Orientation='6' tiff:Orientation=\"x".utf8))]) == nil)
    #expect(
      orientation([international(xmpName, xmp(0))]) == nil && orientation([international(xmpName, xmp(9))]) == nil)
    #expect(orientation([("tEXt", Array(profileName.utf8))]) == nil)
    #expect(orientation([("tEXt", []), ("zTXt", []), ("iTXt", []), ("eXIf", [])]) == nil)
  }

  @Test func `a PNG whose text is a bomb is not read`() throws {
    // Two mebibytes of zeros in 33 stored blocks behind a sound beginning: more than any text may have.
    var stream: [UInt8] = [0x78, 0x01]
    let beginning = profile(exif(6))
    for block in 0..<33 {
      let data = (block == 0 ? beginning : []) + [UInt8](repeating: 0x20, count: 65_000)
      let length = [UInt8(data.count & 255), UInt8(data.count >> 8)]
      stream += [block == 32 ? 1 : 0] + length + length.map { ~$0 } + data
    }
    let chunk: Chunk = ("zTXt", Array("\(profileName)\0\0".utf8) + stream)
    #expect(orientation([chunk]) == nil)
    #expect(try ImageDecoder.decode(bytes: png([chunk]), name: "x.png").width == 3)
  }

  @Test func `a PNG turns the picture, and its size in the header`() throws {
    let bytes = png([compressed(profileName, profile(exif(6)))])
    #expect(
      try ImageDecoder.decode(bytes: bytes, name: "x.png")
        == PixelImage(width: 1, height: 3, pixels: [1, 1, 1, 2, 2, 2, 3, 3, 3]))
    let header = try bytes.withUnsafeBytes { bytes throws(DecodingFailure) in
      try ImageDecoder().header(bytes: bytes, name: "x.png")
    }
    #expect(header.width == 1 && header.height == 3)
  }

  @Test func `a JPEG is XMP's where EXIF does not speak of it`() {
    func orientation(_ segments: [[UInt8]]) -> Int? {
      let file = JPEGFile.baseline.bytes()
      let added: [UInt8] = segments.flatMap { (content: [UInt8]) -> [UInt8] in
        let length = content.count + 2
        return [0xff, 0xe1, UInt8(length >> 8), UInt8(length & 255)] + content
      }
      return (Array(file[..<2]) + added + Array(file[2...])).withUnsafeBytes { Orientation(jpeg: $0) }?.rawValue
    }
    let mark = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
    let exifMark = Array("Exif\0\0".utf8)
    #expect(orientation([mark + xmp(6)]) == 6)
    #expect(orientation([mark + xmp(6, asElement: true)]) == 6)
    #expect(orientation([mark + xmp(6), exifMark + exif(3)]) == 3)
    #expect(orientation([mark + xmp(6), exifMark + exif(3, tag: 0x13)]) == 6)
    #expect(orientation([mark + xmp(6), exifMark + exif(0)]) == nil)
    #expect(orientation([mark + xmp(6), mark + xmp(8)]) == 8)
    #expect(orientation([Array("http://ns.adobe.com/xap/1.0".utf8) + xmp(6)]) == nil)
  }

  @Test func `a WebP is XMP's where it has no EXIF data`() throws {
    func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
      let length = (0..<4).map { UInt8(truncatingIfNeeded: content.count >> (8 * $0)) }
      return Array(name.utf8) + length + content + (content.count.isMultiple(of: 2) ? [] : [0])
    }
    // The one with EXIF data, without them and with XMP.
    let turned = WebPFile.turned.bytes()
    let place = try #require(turned.indices.first { Array(turned[$0...].prefix(4)) == Array("EXIF".utf8) })
    var file = Array(turned[..<place]) + chunk("XMP ", xmp(6))
    // Of the flags, the one for EXIF stands at 8, the one for XMP at 4.
    file[20] = file[20] & ~8 | 4
    let length = file.count - 8
    for byte in 0..<4 { file[4 + byte] = UInt8(truncatingIfNeeded: length >> (8 * byte)) }
    let image = try ImageDecoder.decode(bytes: file, name: "x.webp")
    #expect(image.width == 16)
    #expect(try image == ImageDecoder.decode(bytes: turned, name: "x.webp"))
  }
}

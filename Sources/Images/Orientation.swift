// Which way up the camera was held, applied to the pixels. How files tell it is in Orientation+Reading.swift.

import Glibc
import Messages

/// The eight values of EXIF's orientation tag (CIPA DC-008, tag 0x0112), named for what turns the stored picture
/// upright.
package enum Orientation: Int {
  case upright = 1
  case mirror
  case rotate180
  case flip
  case transpose
  case rotate90Clockwise
  case transverse
  case rotate90Anticlockwise

  /// Whether width and height change places.
  var swapsSides: Bool { rawValue >= Orientation.transpose.rawValue }

  /// The size as shown of an image that is stored in another.
  func size(width: Int, height: Int) -> (width: Int, height: Int) { swapsSides ? (height, width) : (width, height) }
}

extension PixelImage {
  /// The picture turned upright.
  func oriented(_ orientation: Orientation) -> PixelImage {
    // Where the first pixel of the result comes from, and how far to go in the source, in pixels, for a step to the
    // right and for a step down in the result.
    let last = (column: width - 1, row: (height - 1) * width)
    let (start, right, down): (Int, Int, Int) =
      switch orientation {
      case .upright: (0, 1, width)
      case .mirror: (last.column, -1, width)
      case .rotate180: (last.row + last.column, -1, -width)
      case .flip: (last.row, 1, -width)
      case .transpose: (0, width, 1)
      case .rotate90Clockwise: (last.row, -width, 1)
      case .transverse: (last.row + last.column, -width, -1)
      case .rotate90Anticlockwise: (last.column, width, -1)
      }
    if orientation == .upright { return self }
    let (newWidth, newHeight) = orientation.swapsSides ? (height, width) : (width, height)
    let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { target, count in
      pixels.withUnsafeBufferPointer { source in
        var written = 0
        for row in 0..<newHeight {
          var from = 3 * (start + row * down)
          for _ in 0..<newWidth {
            target[written] = source[from]
            target[written + 1] = source[from + 1]
            target[written + 2] = source[from + 2]
            written += 3
            from += 3 * right
          }
        }
      }
      count = pixels.count
    }
    return PixelImage(width: newWidth, height: newHeight, pixels: turned)
  }
}

// MARK: Reading

// Finds the orientation in the EXIF data of a file, and where these do not speak of it in XMP, a text beside them.
// Damaged data are ignored, as every viewer does. The places of both in a PNG are in PNGTexts.

extension Orientation {
  /// Finds the orientation in a JPEG file: in its first EXIF segment, else in its last segment of XMP.
  /// - Returns: nil where there is none or it makes no sense.
  package init?(jpeg bytes: UnsafeRawBufferPointer) {
    var (exif, xmp): (Int?, Int?)
    var hasExif = false
    var offset = 2
    while offset + 4 <= bytes.count, bytes[offset] == 0xff {
      let marker = bytes[offset + 1]
      if marker == 0xff {  // fill byte
        offset += 1
        continue
      }
      if marker == 0x01 || (0xd0...0xd7).contains(marker) {  // markers without a length
        offset += 2
        continue
      }
      // The picture's data begins or the file ends: both come before.
      if marker == 0xda || marker == 0xd9 { break }
      let length = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
      guard length >= 2, offset + 2 + length <= bytes.count else { break }
      let segment = bytes[(offset + 4)..<(offset + 2 + length)]
      if marker == 0xe1 {
        if segment.starts(with: Self.exifMark) {
          if !hasExif { exif = Self.value(exif: UnsafeRawBufferPointer(rebasing: segment)) }
          hasExif = true
        } else if segment.starts(with: Self.xmpMark) {
          xmp = Self.value(xmp: UnsafeRawBufferPointer(rebasing: segment.dropFirst(Self.xmpMark.count)))
        }
      }
      offset += 2 + length
    }
    guard let value = exif ?? xmp else { return nil }
    self.init(rawValue: value)
  }

  private static let xmpMark = Array("http://ns.adobe.com/xap/1.0/\0".utf8)

  /// Finds the orientation in a PNG file where Pillow's `exif_transpose` does: in an EXIF chunk, else in the text that
  /// ImageMagick and others put EXIF data in, else in XMP. The chunks may stand before or behind the pixels; of
  /// several the last counts.
  /// - Returns: nil where there is none or it makes no sense.
  package init?(png bytes: UnsafeRawBufferPointer) {
    var texts = PNGTexts()
    // Behind the signature each chunk has its length, its type, the content and a checksum.
    var offset = 8
    while offset + 12 <= bytes.count {
      let length = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
      guard length <= bytes.count - offset - 12 else { break }
      texts.take(
        type: bytes[(offset + 4)..<(offset + 8)],
        UnsafeRawBufferPointer(rebasing: bytes[(offset + 8)..<(offset + 8 + length)]))
      offset += 12 + length
    }
    guard let value = texts.orientation else { return nil }
    self.init(rawValue: value)
  }

  /// Finds the orientation in EXIF data, with or without the six bytes that stand before them in a JPEG.
  package init?(exif bytes: UnsafeRawBufferPointer) {
    guard let value = Self.value(exif: bytes) else { return nil }
    self.init(rawValue: value)
  }

  /// The orientation's number in EXIF data; nil where there is no such tag, 0 where it has no number.
  static func value(exif bytes: UnsafeRawBufferPointer) -> Int? {
    var content = bytes[...]
    // Some programs put the mark there twice.
    for _ in 0..<2 where content.starts(with: exifMark) { content = content.dropFirst(exifMark.count) }
    return value(tiff: UnsafeRawBufferPointer(rebasing: content))
  }

  private static let exifMark = Array("Exif\0\0".utf8)

  /// Finds the orientation in EXIF data proper, which is a TIFF file (TIFF 6.0, section 2).
  /// - Returns: nil where there is none or it makes no sense.
  package init?(tiff bytes: UnsafeRawBufferPointer) {
    guard let value = Self.value(tiff: bytes) else { return nil }
    self.init(rawValue: value)
  }

  private static func value(tiff bytes: UnsafeRawBufferPointer) -> Int? {
    let reader: TIFFReader
    switch bytes.prefix(4) {
    case let start where start.elementsEqual([0x49, 0x49, 0x2a, 0x00]): reader = TIFFReader(bytes, bigEndian: false)
    case let start where start.elementsEqual([0x4d, 0x4d, 0x00, 0x2a]): reader = TIFFReader(bytes, bigEndian: true)
    default: return nil
    }
    guard let directory = reader.long(at: 4), let entries = reader.short(at: directory) else { return nil }
    for entry in 0..<entries {
      let offset = directory + 2 + 12 * entry
      guard let tag = reader.short(at: offset), let type = reader.short(at: offset + 2) else { return nil }
      guard tag == 0x0112 else { continue }
      // SHORT and LONG, and the same with a sign: the values that mean something have none.
      return switch type {
      case 3, 8: reader.short(at: offset + 8) ?? 0
      case 4, 9: reader.long(at: offset + 8) ?? 0
      default: 0
      }
    }
    return nil
  }

  /// The number behind `tiff:Orientation="` or `tiff:Orientation>`, the first there is (XMP specification part 2,
  /// section 8.5), read as Pillow does: without taking the XML apart.
  /// - Returns: nil where there is none.
  static func value(xmp bytes: UnsafeRawBufferPointer) -> Int? {
    var start = 0
    while let found = bytes.firstPlace(of: xmpName, from: start) {
      start = found + xmpName.count
      let rest = bytes[start...]
      let digit =
        rest.starts(with: [0x3d, 0x22])
        ? rest.dropFirst(2).first : rest.first == 0x3e ? rest.dropFirst().first : nil
      if let digit, (0x30...0x39).contains(digit) { return Int(digit) - 0x30 }
    }
    return nil
  }

  private static let xmpName = Array("tiff:Orientation".utf8)

  /// Finds the orientation in XMP.
  package init?(xmp bytes: UnsafeRawBufferPointer) {
    guard let value = Self.value(xmp: bytes) else { return nil }
    self.init(rawValue: value)
  }
}

extension UnsafeRawBufferPointer {
  /// Where these bytes stand first, from an offset on.
  fileprivate func firstPlace(of pattern: [UInt8], from offset: Int) -> Int? {
    guard let first = pattern.first, var place = baseAddress.map({ $0 + offset }) else { return nil }
    let end = place + (count - offset)
    while end - place >= pattern.count, let found = memchr(place, Int32(first), end - place) {
      place = UnsafeRawPointer(found)
      if end - place >= pattern.count, memcmp(place, pattern, pattern.count) == 0 {
        return baseAddress.map { place - $0 }
      }
      place += 1
    }
    return nil
  }
}

/// Numbers of a TIFF file in its own byte order; nil beyond its end.
private struct TIFFReader {
  private let bytes: UnsafeRawBufferPointer
  private let bigEndian: Bool

  init(_ bytes: UnsafeRawBufferPointer, bigEndian: Bool) {
    self.bytes = bytes
    self.bigEndian = bigEndian
  }

  func short(at offset: Int) -> Int? {
    guard offset >= 0, offset <= bytes.count - 2 else { return nil }
    let value = bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
    return Int(bigEndian ? UInt16(bigEndian: value) : UInt16(littleEndian: value))
  }

  func long(at offset: Int) -> Int? {
    guard offset >= 0, offset <= bytes.count - 4 else { return nil }
    let value = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    return Int(bigEndian ? UInt32(bigEndian: value) : UInt32(littleEndian: value))
  }
}

// Finds the orientation in the EXIF data of a file. Damaged data are ignored, as every viewer does; so is what XMP,
// a text beside EXIF, may say.

extension Orientation {
  /// Finds the orientation in a JPEG file's first EXIF segment.
  /// - Returns: nil where there is none or it makes no sense.
  package init?(jpeg bytes: UnsafeRawBufferPointer) {
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
      // The picture's data begins or the file ends: EXIF comes before.
      if marker == 0xda || marker == 0xd9 { return nil }
      let length = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
      guard length >= 2, offset + 2 + length <= bytes.count else { return nil }
      let segment = bytes[(offset + 4)..<(offset + 2 + length)]
      if marker == 0xe1, segment.starts(with: Self.exifMark) {
        self.init(exif: UnsafeRawBufferPointer(rebasing: segment))
        return
      }
      offset += 2 + length
    }
    return nil
  }

  /// Finds the orientation in a PNG file's EXIF chunk, which may stand before or behind the pixels.
  /// - Returns: nil where there is none or it makes no sense.
  package init?(png bytes: UnsafeRawBufferPointer) {
    // Behind the signature each chunk has its length, its type, the content and a checksum.
    var offset = 8
    while offset + 12 <= bytes.count {
      let length = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
      guard length <= bytes.count - offset - 12 else { return nil }
      if bytes[(offset + 4)..<(offset + 8)].elementsEqual("eXIf".utf8) {
        self.init(exif: UnsafeRawBufferPointer(rebasing: bytes[(offset + 8)..<(offset + 8 + length)]))
        return
      }
      offset += 12 + length
    }
    return nil
  }

  /// Finds the orientation in EXIF data, with or without the six bytes that stand before them in a JPEG.
  package init?(exif bytes: UnsafeRawBufferPointer) {
    let content = bytes.starts(with: Self.exifMark) ? bytes.dropFirst(Self.exifMark.count) : bytes[...]
    self.init(tiff: UnsafeRawBufferPointer(rebasing: content))
  }

  private static let exifMark = Array("Exif\0\0".utf8)

  /// Finds the orientation in EXIF data proper, which is a TIFF file (TIFF 6.0, section 2).
  /// - Returns: nil where there is none or it makes no sense.
  package init?(tiff bytes: UnsafeRawBufferPointer) {
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
      let value = type == 3 ? reader.short(at: offset + 8) : type == 4 ? reader.long(at: offset + 8) : nil
      guard let value, let orientation = Orientation(rawValue: value) else { return nil }
      self = orientation
      return
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

// Which way up the camera was held: found in EXIF data, applied to the pixels. Damaged EXIF data is ignored, as
// every viewer does.

import Messages

/// The eight values of EXIF's orientation tag (CIPA DC-008, tag 0x0112), named for what turns the stored picture
/// upright.
enum Orientation: Int {
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

  /// Finds the orientation in a JPEG file's first EXIF segment.
  /// - Returns: nil where there is none or it makes no sense.
  init?(jpeg bytes: UnsafeRawBufferPointer) {
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
      if marker == 0xe1, segment.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) {
        self.init(tiff: UnsafeRawBufferPointer(rebasing: segment.dropFirst(6)))
        return
      }
      offset += 2 + length
    }
    return nil
  }

  /// Finds the orientation in EXIF data proper, which is a TIFF file (TIFF 6.0, section 2).
  /// - Returns: nil where there is none or it makes no sense.
  init?(tiff bytes: UnsafeRawBufferPointer) {
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

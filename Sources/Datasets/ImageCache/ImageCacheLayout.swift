// The image cache file as bytes, all numbers little-endian:
//
//     header   64 bytes  magic "SKIPPACK", version (4), zero (4), file length (8), offset (8), length (8) and checksum
//                        (8) of the table, zero (8), checksum of the 56 bytes before (8)
//     pixels             the cached forms, [height, width, 3] each, in any order
//     table              description: root (text), resize (1), image size, minimum side (4 each), background (text),
//                        pixel version (4)
//                        number of images (4), number of entries (4), then of each: path (text), file size, modified,
//                        changed, content hash (8 each), kind (1); of an image (0) width, height, width and height of
//                        its source (4 each), least cap on pixels, offset, checksum (8 each); of a failure (1) its
//                        reason (text); of one that is too large (2) the least cap (8); of one not read (3) nothing
//     text               length in bytes (4), UTF-8
//
// Reading takes nothing for granted: whatever does not fit gives nil, and the image cache is made anew.

import Messages
import Support

/// The fixed first part of an image cache.
struct ImageCacheHeader: Equatable {
  static let byteCount = 64
  static let magic = Array("SKIPPACK".utf8)

  var fileLength: Int
  var tableOffset: Int
  var tableLength: Int
  var tableChecksum: UInt64

  var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.bytes = Self.magic
    writer.append(ImageCacheDescription.formatVersion)
    writer.append(UInt32(0))
    for number in [fileLength, tableOffset, tableLength] { writer.append(UInt64(number)) }
    writer.append(tableChecksum)
    writer.append(UInt64(0))
    writer.append(checksum(writer.bytes))
    return writer.bytes
  }

  init(fileLength: Int, tableOffset: Int, tableLength: Int, tableChecksum: UInt64) {
    self.fileLength = fileLength
    self.tableOffset = tableOffset
    self.tableLength = tableLength
    self.tableChecksum = tableChecksum
  }

  /// - Parameter fileLength: what the system says.
  /// - Returns: nil for anything but a whole image cache of this version.
  init?(_ bytes: [UInt8], fileLength: Int) {
    guard bytes.count == Self.byteCount, bytes.starts(with: Self.magic) else { return nil }
    var reader = ByteReader(bytes.dropFirst(Self.magic.count))
    guard reader.number(UInt32.self) == ImageCacheDescription.formatVersion, reader.number(UInt32.self) == 0,
      let length = reader.count(), let offset = reader.count(), let tableLength = reader.count(),
      let tableChecksum = reader.number(UInt64.self), reader.number(UInt64.self) == 0,
      let own = reader.number(UInt64.self), own == checksum(Array(bytes.prefix(56))),
      length == fileLength, offset >= Self.byteCount, offset <= length, tableLength == length - offset
    else { return nil }
    self.init(fileLength: length, tableOffset: offset, tableLength: tableLength, tableChecksum: tableChecksum)
  }
}

/// The last part of an image cache.
struct ImageCacheTable: Equatable {
  var description: ImageCacheDescription
  var entries: [ImageCacheEntry]

  init(description: ImageCacheDescription, entries: [ImageCacheEntry]) {
    self.description = description
    self.entries = entries
  }

  var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.append(description.root)
    switch description.resize {
    case .stretch: writer.append(UInt8(0))
    case .crop: writer.append(UInt8(1))
    case .pad:
      writer.append(UInt8(2))
      writer.append("\(description.padColor ?? .black)")
    }
    writer.append(UInt32(description.imageSize))
    writer.append(UInt32(description.minimumSide))
    writer.append("\(description.background)")
    writer.append(description.pixels)
    writer.append(UInt32(ImageCacheStatistics(entries).images))
    writer.append(UInt32(entries.count))
    for entry in entries {
      writer.append(entry.path)
      for number in [entry.stamp.size, entry.stamp.modified, entry.stamp.changed] {
        writer.append(UInt64(bitPattern: number))
      }
      writer.append(entry.contentHash)
      switch entry.content {
      case .image(let image):
        writer.append(UInt8(0))
        writer.append(UInt32(image.width))
        writer.append(UInt32(image.height))
        writer.append(UInt32(image.sourceWidth))
        writer.append(UInt32(image.sourceHeight))
        writer.append(UInt64(image.requiredPixels))
        writer.append(UInt64(image.offset))
        writer.append(image.checksum)
      case .failure(let reason):
        writer.append(UInt8(1))
        writer.append(reason)
      case .tooLarge(let required):
        writer.append(UInt8(2))
        writer.append(UInt64(required))
      case .unread:
        writer.append(UInt8(3))
      }
    }
    return writer.bytes
  }

  /// - Parameters:
  ///   - bytes: whose checksum was found right.
  ///   - pixelEnd: where the pixels end, from the beginning of the image cache.
  init?(_ bytes: [UInt8], pixelEnd: Int) {
    var reader = ByteReader(bytes[...])
    guard let description = Self.description(&reader), let images = reader.number(UInt32.self),
      let count = reader.number(UInt32.self)
    else { return nil }
    var entries: [ImageCacheEntry] = []
    // No more than the bytes can hold, whatever the number says.
    entries.reserveCapacity(min(Int(count), bytes.count / 37))
    for _ in 0..<count {
      guard let entry = Self.entry(&reader, description, pixelEnd: pixelEnd) else { return nil }
      entries.append(entry)
    }
    guard reader.isAtEnd, ImageCacheStatistics(entries).images == images else { return nil }
    self.init(description: description, entries: entries)
  }

  /// What a table begins with, read alone: for listing image caches.
  static func description(_ reader: inout ByteReader) -> ImageCacheDescription? {
    guard let root = reader.text(), let kind = reader.number(UInt8.self), kind <= 2 else { return nil }
    let padColor = kind == 2 ? reader.text().flatMap(PadColor.init(argument:)) : nil
    guard (padColor != nil) == (kind == 2), let imageSize = reader.number(UInt32.self),
      Settings.imageSize.range.contains(Int(imageSize)),
      let minimumSide = reader.number(UInt32.self),
      let background = reader.text().flatMap(Background.init(argument:)), let pixels = reader.number(UInt32.self)
    else { return nil }
    return ImageCacheDescription(
      root: root, resize: [.stretch, .crop, .pad][Int(kind)], padColor: padColor, imageSize: Int(imageSize),
      minimumSide: Int(minimumSide), background: background, pixels: pixels)
  }

  private static func entry(
    _ reader: inout ByteReader, _ description: ImageCacheDescription, pixelEnd: Int
  ) -> ImageCacheEntry? {
    guard let path = reader.text(), let size = reader.number(UInt64.self),
      let modified = reader.number(UInt64.self), let changed = reader.number(UInt64.self),
      let hash = reader.number(UInt64.self), let kind = reader.number(UInt8.self)
    else { return nil }
    let stamp = FileStamp(
      size: Int64(bitPattern: size), modified: Int64(bitPattern: modified), changed: Int64(bitPattern: changed))
    func entry(_ content: ImageCacheEntry.Content) -> ImageCacheEntry {
      ImageCacheEntry(path: path, stamp: stamp, contentHash: hash, content: content)
    }
    switch kind {
    case 0: break
    case 1: return reader.text().map { entry(.failure(reason: $0)) }
    case 2: return reader.count().map { entry(.tooLarge(required: $0)) }
    case 3: return entry(.unread)
    default: return nil
    }
    guard let width = reader.number(UInt32.self), let height = reader.number(UInt32.self),
      let sourceWidth = reader.number(UInt32.self), let sourceHeight = reader.number(UInt32.self),
      sourceWidth > 0, sourceHeight > 0, let required = reader.count(), let offset = reader.count(),
      let sum = reader.number(UInt64.self),
      description.allows(width: Int(width), height: Int(height))
    else { return nil }
    // At most 2^32 x 2^32 x 3 could overflow: compared by division.
    guard offset >= ImageCacheHeader.byteCount, offset <= pixelEnd,
      Int(height) <= (pixelEnd - offset) / 3 / Int(width)
    else { return nil }
    return entry(
      .image(
        ImageCacheEntry.CachedImage(
          width: Int(width), height: Int(height), sourceWidth: Int(sourceWidth), sourceHeight: Int(sourceHeight),
          requiredPixels: required, offset: offset, checksum: sum)))
  }
}

/// Puts numbers and texts behind each other.
struct ByteWriter {
  var bytes: [UInt8] = []

  mutating func append(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func append(_ text: String) {
    append(UInt32(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }
}

/// Takes them apart again; nil where there is not enough.
struct ByteReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
    let size = MemoryLayout<Number>.size
    guard rest.count >= size else { return nil }
    let number = rest.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(as: Number.self)) }
    rest.removeFirst(size)
    return number
  }

  /// Eight bytes that say how many of something or where: never above what an `Int` holds.
  mutating func count() -> Int? { number(UInt64.self).flatMap { Int(exactly: $0) } }

  mutating func text() -> String? {
    guard let length = number(UInt32.self), Int(length) <= rest.count else { return nil }
    defer { rest.removeFirst(Int(length)) }
    return String(validating: rest.prefix(Int(length)), as: UTF8.self)
  }
}

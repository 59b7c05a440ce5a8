// An image cache that is open: images in their cached form, read by path. It never makes one and never fails: what it
// cannot give, or not give right, is read from the image's own file.
//
// Pixels are read into memory of ours, not mapped: a mapped file that somebody cuts short kills the process that
// touches it (SIGBUS), a read comes back short. For 260 KB, checksum included, reading takes 60 microseconds where
// mapping takes 20, or 45 the first time: a hundredth of what a small network takes to learn from the image.

import Files
import Images
import Messages
import Support
import Synchronization

/// The cached forms of a dataset's images in one file; see `Preprocessing.cachedForm(of:)`.
///
/// It stays readable when its file is replaced or removed. Any number of threads may read at once.
public final class ImageCache: Sendable {
  /// Where it was opened.
  public let path: String
  /// Bytes of the whole file.
  public let byteCount: Int
  let description: ImageCacheDescription
  /// Those that match their files.
  private let entries: [PathKey: ImageCacheEntry]
  private let file: ImageCacheFile
  private let damage = Mutex(Damage())

  private struct Damage {
    var entries: Set<PathKey> = []
    var reported = false
  }

  init(path: String, file: ImageCacheFile, entries: [ImageCacheEntry]) {
    self.path = path
    self.file = file
    byteCount = file.byteCount
    description = file.table.description
    self.entries = Dictionary(entries.map { (PathKey($0.path), $0) }, uniquingKeysWith: { first, _ in first })
    statistics = ImageCacheStatistics(entries)
  }

  /// The sizes of the files' own pictures, as shown, by path.
  var sourceSizes: [(path: String, width: Int, height: Int)] {
    // A loop: of the same as a closure in a closure, Swift 6.3's optimizer makes code that its own checks refuse.
    var sizes: [(path: String, width: Int, height: Int)] = []
    for entry in entries.values {
      guard case .image(let image) = entry.content else { continue }
      sizes.append((entry.path, image.sourceWidth, image.sourceHeight))
    }
    return sizes
  }

  /// Images and failures that can be asked for.
  public var count: Int { statistics.images + statistics.undecodable }
  /// What it has and has not.
  public let statistics: ImageCacheStatistics

  /// The cached form of an image.
  /// - Parameters:
  ///   - path: below the dataset's folder.
  ///   - maximumPixels: the cap in force: an image cache gives nothing that the file would not.
  /// - Returns: nil where the image cache has it not, or not unharmed: the file is to be read.
  /// - Throws: the failure that decoding the file gave.
  func cachedForm(path: String, maximumPixels: Int = .max) throws(DecodingFailure) -> PixelImage? {
    guard let entry = entries[PathKey(path)] else { return nil }
    switch entry.content {
    case .failure(let reason): throw DecodingFailure(path: path, reason: reason)
    case .tooLarge, .unread: return nil
    case .image(let image):
      guard image.requiredPixels <= maximumPixels else { return nil }
      guard let pixels = file.pixels(of: image) else {
        damage.withLock { _ = $0.entries.insert(PathKey(path)) }
        return nil
      }
      return PixelImage(width: image.width, height: image.height, pixels: pixels)
    }
  }

  /// Tells once that entries were found damaged, for whoever listens between two batches.
  public func takeWarning() -> String? {
    damage.withLock { damage in
      guard !damage.reported, let first = damage.entries.first else { return nil }
      damage.reported = true
      return "the image cache \(path) is damaged (at \(first.path)): such images are read from their files; "
        + "`skipline cache --clear` removes it, and the next run makes it again"
    }
  }
}

/// How many files an image cache knows, by what it knows of them.
public struct ImageCacheStatistics: Sendable, Equatable {
  /// Whose cached form it has.
  public var images = 0
  /// Files that do not decode.
  public var undecodable = 0
  /// Files that the cap on pixels refused: they are tried again under a higher one.
  public var tooLarge = 0
  /// Files that could not be read, or not be decoded for want of memory: they are tried again each time.
  public var unread = 0

  init(_ entries: [ImageCacheEntry] = []) {
    for entry in entries {
      switch entry.content {
      case .image: images += 1
      case .failure: undecodable += 1
      case .tooLarge: tooLarge += 1
      case .unread: unread += 1
      }
    }
  }
}

/// An image cache's file and what its table says.
final class ImageCacheFile: Sendable {
  let table: ImageCacheTable
  private let file: InputFile
  /// Bytes of the whole file.
  var byteCount: Int { file.size }
  /// Bytes of the images.
  var pixelByteCount: Int { table.entries.reduce(0) { $0 + ($1.image?.byteCount ?? 0) } }
  /// No table has more; it bounds what a header can make us allocate.
  private static let maximumTable = 1 << 30

  /// An image cache that was just written.
  init(_ file: InputFile, table: ImageCacheTable) {
    self.file = file
    self.table = table
  }

  /// - Returns: nil for anything but a whole, sound image cache of this version, and for no file.
  init?(path: String) {
    guard let file = try? InputFile(path: path), let header = Self.header(file),
      header.tableLength <= Self.maximumTable,
      let bytes = try? file.read(count: header.tableLength, at: header.tableOffset),
      checksum(bytes) == header.tableChecksum, let table = ImageCacheTable(bytes, pixelEnd: header.tableOffset)
    else { return nil }
    self.file = file
    self.table = table
  }

  /// - Returns: nil where the file no longer has them as they were written.
  func pixels(of image: ImageCacheEntry.CachedImage) -> [UInt8]? {
    guard let pixels = try? file.read(count: image.byteCount, at: image.offset),
      checksum(pixels) == image.checksum
    else { return nil }
    return pixels
  }

  /// Makes now the time at which it was last used, where that is allowed.
  func markUsed() { file.markUsed() }

  /// What an image cache says of itself, without its entries: for lists.
  static func summary(path: String) -> (description: ImageCacheDescription, images: Int)? {
    guard let file = try? InputFile(path: path), let header = header(file),
      let start = try? file.read(count: min(header.tableLength, 16 << 10), at: header.tableOffset)
    else { return nil }
    var reader = ByteReader(start[...])
    guard let description = ImageCacheTable.description(&reader), let images = reader.number(UInt32.self) else {
      return nil
    }
    return (description, Int(images))
  }

  private static func header(_ file: InputFile) -> ImageCacheHeader? {
    (try? file.read(count: ImageCacheHeader.byteCount)).flatMap { ImageCacheHeader($0, fileLength: file.size) }
  }
}

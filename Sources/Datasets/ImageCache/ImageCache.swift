// A pack that is open: images in their stored form, read by path. It never makes one and never fails: what it cannot
// give, or not give right, is read from the image's own file.
//
// Pixels are read into memory of ours, not mapped: a mapped file that somebody cuts short kills the process that
// touches it (SIGBUS), a read comes back short. For 260 KB, checksum included, reading takes 60 microseconds where
// mapping takes 20, or 45 the first time: a hundredth of what a small network takes to learn from the image.

import Files
import Images
import Messages
import Support
import Synchronization

/// The stored forms of a dataset's images in one file; see `Preprocessing.storedForm(of:)`.
///
/// It stays readable when its file is replaced or removed. Any number of threads may read at once.
public final class Pack: Sendable {
  /// Where it was opened.
  public let path: String
  /// Bytes of the whole file.
  public let byteCount: Int
  let description: PackDescription
  /// Those that match their files.
  private let entries: [PathKey: PackEntry]
  private let file: PackFile
  private let damage = Mutex(Damage())

  private struct Damage {
    var entries: Set<PathKey> = []
    var reported = false
  }

  init(path: String, file: PackFile, entries: [PackEntry]) {
    self.path = path
    self.file = file
    byteCount = file.byteCount
    description = file.table.description
    self.entries = Dictionary(entries.map { (PathKey($0.path), $0) }, uniquingKeysWith: { first, _ in first })
    figures = PackFigures(entries)
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
  public var count: Int { figures.images + figures.undecodable }
  /// What it has and has not.
  public let figures: PackFigures

  /// The stored form of an image.
  /// - Parameters:
  ///   - path: below the dataset's folder.
  ///   - maximumPixels: the cap in force: a pack gives nothing that the file would not.
  /// - Returns: nil where the pack has it not, or not unharmed: the file is to be read.
  /// - Throws: the failure that decoding the file gave.
  func storedForm(path: String, maximumPixels: Int = .max) throws(DecodingFailure) -> PixelImage? {
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
      return "the pack \(path) is damaged (at \(first.path)): such images are read from their files; "
        + "`skipline pack --clear` removes it, to be made anew"
    }
  }
}

/// How many files a pack knows, by what it knows of them.
public struct PackFigures: Sendable, Equatable {
  /// Whose stored form it has.
  public var images = 0
  /// Files that do not decode.
  public var undecodable = 0
  /// Files that the cap on pixels refused: they are tried again under a higher one.
  public var tooLarge = 0
  /// Files that could not be read, or not be decoded for want of memory: they are tried again each time.
  public var unread = 0

  init(_ entries: [PackEntry] = []) {
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

/// A pack's file and what its table says.
final class PackFile: Sendable {
  let table: PackTable
  private let file: InputFile
  /// Bytes of the whole file.
  var byteCount: Int { file.size }
  /// Bytes of the images.
  var pixelByteCount: Int { table.entries.reduce(0) { $0 + ($1.image?.byteCount ?? 0) } }
  /// No table has more; it bounds what a header can make us allocate.
  private static let maximumTable = 1 << 30

  /// A pack that was just written.
  init(_ file: InputFile, table: PackTable) {
    self.file = file
    self.table = table
  }

  /// - Returns: nil for anything but a whole, sound pack of this version, and for no file.
  init?(path: String) {
    guard let file = try? InputFile(path: path), let header = Self.header(file),
      header.tableLength <= Self.maximumTable,
      let bytes = try? file.read(count: header.tableLength, at: header.tableOffset),
      checksum(bytes) == header.tableChecksum, let table = PackTable(bytes, pixelEnd: header.tableOffset)
    else { return nil }
    self.file = file
    self.table = table
  }

  /// - Returns: nil where the file no longer has them as they were written.
  func pixels(of image: PackEntry.StoredImage) -> [UInt8]? {
    guard let pixels = try? file.read(count: image.byteCount, at: image.offset),
      checksum(pixels) == image.checksum
    else { return nil }
    return pixels
  }

  /// Makes now the time at which it was last used, where that is allowed.
  func markUsed() { file.markUsed() }

  /// What a pack says of itself, without its entries: for lists.
  static func summary(path: String) -> (description: PackDescription, images: Int)? {
    guard let file = try? InputFile(path: path), let header = header(file),
      let start = try? file.read(count: min(header.tableLength, 16 << 10), at: header.tableOffset)
    else { return nil }
    var reader = ByteReader(start[...])
    guard let description = PackTable.description(&reader), let images = reader.number(UInt32.self) else {
      return nil
    }
    return (description, Int(images))
  }

  private static func header(_ file: InputFile) -> PackHeader? {
    (try? file.read(count: PackHeader.byteCount)).flatMap { PackHeader($0, fileLength: file.size) }
  }
}

// A pack that is open: images in their stored form, read by path. It never makes one and never fails: what it cannot
// give, or not give right, is read from the image's own file.
//
// Pixels are read into memory of ours, not mapped: a mapped file that somebody cuts short kills the process that
// touches it (SIGBUS), a read comes back short. For 260 KB, checksum included, reading takes 60 microseconds where
// mapping takes 20, or 45 the first time: a hundredth of what a small network takes to learn from the image.

import Foundation
import Images
import Messages
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
  }

  /// Images and failures that can be asked for.
  public var count: Int { entries.count }

  /// The stored form of an image.
  /// - Parameter path: below the dataset's folder.
  /// - Returns: nil where the pack has it not, or not unharmed: the file is to be read.
  /// - Throws: the failure that decoding the file gave.
  func storedForm(path: String) throws(DecodingFailure) -> PixelImage? {
    guard let entry = entries[PathKey(path)] else { return nil }
    switch entry.content {
    case .failure(let reason): throw DecodingFailure(path: path, reason: reason)
    case .image(let image):
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

/// The descriptor of a pack and what its table says; closes it at its end.
final class PackFile: Sendable {
  let descriptor: Int32
  let byteCount: Int
  let table: PackTable
  /// Bytes of the images.
  var pixelByteCount: Int { table.entries.reduce(0) { $0 + ($1.image?.byteCount ?? 0) } }
  /// No table has more; it bounds what a header can make us allocate.
  private static let maximumTable = 1 << 30

  /// Takes over a pack that was just written.
  init(descriptor: Int32, byteCount: Int, table: PackTable) {
    self.descriptor = descriptor
    self.byteCount = byteCount
    self.table = table
  }

  /// - Returns: nil for anything but a whole, sound pack of this version, and for no file.
  init?(path: String) {
    let descriptor = Self.open(path)
    guard descriptor >= 0 else { return nil }
    guard let header = Self.header(descriptor), header.tableLength <= Self.maximumTable,
      let bytes = Self.read(descriptor, count: header.tableLength, offset: header.tableOffset),
      checksum(bytes) == header.tableChecksum, let table = PackTable(bytes, pixelEnd: header.tableOffset)
    else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    byteCount = header.fileLength
    self.table = table
  }

  deinit { close(descriptor) }

  /// - Returns: nil where the file no longer has them as they were written.
  func pixels(of image: PackEntry.StoredImage) -> [UInt8]? {
    guard let pixels = Self.read(descriptor, count: image.byteCount, offset: image.offset),
      checksum(pixels) == image.checksum
    else { return nil }
    return pixels
  }

  /// What a pack says of itself, without its entries: for lists.
  static func summary(path: String) -> (description: PackDescription, entries: Int)? {
    let descriptor = open(path)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    guard let header = header(descriptor),
      let start = read(descriptor, count: min(header.tableLength, 16 << 10), offset: header.tableOffset)
    else { return nil }
    var reader = ByteReader(start[...])
    guard let description = PackTable.description(&reader), let entries = reader.number(UInt32.self) else {
      return nil
    }
    return (description, Int(entries))
  }

  private static func open(_ path: String) -> Int32 {
    // Whatever stands in its place, opening it must not wait.
    path.withPathCString { Foundation.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
  }

  private static func header(_ descriptor: Int32) -> PackHeader? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      let bytes = read(descriptor, count: PackHeader.byteCount, offset: 0)
    else { return nil }
    return PackHeader(bytes, fileLength: Int(status.st_size))
  }

  /// - Returns: nil where the file ends before.
  private static func read(_ descriptor: Int32, count: Int, offset: Int) -> [UInt8]? {
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
      done = 0
      while done < count {
        let got = pread(descriptor, buffer.baseAddress.map { $0 + done }, count - done, off_t(offset + done))
        if got < 0 && errno == EINTR { continue }
        guard got > 0 else { break }
        done += got
      }
    }
    return bytes.count == count ? bytes : nil
  }
}

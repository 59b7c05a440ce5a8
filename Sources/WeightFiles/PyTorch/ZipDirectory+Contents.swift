// The bytes of an archive's entries: as they lie, or inflated into memory of exactly the size that the directory says.

import CImageShims
import Resources

extension ZipDirectory {
  /// An entry's bytes, compared with its checksum.
  /// - Parameter limit: the most that an entry may become in memory.
  /// - Throws: `WeightsFileError.Fault`, `FileOperationError`.
  func contents(_ entry: Entry, of source: ByteSource, limit: Int) throws -> [UInt8] {
    guard entry.size <= limit else {
      throw WeightsFileError.Fault.tooLarge("entry \"\(entry.name)\" claims \(entry.size) bytes", limit: limit)
    }
    let packed = try source.read(entry.packed)
    let bytes =
      switch entry.method {
      case .stored: packed
      case .deflated: try inflated(packed, entry)
      }
    if hasChecksums {
      let found = bytes.withUnsafeBytes { zip_crc32(0, $0.baseAddress, $0.count) }
      guard found == entry.checksum else { throw damaged(entry) }
    }
    return bytes
  }

  /// Compares a stored entry with its checksum, piece by piece.
  /// - Throws: as `contents`.
  func verify(_ entry: Entry, of source: ByteSource) throws {
    guard hasChecksums else { return }
    var found: UInt32 = 0
    try source.forEachPiece(of: entry.packed) { found = zip_crc32(found, $0.baseAddress, $0.count) }
    guard found == entry.checksum else { throw damaged(entry) }
  }

  private func damaged(_ entry: Entry) -> WeightsFileError.Fault {
    .malformed("entry \"\(entry.name)\" is damaged, its checksum is another", .pyTorch)
  }

  private func inflated(_ packed: [UInt8], _ entry: Entry) throws -> [UInt8] {
    guard Memory.has(entry.size) else { throw WeightsFileError.Fault.noMemory(bytes: entry.size) }
    var written = -1
    let bytes = [UInt8](unsafeUninitializedCapacity: entry.size) { target, count in
      written = packed.withUnsafeBufferPointer {
        zip_inflate($0.baseAddress, $0.count, target.baseAddress, entry.size)
      }
      count = max(0, written)
    }
    guard written == entry.size else {
      throw WeightsFileError.Fault.malformed("entry \"\(entry.name)\" does not unpack to its size", .pyTorch)
    }
    return bytes
  }
}

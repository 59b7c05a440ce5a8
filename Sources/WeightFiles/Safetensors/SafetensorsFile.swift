// Reading safetensors files: 8 bytes little-endian header length, a JSON header, then one buffer of row-major
// little-endian arrays (https://huggingface.co/docs/safetensors, "Format"). Files come from anybody: everything the
// header says is checked against the file before memory is taken by its numbers, and nothing is ever executed.
// Writing is in Safetensors+Writing.swift.

import Files
import Support

#if _endian(big)
  #error("safetensors files are little-endian and are copied as they are")
#endif

/// Reading and writing of safetensors files.
public enum Safetensors {
  /// Metadata key: the CRC-32C of the whole file, as `crc32c:` and eight hexadecimal digits, computed with zeros in
  /// the place of these digits.
  public static let checksumKey = "skipline.checksum"
  /// Metadata key: says that `checksumKey` must be there, so that no single flipped bit can hide the checksum.
  public static let sealKey = "skipline.sealed"

  static let checksumScheme = "crc32c:"
  static let sealValue = "checksum covers header and buffer"

  /// Reads a whole file and verifies its checksum if it has one.
  /// - Throws: `SafetensorsError` for a file that is not right, `FileOperationError` for one that cannot be read.
  public static func read(path: String) throws -> WeightsContents {
    try naming(path) {
      let file = try InputFile(path: path)
      let (header, bytes) = try readHeader(file)
      let buffer = try file.read(count: file.size - 8 - bytes.count, at: 8 + bytes.count)
      try verifyChecksum(header: header, bytes: bytes) { $0.update(buffer) }
      return contents(path: path, header: header, headerBytes: bytes, buffer: buffer)
    }
  }

  /// Whether `read` would find nothing wrong with a file, which takes no memory for it.
  public static func isWhole(path: String) -> Bool {
    do {
      let file = try InputFile(path: path)
      let (header, bytes) = try readHeader(file)
      try verifyChecksum(header: header, bytes: bytes) { checksum in
        try ByteSource(file).forEachPiece(of: (8 + bytes.count)..<file.size) { checksum.update($0) }
      }
      return true
    } catch {
      return false
    }
  }

  /// Reads only the header: checked in itself and against the file's length, but the checksum, which takes reading
  /// the whole file, is not.
  /// - Throws: as `read(path:)`.
  public static func readOutline(path: String) throws -> WeightsOutline {
    try naming(path) { try outline(of: InputFile(path: path)) }
  }

  /// - Throws: `SafetensorsError.Fault`, `FileOperationError`.
  static func outline(of file: InputFile) throws -> WeightsOutline {
    outline(path: file.path, header: try readHeader(file).header)
  }

  /// The outline, and the header's length in bytes.
  /// - Throws: as `read(path:)`.
  static func outlineAndLength(of file: InputFile) throws -> (outline: WeightsOutline, length: Int) {
    try naming(file.path) {
      let (header, bytes) = try readHeader(file)
      return (outline(path: file.path, header: header), bytes.count)
    }
  }

  static func outline(path: String, header: SafetensorsHeader) -> WeightsOutline {
    WeightsOutline(
      path: path, format: .safetensors, metadata: header.metadata.mapValues(\.value),
      arrays: header.entries.mapValues {
        StoredArray(dtype: $0.dtype, shape: $0.shape, part: 0, offset: $0.begin)
      })
  }

  /// A file that was checked.
  static func contents(
    path: String, header: SafetensorsHeader, headerBytes: [UInt8], buffer: [UInt8]
  ) -> WeightsContents {
    let outline = outline(path: path, header: header)
    var checksum = outline.metadata[checksumKey]
    if checksum == nil {
      var computed = self.checksum(ofHeader: headerBytes)
      computed.update(buffer)
      checksum = text(computed)
    }
    return WeightsContents(outline, checksum: checksum ?? "", parts: [.memory(buffer)])
  }

  /// The metadata of a header alone.
  /// - Throws: as `read(path:)`.
  public static func readMetadata(path: String) throws -> [String: String] { try readOutline(path: path).metadata }

  /// What is refused for its header may be a file of another kind, which is told by its name.
  private static func readHeader(_ file: InputFile) throws -> (header: SafetensorsHeader, bytes: [UInt8]) {
    do {
      return try scanHeader(file)
    } catch let fault as SafetensorsError.Fault {
      throw WeightsFileKind(of: file).map { .otherFormat($0) } ?? fault
    }
  }

  private static func scanHeader(_ file: InputFile) throws -> (header: SafetensorsHeader, bytes: [UInt8]) {
    guard file.size >= 10 else { throw SafetensorsError.Fault.tooShort(bytes: file.size) }
    let length = try file.read(count: 8).withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length <= SafetensorsHeader.lengthLimit else {
      throw SafetensorsError.Fault.headerTooLong(bytes: length, limit: SafetensorsHeader.lengthLimit)
    }
    guard length <= file.size - 8 else {
      throw SafetensorsError.Fault.headerBeyondFile(bytes: length, file: file.size)
    }
    let bytes = try file.read(count: Int(length), at: 8)
    let header = try SafetensorsHeader.scan(bytes)
    try header.check(bufferLength: file.size - 8 - bytes.count)
    return (header, bytes)
  }

  /// - Parameter update: adds the buffer's bytes.
  private static func verifyChecksum(
    header: SafetensorsHeader, bytes: [UInt8], update: (inout CRC32C) throws -> Void
  ) throws {
    guard let stored = header.metadata[checksumKey] else {
      // Files of other programs have neither.
      if header.metadata[sealKey] != nil { throw SafetensorsError.Fault.checksumMissing }
      return
    }
    let digits = stored.range.suffix(8)
    guard stored.value.hasPrefix(checksumScheme), stored.value.utf8.count == checksumScheme.utf8.count + 8,
      stored.range.count == stored.value.utf8.count
    else { throw SafetensorsError.Fault.checksumMissing }
    var unsigned = bytes
    unsigned.replaceSubrange(digits, with: repeatElement(UInt8(ascii: "0"), count: 8))
    var checksum = checksum(ofHeader: unsigned)
    try update(&checksum)
    let computed = text(checksum)
    guard stored.value == computed else {
      throw SafetensorsError.Fault.damaged(stored: stored.value, computed: computed)
    }
  }

  /// The checksum of the header's length and bytes, ready for the buffer's.
  static func checksum(ofHeader bytes: [UInt8]) -> CRC32C {
    var checksum = CRC32C()
    withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { checksum.update($0) }
    checksum.update(bytes)
    return checksum
  }

  static func text(_ checksum: CRC32C) -> String {
    let digits = String(checksum.value, radix: 16)
    return checksumScheme + String(repeating: "0", count: 8 - digits.count) + digits
  }

  /// Puts the file's name to a fault.
  private static func naming<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let fault as SafetensorsError.Fault {
      throw SafetensorsError(path: path, fault: fault)
    } catch let error as FileOperationError where error.reason == .notARegularFile {
      throw SafetensorsError(path: path, fault: .notARegularFile)
    }
  }
}

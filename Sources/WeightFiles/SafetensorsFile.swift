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
  public static func read(path: String) throws -> SafetensorsContents {
    try naming(path) {
      let file = try InputFile(path: path)
      let (header, bytes) = try readHeader(file)
      let buffer = try file.read(count: file.size - 8 - bytes.count, at: 8 + bytes.count)
      try verifyChecksum(header: header, bytes: bytes, buffer: buffer)
      return SafetensorsContents(path: path, header: header, headerBytes: bytes, buffer: buffer)
    }
  }

  /// Reads only the header: checked in itself and against the file's length, but the checksum, which takes reading
  /// the whole file, is not.
  /// - Throws: as `read(path:)`.
  public static func readOutline(path: String) throws -> SafetensorsOutline {
    try naming(path) {
      SafetensorsOutline(path: path, header: try readHeader(InputFile(path: path)).header)
    }
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

  private static func verifyChecksum(header: SafetensorsHeader, bytes: [UInt8], buffer: [UInt8]) throws {
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
    checksum.update(buffer)
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

/// What the header of a safetensors file says: which arrays there are, and of what shape.
public struct SafetensorsOutline: Sendable {
  public let path: String
  public let metadata: [String: String]
  fileprivate let entries: [String: SafetensorsHeader.Entry]

  init(path: String, header: SafetensorsHeader) {
    self.path = path
    metadata = header.metadata.mapValues(\.value)
    entries = header.entries
  }

  /// The arrays' names, sorted.
  public var names: [String] { entries.keys.sorted() }

  /// The array's extents, empty for a scalar; nil where the file has no such array.
  public func shape(of name: String) -> [Int]? { entries[name]?.shape }

  public func dtype(of name: String) -> SafetensorsDType? { entries[name]?.dtype }
}

/// A safetensors file in memory; arrays are converted when they are asked for.
public struct SafetensorsContents: Sendable {
  public let outline: SafetensorsOutline
  /// `crc32c:` and eight hexadecimal digits: what the file says of itself, else of its header and buffer.
  package let checksum: String
  private let buffer: [UInt8]

  init(path: String, header: SafetensorsHeader, headerBytes: [UInt8], buffer: [UInt8]) {
    outline = SafetensorsOutline(path: path, header: header)
    self.buffer = buffer
    if let stored = outline.metadata[Safetensors.checksumKey] {
      checksum = stored
    } else {
      var computed = Safetensors.checksum(ofHeader: headerBytes)
      computed.update(buffer)
      checksum = Safetensors.text(computed)
    }
  }

  public var path: String { outline.path }
  public var metadata: [String: String] { outline.metadata }

  /// The arrays' names, sorted.
  public var names: [String] { outline.names }

  /// The array's extents, empty for a scalar; nil where the file has no such array.
  public func shape(of name: String) -> [Int]? { outline.shape(of: name) }

  public func dtype(of name: String) -> SafetensorsDType? { outline.dtype(of: name) }

  /// An array as `Float`: F32 as it is, F64 rounded, F16 and BF16 exactly.
  /// - Throws: `SafetensorsError` where the file has no such array, or one of another element type.
  public func floats(_ name: String) throws -> [Float] {
    let entry = try entry(name)
    switch entry.dtype {
    case .float32: return convert(entry) { (value: Float) in value }
    case .float64: return convert(entry) { (value: Double) in Float(value) }
    case .float16: return convert(entry) { (bits: UInt16) in Float(Float16(bitPattern: bits)) }
    case .bfloat16: return convert(entry) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
    default: throw SafetensorsError(path: path, fault: .unsupportedDType(array: name, dtype: entry.dtype))
    }
  }

  /// An array of I64.
  /// - Throws: as `floats(_:)`.
  public func integers(_ name: String) throws -> [Int64] {
    let entry = try entry(name)
    guard entry.dtype == .int64 else {
      throw SafetensorsError(path: path, fault: .unsupportedDType(array: name, dtype: entry.dtype))
    }
    return convert(entry) { (value: Int64) in value }
  }

  /// The first number of an array of whole numbers, whatever type a program gave them; nil where it has none.
  /// - Throws: `SafetensorsError` for one that is no whole number, or of a type that is not read.
  package func count(_ name: String) throws -> Int? {
    let entry = try entry(name)
    switch entry.dtype {
    case .int64: return convert(entry) { (value: Int64) in Int(value) }.first
    case .int32: return convert(entry) { (value: Int32) in Int(value) }.first
    default:
      guard let value = try floats(name).first else { return nil }
      guard let count = Int(exactly: value) else {
        throw SafetensorsError(path: path, fault: .unsupportedDType(array: name, dtype: entry.dtype))
      }
      return count
    }
  }

  /// An array with its shape: I64 as integers, every type that `floats(_:)` reads as F32.
  /// - Throws: as `floats(_:)`.
  public func array(_ name: String) throws -> NamedArray {
    let entry = try entry(name)
    let values: NamedArray.Values =
      entry.dtype == .int64 ? .int64(try integers(name)) : .float32(try floats(name))
    return NamedArray(name: name, shape: entry.shape, values: values)
  }

  private func entry(_ name: String) throws -> SafetensorsHeader.Entry {
    guard let entry = outline.entries[name] else { throw SafetensorsError(path: path, fault: .noSuchArray(name)) }
    return entry
  }

  /// The header's check has shown that the entry's range lies in the buffer and is a whole number of elements.
  @inline(__always)
  private func convert<Stored: BitwiseCopyable, Value>(
    _ entry: SafetensorsHeader.Entry, _ value: (Stored) -> Value
  ) -> [Value] {
    let count = (entry.end - entry.begin) / MemoryLayout<Stored>.size
    return buffer.withUnsafeBytes { bytes in
      [Value](unsafeUninitializedCapacity: count) { values, initialized in
        for index in 0..<count {
          let offset = entry.begin + index * MemoryLayout<Stored>.size
          values.initializeElement(
            at: index, to: value(bytes.loadUnaligned(fromByteOffset: offset, as: Stored.self)))
        }
        initialized = count
      }
    }
  }
}

// A safetensors file whose arrays are read one at a time, or a part of one: a file of gigabytes opens at once. Each read
// is of the file as it is then, so one that somebody cuts short gives an error and not a crash, as a mapped one would.

import Files
import Resources
import Support

/// The arrays of a safetensors file, read in place.
public struct SafetensorsArrays: Sendable {
  public let path: String
  public let outline: WeightsOutline
  private let source: ByteSource
  /// Of the buffer, bytes from the file's beginning.
  private let begin: Int

  /// Reads the header: it is checked in itself and against the file's length.
  /// - Throws: `SafetensorsError`, `FileOperationError`.
  public init(path: String) throws {
    let file = try InputFile(path: path)
    let (outline, length) = try Safetensors.outlineAndLength(of: file)
    self.init(path: path, outline, ByteSource(file), begin: 8 + length)
  }

  /// The bytes of a file: for the fuzzer.
  /// - Returns: nil for what is none.
  package init?(bytes: [UInt8]) {
    guard bytes.count >= 10 else { return nil }
    let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= bytes.count - 8 else { return nil }
    let end = 8 + Int(length)
    guard let header = try? SafetensorsHeader.scan(Array(bytes[8..<end])),
      (try? header.check(bufferLength: bytes.count - end)) != nil
    else { return nil }
    self.init(path: "file", Safetensors.outline(path: "file", header: header), ByteSource(bytes), begin: end)
  }

  private init(path: String, _ outline: WeightsOutline, _ source: ByteSource, begin: Int) {
    self.path = path
    self.outline = outline
    self.source = source
    self.begin = begin
  }

  /// Bytes of the file.
  public var size: Int { source.size }

  /// Calls `body` with the bytes of some elements of an array, in row-major order.
  /// - Parameters:
  ///   - dtype: what its elements must be.
  ///   - elements: nil for all.
  /// - Throws: `WeightsFileError` where there is no such array, or one of another type; `FileOperationError`; what
  ///   `body` throws.
  public func withBytes<Result>(
    _ name: String, _ dtype: ElementType, elements: Range<Int>? = nil,
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard let array = outline.arrays[name], let count = array.count else {
      throw WeightsFileError(path: path, fault: .noSuchArray(name))
    }
    guard array.dtype == dtype else {
      throw WeightsFileError(path: path, fault: .unsupportedDType(array: name, dtype: array.dtype))
    }
    let elements = elements ?? 0..<count
    precondition(elements.lowerBound >= 0 && elements.upperBound <= count, "the elements are those of '\(name)'")
    let first = begin + array.offset
    return try source.withBytes(
      (first + elements.lowerBound * dtype.width)..<(first + elements.upperBound * dtype.width), body)
  }

  /// Elements as they stand in the file.
  private func values<Element: BitwiseCopyable>(
    _ name: String, _ dtype: ElementType, _ elements: Range<Int>?, as type: Element.Type
  ) throws -> [Element] {
    try withBytes(name, dtype, elements: elements) { bytes in
      guard Memory.has(bytes.count) else {
        throw WeightsFileError(path: path, fault: .noMemory(bytes: bytes.count))
      }
      let count = bytes.count / MemoryLayout<Element>.size
      return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
        initialized = count
      }
    }
  }

  /// - Throws: as `withBytes`; so do the others.
  public func uint8s(_ name: String, _ elements: Range<Int>? = nil) throws -> [UInt8] {
    try values(name, .uint8, elements, as: UInt8.self)
  }

  public func int32s(_ name: String, _ elements: Range<Int>? = nil) throws -> [Int32] {
    try values(name, .int32, elements, as: Int32.self)
  }

  public func int64s(_ name: String, _ elements: Range<Int>? = nil) throws -> [Int64] {
    try values(name, .int64, elements, as: Int64.self)
  }

  public func float32s(_ name: String, _ elements: Range<Int>? = nil) throws -> [Float] {
    try values(name, .float32, elements, as: Float.self)
  }

  public func float16s(_ name: String, _ elements: Range<Int>? = nil) throws -> [Float16] {
    try values(name, .float16, elements, as: Float16.self)
  }

  /// The CRC-32C of an array's bytes, as `crc32c:` and eight hexadecimal digits.
  /// - Throws: as `withBytes`.
  public func checksum(of name: String) throws -> String {
    guard let array = outline.arrays[name], let count = array.count else {
      throw WeightsFileError(path: path, fault: .noSuchArray(name))
    }
    let first = begin + array.offset
    var checksum = CRC32C()
    try source.forEachPiece(of: first..<(first + count * array.dtype.width)) { checksum.update($0) }
    return Safetensors.text(checksum)
  }
}

extension NamedArray {
  /// The CRC-32C of its bytes in a file, in the same form.
  public var checksum: String {
    var checksum = CRC32C()
    values.withBytes { checksum.update($0) }
    return Safetensors.text(checksum)
  }
}

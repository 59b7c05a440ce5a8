// The numbers of a file of weights: an array is read and converted when it is asked for, wherever and however it lies.

import Resources

/// A file of weights whose arrays can be read.
public struct WeightsContents: Sendable {
  /// What arrays lie in.
  enum Part: Sendable {
    case source(ByteSource, Range<Int>)
    case memory([UInt8])
  }

  public let outline: WeightsOutline
  /// `crc32c:` and eight hexadecimal digits: what the file says of itself, else of all of its bytes.
  package let checksum: String
  private let parts: [Part]

  init(_ outline: WeightsOutline, checksum: String, parts: [Part]) {
    self.outline = outline
    self.checksum = checksum
    self.parts = parts
  }

  /// Arrays that were made of a file's.
  package init(_ outline: WeightsOutline, checksum: String, arrays: [NamedArray]) {
    var stored: [String: StoredArray] = [:]
    var parts: [Part] = []
    for array in arrays {
      stored[array.name] = StoredArray(dtype: array.dtype, shape: array.shape, part: parts.count, offset: 0)
      parts.append(.memory(array.values.withBytes { Array($0) }))
    }
    self.init(outline.with(arrays: stored), checksum: checksum, parts: parts)
  }

  /// Several files as one.
  /// - Parameter places: the number of the file that each array is in.
  init(_ outline: WeightsOutline, checksum: String, files: [WeightsContents], places: [String: Int]) {
    var parts: [Part] = []
    var firsts: [Int] = []
    for file in files {
      firsts.append(parts.count)
      parts += file.parts
    }
    var arrays = outline.arrays
    for (name, number) in places { arrays[name]?.part += firsts[number] }
    self.init(outline.with(arrays: arrays), checksum: checksum, parts: parts)
  }

  public var path: String { outline.path }
  public var metadata: [String: String] { outline.metadata }

  /// The arrays' names, sorted.
  public var names: [String] { outline.names }

  /// The array's extents, empty for a scalar; nil where the file has no such array.
  public func shape(of name: String) -> [Int]? { outline.shape(of: name) }

  public func dtype(of name: String) -> ElementType? { outline.dtype(of: name) }

  /// An array as `Float`, row-major: F32 as it is, F64 rounded, F16 and BF16 exactly.
  /// - Throws: `WeightsFileError` where the file has no such array, or one of another element type;
  ///   `FileOperationError`.
  public func floats(_ name: String) throws -> [Float] {
    let array = try array(named: name)
    switch array.dtype {
    case .float32: return try convert(array) { (value: Float) in value }
    case .float64: return try convert(array) { (value: Double) in Float(value) }
    case .float16: return try convert(array) { (bits: UInt16) in Float(Float16(bitPattern: bits)) }
    case .bfloat16: return try convert(array) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
    default: throw WeightsFileError(path: path, fault: .unsupportedDType(array: name, dtype: array.dtype))
    }
  }

  /// An array of I64.
  /// - Throws: as `floats(_:)`.
  public func integers(_ name: String) throws -> [Int64] {
    let array = try array(named: name)
    guard array.dtype == .int64 else {
      throw WeightsFileError(path: path, fault: .unsupportedDType(array: name, dtype: array.dtype))
    }
    return try convert(array) { (value: Int64) in value }
  }

  /// An array of I8.
  /// - Throws: as `floats(_:)`.
  public func int8s(_ name: String) throws -> [Int8] {
    let array = try array(named: name)
    guard array.dtype == .int8 else {
      throw WeightsFileError(path: path, fault: .unsupportedDType(array: name, dtype: array.dtype))
    }
    return try convert(array) { (value: Int8) in value }
  }

  /// The first number of an array of whole numbers, whatever type a program gave them; nil where it has none.
  /// - Throws: `WeightsFileError` for one that is no whole number, or of a type that is not read.
  package func count(_ name: String) throws -> Int? {
    let array = try array(named: name)
    switch array.dtype {
    case .int64: return try convert(array) { (value: Int64) in Int(value) }.first
    case .int32: return try convert(array) { (value: Int32) in Int(value) }.first
    default:
      guard let value = try floats(name).first else { return nil }
      guard let count = Int(exactly: value) else {
        throw WeightsFileError(path: path, fault: .unsupportedDType(array: name, dtype: array.dtype))
      }
      return count
    }
  }

  /// An array with its shape: I64 as integers, every type that `floats(_:)` reads as F32.
  /// - Throws: as `floats(_:)`.
  public func array(_ name: String) throws -> NamedArray {
    let array = try array(named: name)
    let values: NamedArray.Values =
      array.dtype == .int64 ? .int64(try integers(name)) : .float32(try floats(name))
    return NamedArray(name: name, shape: array.shape, values: values)
  }

  private func array(named name: String) throws -> StoredArray {
    guard let array = outline.arrays[name] else { throw WeightsFileError(path: path, fault: .noSuchArray(name)) }
    return array
  }

  /// The readers have shown that the array's span lies in its part.
  @inline(__always)
  private func convert<Stored: BitwiseCopyable, Value>(
    _ array: StoredArray, _ value: (Stored) -> Value
  ) throws -> [Value] {
    let count = array.count ?? 0
    guard count > 0, let span = array.span else { return [] }
    let range = array.offset..<(array.offset + span)
    return try withBytes(range, of: parts[array.part]) { bytes in
      let needed = count * MemoryLayout<Value>.stride
      guard Memory.has(needed) else { throw WeightsFileError(path: path, fault: .noMemory(bytes: needed)) }
      return [Value](unsafeUninitializedCapacity: count) { values, initialized in
        HugePages.advise(UnsafeMutableRawBufferPointer(values))
        let width = MemoryLayout<Stored>.size
        if let strides = array.strides {
          var walk = StridedWalk(shape: array.shape, strides: strides)
          for index in 0..<count {
            let stored = bytes.loadUnaligned(fromByteOffset: walk.element * width, as: Stored.self)
            values.initializeElement(at: index, to: value(stored))
            walk.next()
          }
        } else {
          for index in 0..<count {
            let stored = bytes.loadUnaligned(fromByteOffset: index * width, as: Stored.self)
            values.initializeElement(at: index, to: value(stored))
          }
        }
        initialized = count
      }
    }
  }

  private func withBytes<Result>(
    _ range: Range<Int>, of part: Part, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    switch part {
    case .memory(let bytes):
      return try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    case .source(let source, let whole):
      return try source.withBytes(
        (whole.lowerBound + range.lowerBound)..<(whole.lowerBound + range.upperBound), body)
    }
  }
}

/// Goes through the elements of a strided array in row-major order.
private struct StridedWalk {
  private let shape: [Int]
  private let strides: [Int]
  private var place: [Int]
  /// Where the next element lies, in elements from the first.
  private(set) var element = 0

  init(shape: [Int], strides: [Int]) {
    self.shape = shape
    self.strides = strides
    place = Array(repeating: 0, count: shape.count)
  }

  mutating func next() {
    var axis = shape.count - 1
    while axis >= 0 {
      place[axis] += 1
      element += strides[axis]
      if place[axis] < shape[axis] { return }
      element -= place[axis] * strides[axis]
      place[axis] = 0
      axis -= 1
    }
  }
}

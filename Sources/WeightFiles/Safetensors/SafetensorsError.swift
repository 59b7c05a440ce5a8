// Everything that can be wrong with a safetensors file, each fault with the numbers that show it.

/// A safetensors file that was refused.
public struct SafetensorsError: Error, Equatable, Sendable, CustomStringConvertible {
  public var path: String
  public var fault: Fault

  public enum Fault: Error, Equatable, Sendable {
    case notARegularFile
    /// A file of weights in another format, or of something else.
    case otherFormat(WeightsFileKind)
    /// Too short for the header's length and the smallest header.
    case tooShort(bytes: Int)
    /// The header says it is longer than the format allows.
    case headerTooLong(bytes: UInt64, limit: Int)
    /// The header says it is longer than the file.
    case headerBeyondFile(bytes: UInt64, file: Int)
    /// Not the JSON that the format prescribes.
    case malformedHeader(offset: Int, expected: String)
    case duplicateKey(String)
    case unknownDType(array: String, dtype: String)
    case shapeTooLarge(array: String)
    /// The range ends before it begins or beyond the buffer.
    case rangeOutside(array: String, begin: Int, end: Int, buffer: Int)
    /// Shape and element type need another number of bytes than the range has.
    case wrongSize(array: String, needed: Int, found: Int)
    case overlap(array: String, with: String)
    /// Bytes of the buffer that belong to no array: cut off or put in by something.
    case hole(begin: Int, end: Int)
    /// The checksum does not match: the file changed after it was written.
    case damaged(stored: String, computed: String)
    /// The file says it carries a checksum, and has none that can be read.
    case checksumMissing
  }

  public init(path: String, fault: Fault) {
    self.path = path
    self.fault = fault
  }

  public var description: String {
    if case .otherFormat(let kind) = fault { return "\(path): \(kind.advice(path: path))" }
    return "\(path): \(fault.text)"
  }
}

extension SafetensorsError.Fault {
  fileprivate var text: String {
    let broken = "not a whole safetensors file"
    let again = "get it again or use another checkpoint"
    switch self {
    case .notARegularFile:
      return "not a regular file; name a .safetensors file"
    case .otherFormat(let kind): return kind.name
    case .tooShort(let bytes):
      return "\(broken), it has only \(bytes) bytes; \(again)"
    case .headerTooLong(let bytes, let limit):
      return "\(broken), its header claims \(bytes) bytes and \(limit) are allowed; \(again)"
    case .headerBeyondFile(let bytes, let file):
      return "\(broken), its header claims \(bytes) bytes and the file has \(file): it was cut off; \(again)"
    case .malformedHeader(let offset, let expected):
      return "\(broken), at byte \(offset) of the header should be \(expected); \(again)"
    case .duplicateKey(let key):
      return "\(broken), the header has the key \"\(key)\" twice; \(again)"
    case .unknownDType(let array, let dtype):
      return "array \"\(array)\" has the unknown element type \"\(dtype)\"; convert it to F32"
    case .shapeTooLarge(let array):
      return "\(broken), the shape of array \"\(array)\" is larger than any memory; \(again)"
    case .rangeOutside(let array, let begin, let end, let buffer):
      return "\(broken), array \"\(array)\" is said to be at \(begin) to \(end) of \(buffer) bytes; \(again)"
    case .wrongSize(let array, let needed, let found):
      return "\(broken), array \"\(array)\" needs \(needed) bytes and has \(found); \(again)"
    case .overlap(let array, let other):
      return "\(broken), the arrays \"\(array)\" and \"\(other)\" overlap; \(again)"
    case .hole(let begin, let end):
      return "\(broken), bytes \(begin) to \(end) of the buffer belong to no array; \(again)"
    case .damaged(let stored, let computed):
      return "damaged: its checksum is \(computed) and was \(stored) when it was written; use another checkpoint"
    case .checksumMissing:
      return "damaged: its checksum cannot be read; use another checkpoint"
    }
  }
}

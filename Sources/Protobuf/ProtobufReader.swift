// Reads the wire format of protocol buffers (protobuf.dev, "Encoding"): where a message's fields lie, without copying
// them. A library for all of protocol buffers would bring a code generator, its build plug-in and a runtime several
// times the size of this program's own reading, and would copy every image out of its record.

/// Why bytes are not a message.
public enum ProtobufFault: Error, Equatable, CustomStringConvertible {
  case cutOff, overlongNumber, invalidTag, unmatchedGroup, deepGroups

  public var description: String {
    switch self {
    case .cutOff: "a field is longer than what it lies in"
    case .overlongNumber: "a number has more than 64 bits"
    case .invalidTag: "a field's number or type is invalid"
    case .unmatchedGroup: "a group does not end where it should"
    case .deepGroups: "groups are nested too deeply"
    }
  }
}

/// A way through the fields of one message.
public struct ProtobufReader {
  /// A field's value. What no reader here has use for is skipped, but must be well-formed.
  public enum Value: Equatable {
    case number(UInt64)
    /// Where a text, bytes, a message or packed numbers lie.
    case bytes(Range<Int>)
    /// Four bytes: a `float` by its bits, a `fixed32`.
    case fixed32(UInt32)
    case skipped
  }

  /// How deeply groups may lie in each other; nobody writes any.
  static let groupDepth = 32

  private let bytes: UnsafeRawBufferPointer
  private var position: Int
  private let end: Int

  /// - Parameter range: of the message within `bytes`.
  public init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "a message lies within its bytes")
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  /// The next field; nil at the end of the message.
  public mutating func next() throws(ProtobufFault) -> (field: UInt64, value: Value)? {
    guard position < end else { return nil }
    let (field, type) = try tag()
    return (field, try value(of: type, field: field))
  }

  public var isAtEnd: Bool { position == end }

  /// A number of 1 to 10 bytes, seven bits in each, the lowest first.
  public mutating func varint() throws(ProtobufFault) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard position < end else { throw .cutOff }
      let byte = bytes[position]
      position += 1
      // The tenth byte has one bit left.
      guard shift < 63 || byte <= 1 else { throw .overlongNumber }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
  }

  private mutating func tag() throws(ProtobufFault) -> (field: UInt64, type: UInt64) {
    let tag = try varint()
    guard tag >> 3 > 0, tag <= UInt64(UInt32.max) else { throw .invalidTag }
    return (tag >> 3, tag & 7)
  }

  private mutating func value(of type: UInt64, field: UInt64) throws(ProtobufFault) -> Value {
    switch type {
    case 0: return .number(try varint())
    case 1: try skip(8)
    case 2:
      let length = try varint()
      guard length <= UInt64(end - position) else { throw .cutOff }
      position += Int(length)
      return .bytes((position - Int(length))..<position)
    case 3: try skipGroup(field)
    case 5:
      try skip(4)
      return .fixed32(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position - 4, as: UInt32.self)))
    case 4: throw .unmatchedGroup
    default: throw .invalidTag
    }
    return .skipped
  }

  private mutating func skip(_ count: Int) throws(ProtobufFault) {
    guard count <= end - position else { throw .cutOff }
    position += count
  }

  /// Skips to behind the end of a group that was begun, with all groups in it.
  private mutating func skipGroup(_ field: UInt64) throws(ProtobufFault) {
    var open = [field]
    while let innermost = open.last {
      guard position < end else { throw .unmatchedGroup }
      let (field, type) = try tag()
      switch type {
      case 3:
        guard open.count < Self.groupDepth else { throw .deepGroups }
        open.append(field)
      case 4:
        guard field == innermost else { throw .unmatchedGroup }
        open.removeLast()
      default: _ = try value(of: type, field: field)
      }
    }
  }
}

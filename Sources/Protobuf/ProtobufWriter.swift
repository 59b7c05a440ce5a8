// Writes the wire format of protocol buffers (protobuf.dev, "Encoding"): fields one after the other, in the order in
// which they are written.

/// The fields of a message as bytes.
public enum ProtobufWriter {
  /// A field of text, bytes, packed numbers or a message: its tag, its length, itself.
  public static func field(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
    opening(number, length: content.count) + content
  }

  /// What stands before a field's content, where that follows by itself.
  /// - Parameter length: bytes of the content.
  public static func opening(_ number: UInt64, length: Int) -> [UInt8] {
    varint(number << 3 | 2) + varint(UInt64(length))
  }

  /// A field of text.
  public static func field(_ number: UInt64, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }

  /// A field of a whole number, negative ones in two's complement (`int64`).
  public static func field(_ number: UInt64, integer: Int64) -> [UInt8] {
    varint(number << 3) + varint(UInt64(bitPattern: integer))
  }

  public static func field(_ number: UInt64, double: Double) -> [UInt8] { varint(number << 3 | 1) + bytes(double) }

  public static func field(_ number: UInt64, float: Float) -> [UInt8] {
    varint(number << 3 | 5) + withUnsafeBytes(of: float.bitPattern.littleEndian) { Array($0) }
  }

  /// A field of many numbers, packed.
  public static func field(_ number: UInt64, doubles: [Double]) -> [UInt8] {
    field(number, doubles.flatMap(bytes))
  }

  private static func bytes(_ value: Double) -> [UInt8] {
    withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
  }

  /// A number of 1 to 10 bytes, seven bits in each, the lowest first.
  public static func varint(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
    return bytes
  }
}

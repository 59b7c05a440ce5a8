// Writes the wire format of protocol buffers (protobuf.dev, "Encoding"): fields one after the other, in the order in
// which they are written.

/// The fields of a message as bytes.
public enum ProtobufWriter {
  /// A field of text, bytes, packed numbers or a message: its tag, its length, itself.
  public static func field(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
    varint(number << 3 | 2) + varint(UInt64(content.count)) + content
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

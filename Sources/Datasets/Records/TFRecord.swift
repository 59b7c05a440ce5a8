// The framing of TFRecord shards, and of TensorBoard's event files: where a record begins and ends, and how damage is noticed. It knows nothing of what
// is in a record.

import Support

/// A TFRecord file is records one after the other, and nothing else (tensorflow.org, "TFRecord and tf.train.Example";
/// numbers are little-endian):
///
///     uint64 length
///     uint32 masked CRC-32C of the length's eight bytes
///     byte   data[length]
///     uint32 masked CRC-32C of the data
package enum TFRecord {
  /// Bytes before the data.
  package static let headerLength = 12
  /// Bytes behind it.
  package static let footerLength = 4

  /// A checksum of bytes that themselves hold checksums is weak: it is stored turned and shifted.
  static func maskedChecksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var checksum = CRC32C()
    checksum.update(bytes)
    return (checksum.value >> 15 | checksum.value << 17) &+ 0xa282_ead8
  }

  /// The length that a header gives; nil if its checksum is wrong.
  /// - Parameter header: `headerLength` bytes.
  package static func length(header: UnsafeRawBufferPointer) -> UInt64? {
    let length = UInt64(littleEndian: header.loadUnaligned(as: UInt64.self))
    let stored = UInt32(littleEndian: header.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    return stored == maskedChecksum(UnsafeRawBufferPointer(rebasing: header[..<8])) ? length : nil
  }

  /// Whether data and the checksum behind it agree.
  package static func isIntact(data: UnsafeRawBufferPointer, footer: UnsafeRawBufferPointer) -> Bool {
    UInt32(littleEndian: footer.loadUnaligned(as: UInt32.self)) == maskedChecksum(data)
  }

  /// A whole record.
  package static func record(_ data: [UInt8]) -> [UInt8] {
    var record: [UInt8] = []
    record.reserveCapacity(headerLength + data.count + footerLength)
    withUnsafeBytes(of: UInt64(data.count).littleEndian) { length in
      record += length
      withUnsafeBytes(of: maskedChecksum(length).littleEndian) { record += $0 }
    }
    record += data
    data.withUnsafeBytes { data in
      withUnsafeBytes(of: maskedChecksum(data).littleEndian) { record += $0 }
    }
    return record
  }
}

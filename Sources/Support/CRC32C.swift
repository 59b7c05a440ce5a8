// The checksum of checkpoint files and of TFRecord shards: CRC-32C. It finds every flipped bit and every damaged run
// of up to 32 bits; it is no protection against somebody who changes a file on purpose.

import CKernels

/// CRC-32C (Castagnoli), as in RFC 3720, section 12.1 and appendix B.4: reflected polynomial 0x82F63B78, initial
/// value and final complement all ones.
///
/// By the processor's own instruction; where there is none, eight bytes a turn with eight tables (Kounavis and Berry
/// 2005, "A systematic approach to building high performance, software-based, CRC generators").
public struct CRC32C: Sendable {
  private var remainder = UInt32.max

  public init() {}

  /// The checksum of all bytes so far.
  public var value: UInt32 { ~remainder }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard Self.hasInstruction, let address = bytes.baseAddress else { return updateByTables(bytes) }
    remainder = ck_crc32c(remainder, address, bytes.count)
  }

  public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  private static let hasInstruction = ck_has_crc32c() != 0

  /// The same for every processor.
  mutating func updateByTables(_ bytes: UnsafeRawBufferPointer) {
    var crc = remainder
    Self.tables.withUnsafeBufferPointer { table in
      var at = 0
      let whole = bytes.count & ~7
      while at < whole {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) ^ UInt64(crc)
        // The first byte of the eight has the longest way to go: seven more bytes follow it.
        crc = table[1792 + Int(word & 255)] ^ table[1536 + Int((word >> 8) & 255)]
        crc ^= table[1280 + Int((word >> 16) & 255)] ^ table[1024 + Int((word >> 24) & 255)]
        crc ^= table[768 + Int((word >> 32) & 255)] ^ table[512 + Int((word >> 40) & 255)]
        crc ^= table[256 + Int((word >> 48) & 255)] ^ table[Int(word >> 56)]
        at += 8
      }
      while at < bytes.count {
        crc = (crc >> 8) ^ table[Int((crc ^ UInt32(bytes[at])) & 255)]
        at += 1
      }
    }
    remainder = crc
  }

  /// tables[256 * k + b]: the remainder of byte b followed by k zero bytes.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var remainder = UInt32(byte)
      for _ in 0..<8 { remainder = (remainder >> 1) ^ (remainder & 1 == 1 ? 0x82f6_3b78 : 0) }
      tables[byte] = remainder
    }
    for index in 256..<(8 * 256) {
      let shorter = tables[index - 256]
      tables[index] = (shorter >> 8) ^ tables[Int(shorter & 255)]
    }
    return tables
  }()
}

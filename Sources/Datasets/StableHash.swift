// A hash that is the same in every process, on every machine and in every version: splits, augmentation and
// fingerprints depend on it. Not for hash tables, not against malice.

/// FNV-1a, 64 bits (Fowler, Noll and Vo; draft-eastlake-fnv, section 2).
struct StableHash {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ byte: UInt8) {
    value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
  }

  mutating func add(_ text: String) {
    for byte in text.utf8 { add(byte) }
  }

  /// The hash of a text's UTF-8 bytes.
  static func of(_ text: String) -> UInt64 {
    var hash = StableHash()
    hash.add(text)
    return hash.value
  }
}

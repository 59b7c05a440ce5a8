// A hash that is the same in every process, on every machine and in every version: splits, seeds and fingerprints
// depend on it. Not for hash tables, and not against malice.

/// A hash of a text that is the same in every run and on every machine: FNV-1a, 64 bits (Fowler, Noll and Vo, RFC
/// 9923), of its UTF-8.
public func stableHash(_ text: String) -> UInt64 { stableHash(text.utf8) }

/// The same of any bytes, continuing from `start`.
public func stableHash(_ bytes: some Sequence<UInt8>, from start: UInt64 = 0xcbf2_9ce4_8422_2325) -> UInt64 {
  bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
}

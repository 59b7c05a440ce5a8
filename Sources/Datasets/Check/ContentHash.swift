// A number for a file's bytes, to find files that may be the same. Whether they are is for IdenticalFiles to say, by
// comparing them: this hash is fast and not safe against malice. The decisions about a dataset keep it of some images,
// to know them again.

/// 64 bits that depend on every byte and on their number: FNV-1a's step over words of eight bytes, with the upper half
/// folded down after each, because a product's low bits do not depend on the high bits of its factors.
struct ContentHash: Hashable, Sendable {
  let value: UInt64

  init(_ bytes: UnsafeRawBufferPointer) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(truncatingIfNeeded: bytes.count)
    func add(_ word: UInt64) {
      hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash >> 32
    }
    let words = bytes.count / 8
    for word in 0..<words { add(bytes.loadUnaligned(fromByteOffset: 8 * word, as: UInt64.self)) }
    var rest: UInt64 = 0
    for byte in bytes[(8 * words)...] { rest = rest << 8 | UInt64(byte) }
    add(rest)
    value = hash
  }
}

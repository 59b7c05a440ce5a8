// Checksums of 64 bits over any bytes at several gigabytes a second. Against accidents, not against malice.

/// XXH64 with seed 0 (Collet, "xxHash fast digest algorithm", specification 0.1.1).
///
/// - Complexity: O(n); four lanes of eight bytes are mixed independently, so that the processor works on all at once.
public func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  let count = bytes.count
  var place = 0
  func word(_ offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
  var hash: UInt64
  if count >= 32 {
    var (a, b, c, d) = (XXH64.prime1 &+ XXH64.prime2, XXH64.prime2, UInt64(0), 0 &- XXH64.prime1)
    while place + 32 <= count {
      a = XXH64.round(a, word(place))
      b = XXH64.round(b, word(place + 8))
      c = XXH64.round(c, word(place + 16))
      d = XXH64.round(d, word(place + 24))
      place += 32
    }
    hash = XXH64.rotate(a, 1) &+ XXH64.rotate(b, 7) &+ XXH64.rotate(c, 12) &+ XXH64.rotate(d, 18)
    for lane in [a, b, c, d] { hash = (hash ^ XXH64.round(0, lane)) &* XXH64.prime1 &+ XXH64.prime4 }
  } else {
    hash = XXH64.prime5
  }
  hash = hash &+ UInt64(count)
  while place + 8 <= count {
    hash = XXH64.rotate(hash ^ XXH64.round(0, word(place)), 27) &* XXH64.prime1 &+ XXH64.prime4
    place += 8
  }
  if place + 4 <= count {
    let half = UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
    hash = XXH64.rotate(hash ^ (half &* XXH64.prime1), 23) &* XXH64.prime2 &+ XXH64.prime3
    place += 4
  }
  while place < count {
    hash = XXH64.rotate(hash ^ (UInt64(bytes[place]) &* XXH64.prime5), 11) &* XXH64.prime1
    place += 1
  }
  hash = (hash ^ (hash >> 33)) &* XXH64.prime2
  hash = (hash ^ (hash >> 29)) &* XXH64.prime3
  return hash ^ (hash >> 32)
}

/// The same of an array.
public func checksum(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { checksum($0) } }

/// The specification's constants and its one step.
private enum XXH64 {
  static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 { (value &<< bits) | (value &>> (64 - bits)) }

  static func round(_ sum: UInt64, _ lane: UInt64) -> UInt64 { rotate(sum &+ lane &* prime2, 31) &* prime1 }
}

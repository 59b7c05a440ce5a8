// The checksum against the values of its specification, by either of its two ways.

@testable import Support
import Testing

@Suite struct `CRC-32C` {
  /// By the processor's instruction where there is one, and by tables.
  private func checksums(_ bytes: [UInt8]) -> [UInt32] {
    var chosen = CRC32C()
    chosen.update(bytes)
    var byTables = CRC32C()
    bytes.withUnsafeBytes { byTables.updateByTables($0) }
    return [chosen.value, byTables.value]
  }

  @Test func `the values of RFC 3720 appendix B.4`() {
    #expect(checksums(Array("123456789".utf8)) == [0xe306_9283, 0xe306_9283])
    #expect(checksums(Array(repeating: 0, count: 32)) == [0x8a91_36aa, 0x8a91_36aa])
    #expect(checksums(Array(repeating: 0xff, count: 32)) == [0x62a8_ab43, 0x62a8_ab43])
    #expect(checksums(Array(0..<32)) == [0x46dd_794e, 0x46dd_794e])
    #expect(checksums((0..<32).reversed()) == [0x113f_db5c, 0x113f_db5c])
    #expect(checksums([]) == [0, 0])
  }

  @Test func `in pieces it is that of the whole, wherever it is cut`() {
    let bytes = (0..<67).map { UInt8($0 * 37 & 255) }
    let whole = checksums(bytes)
    #expect(whole[0] == whole[1])
    for cut in bytes.indices {
      var pieces = CRC32C()
      pieces.update(Array(bytes[..<cut]))
      bytes[cut...].withUnsafeBytes { pieces.updateByTables($0) }
      #expect(pieces.value == whole[0])
    }
  }
}

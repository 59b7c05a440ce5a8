// XXH64 against known answers, one for each way through the function.

@testable import Support
import Testing

@Test(
  arguments: [
    ("", 0xef46_db37_51d8_e999), ("a", 0xd24e_c4f1_a98c_6e5b), ("abc", 0x44bc_2cf5_ad77_0999),
    ("Nobody inspects the spammish repetition", 0xfbce_a83c_8a37_8bf1),
  ] as [(String, UInt64)])
func `the checksum is XXH64`(text: String, expected: UInt64) {
  #expect(checksum(Array(text.utf8)) == expected)
}

@Test func `every byte counts, at every length`() {
  for length in 1...100 {
    let bytes = (0..<length).map { UInt8($0) }
    let sum = checksum(bytes)
    for place in bytes.indices {
      var changed = bytes
      changed[place] ^= 1
      #expect(checksum(changed) != sum)
    }
    #expect(checksum(bytes + [0]) != sum)
  }
}

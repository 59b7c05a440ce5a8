// Makes inputs out of seeds. An input is a function of the seed number, the entry and the input's own number, so one
// that did harm can be made again.

import Support

struct Mutator: Sendable {
  let seeds: [[UInt8]]
  let framing: Framing
  /// Longer inputs are cut off: they cost time and find no more.
  private static let maximumLength = 1 << 16

  /// Numbers that formats trip over.
  private static let numbers: [UInt32] = [
    0, 1, 2, 7, 8, 255, 256, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7f_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0,
    0xffff_ffff,
  ]

  func input(_ generator: inout RandomGenerator) -> [UInt8] {
    var bytes = seeds[generator.integer(below: seeds.count)]
    // Most often one or two changes, now and then many.
    let changes =
      1 + (generator.integer(below: 8) == 0 ? generator.integer(below: 30) : generator.integer(below: 3))
    for _ in 0..<changes { change(&bytes, &generator) }
    if bytes.count > Self.maximumLength { bytes.removeSubrange(Self.maximumLength...) }
    return generator.integer(below: 4) == 0 ? bytes : framing.repaired(bytes)
  }

  private func change(_ bytes: inout [UInt8], _ generator: inout RandomGenerator) {
    guard !bytes.isEmpty else {
      bytes = [UInt8(truncatingIfNeeded: generator.next())]
      return
    }
    let position = generator.integer(below: bytes.count)
    switch generator.integer(below: 12) {
    case 0, 1: bytes[position] ^= 1 << generator.integer(below: 8)
    case 2: bytes[position] = UInt8(truncatingIfNeeded: generator.next())
    case 3: bytes[position] = [0, 1, 0x7f, 0x80, 0xff][generator.integer(below: 5)]
    case 4: writeNumber(&bytes, at: position, &generator)
    case 5:  // a part's length lies within its first bytes
      let parts = framing.parts(of: bytes)
      let start = parts.isEmpty ? position : parts[generator.integer(below: parts.count)].lowerBound
      writeNumber(&bytes, at: min(bytes.count - 1, start + generator.integer(below: 6)), &generator)
    case 6: bytes.removeSubrange(position...)
    case 7: bytes.removeSubrange(range(from: position, in: bytes, &generator))
    case 8: bytes.insert(contentsOf: bytes[range(from: position, in: bytes, &generator)], at: position)
    case 9:  // the beginning of one, the end of another
      let other = seeds[generator.integer(below: seeds.count)]
      bytes = Array(bytes[..<position] + other[generator.integer(below: other.count)...])
    default: moveParts(&bytes, &generator)
    }
  }

  private func range(
    from position: Int, in bytes: [UInt8], _ generator: inout RandomGenerator
  ) -> Range<Int> {
    position..<min(bytes.count, position + 1 + generator.integer(below: 64))
  }

  /// Two or four bytes, in either order: a special number, or one a little off what stood there.
  private func writeNumber(_ bytes: inout [UInt8], at position: Int, _ generator: inout RandomGenerator) {
    let width = min([2, 4][generator.integer(below: 2)], bytes.count - position)
    let isBigEndian = generator.integer(below: 2) == 0
    let places = (0..<width).map { position + (isBigEndian ? width - 1 - $0 : $0) }
    var number = places.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[$1]) }
    if generator.integer(below: 2) == 0 {
      number = Self.numbers[generator.integer(below: Self.numbers.count)]
    } else {
      number = number &+ UInt32(generator.integer(below: 9)) &- 4
    }
    for (shift, place) in places.enumerated() { bytes[place] = UInt8(truncatingIfNeeded: number >> (8 * shift)) }
  }

  /// A part again, away, or in another's place.
  private func moveParts(_ bytes: inout [UInt8], _ generator: inout RandomGenerator) {
    let parts = framing.parts(of: bytes)
    guard !parts.isEmpty else { return }
    let part = parts[generator.integer(below: parts.count)]
    let other = parts[generator.integer(below: parts.count)]
    let content = Array(bytes[part])
    switch generator.integer(below: 3) {
    case 0: bytes.insert(contentsOf: content, at: other.lowerBound)
    case 1: bytes.removeSubrange(part)
    default: bytes.replaceSubrange(other, with: content)
    }
  }
}

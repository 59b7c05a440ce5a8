// How a format divides its files into parts: mutations that move whole parts, and set right what only guards against
// accidents, get further into a decoder than those that change bytes at random.

import Support
import TestSupport

public enum Framing: Sendable {
  case none, png, jpeg, webp

  /// The parts, in order; what does not look like one ends the list.
  func parts(of bytes: [UInt8]) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var start = firstPart
    while start < bytes.count, let length = partLength(in: bytes, at: start), length <= bytes.count - start {
      parts.append(start..<(start + length))
      start += length
    }
    return parts
  }

  /// The file with the checksums that its parts should have.
  func repaired(_ bytes: [UInt8]) -> [UInt8] {
    guard case .png = self else { return bytes }
    var bytes = bytes
    for part in parts(of: bytes) {
      let sum = PNGFile.checksum(Array(bytes[(part.lowerBound + 4)..<(part.upperBound - 4)]))
      bytes.replaceSubrange((part.upperBound - 4)..<part.upperBound, with: PNGFile.word(Int(sum)))
    }
    return bytes
  }

  private var firstPart: Int {
    switch self {
    case .none: .max
    case .png: 8
    case .jpeg: 2
    case .webp: 12
    }
  }

  private func partLength(in bytes: [UInt8], at start: Int) -> Int? {
    func number(_ range: Range<Int>) -> Int? {
      range.upperBound <= bytes.count ? bytes[range].reduce(0) { $0 << 8 | Int($1) } : nil
    }
    switch self {
    case .none: return nil
    case .png: return number(start..<(start + 4)).map { $0 + 12 }
    case .jpeg:
      guard bytes[start] == 0xff, let length = number((start + 2)..<(start + 4)) else { return nil }
      return length + 2
    case .webp:
      guard let length = number((start + 4)..<(start + 8)).map({ Int(UInt32($0).byteSwapped) }) else { return nil }
      return 8 + length + length % 2
    }
  }
}

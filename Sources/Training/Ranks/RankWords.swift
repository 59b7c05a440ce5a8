// How ranks write what they tell each other besides numbers of tensors: words of 8 bytes, and bytes as they are. All
// ranks run the same program (`RankAgreement`), so it has no version.

import FoundationEssentials
import Ranks

/// Writes words and bytes, one behind the other.
struct WordWriter {
  private(set) var bytes: [UInt8] = []

  mutating func put(_ word: Int) { withUnsafeBytes(of: Int64(word).littleEndian) { bytes += $0 } }

  /// Every bit of it.
  mutating func put(_ number: Double) { put(Int(Int64(bitPattern: number.bitPattern))) }

  /// So many, and then they.
  mutating func put(_ words: [Int]) {
    put(words.count)
    for word in words { put(word) }
  }

  mutating func put(_ numbers: [Float]) {
    put(numbers.count)
    numbers.withUnsafeBytes { bytes += $0 }
  }

  /// As JSON; an empty list as nothing.
  mutating func put<Element: Encodable>(_ list: [Element]) {
    let json = list.isEmpty ? [] : Array(((try? RunJSON.line(list)) ?? "").utf8)
    put(json.count)
    bytes += json
  }
}

/// Reads them back.
struct WordReader {
  private let source: [UInt8]
  private var place = 0
  /// Whether there was all that was asked for.
  private(set) var isValid = true

  init(_ bytes: [UInt8]) { source = bytes }

  mutating func word() -> Int {
    let word = take(8)
    return word.count == 8 ? word.reversed().reduce(0) { $0 << 8 | Int($1) } : 0
  }

  mutating func number() -> Double { Double(bitPattern: UInt64(bitPattern: Int64(word()))) }

  mutating func words() -> [Int] {
    let count = word()
    guard hasRoom(count, 8) else { return [] }
    return (0..<count).map { _ in word() }
  }

  mutating func floats() -> [Float] {
    let count = word()
    guard hasRoom(count, 4) else { return [] }
    let bytes = take(4 * count)
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
      initialized = count
    }
  }

  mutating func list<Element: Decodable>(_ type: Element.Type) -> [Element] {
    let json = take(word())
    guard !json.isEmpty else { return [] }
    guard let list = try? RunJSON.decode([Element].self, from: Data(json)) else {
      isValid = false
      return []
    }
    return list
  }

  private mutating func hasRoom(_ count: Int, _ size: Int) -> Bool {
    guard count >= 0, count <= (source.count - place) / size else {
      isValid = false
      return false
    }
    return true
  }

  private mutating func take(_ count: Int) -> ArraySlice<UInt8> {
    guard hasRoom(count, 1) else { return [] }
    defer { place += count }
    return source[place..<(place + count)]
  }
}

extension RankFailure {
  /// What a rank has sent cannot be read.
  init(unreadable what: String, rank: Int) {
    self.init("what rank \(rank) told of \(what) cannot be read: do all ranks run the same program?")
  }
}

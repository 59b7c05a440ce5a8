// What can be seen of a line of metrics.jsonl without decoding it, in a thousandth of the time: of a log of millions of
// lines most are only looked at.

import Glibc

/// A line of metrics.jsonl, looked at byte by byte. Of a line of another program's, nothing may be found.
struct MetricsGlance {
  enum Kind: Sendable {
    case step, epoch, recall, mark, layers
  }

  private let line: ArraySlice<UInt8>

  init(_ line: ArraySlice<UInt8>) { self.line = line }

  /// nil where it does not say, or says it otherwise than our own lines do.
  var kind: Kind? {
    guard let place = find(#""kind":""#) else { return nil }
    let word = line[(place + 8)...].prefix { $0 != UInt8(ascii: "\"") }
    switch word.count {
    case 4: return word.elementsEqual("step".utf8) ? .step : word.elementsEqual("mark".utf8) ? .mark : nil
    case 5: return word.elementsEqual("epoch".utf8) ? .epoch : nil
    case 6: return word.elementsEqual("recall".utf8) ? .recall : word.elementsEqual("layers".utf8) ? .layers : nil
    default: return nil
    }
  }

  /// Whether a line may be of a step, and of an epoch, no later than these.
  func mayBeKept(step: Int, epoch: Int?) -> Bool {
    if line.first != UInt8(ascii: "{") || line.last != UInt8(ascii: "}") { return false }
    if let found = integer(#""step":"#), found > step { return false }
    if let epoch, kind == .epoch, let found = integer(#""epoch":"#), found > epoch { return false }
    return true
  }

  /// The number behind a key that is written as `"key":`.
  private func integer(_ key: StaticString) -> Int? {
    guard let place = find(key) else { return nil }
    var (value, index) = (0, place + key.utf8CodeUnitCount)
    while index < line.endIndex, (48...57).contains(line[index]), value < 1 << 58 {
      value = value * 10 + Int(line[index] - 48)
      index += 1
    }
    // `1e3`, `-1`: for the decoder.
    return index < line.endIndex && [UInt8(ascii: ","), UInt8(ascii: "}")].contains(line[index]) ? value : nil
  }

  /// The number behind a key, where it is finite.
  /// - Parameter key: as it is written, with its quotes and the colon.
  func number(_ key: [UInt8]) -> Double? {
    guard let place = key.withUnsafeBytes({ find($0) }) else { return nil }
    // strtod would read on beyond the line.
    let digits = line[(place + key.count)...].prefix(40)
    let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 41) { text -> Double? in
      for (index, byte) in digits.enumerated() { text[index] = CChar(bitPattern: byte) }
      text[digits.count] = 0
      guard let start = text.baseAddress else { return nil }
      var end: UnsafeMutablePointer<CChar>?
      let value = strtod(start, &end)
      return end == start ? nil : value
    }
    return text.flatMap { $0.isFinite ? $0 : nil }
  }

  private func find(_ text: StaticString) -> Int? {
    find(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Where a text begins in the line.
  private func find(_ text: UnsafeRawBufferPointer) -> Int? {
    line.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, let start = text.baseAddress, let first = text.first else { return nil }
      var place = 0
      while place + text.count <= bytes.count,
        let found = memchr(base + place, Int32(first), bytes.count - text.count - place + 1)
      {
        place = UnsafeRawPointer(found) - base
        if memcmp(found, start, text.count) == 0 { return line.startIndex + place }
        place += 1
      }
      return nil
    }
  }
}

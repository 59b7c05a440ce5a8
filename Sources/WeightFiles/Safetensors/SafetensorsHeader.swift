// The header of a safetensors file: the strict reading of its JSON, and the checks that its ranges cover the buffer
// exactly. The header comes from anybody, so nothing in it is believed and nothing is allocated by its numbers.

/// What the header says, before (`scan`) and after (`check`) it is compared with the buffer.
struct SafetensorsHeader {
  struct Entry: Equatable {
    var dtype: ElementType
    var shape: [Int]
    /// Bytes begin ..< end of the buffer.
    var begin: Int
    var end: Int
  }

  /// A string of the header and where its raw bytes stand, without the quotes.
  struct Text {
    var value: String
    var range: Range<Int>
  }

  /// The longest header that the format's reference implementation accepts, bytes.
  static let lengthLimit = 100_000_000

  var metadata: [String: Text] = [:]
  var entries: [String: Entry] = [:]

  /// Reads the header's bytes.
  static func scan(_ bytes: [UInt8]) throws(SafetensorsError.Fault) -> SafetensorsHeader {
    var scanner = SafetensorsHeaderScanner(bytes: bytes)
    return try scanner.header()
  }

  /// Checks that every array lies in the buffer with the size of its shape, and that together they cover it
  /// without holes or overlaps.
  func check(bufferLength: Int) throws(SafetensorsError.Fault) {
    for (name, entry) in entries {
      guard entry.begin <= entry.end, entry.end <= bufferLength else {
        throw .rangeOutside(array: name, begin: entry.begin, end: entry.end, buffer: bufferLength)
      }
      var needed = entry.dtype.width
      // A zero anywhere makes the product zero, whatever the order.
      for extent in entry.shape.contains(0) ? [0] : entry.shape {
        let (product, overflow) = needed.multipliedReportingOverflow(by: extent)
        guard !overflow else { throw .shapeTooLarge(array: name) }
        needed = product
      }
      guard needed == entry.end - entry.begin else {
        throw .wrongSize(array: name, needed: needed, found: entry.end - entry.begin)
      }
    }
    var covered = 0
    var last = ""
    for (name, entry) in entries.sorted(by: { ($0.value.begin, $0.value.end) < ($1.value.begin, $1.value.end) }) {
      guard entry.begin >= covered else { throw .overlap(array: name, with: last) }
      guard entry.begin == covered else { throw .hole(begin: covered, end: entry.begin) }
      covered = entry.end
      last = name
    }
    guard covered == bufferLength else { throw .hole(begin: covered, end: bufferLength) }
  }
}

/// Reads exactly the JSON that the format allows (RFC 8259 syntax): an object of objects with known keys. The depth
/// is fixed by the grammar, so there is no recursion for a hostile header to exhaust, and every key is seen, so a
/// duplicate cannot hide.
private struct SafetensorsHeaderScanner {
  let bytes: [UInt8]
  private var at = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func header() throws(SafetensorsError.Fault) -> SafetensorsHeader {
    var header = SafetensorsHeader()
    var sawMetadata = false
    // No white space before it: the format says that the header begins with the brace.
    try expect("{")
    var first = true
    while try nextMember(&first, closing: "}") {
      let name = try key()
      if name == "__metadata__" {
        guard !sawMetadata else { throw .duplicateKey(name) }
        sawMetadata = true
        header.metadata = try metadata()
      } else {
        let entry = try entry(name)
        guard header.entries.updateValue(entry, forKey: name) == nil else { throw .duplicateKey(name) }
      }
    }
    while at < bytes.count { try expect(" ") }
    return header
  }

  private mutating func metadata() throws(SafetensorsError.Fault) -> [String: SafetensorsHeader.Text] {
    var metadata: [String: SafetensorsHeader.Text] = [:]
    skipSpace()
    try expect("{")
    var first = true
    while try nextMember(&first, closing: "}") {
      let name = try key()
      skipSpace()
      guard metadata.updateValue(try text(), forKey: name) == nil else { throw .duplicateKey(name) }
    }
    return metadata
  }

  private mutating func entry(_ array: String) throws(SafetensorsError.Fault) -> SafetensorsHeader.Entry {
    var dtype: ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    skipSpace()
    try expect("{")
    var first = true
    while try nextMember(&first, closing: "}") {
      let start = at
      let name = try key()
      skipSpace()
      switch name {
      case "dtype":
        guard dtype == nil else { throw .duplicateKey(name) }
        let text = try text().value
        dtype = ElementType(rawValue: text)
        if dtype == nil { throw .unknownDType(array: array, dtype: text) }
      case "shape":
        guard shape == nil else { throw .duplicateKey(name) }
        shape = try numbers()
      case "data_offsets":
        guard offsets == nil else { throw .duplicateKey(name) }
        offsets = try numbers()
      default:
        throw .malformedHeader(offset: start, expected: "\"dtype\", \"shape\" or \"data_offsets\"")
      }
    }
    guard let dtype, let shape, let offsets, offsets.count == 2 else {
      throw .malformedHeader(offset: at, expected: "an array with dtype, shape and two data_offsets before here")
    }
    return SafetensorsHeader.Entry(dtype: dtype, shape: shape, begin: offsets[0], end: offsets[1])
  }

  /// A list of integers, none negative.
  private mutating func numbers() throws(SafetensorsError.Fault) -> [Int] {
    var numbers: [Int] = []
    try expect("[")
    var first = true
    while try nextMember(&first, closing: "]") { numbers.append(try number()) }
    return numbers
  }

  private mutating func number() throws(SafetensorsError.Fault) -> Int {
    let start = at
    var number = 0
    while at < bytes.count, case let digit = Int(bytes[at]) - 48, (0...9).contains(digit) {
      let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(digit)
      guard !overflow, !carry else { throw .malformedHeader(offset: start, expected: "a number below 2^63") }
      number = sum
      at += 1
    }
    let leadingZero = at > start + 1 && bytes[start] == UInt8(ascii: "0")
    guard at > start, !leadingZero else {
      throw .malformedHeader(offset: start, expected: "a whole number, not negative")
    }
    return number
  }

  private mutating func key() throws(SafetensorsError.Fault) -> String {
    let key = try text().value
    skipSpace()
    try expect(":")
    return key
  }

  /// A string in quotes.
  private mutating func text() throws(SafetensorsError.Fault) -> SafetensorsHeader.Text {
    try expect("\"")
    let start = at
    var decoded: [UInt8] = []
    while let byte = peek(), byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw .malformedHeader(offset: at, expected: "no control character") }
      at += 1
      if byte == UInt8(ascii: "\\") {
        UTF8.encode(try escaped()).map { decoded.append(contentsOf: $0) }
      } else {
        decoded.append(byte)
      }
    }
    let range = start..<at
    try expect("\"")
    guard let value = String(validating: decoded, as: UTF8.self) else {
      throw .malformedHeader(offset: start, expected: "valid UTF-8")
    }
    return SafetensorsHeader.Text(value: value, range: range)
  }

  /// What follows a backslash.
  private mutating func escaped() throws(SafetensorsError.Fault) -> Unicode.Scalar {
    let start = at
    let kind = peek()
    at += 1
    switch kind {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var code = try fourHexDigits()
      if (0xd800..<0xdc00).contains(code) {
        try expect("\\")
        try expect("u")
        let low = try fourHexDigits()
        guard (0xdc00..<0xe000).contains(low) else {
          throw .malformedHeader(offset: start, expected: "a whole surrogate pair")
        }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
      }
      if let scalar = Unicode.Scalar(code) { return scalar }
      throw .malformedHeader(offset: start, expected: "a whole surrogate pair")
    default: throw .malformedHeader(offset: start, expected: "a JSON escape")
    }
  }

  private mutating func fourHexDigits() throws(SafetensorsError.Fault) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw .malformedHeader(offset: at, expected: "a hexadecimal digit")
      }
      code = code << 4 | UInt32(digit)
      at += 1
    }
    return code
  }

  /// Whether another member of an object or list follows; moves past the comma or the closing bracket.
  private mutating func nextMember(_ first: inout Bool, closing: Unicode.Scalar) throws(SafetensorsError.Fault)
    -> Bool
  {
    skipSpace()
    if peek() == UInt8(ascii: closing) {
      at += 1
      return false
    }
    if !first {
      try expect(",")
      skipSpace()
    }
    first = false
    return true
  }

  private func peek() -> UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func expect(_ character: Unicode.Scalar) throws(SafetensorsError.Fault) {
    guard peek() == UInt8(ascii: character) else {
      throw .malformedHeader(offset: at, expected: "'\(character)'")
    }
    at += 1
  }

  private mutating func skipSpace() {
    while let byte = peek(), [0x20, 0x09, 0x0a, 0x0d].contains(byte) { at += 1 }
  }
}

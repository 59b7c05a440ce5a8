// JSON whose keys nobody knows beforehand, and what exactly is wrong with one that is none (RFC 8259). For documents
// that a decoder has refused; those it takes are never read here.

/// A JSON value. Numbers are kept as they are written.
enum JSONValue: Equatable {
  case object([String: JSONValue])
  case array([JSONValue])
  case string(String)
  case number(String)
  case bool(Bool)
  case null

  /// - Parameter refusesRepeats: whether a key that stands twice in an object is a mistake; else the last one counts.
  /// - Throws: `JSONSyntaxError`.
  init(_ text: some Sequence<UInt8>, refusesRepeats: Bool = false) throws(JSONSyntaxError) {
    var reader = JSONReader(Array(text), refusesRepeats: refusesRepeats)
    self = try reader.document()
  }

  /// The value as JSON, with sorted keys.
  var text: String {
    switch self {
    case .object(let members):
      let sorted = members.sorted { $0.key < $1.key }
      return "{" + sorted.map { "\(JSONValue.string($0.key).text):\($0.value.text)" }.joined(separator: ",") + "}"
    case .array(let elements): return "[" + elements.map(\.text).joined(separator: ",") + "]"
    case .string(let string):
      var text = "\""
      for scalar in string.unicodeScalars {
        switch scalar {
        case "\"", "\\": text += "\\\(scalar)"
        case _ where scalar.value < 0x20:
          let digits = String(scalar.value, radix: 16)
          text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: text.unicodeScalars.append(scalar)
        }
      }
      return text + "\""
    case .number(let digits): return digits
    case .bool(let isTrue): return isTrue ? "true" : "false"
    case .null: return "null"
    }
  }
}

/// Where a text ceases to be JSON, and why.
struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
  /// From 1.
  var line: Int
  /// From 1, in bytes.
  var column: Int
  var reason: String

  var description: String { "\(reason) at line \(line), column \(column)" }
}

private struct JSONReader {
  /// Of lists and objects in each other; a reader that calls itself must stop somewhere.
  private static let deepest = 200

  private let bytes: [UInt8]
  private let refusesRepeats: Bool
  private var place = 0
  private var depth = 0

  init(_ bytes: [UInt8], refusesRepeats: Bool) { (self.bytes, self.refusesRepeats) = (bytes, refusesRepeats) }

  mutating func document() throws(JSONSyntaxError) -> JSONValue {
    let value = try value()
    skipSpace()
    guard place == bytes.count else { throw unexpected() }
    return value
  }

  private mutating func value() throws(JSONSyntaxError) -> JSONValue {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try nested { reader throws(JSONSyntaxError) in try reader.object() }
    case UInt8(ascii: "["): return try nested { reader throws(JSONSyntaxError) in try reader.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func nested(
    _ read: (inout JSONReader) throws(JSONSyntaxError) -> JSONValue
  ) throws(JSONSyntaxError) -> JSONValue {
    guard depth < Self.deepest else { throw fault("too many lists and objects in each other") }
    depth += 1
    defer { depth -= 1 }
    return try read(&self)
  }

  private mutating func object() throws(JSONSyntaxError) -> JSONValue {
    place += 1
    var members: [String: JSONValue] = [:]
    if skips("}") { return .object(members) }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw unexpected() }
      let start = place
      let key = try string()
      if refusesRepeats, members[key] != nil {
        place = start
        throw fault("the key \"\(key)\" stands there twice,")
      }
      guard skips(":") else { throw unexpected() }
      members[key] = try value()
    } while skips(",")
    guard skips("}") else { throw unexpected() }
    return .object(members)
  }

  private mutating func array() throws(JSONSyntaxError) -> JSONValue {
    place += 1
    var elements: [JSONValue] = []
    if skips("]") { return .array(elements) }
    repeat { elements.append(try value()) } while skips(",")
    guard skips("]") else { throw unexpected() }
    return .array(elements)
  }

  private mutating func string() throws(JSONSyntaxError) -> String {
    place += 1
    var text: [UInt8] = []
    let start = place
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw fault("a control character in a string") }
      if byte == UInt8(ascii: "\\") {
        text += try escaped()
      } else {
        text.append(byte)
        place += 1
      }
    }
    guard next != nil else { throw unexpected() }
    guard let string = String(validating: text, as: UTF8.self) else {
      place = start
      throw fault("a string that is not UTF-8")
    }
    place += 1
    return string
  }

  /// What an escape stands for, in UTF-8.
  private mutating func escaped() throws(JSONSyntaxError) -> [UInt8] {
    place += 1
    guard let byte = next else { throw unexpected() }
    let simple: [UInt8: UInt8] = [
      UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5c, UInt8(ascii: "/"): 0x2f, UInt8(ascii: "b"): 8,
      UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
    ]
    if let meaning = simple[byte] {
      place += 1
      return [meaning]
    }
    guard byte == UInt8(ascii: "u") else { throw unexpected() }
    place += 1
    var units = [try fourDigits()]
    if UTF16.isLeadSurrogate(units[0]), place + 1 < bytes.count, bytes[place] == UInt8(ascii: "\\"),
      bytes[place + 1] == UInt8(ascii: "u")
    {
      place += 2
      units.append(try fourDigits())
    }
    guard let text = String(validating: units, as: UTF16.self) else { throw fault("half a character in an escape") }
    return Array(text.utf8)
  }

  private mutating func fourDigits() throws(JSONSyntaxError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(UnicodeScalar(byte)).hexDigitValue else { throw unexpected() }
      value = value << 4 | UInt16(digit)
      place += 1
    }
    return value
  }

  private mutating func number() throws(JSONSyntaxError) -> JSONValue {
    let start = place
    if next == UInt8(ascii: "-") { place += 1 }
    if next == UInt8(ascii: "0") { place += 1 } else { try digits() }
    if next == UInt8(ascii: ".") {
      place += 1
      try digits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      place += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { place += 1 }
      try digits()
    }
    return .number(String(decoding: bytes[start..<place], as: UTF8.self))
  }

  private mutating func digits() throws(JSONSyntaxError) {
    func isDigit(_ byte: UInt8?) -> Bool {
      byte.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
    }
    guard isDigit(next) else { throw unexpected() }
    while isDigit(next) { place += 1 }
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
    for byte in word.description.utf8 {
      guard next == byte else { throw unexpected() }
      place += 1
    }
    return value
  }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { place += 1 }
  }

  private mutating func skips(_ mark: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: mark) else { return false }
    place += 1
    return true
  }

  private func unexpected() -> JSONSyntaxError {
    fault(next == nil ? "it ends too early" : "an unexpected character")
  }

  private func fault(_ reason: String) -> JSONSyntaxError {
    let before = bytes[..<place]
    let line = before.count { $0 == 0x0a } + 1
    let start = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    return JSONSyntaxError(line: line, column: place - start + 1, reason: reason)
  }
}

// How paths and names are written in a text file that a person edits: as they are where that is plain, else in double
// quotes with escapes. Every sequence of bytes has one form that reads back to it.
//
//     cat/1.png                     plain
//     "cat/my picture.png"          quoted: spaces, and anything below
//     "a\"b" "a\\b" "a\nb" "a\tb"   quote, backslash, line feed, tab; \r too
//     "latin1_\xe9"                 any byte, two hexadecimal digits: what is no UTF-8, and what has no visible sign

import Messages
import Support

/// Writing and reading of quoted paths.
package enum PathQuoting {
  /// A form that stands among others on a line, with spaces between.
  static func word(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != quote && $0 != backslash }
    return isPlain && !text.isEmpty && text != "->" && !text.hasPrefix("#") ? text : quoted(text)
  }

  /// A form that is alone on its line: spaces inside and letters of any script need no quotes.
  package static func line(_ text: String) -> String {
    let isPlain = text.unicodeScalars.allSatisfy { $0 != "\"" && $0 != "\\" && $0.isVisible }
    let ends = [text.utf8.first, text.utf8.last]
    return isPlain && !text.isEmpty && !ends.contains(0x20) && !text.hasPrefix("#") ? text : quoted(text)
  }

  /// Reads a line that holds one path: quoted, or just as it stands.
  static func path(ofLine line: ArraySlice<UInt8>) throws(QuotingError) -> String {
    guard line.first == quote else {
      if line.contains(0) { throw QuotingError("a path cannot hold a zero byte") }
      return String(pathBytes: line)
    }
    let words = try words(of: line)
    guard words.count == 1 else { throw QuotingError("there is more on the line than a quoted path") }
    return words[0].text
  }

  /// The quoted path that a line begins with, and what is left of the line.
  static func leadingQuoted(
    _ line: ArraySlice<UInt8>
  ) throws(QuotingError) -> (path: String, rest: ArraySlice<UInt8>) {
    var rest = line
    let path = try unquoted(&rest)
    return (path, rest)
  }

  /// A word of a line.
  struct Word {
    var text: String
    var isQuoted: Bool
  }

  /// Reads the words of a line, which spaces or tabs keep apart.
  static func words(of line: ArraySlice<UInt8>) throws(QuotingError) -> [Word] {
    var words: [Word] = []
    var rest = line
    while true {
      rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
      guard let first = rest.first else { return words }
      if first == quote {
        words.append(Word(text: try unquoted(&rest), isQuoted: true))
        guard rest.isEmpty || rest.first == 0x20 || rest.first == 0x09 else {
          throw QuotingError("a space is missing after a quoted name")
        }
      } else {
        let word = rest.prefix { $0 != 0x20 && $0 != 0x09 }
        guard !word.contains(where: { $0 == quote || $0 == backslash || $0 == 0 }) else {
          throw QuotingError("a name with quotes or backslashes must stand in double quotes")
        }
        words.append(Word(text: String(pathBytes: word), isQuoted: false))
        rest = rest.dropFirst(word.count)
      }
    }
  }

  private static let quote = UInt8(ascii: "\"")
  private static let backslash = UInt8(ascii: "\\")

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.isVisible: result.unicodeScalars.append(scalar)
      default:
        result += String(scalar).pathBytes.map(\.hexadecimalEscape).joined()
      }
    }
    return result + "\""
  }

  /// Reads a quoted name and takes it from the front of `rest`.
  private static func unquoted(_ rest: inout ArraySlice<UInt8>) throws(QuotingError) -> String {
    var bytes: [UInt8] = []
    rest.removeFirst()
    while let byte = rest.popFirst() {
      switch byte {
      case quote:
        guard !bytes.isEmpty, !bytes.contains(0) else { throw QuotingError("a name is empty or holds a zero byte") }
        return String(pathBytes: bytes)
      case backslash: bytes.append(try escaped(&rest))
      default: bytes.append(byte)
      }
    }
    throw QuotingError("the closing quote is missing")
  }

  private static func escaped(_ rest: inout ArraySlice<UInt8>) throws(QuotingError) -> UInt8 {
    switch rest.popFirst() {
    case quote: return quote
    case backslash: return backslash
    case UInt8(ascii: "n"): return 0x0a
    case UInt8(ascii: "r"): return 0x0d
    case UInt8(ascii: "t"): return 0x09
    case UInt8(ascii: "x"):
      // Digits only: the number reader would take a sign too.
      let digits = rest.prefix(2)
      let value =
        digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
        ? UInt8(String(decoding: digits, as: UTF8.self), radix: 16) : nil
      guard digits.count == 2, let value else { throw QuotingError("\\x needs two hexadecimal digits") }
      rest = rest.dropFirst(2)
      return value
    default: throw QuotingError("a backslash must be followed by one of \" \\ n r t x")
    }
  }
}

/// Why a line cannot be read.
struct QuotingError: Error {
  var reason: String

  init(_ reason: String) { self.reason = reason }
}

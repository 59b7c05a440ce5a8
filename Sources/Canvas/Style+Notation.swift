// Styles as short texts, `"#88c0d0 on 236 bold"`: the values of theme files and the style layer of snapshots.

/// Why a text names no style.
public struct NotationError: Error, Equatable, CustomStringConvertible {
  public var description: String
}

extension Style {
  /// Reads a style: an optional foreground, an optional `on` with a background, then any of `bold`, `dim`,
  /// `underline` and `reverse`. A color is `standard`, a palette index 0...255, one of the eight names (`red`,
  /// `bright-red`), or `#rrggbb`.
  /// - Throws: `NotationError` with the word that is wrong and what could stand there.
  public init(notation: String) throws {
    self.init()
    var words = notation.split(whereSeparator: { $0 == " " || $0 == "\t" })[...]
    if let first = words.first, let color = try Self.color(first, orElse: first == "on" || isAttribute(first)) {
      foreground = color
      words.removeFirst()
    }
    if words.first == "on" {
      words.removeFirst()
      guard let name = words.popFirst() else { throw NotationError(description: "`on` needs a color after it") }
      background = try Self.color(name, orElse: false) ?? .standard
    }
    for word in words {
      switch word {
      case "bold": bold = true
      case "dim": dim = true
      case "underline": underline = true
      case "reverse": reverse = true
      default:
        throw NotationError(
          description: "\(quoted(word)) is not bold, dim, underline, reverse or a color in its place")
      }
    }
  }

  /// The style in the notation that `init(notation:)` reads.
  public var notation: String {
    var words: [String] = []
    if foreground != .standard { words.append(foreground.notation) }
    if background != .standard { words += ["on", background.notation] }
    if bold { words.append("bold") }
    if dim { words.append("dim") }
    if underline { words.append("underline") }
    if reverse { words.append("reverse") }
    return words.isEmpty ? "standard" : words.joined(separator: " ")
  }

  private static func color(_ word: Substring, orElse mayBeAbsent: Bool) throws -> Color? {
    if mayBeAbsent { return nil }
    guard let color = Color(notation: word) else {
      throw NotationError(
        description: "\(quoted(word)) is not a color; write standard, 0 to 255, a name such as red, or #rrggbb")
    }
    return color
  }
}

private func isAttribute(_ word: Substring) -> Bool {
  ["bold", "dim", "underline", "reverse"].contains(word)
}

/// A word of the user's in a message: harmless and of bounded length.
private func quoted(_ word: Substring) -> String {
  "“" + Sanitizer.sanitized(String(word.prefix(40))) + "”"
}

extension Color {
  private static let names = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]

  /// Reads one color; nil if the word names none.
  init?(notation word: Substring) {
    if word == "standard" {
      self = .standard
    } else if word.first == "#" {
      let digits = word.utf8.dropFirst()
      // The digits are checked one by one because the integer initializer would take a sign too.
      guard digits.count == 6, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
        let value = UInt32(word.dropFirst(), radix: 16)
      else { return nil }
      self = .rgb(
        red: UInt8(value >> 16), green: UInt8(value >> 8 & 0xFF), blue: UInt8(value & 0xFF))
    } else if let first = word.utf8.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) {
      guard let index = UInt8(word) else { return nil }
      self = .palette(index)
    } else {
      let isBright = word.hasPrefix("bright-")
      let name = isBright ? String(word.dropFirst("bright-".count)) : String(word)
      guard let index = Self.names.firstIndex(of: name) else { return nil }
      self = .palette(UInt8(index + (isBright ? 8 : 0)))
    }
  }

  var notation: String {
    switch self {
    case .standard: return "standard"
    case .palette(let index): return String(index)
    case .rgb(let red, let green, let blue):
      let digits = [red, green, blue].map { value in
        (value < 16 ? "0" : "") + String(value, radix: 16)
      }
      return "#" + digits.joined()
    }
  }
}

// Theme files: flat lines of `key = "value"` with `#` comments. The parser takes what is right, lists what is not
// with its line, and never fails as a whole: a screen with one wrong color beats no screen. It opens no file.

/// Something in a theme file that was not taken.
public struct ThemeProblem: Sendable, Equatable, CustomStringConvertible {
  public var file: String
  /// From 1.
  public var line: Int
  public var message: String

  public init(file: String, line: Int, message: String) {
    self.file = file
    self.line = line
    self.message = message
  }

  public var description: String { "\(file):\(line): \(message)" }
}

extension Theme {
  /// Longer texts are no theme; refusing them bounds the time and the list of problems.
  static let longestFile = 65_536

  /// Reads a theme.
  /// - Parameters:
  ///   - text: the file's content.
  ///   - file: its name, for the problems.
  ///   - base: what holds for every role the file does not set, or sets wrongly.
  /// - Returns: a complete theme in any case, and what was wrong, in the order of lines.
  public static func parse(
    _ text: String, file: String, base: Theme
  ) -> (theme: Theme, problems: [ThemeProblem]) {
    var theme = base
    var problems: [ThemeProblem] = []
    guard text.utf8.count <= longestFile else {
      let message = "the file is longer than \(longestFile) bytes, so it is taken for no theme and ignored"
      return (base, [ThemeProblem(file: file, line: 1, message: message)])
    }
    var lineOfKey: [String: Int] = [:]
    // Cut at bytes: a grapheme-wise split would count other signs as line ends than editors do.
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, bytes) in lines.enumerated() {
      do {
        let line = String(decoding: bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes, as: UTF8.self)
        guard let (key, value) = try entry(of: index == 0 ? line.withoutByteOrderMark : line) else { continue }
        if let earlier = lineOfKey[key] {
          throw NotationError(description: "\(key) is set on line \(earlier) already; that one is kept")
        }
        try theme.set(key, to: value)
        lineOfKey[key] = index + 1
      } catch {
        let message = (error as? NotationError)?.description ?? "\(error)"
        problems.append(ThemeProblem(file: file, line: index + 1, message: message))
      }
    }
    return (theme, problems)
  }

  private mutating func set(_ key: String, to value: String) throws {
    if key == "name" {
      name = Sanitizer.sanitized(String(value.prefix(60)))
    } else if let role = ThemeRole(rawValue: key) {
      styles[role] = try Style(notation: value)
    } else {
      let shown = Sanitizer.sanitized(String(key.prefix(40)))
      let known = ThemeRole.allCases.map(\.rawValue).joined(separator: ", ")
      throw NotationError(description: "there is no key “\(shown)”; the keys are name, \(known)")
    }
  }

  /// The key and value of a line; nil for an empty line or a comment.
  private static func entry(of line: String) throws -> (key: String, value: String)? {
    var rest = line[...].trimmed
    if rest.isEmpty || rest.first == "#" { return nil }
    let key = rest.prefix { $0 != "=" && $0 != " " && $0 != "\t" && $0 != "\"" }
    rest = rest[key.endIndex...].trimmed
    guard rest.first == "=" else {
      throw NotationError(description: "expected key = \"value\", but there is no = after the key")
    }
    rest = rest.dropFirst().trimmed
    guard rest.first == "\"" else {
      throw NotationError(description: "the value must stand in double quotes, as in text = \"252 on 235\"")
    }
    rest = rest.dropFirst()
    let value = rest.prefix { $0 != "\"" }
    rest = rest[value.endIndex...]
    guard rest.first == "\"" else {
      throw NotationError(description: "the closing double quote is missing")
    }
    rest = rest.dropFirst().trimmed
    guard rest.isEmpty || rest.first == "#" else {
      throw NotationError(description: "only a # comment may follow the value")
    }
    return (String(key), String(value))
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    var result = self
    while result.first == " " || result.first == "\t" { result.removeFirst() }
    while result.last == " " || result.last == "\t" { result.removeLast() }
    return result
  }
}

extension String {
  fileprivate var withoutByteOrderMark: String {
    unicodeScalars.first == "\u{FEFF}" ? String(String.UnicodeScalarView(unicodeScalars.dropFirst())) : self
  }
}

// Text before it is in a frame: spans of one style, cutting to a width, breaking into lines. All of it counts
// columns, not characters, and all of it goes through the sanitizer.

/// A piece of text in one style.
public struct Span: Sendable, Hashable {
  public var text: String
  /// nil: the style of the place where it is put.
  public var style: Style?

  public init(_ text: String, _ style: Style? = nil) {
    self.text = text
    self.style = style
  }
}

/// Where a text stands in a wider place.
public enum Alignment: Sendable, Hashable {
  case leading, center, trailing
}

/// Which part of a text goes when it does not fit.
public enum Truncation: Sendable, Hashable {
  /// The end goes, an ellipsis stands for it.
  case end
  /// The start goes: for paths.
  case start
  /// The middle goes: for names that differ at the end.
  case middle
  /// The end goes without a sign: for rulers and borders.
  case clip

  /// The text cut to so many columns.
  public func fit(_ text: String, width: Int, ellipsis: Character = "…") -> String {
    String(fit(StyledCharacter.list(of: text), width: width, ellipsis: ellipsis).map(\.character))
  }

  func fit(_ characters: [StyledCharacter], width: Int, ellipsis: Character) -> [StyledCharacter] {
    guard width > 0 else { return [] }
    guard characters.columns > width else { return characters }
    switch self {
    case .clip: return characters.prefix(columns: width)
    case .end:
      let kept = characters.prefix(columns: width - 1)
      let style = kept.last?.style ?? characters.first?.style
      return kept + [StyledCharacter(character: ellipsis, style: style)]
    case .start:
      let kept = characters.suffix(columns: width - 1)
      let style = kept.first?.style ?? characters.last?.style
      return [StyledCharacter(character: ellipsis, style: style)] + kept
    case .middle:
      let head = characters.prefix(columns: width / 2)
      let tail = characters.suffix(columns: width - 1 - head.columns)
      return head + [StyledCharacter(character: ellipsis, style: head.last?.style ?? tail.first?.style)] + tail
    }
  }
}

/// Breaking text into lines.
public enum Paragraph {
  /// The lines of a text at a width: broken at spaces, and inside a word only when the word alone is too long. Line
  /// breaks in the text stay; other controls are made visible. A width below 1 gives no lines.
  public static func wrapped(_ text: String, width: Int) -> [String] {
    guard width > 0 else { return [] }
    return text.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" || $0 == "\r\n" })
      .flatMap { wrappedLine(Sanitizer.sanitized(String($0)), width: width) }
  }

  private static func wrappedLine(_ line: String, width: Int) -> [String] {
    var lines: [String] = []
    var current = ""
    var columns = 0
    for word in line.split(separator: " ") {
      let wordColumns = DisplayWidth.of(String(word))
      if columns > 0, columns + 1 + wordColumns <= width {
        current += " " + word
        columns += 1 + wordColumns
        continue
      }
      if columns > 0 { lines.append(current) }
      current = ""
      columns = 0
      for character in word {
        let next = DisplayWidth.of(character)
        if columns > 0, columns + next > width {
          lines.append(current)
          current = ""
          columns = 0
        }
        // A wide character in a single column cannot be shown at all.
        if next <= width {
          current.append(character)
          columns += next
        }
      }
    }
    lines.append(current)
    return lines
  }
}

/// A character on its way into a frame.
struct StyledCharacter: Equatable {
  var character: Character
  var style: Style?

  /// The sanitized characters of a text; accents without a base are dropped, since no cell could hold them.
  static func list(of text: String, style: Style? = nil) -> [StyledCharacter] {
    Sanitizer.sanitized(text).compactMap {
      DisplayWidth.of($0) == 0 ? nil : StyledCharacter(character: $0, style: style)
    }
  }
}

extension [StyledCharacter] {
  var columns: Int { reduce(0) { $0 + DisplayWidth.of($1.character) } }

  /// As many from the start as fit in so many columns.
  func prefix(columns limit: Int) -> [StyledCharacter] {
    var columns = 0
    return Array(
      prefix {
        columns += DisplayWidth.of($0.character)
        return columns <= limit
      })
  }

  /// As many from the end as fit in so many columns.
  func suffix(columns limit: Int) -> [StyledCharacter] {
    [StyledCharacter](reversed()).prefix(columns: limit).reversed()
  }
}

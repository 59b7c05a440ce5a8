// Texts from outside (file, class, run and model names, error messages) made harmless before they reach a screen,
// an output or a log. Whatever could move the cursor, recolor, reorder or hide text becomes a visible sign.

/// The one sanitizer of the program.
public enum Sanitizer {
  /// The text with every control, line break, bidirectional control and invisible scalar replaced: C0 and DEL by
  /// their control pictures (U+2400...U+2421), the rest by U+FFFD. Applying it twice changes nothing more.
  ///
  /// Bytes that are no UTF-8 are U+FFFD already where `String(decoding:as:)` read them. In names of files they are
  /// U+F780...U+F7FF (see PathText in Messages), which becomes U+FFFD here: fonts put signs of their own there.
  public static func sanitized(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
    var result = String.UnicodeScalarView()
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      let safe = replacement(for: scalar, after: previous) ?? scalar
      result.append(safe)
      previous = safe
    }
    return String(result)
  }

  /// Whether `sanitized` would leave the text as it is.
  public static func isSafe(_ text: String) -> Bool {
    sanitized(text) == text
  }

  private static func replacement(for scalar: Unicode.Scalar, after previous: Unicode.Scalar?) -> Unicode.Scalar? {
    let value = scalar.value
    switch value {
    case 0x20..<0x7F: return nil
    case 0..<0x20: return Unicode.Scalar(0x2400 + value)
    case 0x7F: return "\u{2421}"
    case 0xFE0E, 0xFE0F:
      // The choice between text and emoji style is legitimate after an emoji, and nowhere else.
      if let previous, previous.properties.isEmoji, !previous.isASCII { return nil }
      return "\u{FFFD}"
    case 0xF780...0xF7FF: return "\u{FFFD}"
    default: break
    }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return "\u{FFFD}"
    default: return scalar.properties.isDefaultIgnorableCodePoint ? "\u{FFFD}" : nil
    }
  }
}

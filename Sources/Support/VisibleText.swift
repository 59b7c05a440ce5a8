// Which characters of a name a person can see and type, and how the others are written where names are quoted.

extension Unicode.Scalar {
  /// Whether a person sees it in an editor and knows it from others; of spaces only the ordinary one. Bytes of names
  /// that are no UTF-8 (see PathText) are not visible.
  public var isVisible: Bool {
    if isASCII { return value >= 0x20 && value < 0x7f }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate, .privateUse,
      .unassigned:
      return false
    default: return !properties.isDefaultIgnorableCodePoint
    }
  }
}

extension UInt8 {
  /// `\x0a`: a backslash, an x and two digits.
  public var hexadecimalEscape: String {
    let digits = String(self, radix: 16)
    return (digits.utf8.count == 1 ? "\\x0" : "\\x") + digits
  }
}

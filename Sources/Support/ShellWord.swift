// Words of commands that a person may copy into a shell.

/// A word as a shell takes it: quoted only where it must be. What a screen cannot show, and bytes that are no UTF-8,
/// are written as escapes in `$'...'` (POSIX.1-2024, section 2.2.4; bash, zsh and ksh know it), so that the word stays
/// the same when it is made harmless for printing.
public func shellQuoted(_ word: String) -> String {
  guard word.unicodeScalars.allSatisfy(\.isVisible) else {
    return "$'" + word.unicodeScalars.map(escaped).joined() + "'"
  }
  let plain = word.unicodeScalars.allSatisfy { scalar in
    scalar.isASCII
      && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
        || "/._-+:,=@%".unicodeScalars.contains(scalar))
  }
  if plain, !word.isEmpty { return word }
  return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}

/// An option and its value as words of a shell; joined by an equals sign where the value would else be taken for an
/// option itself.
public func shellOption(_ option: String, _ value: String) -> String {
  value.hasPrefix("-") ? shellQuoted("\(option)=\(value)") : "\(option) \(shellQuoted(value))"
}

private func escaped(_ scalar: Unicode.Scalar) -> String {
  switch scalar {
  case "'": return "\\'"
  case "\\": return "\\\\"
  case "\n": return "\\n"
  case "\t": return "\\t"
  case _ where scalar.isVisible: return String(scalar)
  default: return String(scalar).pathBytes.map(\.hexadecimalEscape).joined()
  }
}

// Words of commands that a person may copy into a shell.

/// A word as a POSIX shell takes it: quoted only where it must be.
public func shellQuoted(_ word: String) -> String {
  let plain = word.unicodeScalars.allSatisfy { scalar in
    scalar.isASCII
      && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
        || "/._-+:,=@%".unicodeScalars.contains(scalar))
  }
  if plain, !word.isEmpty { return word }
  return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}

// Names of classes as people give them to a command: a list with commas, or a file with a line a class.

import Files
import Messages
import Support

/// The argument of `--classes`:
///
///     cat, dog, bird           names, trimmed
///     "Rose, red", Tulip       a name with a comma in double quotes; a quote in it is doubled
///     @names.txt               a file: a line a class, trimmed, quoted or not, blank ones skipped; or one line, a list
///     names.txt                the same, if there is such a file; a single class of that name is written "names.txt"
public enum ClassList {
  /// A file of names may have so many bytes.
  private static let mostBytes = 16 << 20

  /// - Throws: `SettingsError` for a list that is none: an empty name, a name twice, a quote that is not closed;
  ///   `FileOperationError` for a file that cannot be read.
  public static func names(argument: String) throws -> [String] {
    let text = trimmed(argument[...])
    let isPlain = !text.contains(",") && !text.contains("\"")
    if text.hasPrefix("@") { return try names(file: String(text.dropFirst())) }
    if isPlain, FilePath.isFolder(String(text)) == false { return try names(file: String(text)) }
    if isPlain, text.contains("/") || text.hasSuffix(".txt") {
      throw SettingsError(
        "--classes \(text): there is no such file; a class of that name is written in double quotes")
    }
    return try names(text: String(text))
  }

  /// The names in a list with commas.
  /// - Throws: `SettingsError`.
  package static func names(text: String) throws -> [String] {
    try checked(try fields(trimmed(text[...])), place: "--classes") { "name \($0 + 1)" }
  }

  private static func names(file path: String) throws -> [String] {
    let file = try InputFile(path: path)
    guard file.size <= mostBytes else {
      throw SettingsError(
        "--classes \(path): \(file.size) bytes are not a list of classes, at most \(mostBytes) are read")
    }
    var bytes = try file.read(count: file.size)[...]
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes = bytes.dropFirst(3) }
    guard !bytes.contains(0) else { throw SettingsError("--classes \(path): not a text with a class a line") }
    let lines = bytes.split(whereSeparator: { [UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains($0) })
      .map { trimmed(String(pathBytes: $0)[...]) }.filter { !$0.isEmpty }
    let place = "--classes \(path)"
    if lines.count == 1, lines[0].contains(",") {
      return try checked(try fields(lines[0]), place: place) { "name \($0 + 1)" }
    }
    let names = try lines.map { line in
      guard line.hasPrefix("\"") else { return String(line) }
      let parts = try fields(line)
      guard parts.count == 1 else { throw SettingsError("\(place): more follows the quoted name in '\(line)'") }
      return parts[0]
    }
    return try checked(names, place: place) { "name \($0 + 1)" }
  }

  private static func fields(_ text: Substring) throws -> [String] {
    do { return try ClassNameList.fields(of: text) } catch { throw SettingsError("--classes: \(error.reason)") }
  }

  private static func checked(
    _ names: [String], place: String, _ position: (Int) -> String
  ) throws -> [String] {
    guard !names.isEmpty else { throw SettingsError("\(place): no class is named") }
    var seen: [String: Int] = [:]
    for (index, name) in names.enumerated() {
      guard !name.isEmpty else { throw SettingsError("\(place): \(position(index)) is empty") }
      if let earlier = seen.updateValue(index, forKey: name) {
        throw SettingsError("\(place): '\(name)' is there twice, as \(position(earlier)) and \(position(index))")
      }
    }
    return names
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}

// A list of class names as people type it: names with commas between them, one with a comma in double quotes.

/// The names in a text, and the text of names.
public enum ClassNameList {
  /// `"cat","Rose, red"`: every name in quotes, so that a list of one is no file's name; a quote in one is doubled.
  public static func text(of names: [String]) -> String {
    names.map { "\"\($0.replacing("\"", with: "\"\""))\"" }.joined(separator: ",")
  }

  /// The fields between commas; quotes are only quotes where a field begins with one.
  /// - Throws: `SettingRefusal` for a quote that is not closed, or that is followed by no comma.
  public static func fields(of text: some StringProtocol) throws(SettingRefusal) -> [String] {
    var fields: [String] = []
    var rest = Substring(text)
    while true {
      rest = rest.drop(while: \.isWhitespace)
      if rest.first == "\"" {
        var name = ""
        rest.removeFirst()
        while true {
          guard let quote = rest.firstIndex(of: "\"") else {
            throw SettingRefusal("the quote before '\(String(rest.prefix(40)))' is not closed")
          }
          name += rest[..<quote]
          rest = rest[rest.index(after: quote)...]
          guard rest.first == "\"" else { break }
          name += "\""
          rest.removeFirst()
        }
        fields.append(name)
        rest = rest.drop(while: \.isWhitespace)
        guard rest.isEmpty || rest.first == "," else {
          throw SettingRefusal("after the quoted '\(name)' there should be a comma")
        }
      } else {
        let end = rest.firstIndex(of: ",") ?? rest.endIndex
        fields.append(trimmed(rest[..<end]))
        rest = rest[end...]
      }
      guard rest.first == "," else { return fields }
      rest.removeFirst()
    }
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text.drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}

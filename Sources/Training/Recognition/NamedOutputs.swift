// The names of classes that a file of another program gives itself, among what it says besides its arrays.

import FoundationEssentials
import Messages

/// What a file's outputs stand for, by its own words.
struct NamedOutputs {
  /// The words that say it.
  let key: String
  /// In the order of the outputs.
  let names: [String]

  /// Keys that programs use.
  private static let keys = ["classes", "class_names", "labels", "names", "id2label", "class_to_idx", "label2id"]

  /// nil where the file names none, or not as many as it has outputs.
  init?(_ metadata: [String: String], outputs: Int) {
    for key in Self.keys {
      guard let text = metadata[key], let names = Self.names(in: text), names.count == outputs,
        Set(names).count == outputs, !names.contains("")
      else { continue }
      (self.key, self.names) = (key, names)
      return
    }
    return nil
  }

  /// A JSON list; an object from numbers to names or from names to numbers, which must be 0, 1, 2...; or names with
  /// commas.
  private static func names(in text: String) -> [String]? {
    let (data, decoder) = (Data(text.utf8), JSONDecoder())
    if let list = try? decoder.decode([String].self, from: data) { return list }
    var numbered: [(Int, String)]?
    if let numbers = try? decoder.decode([String: Int].self, from: data) {
      numbered = numbers.map { ($1, $0) }
    } else if let named = try? decoder.decode([String: String].self, from: data) {
      numbered = named.compactMap { key, name in Int(key).map { ($0, name) } }
      if numbered?.count != named.count { return nil }
    }
    if let sorted = numbered?.sorted(by: { $0.0 < $1.0 }) {
      return sorted.map(\.0) == Array(sorted.indices) ? sorted.map(\.1) : nil
    }
    guard text.contains(","), !text.hasPrefix("{"), !text.hasPrefix("[") else { return nil }
    return try? ClassNameList.fields(of: text)
  }
}

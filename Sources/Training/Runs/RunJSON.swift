// The one way in which JSON is written into a run's folder, so that every file of it is read back the same.

import Files
import FoundationEssentials
import Glibc

/// Encoders and decoders for the files of a run.
///
/// Keys are sorted. JSON has no NaN and no infinity, and a loss may become either: they are the strings "NaN",
/// "Infinity" and "-Infinity", which keeps the file valid and the value exact.
enum RunJSON {
  /// One line, for logs.
  static func line(_ value: some Encodable) throws -> String {
    let encoder = encoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// Indented, with a line feed at the end, for people.
  static func document(_ value: some Encodable) throws -> Data {
    let encoder = encoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    return try encoder.encode(value) + Data("\n".utf8)
  }

  static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return decoder
  }

  /// Reads a JSON file of a run.
  /// - Throws: `RunFolderError.unreadable`, which names the file, what is wrong in it and where; `FileOperationError`
  ///   where there is no memory for it.
  static func read<Value: Decodable>(
    _ type: Value.Type, path: String, bound: Int = SizeBound.runRecord
  ) throws -> Value {
    let data: Data
    do { data = Data(try InputFile.contents(of: path, bound: bound)) } catch {
      if error.code == ENOMEM { throw error }
      throw RunFolderError.unreadable(path: path, reason: "\(error.reason)")
    }
    do { return try decode(type, from: data) } catch let error as DecodingError {
      throw RunFolderError.unreadable(path: path, reason: reason(error))
    }
  }

  /// Decodes JSON.
  /// - Throws: `DecodingError`, also where the decoder says of a number that its key cannot hold that the whole text is
  ///   no JSON: then with the key.
  static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
    do {
      return try decoder.decode(type, from: data)
    } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
      let reason = UnfitNumber.reason(in: data) { isUnfit(type, $0) }
      throw DecodingError.dataCorrupted(
        .init(codingPath: [], debugDescription: reason ?? context.debugDescription))
    }
  }

  /// Whether decoding fails as it does for a number that its key cannot hold.
  private static func isUnfit<Value: Decodable>(_ type: Value.Type, _ data: Data) -> Bool {
    do {
      _ = try decoder.decode(type, from: data)
      return false
    } catch DecodingError.dataCorrupted(let context) {
      return context.codingPath.isEmpty
    } catch {
      return false
    }
  }

  private static func encoder() -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return encoder
  }

  /// What is wrong, and where in the document.
  static func reason(_ error: DecodingError) -> String {
    let context: DecodingError.Context
    let what: String
    switch error {
    case .keyNotFound(let key, let found):
      (context, what) = (found, "\"\(key.stringValue)\" is missing")
    case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found):
      (context, what) = (found, found.debugDescription)
    @unknown default: return "\(error)"
    }
    let place = context.codingPath.reduce("") { place, key in
      key.intValue.map { "\(place)[\($0)]" } ?? (place.isEmpty ? key.stringValue : "\(place).\(key.stringValue)")
    }
    return place.isEmpty ? what : "in \(place): \(what)"
  }
}

/// Finds the number in a JSON text that its key cannot hold: 2.5 where whole numbers go, or 1e300.
private struct UnfitNumber {
  /// Longer documents are not searched: it takes a decoding for each number.
  private static let mostNumbers = 500

  private var place = ""
  /// As it is written.
  private var value: String?
  /// Numbers to go before the one that stays as it is; all others become 1, which any key holds.
  private var left: Int
  private var count = 0

  private init(keeping index: Int) { left = index }

  /// What is wrong, with the key; nil where it is not a number.
  /// - Parameter isUnfit: whether a text is refused for a number in it.
  static func reason(in data: Data, isUnfit: (Data) -> Bool) -> String? {
    let document: JSONValue
    do throws(JSONSyntaxError) { document = try JSONValue(data) } catch {
      return "it is not valid JSON: \(error)"
    }
    var index = 0
    while index < mostNumbers {
      var search = UnfitNumber(keeping: index)
      let changed = search.changed(document, at: "")
      guard index < search.count else { return nil }
      if let value = search.value, isUnfit(Data(changed.text.utf8)) {
        return "in \(search.place): it cannot be \(value)"
      }
      index += 1
    }
    return nil
  }

  private mutating func changed(_ value: JSONValue, at path: String) -> JSONValue {
    switch value {
    case .object(var members):
      for (key, member) in members.sorted(by: { $0.key < $1.key }) {
        members[key] = changed(member, at: path.isEmpty ? key : "\(path).\(key)")
      }
      return .object(members)
    case .array(let elements):
      var result: [JSONValue] = []
      for (index, element) in elements.enumerated() { result.append(changed(element, at: "\(path)[\(index)]")) }
      return .array(result)
    case .number(let digits):
      count += 1
      left -= 1
      guard left == -1 else { return .number("1") }
      (place, self.value) = (path, digits)
      return value
    case .string, .bool, .null: return value
    }
  }
}

// The one way in which JSON is written into a run's folder, so that every file of it is read back the same.

import Files
import Foundation

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
  /// - Throws: `RunFolderError.unreadable`, which names the file, what is wrong in it and where.
  static func read<Value: Decodable>(
    _ type: Value.Type, path: String, bound: Int = SizeBound.runRecord
  ) throws -> Value {
    let data: Data
    do { data = Data(try InputFile.contents(of: path, bound: bound)) } catch {
      throw RunFolderError.unreadable(path: path, reason: "\(error.reason)")
    }
    do { return try decoder.decode(type, from: data) } catch let error as DecodingError {
      throw RunFolderError.unreadable(path: path, reason: reason(error))
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
    let place = context.codingPath.map(\.stringValue).joined(separator: ".")
    return place.isEmpty ? what : "in \(place): \(what)"
  }
}

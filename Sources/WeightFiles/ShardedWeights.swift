// Weights in several files, as Hugging Face's libraries write them: an index, `model.safetensors.index.json`, that says
// which array is in which file beside it.

import Files
import FoundationEssentials

enum ShardedWeights {
  private struct Index: Decodable {
    var weightMap: [String: String]

    enum CodingKeys: String, CodingKey {
      case weightMap = "weight_map"
    }
  }

  private static let longestIndex = 64 << 20
  private static let mostFiles = 10_000

  /// The files that a folder of weights may have, the first that is there being the one that is meant.
  static let names = [
    "model.safetensors.index.json", "model.safetensors", "pytorch_model.bin.index.json", "pytorch_model.bin",
  ]

  /// Opens every file of an index.
  /// - Parameter open: a file that is no index.
  /// - Returns: the files in the order of their names, and for each array the file that it is in.
  /// - Throws: `WeightsFileError.Fault`, and what `open` throws.
  static func open<File>(
    _ path: String, _ open: (String) throws -> File, outline: (File) -> WeightsOutline
  ) throws -> (files: [File], places: [String: Int]) {
    let index = try index(try InputFile.contents(of: path, bound: longestIndex))
    let folder = FilePath.split(path).folder
    let names = Set(index.values).sorted()
    guard !names.isEmpty, names.count <= mostFiles else {
      throw WeightsFileError.Fault.malformed("its index names \(names.count) files", .shards)
    }
    if let bad = names.first(where: { leadsElsewhere($0) || $0.hasSuffix(".index.json") }) {
      throw WeightsFileError.Fault.malformed(
        "its index names \"\(bad)\", and only files beside it are read", .shards)
    }
    let paths = names.map { folder == "/" ? "/\($0)" : "\(folder)/\($0)" }
    let missing = try zip(names, paths).filter { try FilePath.kind(of: $0.1) == nil }.map(\.0)
    guard missing.isEmpty else {
      throw WeightsFileError.Fault.unfit(
        "\(missing.count == 1 ? "the file \(missing[0])" : "\(missing.count) files, \(missing[0]) first,") that it names "
          + "\(missing.count == 1 ? "is" : "are") not beside it; fetch all of its \(names.count) files")
    }
    let files = try paths.map(open)
    var places: [String: Int] = [:]
    for (number, file) in files.enumerated() {
      for array in outline(file).names {
        if let other = places.updateValue(number, forKey: array) {
          throw WeightsFileError.Fault.malformed(
            "array \"\(array)\" is both in \(names[other]) and in \(names[number])", .shards)
        }
        guard index[array] == names[number] else {
          throw WeightsFileError.Fault.malformed(
            "array \"\(array)\" is in \(names[number]), and the index "
              + (index[array].map { "says \($0)" } ?? "does not name it"), .shards)
        }
      }
    }
    if let absent = index.keys.sorted().first(where: { places[$0] == nil }) {
      throw WeightsFileError.Fault.malformed(
        "array \"\(absent)\" should be in \(index[absent] ?? "") and is not", .shards)
    }
    return (files, places)
  }

  /// Which file each array is in.
  /// - Throws: `WeightsFileError.Fault`.
  static func index(_ bytes: [UInt8]) throws -> [String: String] {
    do {
      return try JSONDecoder().decode(Index.self, from: Data(bytes)).weightMap
    } catch {
      throw WeightsFileError.Fault.malformed("its index is not the JSON that it should be", .shards)
    }
  }

  /// Whether a name that a file gives is of no file beside it.
  static func leadsElsewhere(_ name: String) -> Bool {
    name.isEmpty || name == "." || name == ".." || name.contains("/") || name.contains("\\") || name.contains("\0")
  }
}

// `config.json`, in which Hugging Face's libraries say what the weights in the same folder are of. Only the names of
// classes are taken from it; what the network is its arrays tell.

import Files
import FoundationEssentials

enum ConfigFile {
  static let classNamesKey = "id2label"

  private static let name = "config.json"
  private static let longest = 16 << 20

  private struct Content: Decodable {
    var id2label: [String: String]?
  }

  /// The names of a network's classes by their numbers, as a JSON object.
  /// - Parameter path: of a file of weights. One that none of those libraries named has no such file beside it that would
  ///   be about it.
  /// - Returns: nil where there are none that can be read, and for the names that stand for none: `LABEL_0` and so on.
  ///   Whoever needs them asks the user then.
  static func classNames(beside path: String) -> String? {
    let place = FilePath.split(path)
    guard ShardedWeights.names.contains(place.name) else { return nil }
    let config = place.folder == "/" ? "/\(name)" : "\(place.folder)/\(name)"
    guard FilePath.isFolder(config) == false, let bytes = try? InputFile.contents(of: config, bound: longest),
      let names = (try? JSONDecoder().decode(Content.self, from: Data(bytes)))?.id2label, !names.isEmpty,
      names.contains(where: { $0.value != "LABEL_\($0.key)" }), let text = try? JSONEncoder().encode(names)
    else { return nil }
    return String(decoding: text, as: UTF8.self)
  }
}

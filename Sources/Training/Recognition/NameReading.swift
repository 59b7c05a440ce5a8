// How the names of a file's arrays can be read: which words before them are a wrapper's, and whose words they are. A
// file has few such readings, and which is the right one is seen by comparing them with a network.

/// One way to read the names of a file.
struct NameReading {
  /// The words that were taken off, `module.backbone.`; empty for none, nil where they were others for each array.
  let prefix: String?
  let scheme: NamingScheme
  /// The file's names by those that networks here have.
  let stored: [String: String]
  /// Arrays of the file that do not stand behind the prefix, sorted.
  let outside: [String]

  /// Words that wrappers put before names, and that are no part of them, also where not all have the same.
  private static let wrappers: Set<Substring> = [
    "module", "_orig_mod", "model", "backbone", "encoder", "net", "network", "state_dict",
  ]
  /// A wrapper has no more words.
  private static let mostWords = 8
  /// No more wrappers are tried.
  private static let mostPrefixes = 8
  /// Of a file's arrays, those of a network are at least this share.
  private static let leastShare = 5

  private init(prefix: String?, scheme: NamingScheme, stored: [String: String], outside: [String]) {
    (self.prefix, self.scheme, self.stored, self.outside) = (prefix, scheme, stored, outside)
  }

  /// nil where two arrays would have one name.
  private init?(
    _ names: [(plain: String, stored: String)], prefix: String?, scheme: NamingScheme, outside: [String]
  ) {
    var stored: [String: String] = [:]
    for name in names {
      guard stored.updateValue(name.stored, forKey: scheme.own(name.plain)) == nil else { return nil }
    }
    self.init(prefix: prefix, scheme: scheme, stored: stored, outside: outside)
  }

  /// The readings of a file's names, at least one.
  /// - Parameter anchors: names of which a network has one among its first arrays.
  static func all(of names: [String], anchors: Set<String>) -> [NameReading] {
    var readings: [NameReading] = []
    func add(_ names: [(plain: String, stored: String)], prefix: String?, outside: [String]) {
      let plain = Set(names.map(\.plain))
      let schemes =
        (anchors.isDisjoint(with: plain) ? [] : [.torchvision])
        + NamingScheme.foreign.filter { $0.isMeant(plain) }
      readings += schemes.compactMap { NameReading(names, prefix: prefix, scheme: $0, outside: outside) }
    }
    for prefix in prefixes(of: names, anchors: anchors) {
      let count = prefix.utf8.count
      let inside = names.filter { $0.utf8.starts(with: prefix.utf8) }
      let outside = inside.count == names.count ? [] : names.filter { !$0.utf8.starts(with: prefix.utf8) }
      add(inside.map { (String(Substring($0.utf8.dropFirst(count))), $0) }, prefix: prefix, outside: outside)
    }
    let bare: [(plain: String, stored: String)] = names.map { (unwrapped($0), $0) }
    if bare.contains(where: { $0.plain != $0.stored }) { add(bare, prefix: nil, outside: []) }
    guard readings.isEmpty else { return readings }
    let stored = Dictionary(uniqueKeysWithValues: names.map { ($0, $0) })
    return [NameReading(prefix: "", scheme: .torchvision, stored: stored, outside: [])]
  }

  /// What stands before a network's arrays; most often nothing.
  private static func prefixes(of names: [String], anchors: Set<String>) -> [String] {
    var counts = ["": names.count]
    var found: Set<String> = []
    let all = anchors.union(NamingScheme.foreign.flatMap(\.anchors))
    for name in names {
      if all.contains(name) { found.insert("") }
      let bytes = name.utf8
      var words = 0
      for place in bytes.indices where bytes[place] == UInt8(ascii: ".") {
        words += 1
        guard words <= mostWords else { break }
        let prefix = String(name[...place])
        counts[prefix, default: 0] += 1
        if all.contains(String(name[bytes.index(after: place)...])) { found.insert(prefix) }
      }
    }
    return found.filter { counts[$0, default: 0] * leastShare >= names.count }
      .sorted { (counts[$1] ?? 0, $0.utf8.count, $0) < (counts[$0] ?? 0, $1.utf8.count, $1) }
      .prefix(mostPrefixes).map { $0 }
  }

  /// The name without the words of wrappers.
  private static func unwrapped(_ name: String) -> String {
    var rest = name[...]
    while let dot = rest.firstIndex(of: "."), wrappers.contains(rest[..<dot]),
      rest.index(after: dot) < rest.endIndex
    {
      rest = rest[rest.index(after: dot)...]
    }
    return String(rest)
  }

  /// What was done to the names: `names without 'module.', Hugging Face's`; nil for nothing.
  var text: String? {
    let wrapper = prefix.map { $0.isEmpty ? nil : "without '\($0)'" } ?? "without the words of wrappers"
    let parts = [wrapper, scheme.owner].compactMap { $0 }
    return parts.isEmpty ? nil : "names " + parts.joined(separator: ", ")
  }
}

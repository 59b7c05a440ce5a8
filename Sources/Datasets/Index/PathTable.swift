// Finds images by their paths when a path may be spelled in another way than on disk: after a trip through a Mac's
// archive, or typed by a person. The exact bytes come first; another spelling counts only where it can mean one image.

import Messages

/// Keys that stand for one thing each; a key that stands for two finds nothing.
struct UniqueTable<Key: Hashable> {
  private var places: [Key: Int] = [:]
  private static var ambiguous: Int { -1 }

  init(_ keys: some Sequence<(Key, Int)>) {
    for (key, place) in keys where places.updateValue(place, forKey: key) != nil { places[key] = Self.ambiguous }
  }

  subscript(key: Key) -> Int? { places[key].flatMap { $0 == Self.ambiguous ? nil : $0 } }
}

/// Paths below a dataset's folder, by their bytes and by their canonical form. Tables that only some questions need are
/// made when they are asked.
struct PathTable {
  let paths: [String]
  private var exact: [ByteKey: Int] = [:]
  private lazy var canonical = UniqueTable<ClassName>(paths.enumerated().map { (ClassName($1), $0) })
  private lazy var caseless = UniqueTable<String>(paths.enumerated().map { (Self.folded($1), $0) })
  private lazy var withoutEnding = UniqueTable<ClassName>(
    paths.enumerated().map { (ClassName(Self.withoutEnding($1)), $0) })
  /// Every end of a path that begins behind a slash.
  private lazy var ends = UniqueTable<ClassName>(
    paths.enumerated().flatMap { place, path in Self.ends(of: path).map { (ClassName($0), place) } })

  init(_ paths: [String]) {
    self.paths = paths
    exact.reserveCapacity(paths.count)
    for (place, path) in paths.enumerated() { exact[ByteKey(path)] = place }
  }

  /// The place in `paths` of exactly this path.
  func place(exactly path: String) -> Int? { exact[ByteKey(path)] }

  /// The place of a path, or of the only one that is the same text in another Unicode spelling.
  mutating func place(of path: String) -> Int? {
    if let place = exact[ByteKey(path)] { return place }
    // A text of ASCII has one spelling, but it may be the canonical form of another.
    return canonical[ClassName(path)]
  }

  /// The place of the only path that is the same text in capitals or small letters.
  mutating func place(inAnyCase path: String) -> Int? { caseless[Self.folded(path)] }

  /// The place of the only path that is this one with an ending such as `.png` behind.
  mutating func place(withoutEnding path: String) -> Int? { withoutEnding[ClassName(path)] }

  /// The place of the only path that ends in this one, behind a slash.
  mutating func place(endingIn path: String) -> Int? { ends[ClassName(path)] }

  private static func folded(_ path: String) -> String { ClassName.canonical(path).lowercased() }

  private static func withoutEnding(_ path: String) -> String {
    guard let dot = path.utf8.lastIndex(of: UInt8(ascii: ".")),
      !path.utf8[dot...].contains(UInt8(ascii: "/"))
    else { return path }
    return String(path[..<dot])
  }

  private static func ends(of path: String) -> [String] {
    path.utf8.indices.filter { path.utf8[$0] == UInt8(ascii: "/") }.map {
      String(path[path.utf8.index(after: $0)...])
    }
  }
}

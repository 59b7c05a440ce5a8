// What the name of a folder says of it as a part of a dataset: train, Training, val_2017, Test-1, dogs_train,
// train_images. Whether it is one is decided in LayoutReader.swift, by its neighbors and by what lies in it.

/// One way to read a name: the word that is a role, and what stands around it.
struct SplitFolderName: Equatable {
  var role: SplitRole
  /// The words of the name in lower case, the role's written `*`; numbers, and nouns that any folder of images has, are
  /// left out. Folders of one dataset have the same: `dogs *` in dogs_train and dogs_test.
  var pattern: String

  /// Whether the name says nothing but the role.
  var isPlain: Bool { pattern == Self.plain }

  static let plain = "*"

  /// Nouns that say nothing of which images they are.
  private static let nouns: Set<String> = [
    "set", "sets", "data", "dataset", "datasets", "split", "part", "folder", "dir", "directory", "files", "samples",
    "image", "images", "img", "imgs", "im", "pic", "pics", "picture", "pictures", "photo", "photos", "jpg", "jpeg",
    "png", "px", "full", "all", "final",
  ]

  /// Whether a folder's name is such a noun: what it holds is called by the folder above.
  static func isNoun(_ name: String) -> Bool {
    let words = words(of: name)
    return !words.isEmpty && words.allSatisfy { nouns.contains($0) }
  }

  /// Every way to read a name; none for most names.
  static func readings(of name: String) -> [SplitFolderName] {
    let words = words(of: name)
    var readings: [SplitFolderName] = []
    // Training and validation images in one are there to train on.
    if let place = words.indices.dropLast().first(where: {
      SplitRole(word: words[$0]) == .train && SplitRole(word: words[$0 + 1]) == .validation
    }) {
      readings.append(reading(words, at: place, length: 2, role: .train))
    }
    for (place, word) in words.enumerated() {
      if let role = SplitRole(word: word) { readings.append(reading(words, at: place, length: 1, role: role)) }
    }
    return readings
  }

  private static func reading(_ words: [String], at place: Int, length: Int, role: SplitRole) -> SplitFolderName {
    let around = words[..<place].filter { !nouns.contains($0) }
    let behind = words[(place + length)...].filter { !nouns.contains($0) }
    return SplitFolderName(role: role, pattern: (around + [plain] + behind).joined(separator: " "))
  }

  /// The words of a name: runs of letters, divided further where a capital follows a small letter. Single letters, as
  /// in v2, are none; `trainset` is two, `hold-out` is one.
  private static func words(of name: String) -> [String] {
    var words: [String] = []
    for run in name.split(whereSeparator: { !$0.isLetter }) {
      let lowercased = run.lowercased()
      // TrAiN is one word.
      let parts = SplitRole(word: lowercased) != nil ? [lowercased] : humps(of: run).map { $0.lowercased() }
      for part in parts.flatMap(unglued) where part.count > 1 {
        if part == "out", words.last == "hold" { words[words.count - 1] = "holdout" } else { words.append(part) }
      }
    }
    return words
  }

  private static func humps(of run: Substring) -> [Substring] {
    var humps: [Substring] = []
    var start = run.startIndex
    var previousIsSmall = false
    for index in run.indices {
      if run[index].isUppercase, previousIsSmall {
        humps.append(run[start..<index])
        start = index
      }
      previousIsSmall = run[index].isLowercase
    }
    return humps + [run[start...]]
  }

  /// `trainset` as `train`, `set`. Only a noun behind a role is taken off: a contest is no test.
  private static func unglued(_ word: String) -> [String] {
    for noun in nouns where word.hasSuffix(noun) {
      let rest = String(word.dropLast(noun.count))
      if SplitRole(word: rest) != nil { return [rest, noun] }
    }
    return [word]
  }
}

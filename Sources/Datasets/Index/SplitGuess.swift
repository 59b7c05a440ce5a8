// A guess at which split a folder is, by names that are too unusual to go by: Tr, tes, entrenamiento, prove. It is only
// ever offered in a message.

import Messages

enum SplitGuess {
  /// Beginnings of words for each split, of some languages.
  private static let words: [(split: Split, words: [String])] = [
    (.train, ["learn", "lern", "fit", "entren", "entrain", "apprent", "aprend", "addestr", "trein", "build"]),
    (.validation, ["tune", "tuning", "check", "control"]),
    (.test, ["prove", "prova", "prueb", "pr\u{fc}f", "pruef", "essai", "exam", "final", "held", "unseen"]),
  ]

  /// - Returns: a folder for each split, where every name reads as another one and one of them as training.
  static func folders(_ names: [String]) -> SplitFolders? {
    var folders = SplitFolders()
    for name in names {
      guard let split = split(of: name), folders[split] == nil else { return nil }
      folders[split] = name
    }
    return folders.train == nil || names.count < 2 ? nil : folders
  }

  private static func split(of name: String) -> Split? {
    let letters = String(name.lowercased().filter(\.isLetter))
    guard letters.count > 1 else { return nil }
    let known: [(Split, String)] = [
      (.train, "training"), (.validation, "validation"), (.validation, "development"), (.test, "testing"),
    ]
    let short = known.filter { $0.1.hasPrefix(letters) }.map(\.0)
    if short.count == 1 { return short[0] }
    return words.first { $0.words.contains { letters.hasPrefix($0) } }?.split
  }
}

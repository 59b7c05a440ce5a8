// What a mistyped word was probably meant to be.

/// Slips of the finger.
public enum Spelling {
  /// The words that were probably meant, in alphabetical order: those that it begins, or that differ in one letter for
  /// every three, and of them those that differ least. None where nothing is like it.
  public static func nearest(to typed: String, among words: [String]) -> [String] {
    let near = words.compactMap { word -> (word: String, slips: Int)? in
      if typed.count >= 3, word.hasPrefix(typed) { return (word, 0) }
      let slips = slips(Array(typed), Array(word))
      return slips <= max(1, word.count / 3) ? (word, slips) : nil
    }
    guard let least = near.map(\.slips).min() else { return [] }
    return near.filter { $0.slips == least }.map(\.word).sorted()
  }

  /// Letters left out, put in, changed, or exchanged with the next (optimal string alignment distance).
  static func slips(_ first: [Character], _ second: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...second.count)
    for (i, letter) in first.enumerated() {
      var row = [i + 1]
      for (j, other) in second.enumerated() {
        var least = min(last[j] + (letter == other ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, letter == second[j - 1], first[i - 1] == other {
          least = min(least, beforeLast[j - 1] + 1)
        }
        row.append(least)
      }
      (beforeLast, last) = (last, row)
    }
    return last[second.count]
  }
}

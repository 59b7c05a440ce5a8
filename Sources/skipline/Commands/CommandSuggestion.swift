// A mistyped command, told from a dataset's folder: `skipline evaluat runs/x` opens no workbench on a folder "evaluat".

import ArgumentParser
import Files

/// The first word is neither a command nor a folder, and much like a command.
struct UnknownCommand: Error, Equatable, CustomStringConvertible {
  let word: String
  /// The commands that were probably meant, the likeliest first.
  let meant: [String]

  var description: String {
    "there is no command '\(word)', nor a folder of that name; did you mean "
      + meant.map { "'skipline \($0)'" }.joined(separator: " or ") + "?"
  }

  /// nil where the arguments begin with a command, a folder, an option, or something like no command.
  /// - Parameter exists: whether there is a file of that name.
  init?(arguments: [String], commands: [String], exists: (String) -> Bool) {
    guard let word = arguments.first, !word.isEmpty, !word.hasPrefix("-"), !word.contains("/"),
      !commands.contains(word), !exists(word)
    else { return nil }
    let typed = word.lowercased()
    // A beginning (`eval`) or one slip for every three letters.
    let near = commands.compactMap { command -> (command: String, slips: Int)? in
      if typed.count >= 3, command.hasPrefix(typed) { return (command, 0) }
      let slips = Self.slips(Array(typed), Array(command))
      return slips <= max(1, command.count / 3) ? (command, slips) : nil
    }
    guard let least = near.map(\.slips).min() else { return nil }
    self.word = word
    meant = near.filter { $0.slips == least }.map(\.command).sorted()
  }

  /// Letters left out, put in, changed, or exchanged with the next (optimal string alignment distance).
  private static func slips(_ first: [Character], _ second: [Character]) -> Int {
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

// A mistyped command, told from a dataset's folder: `skipline evaluat runs/x` opens no workbench on a folder "evaluat".

import ArgumentParser
import Files
import Support

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
    let meant = Spelling.nearest(to: typed, among: commands)
    guard !meant.isEmpty else { return nil }
    self.word = word
    self.meant = meant
  }
}

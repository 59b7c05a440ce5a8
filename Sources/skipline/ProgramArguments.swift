// The program's arguments, exactly: a file name in them may be any bytes, of which Swift's own list makes question
// marks.

import ArgumentParser
import CResources
import Support

enum ProgramArguments {
  /// The arguments in the form of PathText, without the program's name.
  static var words: [String] { Array(all.dropFirst()) }

  /// The same with the program's name in front: what a run's record keeps.
  static var all: [String] {
    (0..<resources_argument_count()).compactMap { index in
      resources_argument(index).map {
        String(pathBytes: Array(UnsafeRawBufferPointer(start: $0, count: length($0))))
      }
    }
  }

  /// An empty value is a variable of a script that was not set, or a slip, and never what was meant. Those of
  /// positional arguments are refused where they are read (`given`).
  /// - Throws: `ValidationError` that names the option.
  static func refuseEmptyValues(in words: [String] = words) throws {
    var previous = ""
    for word in words {
      // What follows a terminator is no option of ours.
      if word == "--" { return }
      if word.hasPrefix("--"), word.hasSuffix("="), word.firstIndex(of: "=") == word.index(before: word.endIndex) {
        throw ValidationError("\(word.dropLast()): its value is empty; give it one, or leave the option out")
      }
      if word.isEmpty, previous.hasPrefix("-") {
        throw ValidationError("\(previous): its value is empty; give it one, or leave the option out")
      }
      previous = word
    }
  }

  private static func length(_ text: UnsafePointer<CChar>) -> Int {
    var count = 0
    while text[count] != 0 { count += 1 }
    return count
  }
}

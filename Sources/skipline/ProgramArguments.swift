// The program's arguments, exactly: a file name in them may be any bytes, of which Swift's own list makes question marks.

import Messages

enum ProgramArguments {
  /// The arguments in the form of PathText, without the program's name.
  static var words: [String] { Array(all.dropFirst()) }

  /// The same with the program's name in front: what a run's record keeps.
  static var all: [String] {
    // The C runtime's own array, which lasts as long as the process.
    (0..<Int(CommandLine.argc)).compactMap { index in
      CommandLine.unsafeArgv[index].map {
        String(pathBytes: Array(UnsafeRawBufferPointer(start: $0, count: length($0))))
      }
    }
  }

  private static func length(_ text: UnsafePointer<CChar>) -> Int {
    var count = 0
    while text[count] != 0 { count += 1 }
    return count
  }
}

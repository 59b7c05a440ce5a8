// The Python whose packages are compared with: the environment variable SKIPLINE_PYTHON names it, and tests that need it
// are skipped without.

import Foundation

package enum Python {
  package static let path = ProcessInfo.processInfo.environment["SKIPLINE_PYTHON"]

  package static var isThere: Bool { path != nil }

  /// Runs a script.
  /// - Parameters:
  ///   - words: what would follow `python` on a command line.
  ///   - isQuiet: whether what it says on standard error is of no interest.
  /// - Returns: what it printed.
  /// - Throws: `PythonFailure`.
  package static func run(_ words: [String], isQuiet: Bool = false) throws -> Data {
    guard let path else { throw PythonFailure(reason: "SKIPLINE_PYTHON names none") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    // Scripts lie in the sources: Python is not to leave compiled files beside them.
    process.arguments = ["-B"] + words
    let output = Pipe()
    process.standardOutput = output
    if isQuiet { process.standardError = FileHandle.nullDevice }
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw PythonFailure(reason: "\(words.suffix(4)): exit status \(process.terminationStatus)")
    }
    return data
  }

  /// The same for a script that prints JSON.
  package static func run<Answer: Decodable>(
    _ words: [String], isQuiet: Bool = false, as answer: Answer.Type
  ) throws -> Answer {
    try JSONDecoder().decode(Answer.self, from: try run(words, isQuiet: isQuiet))
  }
}

package struct PythonFailure: Error {
  package var reason: String
}

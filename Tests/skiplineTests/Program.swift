// The built program as a shell starts it, without a terminal: arguments go in, the exit status and both outputs come
// out. What they should be is for the tests to say.

import Foundation

/// Where the program is, and the surroundings it is started in.
enum Program {
  /// The folder of the test executable, where the package manager puts the program too.
  static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .path

  /// Nothing of the person who runs the tests gets in: no themes, no settings of color.
  static func environment(in workspace: Workspace) -> [String: String] {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return [
      "PATH": "\(folder):\(path)", "HOME": workspace.folder, "TMPDIR": workspace.folder, "LC_ALL": "C.UTF-8",
      "TERM": "xterm-256color",
    ]
  }
}

/// A program that ended.
struct FinishedProgram {
  /// As a shell gives it: 128 and the signal for one that died of it.
  var status: Int32
  var output: String
  var errors: String

  var outputLines: [String] { output.split(separator: "\n").map(String.init) }

  /// The output read as JSON.
  func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(output.utf8))
  }
}

/// A program that was started. Its outputs go to files, so that no full pipe can hold it up.
final class RunningProgram: Sendable {
  private let process: Process
  private let workspace: Workspace
  private let name = UUID().uuidString
  private let ending: AsyncStream<Int32>

  /// - Parameter words: the command and its arguments.
  init(_ words: [String], in workspace: Workspace) throws {
    self.workspace = workspace
    let process = Process()
    self.process = process
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // Whoever runs the tests may have had these ignored (nohup, a job in the background).
    process.arguments = ["--default-signal=HUP,INT,TERM"] + words
    process.currentDirectoryURL = URL(fileURLWithPath: workspace.folder)
    process.environment = Program.environment(in: workspace)
    process.standardInput = FileHandle.nullDevice
    try workspace.write([], to: "\(name).output")
    try workspace.write([], to: "\(name).errors")
    process.standardOutput = FileHandle(forWritingAtPath: "\(workspace.folder)/\(name).output")
    process.standardError = FileHandle(forWritingAtPath: "\(workspace.folder)/\(name).errors")
    let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
    ending = stream
    process.terminationHandler = { process in
      let died = process.terminationReason == .uncaughtSignal
      continuation.yield(process.terminationStatus + (died ? 128 : 0))
      continuation.finish()
    }
    try process.run()
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// The program's number, also once `env` has made room for it.
  var number: Int32 { process.processIdentifier }

  /// Waits until standard error has a text.
  func waitForErrors(_ text: String) async throws {
    try await Patience.wait(for: "'\(text)' on standard error", lastSeen: { self.errors }) {
      self.errors.contains(text)
    }
  }

  /// Waits for its end.
  func finish() async throws -> FinishedProgram {
    for await status in ending {
      return FinishedProgram(status: status, output: try workspace.text("\(name).output"), errors: errors)
    }
    throw CancellationError()
  }

  private var errors: String { (try? workspace.text("\(name).errors")) ?? "" }
}

extension Workspace {
  /// Runs `skipline` with these arguments to its end.
  func skipline(_ arguments: String...) async throws -> FinishedProgram {
    try await RunningProgram(["skipline"] + arguments, in: self).finish()
  }

  func skipline(_ arguments: [String]) async throws -> FinishedProgram {
    try await RunningProgram(["skipline"] + arguments, in: self).finish()
  }

  /// Trains the tiny network to the end, in `runs/<name>`.
  @discardableResult
  func train(_ name: String = "tiny", epochs: Int = 2, _ more: String...) async throws -> FinishedProgram {
    try await skipline(
      ["train", "data"] + Workspace.tinyNetwork + ["--epochs", "\(epochs)", "--name", name] + more)
  }
}

/// Waiting for something that another process does.
enum Patience {
  /// Long enough for a loaded machine; a test that passes never waits so long.
  static let limit = Duration.seconds(30)

  /// Looks again and again until it is so.
  /// - Throws: `OutOfPatience` with what was seen last.
  static func wait(
    for what: String, every interval: Duration = .milliseconds(20), lastSeen: () -> String, isSo: () throws -> Bool
  ) async throws {
    let deadline = ContinuousClock.now + limit
    while try !isSo() {
      guard ContinuousClock.now < deadline else { throw OutOfPatience(what: what, lastSeen: lastSeen()) }
      try await Task.sleep(for: interval)
    }
  }
}

/// What was waited for never came.
struct OutOfPatience: Error, CustomStringConvertible {
  var what: String
  var lastSeen: String

  var description: String { "never came: \(what). Last seen:\n\(lastSeen)" }
}

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
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(workspace.folder)/\(name).output"))
    let errors = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(workspace.folder)/\(name).errors"))
    (process.standardOutput, process.standardError) = (output, errors)
    let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
    ending = stream
    process.terminationHandler = { process in
      let died = process.terminationReason == .uncaughtSignal
      continuation.yield(process.terminationStatus + (died ? 128 : 0))
      continuation.finish()
    }
    try process.run()
    // The program has descriptors of its own. Foundation's `Process` crashes where this process has some 1,350 open,
    // which is not far with hundreds of tests under way.
    try output.close()
    try errors.close()
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
  func skipline(_ arguments: String...) async throws -> FinishedProgram { try await skipline(arguments) }

  func skipline(_ arguments: [String]) async throws -> FinishedProgram {
    await Turns.programs.begin()
    do {
      let finished = try await RunningProgram(["skipline"] + arguments, in: self).finish()
      await Turns.programs.end()
      return finished
    } catch {
      await Turns.programs.end()
      throw error
    }
  }

  /// Trains the tiny network to the end, in `runs/<name>`.
  @discardableResult
  func train(_ name: String = "tiny", epochs: Int = 2, _ more: String...) async throws -> FinishedProgram {
    try await skipline(
      ["train", "data"] + Workspace.tinyNetwork + ["--epochs", "\(epochs)", "--name", name] + more)
  }
}

/// So many at a time: every test is started at once, and each program takes descriptors and memory.
actor Turns {
  static let programs = Turns(atOnce: 24)

  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(atOnce count: Int) { free = count }

  /// Waits for a turn; the first to come is the first to have one.
  func begin() async {
    if free > 0 {
      free -= 1
    } else {
      await withCheckedContinuation { waiting.append($0) }
    }
  }

  func end() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
  }
}

/// Waiting for something that another process does.
enum Patience {
  /// Long enough for a loaded machine and for a program that waits ten seconds for who reads it; a test that passes never waits so long.
  static let limit = Duration.seconds(120)

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

  /// Waits for what is over soon after it has begun, on this thread: among hundreds of tests a task that sleeps is woken
  /// when a thread has time for it, which may be seconds later.
  /// - Throws: `OutOfPatience`.
  static func watch(for what: String, isSo: () -> Bool) throws {
    let deadline = ContinuousClock.now + limit
    while !isSo() {
      guard ContinuousClock.now < deadline else { throw OutOfPatience(what: what, lastSeen: "none") }
      usleep(500)
    }
  }
}

/// What was waited for never came.
struct OutOfPatience: Error, CustomStringConvertible {
  var what: String
  var lastSeen: String

  var description: String { "never came: \(what). Last seen:\n\(lastSeen)" }
}

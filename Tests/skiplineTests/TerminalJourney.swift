// A person at a terminal: a shell inside tmux, into which keys are typed and whose screen is read. tmux runs on a
// socket of the journey's own and ends with it. Nothing here knows the program's screens.

import Foundation
import Testing

/// A terminal of a given size with a shell in it.
final class TerminalJourney: Sendable {
  let workspace: Workspace
  private let environment: [String: String]
  /// Several terminals may share a workspace.
  private let name = UUID().uuidString.prefix(8)
  private let server: Process

  /// Whether journeys are possible on this machine.
  static let isPossible: Bool = {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return path.split(separator: ":").contains { FileManager.default.isExecutableFile(atPath: "\($0)/tmux") }
  }()

  /// Opens the terminal and waits for the shell's prompt.
  init(in workspace: Workspace, columns: Int = 80, rows: Int = 24) async throws {
    self.workspace = workspace
    // The POSIX shell has no line editor, which would put the terminal's settings right by itself. It takes its
    // prompt from the file that ENV names.
    try workspace.write(Array("PS1='\(Self.prompt)'".utf8), to: "shrc")
    environment = Program.environment(in: workspace).merging(["ENV": "\(workspace.folder)/shrc"]) { $1 }
    server = Self.process(name, ["-D"], environment, workspace)
    try server.run()
    try await Patience.wait(for: "an answer of tmux", lastSeen: { "none" }) {
      (try? tmux(["show-options", "-g"])) != nil
    }
    try tmux(["set-option", "-g", "default-terminal", "screen-256color", ";", "set-option", "-g", "status", "off"])
    try tmux(["new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "sh"])
    try await sees(Self.prompt.trimmingCharacters(in: .whitespaces))
  }

  deinit { hangUp() }

  private static let prompt = "ready> "

  // MARK: Typing

  /// Presses keys, by tmux's names: `Enter`, `Escape`, `Down`, `C-c`, `q`.
  func press(_ keys: String...) throws { try tmux(["send-keys"] + keys) }

  /// Types a text as it is.
  func type(_ text: String) throws { try tmux(["send-keys", "-l", text]) }

  /// Pastes a text, marked as pasted if the program asked for that.
  func paste(_ text: String) throws { try tmux(["set-buffer", text, ";", "paste-buffer", "-p", "-d"]) }

  /// Sends bytes as they are, in hexadecimal.
  func send(bytes: String...) throws { try tmux(["send-keys", "-H"] + bytes) }

  /// Types a line into the shell.
  func enter(_ line: String) throws {
    try type(line)
    try press("Enter")
  }

  /// Starts `skipline` from the shell, which says `ended with <status>` when it is over. The process's number is in
  /// a file, the terminal's settings from before in `before`; these files are in the shell's folder, or in another.
  func startSkipline(_ arguments: [String], in folder: String = ".") throws {
    let words = (["skipline"] + arguments).joined(separator: " ")
    try enter(
      "clear; stty -g >\(folder)/before; sh -c 'echo $$ >\(folder)/pid-\(name); exec \(words)'; echo ended with $?")
  }

  /// Starts it on the dataset with the tiny network, and waits for its first screen.
  func open(_ more: String...) async throws { try await open(more) }

  func open(_ more: [String]) async throws {
    try startSkipline(["data"] + Workspace.tinyNetwork + more)
    try await sees("64 images")
  }

  func resize(columns: Int, rows: Int) throws {
    try tmux(["resize-window", "-x", "\(columns)", "-y", "\(rows)"])
  }

  /// Sends a signal to the program that `startSkipline` started.
  func send(_ signal: Int32) throws { kill(try programNumber(), signal) }

  /// The process number of that program.
  func programNumber() throws -> Int32 {
    let number = try workspace.text("pid-\(name)").trimmingCharacters(in: .whitespacesAndNewlines)
    return try #require(Int32(number))
  }

  /// Takes the terminal away, as a dropped connection does.
  func hangUp() { kill(server.processIdentifier, SIGKILL) }

  // MARK: Looking

  /// What is on the screen, looked at until two looks agree: one alone may catch it half drawn, where figures of two
  /// frames stand beside each other.
  func screen() throws -> Screen {
    var last = try look()
    for _ in 0..<20 {
      let next = try look()
      if next == last { break }
      last = next
    }
    return last
  }

  private func look() throws -> Screen { Screen(try tmux(["capture-pane", "-p"])) }

  /// What is on the screen, with escape sequences for its colors.
  func coloredScreen() throws -> String { try tmux(["capture-pane", "-p", "-e"]) }

  /// Waits until the screen shows all of these texts.
  @discardableResult
  func sees(_ texts: String...) async throws -> Screen {
    try await waits(until: "the screen shows \(texts)") { screen in texts.allSatisfy(screen.contains) }
  }

  /// Waits until the screen shows none of these texts.
  @discardableResult
  func seesNo(_ texts: String...) async throws -> Screen {
    try await waits(until: "the screen shows none of \(texts)") { screen in !texts.contains(where: screen.contains)
    }
  }

  /// Waits until the screen is as wanted.
  @discardableResult
  func waits(until what: String, _ isSo: (Screen) throws -> Bool) async throws -> Screen {
    var last = Screen("")
    try await Patience.wait(for: what, lastSeen: { last.text }) {
      last = try self.look()
      return try isSo(last)
    }
    return last
  }

  /// Waits until the screen is as wanted and does not change any more: a large one that is looked at while it is drawn
  /// has a part of what stood there before.
  @discardableResult
  func settles(on what: String, _ isSo: (Screen) throws -> Bool) async throws -> Screen {
    var before = ""
    return try await waits(until: what) { screen in
      defer { before = screen.text }
      return try screen.text == before && isSo(screen)
    }
  }

  /// A word or number about the terminal, by tmux's name of it: `alternate_on`.
  func flag(_ name: String) throws -> String {
    try tmux(["display-message", "-p", "#{\(name)}"]).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  // MARK: tmux

  @discardableResult
  private func tmux(_ arguments: [String]) throws -> String {
    let process = Self.process(name, arguments, environment, workspace)
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    let complaint = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw TmuxFailure(arguments: arguments, complaint: String(decoding: complaint, as: UTF8.self))
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// tmux on the journey's socket: the server with `-D`, which keeps it a child of ours, else a command to it.
  private static func process(
    _ name: Substring, _ arguments: [String], _ environment: [String: String], _ workspace: Workspace
  ) -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["tmux", "-u", "-f", "/dev/null", "-S", "\(workspace.folder)/tmux-\(name)"] + arguments
    process.environment = environment
    process.currentDirectoryURL = URL(fileURLWithPath: workspace.folder)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    return process
  }
}

/// tmux refused a command.
struct TmuxFailure: Error, CustomStringConvertible {
  var arguments: [String]
  var complaint: String

  var description: String { "tmux \(arguments.joined(separator: " ")): \(complaint)" }
}

/// The characters on a terminal, row by row.
struct Screen: Equatable {
  let lines: [String]

  init(_ text: String) { lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }

  var text: String { lines.joined(separator: "\n") }

  func contains(_ text: String) -> Bool { lines.contains { $0.contains(text) } }

  /// The number after a word: of "step 1,200/4,000" the 1200 after "step ".
  func number(after word: String) -> Int? {
    for line in lines {
      guard let start = line.range(of: word)?.upperBound else { continue }
      let digits = line[start...].prefix { $0.isNumber || $0 == "," }.filter(\.isNumber)
      if let number = Int(digits) { return number }
    }
    return nil
  }

  /// What stands between a text and the next space: of "theme light" the "light" after "theme ".
  func word(after text: String) -> String? {
    for line in lines {
      guard let start = line.range(of: text)?.upperBound else { continue }
      return String(line[start...].prefix { $0 != " " })
    }
    return nil
  }

  /// The blocks that pictures are drawn with, but for those that bars have too.
  var pictureCells: String { text.filter { "▀▄▘▝▖▗▚▞▛▜▙▟".contains($0) } }
}

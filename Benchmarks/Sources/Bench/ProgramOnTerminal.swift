// A program on a terminal of its own, which is a pair of descriptors that the driver writes and reads.

import Foundation
import Measuring

struct TerminalProgramFailure: Error, CustomStringConvertible {
  let reason: String

  var description: String { reason }
}

/// A process that takes the terminal for a person's, until `end`.
final class ProgramOnTerminal {
  let process: pid_t
  private let master: Int32
  private let name: String
  /// What it has written since the last wait was over.
  private var written = Data()
  private var hasEnded = false
  private var hasAnswered = false

  /// The last of the questions that a program asks its terminal, what it can (primary device attributes of DEC STD 070),
  /// and what one answers that draws no pictures. Without an answer the program would wait for it.
  private static let (question, answer) = ("\u{1B}[c", "\u{1B}[?64;1;2c")

  /// `TIOCSPTLCK` and `TIOCGPTN` of ioctl_tty(2), `POSIX_SPAWN_SETSID` of spawn.h: not imported.
  private static let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
  private static let newSession: Int16 = 0x80

  /// - Throws: `TerminalProgramFailure` where there is no such program.
  static func require(_ program: String) throws {
    guard FileManager.default.isExecutableFile(atPath: program) else {
      throw TerminalProgramFailure(
        reason: "\(program) is not there; build it: swift build -c release --product skipline")
    }
  }

  /// - Parameters:
  ///   - words: the program and its arguments.
  ///   - home: the folder that takes what it writes down.
  ///   - folder: where it works; nil for the driver's own.
  init(
    _ words: [String], home: String, folder: String? = nil, columns: UInt16 = 80, rows: UInt16 = 24
  ) throws {
    name = words.joined(separator: " ")
    // It becomes the program once it is there.
    let words = (folder.map { ["/usr/bin/env", "-C", $0] } ?? []) + words
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var (locked, number): (Int32, Int32) = (0, 0)
    guard master >= 0, ioctl(master, Self.setLock, &locked) == 0, ioctl(master, Self.getNumber, &number) == 0 else {
      throw TerminalProgramFailure(reason: "the system gives no terminal: \(String(cString: strerror(errno)))")
    }
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    process = try Self.spawn(words, terminal: "/dev/pts/\(number)", home: home)
  }

  private static func spawn(_ words: [String], terminal: String, home: String) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // The leader of a session that opens a terminal has it as its own.
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, terminal, O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, newSession)

    let own = [
      "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "HOME": home, "XDG_CONFIG_HOME": home + "/config",
      "XDG_CACHE_HOME": home + "/cache", "XDG_STATE_HOME": home + "/state", "TMPDIR": home,
    ]
    let arguments = words.map { strdup($0) } + [nil]
    let settings = measuringEnvironment.merging(own) { $1 }.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + settings { free(text) } }
    var child = pid_t()
    let code = posix_spawn(&child, words[0], &actions, &attributes, arguments, settings)
    guard code == 0 else {
      throw TerminalProgramFailure(reason: "\(words[0]) cannot be started: \(String(cString: strerror(code)))")
    }
    return child
  }

  /// Types keys.
  func type(_ text: String) { _ = text.withCString { write(master, $0, strlen($0)) } }

  /// Reads until a text was written since the last wait.
  /// - Parameter patience: seconds.
  /// - Throws: `TerminalProgramFailure` where it never comes.
  func wait(for text: String, patience: Double = 30) throws {
    let end = Clock.wall.seconds + patience
    while written.range(of: Data(text.utf8)) == nil {
      guard Clock.wall.seconds < end, !hasEnded else {
        throw TerminalProgramFailure(reason: "'\(text)' never came onto the screen of \(name)")
      }
      take(within: 100)
    }
    written = Data()
  }

  /// Reads for so many seconds, whatever comes.
  func readOn(for seconds: Double) {
    let end = Clock.wall.seconds + seconds
    while Clock.wall.seconds < end, !hasEnded {
      take(within: Int32(max(1, min(100, (end - Clock.wall.seconds) * 1000))))
    }
    written = Data()
  }

  private func take(within milliseconds: Int32) {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    var state = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
    guard poll(&state, 1, milliseconds) > 0 else { return }
    let count = read(master, &bytes, bytes.count)
    guard count > 0 else {
      hasEnded = true
      return
    }
    written.append(contentsOf: bytes[..<count])
    if !hasAnswered, written.range(of: Data(Self.question.utf8)) != nil {
      hasAnswered = true
      type(Self.answer)
    }
  }

  /// Presses `q` and reads on until the program has gone, so that it never waits for a reader.
  func leave() {
    type("q")
    let end = Clock.wall.seconds + 5
    while Clock.wall.seconds < end, !hasEnded { take(within: 100) }
  }

  /// Kills it where it is still there.
  func end() {
    kill(process, SIGKILL)
    var status: Int32 = 0
    waitpid(process, &status, 0)
    close(master)
  }
}

// A child process, started without anything between: its number is known, its signals are its own, its end is seen.

import Foundation

/// How a process ended.
enum Ending: Equatable, CustomStringConvertible {
  case exited(Int32)
  case killed(signal: Int32)

  var description: String {
    switch self {
    case .exited(let status): "exit status \(status)"
    case .killed(let signal): "killed by signal \(signal)"
    }
  }
}

/// A process that is ended with its value, at the latest.
final class Child {
  let number: pid_t
  private var ending: Ending?

  /// - Parameters:
  ///   - words: the program and its arguments.
  ///   - output: the file for standard output and standard error.
  ///   - environment: added to this process's own.
  ///   - terminal: a descriptor for all three standard streams instead.
  init(
    _ words: [String], output: String = "/dev/null", environment: [String: String] = [:], terminal: Int32? = nil
  ) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let terminal {
      for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
        posix_spawn_file_actions_adddup2(&actions, terminal, stream)
      }
    } else {
      posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
      posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
      posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var (all, none) = (sigset_t(), sigset_t())
    sigfillset(&all)
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let arguments = words.map { strdup($0) } + [nil]
    let settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + settings { free(text) } }
    var number = pid_t()
    let code = posix_spawnp(&number, words[0], &actions, &attributes, arguments, settings)
    try expect(code == 0, "\(words[0]) cannot be started: \(String(cString: strerror(code)))")
    self.number = number
  }

  deinit {
    if poll() == nil {
      kill(number, SIGKILL)
      _ = wait()
    }
  }

  func send(_ signal: Int32) { if ending == nil { kill(number, signal) } }

  /// How it ended; nil while it lives.
  func poll() -> Ending? { look(WNOHANG) }

  /// Waits for its end.
  func wait() -> Ending {
    while true {
      if let ending = look(0) { return ending }
    }
  }

  /// Waits for its end, but not for ever.
  /// - Throws: `Broken` when it does not come.
  func wait(atMost seconds: Double) throws -> Ending {
    try waitUntil("the end of process \(number)", atMost: seconds) { poll() != nil }
    return wait()
  }

  private func look(_ options: Int32) -> Ending? {
    if let ending { return ending }
    var status: Int32 = 0
    guard waitpid(number, &status, options) == number else { return nil }
    ending = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: status & 0x7f)
    return ending
  }
}

/// Looks again and again until it is so.
/// - Throws: `Broken` when it never is.
func waitUntil(
  _ what: String, atMost seconds: Double = 60, every microseconds: UInt32 = 2000, _ isSo: () throws -> Bool
)
  throws
{
  let deadline = ContinuousClock.now + .seconds(seconds)
  while try !isSo() {
    try expect(ContinuousClock.now < deadline, "never came: \(what)")
    usleep(microseconds)
  }
}

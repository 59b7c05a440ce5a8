// Starting programs: with nothing on standard input and output, errors in a file, and signals as the system has them,
// whatever this process ignores or handles.

import Glibc
import Messages
import Resources
import Support

/// A process that this one has started and waits for.
package final class ChildProcess {
  package let identifier: pid_t
  private var status: Int32?

  /// - Throws: `ResourceShortage`, also where the program cannot be run.
  package init(_ program: String, arguments: [String], errors: String) throws(ResourceShortage) {
    identifier = try Self.start(
      program, arguments: [program] + arguments, errors: errors, errorFlags: O_TRUNC, startsSession: false)
  }

  package var isRunning: Bool {
    if status == nil { look(WNOHANG) }
    return status == nil
  }

  /// Whether it has ended by itself with status 0. Waits for its end.
  package var hasSucceeded: Bool {
    wait()
    return status == 0
  }

  /// How it ended, in words. Waits for its end.
  package var ending: String {
    wait()
    let code = status ?? -1
    if code < 0 { return "nobody knows how it ended" }
    return code & 0x7f == 0 ? "it ended with status \(code >> 8 & 0xff)" : "signal \(code & 0x7f) ended it"
  }

  /// Ends it at once (SIGKILL) and waits until it is gone.
  package func kill() {
    // One that is over and was waited for has lost its number to others.
    if isRunning { Glibc.kill(identifier, SIGKILL) }
    wait()
  }

  private func wait() {
    if status == nil { look(0) }
  }

  private func look(_ flags: Int32) {
    var found: Int32 = 0
    var process: pid_t
    repeat { process = waitpid(identifier, &found, flags) } while process < 0 && errno == EINTR
    // Where somebody else took note of its end, that is not known; it is no success.
    if process != 0 { status = process == identifier ? found : -1 }
  }

  /// Starts a program.
  /// - Parameters:
  ///   - arguments: with its name in front.
  ///   - errors: the file that takes its standard error, and how to open that beyond writing and making it.
  ///   - startsSession: whether it becomes independent of this process' terminal.
  ///   - passing: a descriptor of this process, and the one it becomes there.
  /// - Returns: the process' number.
  /// - Throws: `ResourceShortage`.
  package static func start(
    _ program: String, arguments: [String], errors: String, errorFlags: Int32, startsSession: Bool,
    passing: (own: Int32, there: Int32)? = nil
  ) throws(ResourceShortage) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    _ = errors.withPathCString {
      posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, $0, O_WRONLY | O_CREAT | errorFlags, 0o600)
    }
    // Also takes the close-on-exec mark away.
    if let passing { posix_spawn_file_actions_adddup2(&actions, passing.own, passing.there) }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Signals that this process ignores or handles would else be ignored there too.
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigdefault(&attributes, &all)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    let session = startsSession ? newSession : 0
    posix_spawnattr_setflags(&attributes, session | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))

    var words = arguments.map { word in word.withPathCString { strdup($0) } } + [nil]
    defer { for word in words { free(word) } }
    var process = pid_t()
    let code = -ResourceCalls.current.spawn {
      program.withPathCString { posix_spawn(&process, $0, &actions, &attributes, &words, environ) }
    }
    guard code == 0 else { throw ResourceShortage(.process, code: code) }
    return process
  }

  /// `POSIX_SPAWN_SETSID` of spawn.h, which is not imported.
  private static let newSession: Int16 = 0x80
}

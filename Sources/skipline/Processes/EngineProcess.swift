// Starting an engine in a process of its own, which neither the end of this process nor that of its terminal touches.

import Foundation
import Link
import Messages
import Resources
import Synchronization

/// A process that runs `skipline engine`.
///
/// It needs this one for nothing. While this one lives, it takes note of the other's end, so that none stays behind as
/// a zombie.
final class EngineProcess: Sendable {
  let connection: Connection
  private let ended = ThreadGroup()
  private let status = Mutex<Int32>(0)

  /// The descriptor that the new process finds its end of the first connection at.
  static let connectionDescriptor: Int32 = 3

  /// `POSIX_SPAWN_SETSID` of spawn.h, which is not imported.
  private static let newSession: Int16 = 0x80

  /// How long a new process may take to answer, seconds: on a busy machine the start alone takes some.
  static let patience = 30

  /// Starts one: in a session of its own, without a terminal, connected to this process by a pair of sockets.
  /// - Parameters:
  ///   - log: the file that takes its standard error until it has a run's folder.
  ///   - commandLine: what the run's record says it was started with.
  /// - Throws: `EngineStartFailure`.
  init(log: String, commandLine: [String]) throws {
    let calls = ResourceCalls.current
    var pair: (Int32, Int32) = (-1, -1)
    let refused = -calls.socketPair(&pair)
    guard refused == 0 else { throw EngineStartFailure(cause: ResourceShortage(.socket, code: refused)) }
    let (ours, theirs) = (Connection(descriptor: pair.0), pair.1)
    defer { close(theirs) }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    _ = log.withPathCString {
      posix_spawn_file_actions_addopen(
        &actions, STDERR_FILENO, $0, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
    }
    // Also takes the close-on-exec mark away, which the pair has.
    posix_spawn_file_actions_adddup2(&actions, theirs, Self.connectionDescriptor)

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
    posix_spawnattr_setflags(
      &attributes, Self.newSession | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))

    let words = ["skipline", EngineCommand.configuration.commandName ?? "engine", "--"] + commandLine
    var arguments = words.map { word in word.withPathCString { strdup($0) } } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    // The file this process runs, though another may have taken its name meanwhile.
    let code = -calls.spawn { posix_spawn(&process, "/proc/self/exe", &actions, &attributes, &arguments, environ) }
    guard code == 0 else { throw EngineStartFailure(cause: ResourceShortage(.process, code: code)) }
    connection = ours
    ended.enter()
    // Without it the process is not missed: only how it ended is then not told.
    try? SystemThread.start("end of the engine", stackSize: SystemThread.smallStack) { [self, process] in
      var status: Int32 = 0
      while waitpid(process, &status, 0) < 0, errno == EINTR {}
      self.status.withLock { $0 = status }
      ended.leave()
    }
  }

  /// Closes what this process inherited beside its connection, before it opens anything: a pipe that a training
  /// process holds open never ends for whoever reads it.
  static func closeOtherDescriptors() {
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    for number in numbers.compactMap({ Int32($0) }) where number > connectionDescriptor { close(number) }
  }

  /// How it ended, in words, where it ended badly; nil where it did not, or lives.
  var badEnding: String? {
    // A connection ends a moment before its process does.
    guard ended.wait(until: .now + .seconds(0.5)) else { return nil }
    let status = status.withLock { $0 }
    let (signal, code) = (status & 0x7f, status >> 8 & 0xff)
    if signal != 0 { return "it was ended by signal \(signal) (\(String(cString: strsignal(signal))))" }
    return code == 0 ? nil : "it ended with status \(code)"
  }
}

/// No process could be started.
struct EngineStartFailure: Error, CustomStringConvertible {
  let cause: ResourceShortage

  var description: String {
    "the engine's process cannot be started: \(cause); train without a screen (skipline train), or try again"
  }
}

// Starting an engine in a process of its own, which neither the end of this process nor that of its terminal touches.

import FoundationEssentials
import Glibc
import Messages
import Resources
import Synchronization
import Transport

/// A process that runs `skipline engine`.
///
/// It needs this one for nothing. While this one lives, it takes note of the other's end, so that none stays behind as
/// a zombie.
package final class EngineProcess: Sendable {
  package let connection: Connection
  private let ended = ThreadGroup()
  private let status = Mutex<Int32>(0)

  /// What the program is called with to be such a process.
  package static let subcommand = "engine"

  /// The descriptor that the new process finds its end of the first connection at.
  package static let connectionDescriptor: Int32 = 3

  /// How long a new process may take to answer, seconds: on a busy machine the start alone takes some.
  package static let timeout = 30

  /// Starts one: in a session of its own, without a terminal, connected to this process by a pair of sockets.
  /// - Parameters:
  ///   - log: the file that takes its standard error until it has a run's folder.
  ///   - commandLine: what the run's record says it was started with.
  /// - Throws: `EngineStartFailure`.
  package init(log: String, commandLine: [String]) throws {
    let calls = ResourceCalls.current
    var pair: (Int32, Int32) = (-1, -1)
    let refused = -calls.socketPair(&pair)
    guard refused == 0 else { throw EngineStartFailure(cause: ResourceShortage(.socket, code: refused)) }
    let (ours, theirs) = (Connection(descriptor: pair.0), pair.1)
    defer { close(theirs) }

    let words = ["skipline", Self.subcommand, "--"] + commandLine
    let process: pid_t
    do throws(ResourceShortage) {
      // The file this process runs, though another may have taken its name meanwhile.
      process = try ChildProcess.start(
        "/proc/self/exe", arguments: words, errors: log, errorFlags: O_APPEND | O_NOFOLLOW, startsSession: true,
        passing: (theirs, Self.connectionDescriptor))
    } catch {
      throw EngineStartFailure(cause: error)
    }
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
  package static func closeOtherDescriptors() {
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    for number in numbers.compactMap({ Int32($0) }) where number > connectionDescriptor { close(number) }
  }

  /// How it ended, in words, where it ended badly; nil where it did not, or lives.
  package var badEnding: String? {
    // A connection ends a moment before its process does.
    guard ended.wait(until: .now + .seconds(0.5)) else { return nil }
    let status = status.withLock { $0 }
    let (signal, code) = (status & 0x7f, status >> 8 & 0xff)
    if signal != 0 { return "it was ended by signal \(signal) (\(String(cString: strsignal(signal))))" }
    return code == 0 ? nil : "it ended with status \(code)"
  }
}

/// No process could be started.
package struct EngineStartFailure: Error, CustomStringConvertible {
  let cause: ResourceShortage

  package var description: String {
    "the engine's process cannot be started: \(cause); train without a screen (skipline train), or try again"
  }
}

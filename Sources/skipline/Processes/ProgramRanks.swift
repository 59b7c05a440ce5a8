// The program as one of several that mpirun or srun started: whether it is, the library of MPI that it then needs and
// loads, and how it leaves. A program that was started alone loads nothing.

import Files
import FoundationEssentials
import Glibc
import MPIRanks
import Ranks
import Synchronization

enum ProgramRanks {
  /// How the program was started; nil where it is alone.
  static let launch = RankLaunch(environment: ProcessInfo.processInfo.environment)

  private static let joined = Mutex<MPICommunicator?>(nil)

  /// The command that runs on several ranks.
  private static let commands: Set<String> = ["train"]
  /// What asks for nothing but words.
  private static let harmless: Set<String> = ["--version", "--help", "-h", "help"]

  /// To be asked before a command is run: others would do the same work several times, into the same files.
  /// - Parameter words: the command line.
  /// - Throws: `RanksRefusal`.
  static func requireUsable(_ words: [String]) throws {
    guard let launch, !words.contains(where: { harmless.contains($0) }) else { return }
    guard let command = words.first, commands.contains(command) else {
      throw RanksRefusal(
        "started \(launch.size) times by \(launch.launcher), and every one would do the same: only 'train' runs on "
          + "several ranks; start this once")
    }
    _ = try libraryPath(launch)
  }

  /// This rank among the others, which all have to call this. Once.
  /// - Throws: `RanksRefusal`, `MPILibraryError`, `RankFailure`.
  static func join() throws -> any Communicator {
    guard let launch else { return Loopback(machine: ProcessInfo.processInfo.hostName) }
    let ranks = try MPICommunicator(MPILibrary(path: libraryPath(launch)))
    guard ranks.size == launch.size else {
      // Each is alone in its own MPI, and none knows of the others.
      throw RanksRefusal(
        "\(launch.launcher) started \(launch.size) processes, but \(ranks.library) sees \(ranks.size): "
          + "\(MPILibrary.fileName) was made for another MPI; build it with the mpicc that belongs to this launcher"
      )
    }
    joined.withLock { $0 = ranks }
    return ranks
  }

  /// Says why the program failed, on standard error. Of several ranks one says so for all: others tell it.
  static func tell(_ failure: String) {
    let ranks = joined.withLock { $0 }
    if ranks?.speaks ?? true { Console.complain("skipline: \(failure)") }
    ranks?.abort(failure)
  }

  /// To be called at the end of the program: takes leave of the others, or ends them.
  /// - Parameter status: the exit status so far.
  /// - Returns: the exit status.
  static func finish(status: Int32) -> Int32 {
    guard let ranks = joined.withLock({ $0 }) else { return status }
    // The process may end in what follows.
    _ = Console.finish()
    if ranks.lost == nil, isOrderly(status) {
      do {
        try ranks.leave(status: status)
        return status
      } catch { tell("\(error)") }
    } else {
      ranks.abort("it ended with status \(status)")
    }
    _ = Console.finish()
    ranks.abandon(status: status == 0 ? ExitStatus.failure.rawValue : status)
  }

  /// Ended by a signal after saving is decided by all together, as is success.
  private static func isOrderly(_ status: Int32) -> Bool { status == 0 || status > 128 }

  /// Where the library is: named in the environment, beside the program, or where it is installed.
  private static func libraryPath(_ launch: RankLaunch) throws -> String {
    let (found, places) = try foundLibrary()
    if let found { return found }
    let source = ProgramFiles.folders(named: "mpi").map { "\($0)/skipline-mpi.c" }
      .first { ((try? FilePath.kind(of: $0)) ?? nil) == .file }
    let byHand = source.map { ", or by 'mpicc -shared -fPIC -O2 -o \(places[0]) \($0)'" } ?? ""
    throw RanksRefusal(
      "started \(launch.size) times by \(launch.launcher), but this program has no \(MPILibrary.fileName), by which "
        + "ranks work together, and each would train alone: make it by 'make build MPI=1' in Skipline's "
        + "sources\(byHand); or start skipline once, without the launcher")
  }

  /// The library that ranks would load; nil where there is none in the places where it is looked for.
  /// - Throws: `MPILibraryError` where the environment names none.
  static func foundLibrary() throws -> (path: String?, places: [String]) {
    if let named = ProcessInfo.processInfo.environment[MPILibrary.variable], !named.isEmpty {
      guard try FilePath.kind(of: named) == .file else {
        throw MPILibraryError(path: named, reason: "\(MPILibrary.variable) names no file")
      }
      return (named, [named])
    }
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let places = [program.path, program.deletingLastPathComponent().path + "/lib/skipline"]
      .map { "\($0)/\(MPILibrary.fileName)" }
    return (try places.first { try FilePath.kind(of: $0) == .file }, places)
  }
}

/// What several ranks cannot do, or not so.
struct RanksRefusal: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

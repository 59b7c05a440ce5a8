// The MPIs of this machine: each with its compiler and launcher, and ranks-probe started by it.

import Foundation
import Synchronization
import Testing
import TestSupport

/// An MPI that can compile and launch.
struct Installation: Sendable, CustomTestStringConvertible {
  var name: String
  var compiler: String
  var launcher: String
  /// As many ranks as are asked for, on however few processors.
  var options: [String] = []

  var testDescription: String { name }

  /// Debian has the names for one of several; elsewhere there is one.
  static let all: [Installation] = {
    let candidates = [
      Installation(
        name: "Open MPI", compiler: "mpicc.openmpi", launcher: "mpirun.openmpi", options: ["--oversubscribe"]),
      Installation(name: "MPICH", compiler: "mpicc.mpich", launcher: "mpirun.mpich"),
    ]
    let there = candidates.filter { isThere($0.compiler) && isThere($0.launcher) }
    guard there.isEmpty, isThere("mpicc"), isThere("mpirun") else { return there }
    return [Installation(name: "MPI", compiler: "mpicc", launcher: "mpirun")]
  }()

  static let isAny = !all.isEmpty
  static let absence: Testing.Comment = "there is no mpicc and mpirun: 'scripts/bootstrap --mpi' installs Open MPI"

  private static func isThere(_ name: String) -> Bool {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
    }
  }

  static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  /// Where the package manager puts tests and programs.
  static let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .path

  private static let libraries = Mutex<[String: String]>([:])
  private static let folder = Mutex<TemporaryFolder?>(nil)

  /// Compiles the library, once for each MPI.
  /// - Returns: its path.
  func library() throws -> String {
    try Self.libraries.withLock { libraries in
      if let made = libraries[name] { return made }
      let folder = try Self.folder.withLock { folder in
        let made = try folder ?? TemporaryFolder()
        folder = made
        return made
      }
      let path = folder.file("\(compiler).so")
      let build = Process()
      build.executableURL = URL(fileURLWithPath: "\(Self.package)/scripts/build-mpi")
      build.arguments = [path]
      build.environment = ProcessInfo.processInfo.environment.merging(["MPICC": compiler]) { $1 }
      try build.run()
      build.waitUntilExit()
      guard build.terminationStatus == 0 else { throw NotBuilt(name: name) }
      libraries[name] = path
      return path
    }
  }

  /// Starts ranks-probe.
  /// - Parameter words: the subcommand and its options.
  func start(_ ranks: Int, _ words: [String]) throws -> StartedRanks {
    try StartedRanks(
      ["timeout", "120", launcher] + options + [
        "-n", "\(ranks)", "\(Self.products)/ranks-probe", words[0], library(),
      ]
        + words.dropFirst())
  }

  func run(_ ranks: Int, _ words: String...) async throws -> (status: Int32, output: String, errors: String) {
    try await start(ranks, words).finish()
  }
}

struct NotBuilt: Error { var name: String }

/// mpirun, and what it and its ranks print.
final class StartedRanks: Sendable {
  private let process: Process
  private let folder: TemporaryFolder
  private let ending: AsyncStream<Int32>

  init(_ words: [String], environment: [String: String] = [:]) throws {
    folder = try TemporaryFolder()
    process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    // Tests run as root in containers, where Open MPI asks to be told twice that this is meant.
    process.environment = ProcessInfo.processInfo.environment.merging([
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    ]) { $1 }.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    try folder.write([], to: "output")
    try folder.write([], to: "errors")
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file("output")))
    let errors = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file("errors")))
    (process.standardOutput, process.standardError) = (output, errors)
    let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
    ending = stream
    process.terminationHandler = { process in
      continuation.yield(process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0))
      continuation.finish()
    }
    try process.run()
    try output.close()
    try errors.close()
  }

  deinit { if process.isRunning { process.terminate() } }

  var output: String { (try? folder.text("output")) ?? "" }
  var errors: String { (try? folder.text("errors")) ?? "" }

  /// Waits until something was printed.
  func wait(for text: String) async throws {
    for _ in 0..<3000 where process.isRunning && !output.contains(text) {
      try await Task.sleep(for: .milliseconds(20))
    }
    guard output.contains(text) else { throw NeverPrinted(text: text, output: output, errors: errors) }
  }

  /// The numbers of the ranks' processes, once all have met.
  func processes() async throws -> [Int32] {
    try await wait(for: "going on")
    let line = output.split(separator: "\n").first { $0.hasPrefix("processes ") } ?? ""
    return line.split(separator: " ").dropFirst().compactMap { Int32($0) }
  }

  func finish() async throws -> (status: Int32, output: String, errors: String) {
    for await status in ending { return (status, output, errors) }
    throw CancellationError()
  }
}

struct NeverPrinted: Error { var text, output, errors: String }

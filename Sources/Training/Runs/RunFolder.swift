// A run is a folder that the user can read with other tools. This file knows where in it everything is and how a new
// one comes to be; what is in the checkpoints and logs is the concern of others.

import Datasets
import Files
import Glibc
import Messages
import Support

/// The folder of one run:
///
///     runs/<name>/
///       run.json        settings, network, classes, split fingerprint, versions, command line
///       images.txt      the images it was started on
///       metrics.jsonl   a line a logged step and a line an epoch
///       results.csv     a row an epoch
///       checkpoints/    last.safetensors, best.safetensors, epoch-0003.safetensors ...
///       evaluations/    a JSON an evaluation (RunFolder+Evaluations.swift), and what it keeps of each image
///       events.out.tfevents.000001.skipline ...  what TensorBoard reads, where the run writes it
///       report.html     what `skipline report` wrote
///       log.txt
///       run.lock        held while a process trains the run
///       engine.sock     where that process can be reached
public struct RunFolder: Sendable, Hashable {
  public let path: String

  /// A run that was made before.
  /// - Throws: `RunFolderError.missing` or `.notARun`; `FileOperationError` for one that may not be looked into.
  public init(existing path: String) throws {
    guard let kind = try FilePath.kind(of: path) else { throw RunFolderError.missing(path: path) }
    self.init(path: path)
    guard kind == .folder, try FilePath.kind(of: checkpointsPath) == .folder else {
      throw RunFolderError.notARun(path: path)
    }
  }

  /// The folder of a run that was moved.
  init(moved path: String) { self.init(path: path) }

  private init(path: String) {
    var trimmed = path[...]
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    self.path = String(trimmed)
  }

  /// Makes the folder of a new run. The folder is made exclusively: of several programs that ask at once, each gets
  /// its own.
  /// - Parameters:
  ///   - project: the folder that holds runs; made if it does not exist.
  ///   - name: the run's name; nil for `defaultStem` with the lowest number that is free: `cifar20-1`, `cifar20-2`.
  ///   - defaultStem: usually the network's name.
  /// - Throws: `RunFolderError.exists` or `.badName`, or `FileOperationError`.
  public static func create(project: String, name: String?, defaultStem: String) throws -> RunFolder {
    let stem = name ?? defaultStem
    guard RunName.refusal(stem) == nil else { throw RunFolderError.badName(stem) }
    try Folder.make(project)
    let run = try name.map { try makeNamed($0, project: project) } ?? makeNumbered(stem, project: project)
    for folder in [run.checkpointsPath, run.evaluationsPath] where folder.withPathCString({ mkdir($0, 0o777) }) != 0
    {
      throw FileOperationError(path: folder, step: .makeFolder, code: errno)
    }
    try FileCalls.system.syncFolder(run.path)
    try FileCalls.system.syncFolder(project)
    return run
  }

  private static func makeNamed(_ name: String, project: String) throws -> RunFolder {
    let run = RunFolder(path: project + "/" + name)
    // Who may look into it is for the user's mask to say (umask); the socket that steers the run is its owner's alone.
    if run.path.withPathCString({ mkdir($0, 0o777) }) == 0 { return run }
    let code = errno
    if code == EEXIST { throw RunFolderError.exists(path: run.path) }
    throw FileOperationError(path: run.path, step: .makeFolder, code: code)
  }

  private static func makeNumbered(_ stem: String, project: String) throws -> RunFolder {
    var number = 1
    while true {
      do { return try makeNamed("\(stem)-\(number)", project: project) } catch RunFolderError.exists {
        number += 1
      }
    }
  }

  /// The runs of a project, in natural order of their names, also those that may not be looked into; none where there
  /// is no such folder.
  /// - Throws: `FileOperationError` for a folder that cannot be read.
  public static func listRuns(project: String) throws -> [RunFolder] {
    guard try FilePath.kind(of: project) != nil else { return [] }
    return try Folder.names(in: project).sorted { NaturalOrder.precedes($0, $1) }
      .map { RunFolder(path: project + "/" + $0) }
      .filter { run in
        do throws(FileOperationError) { return try FilePath.kind(of: run.recordPath) != nil } catch { return true }
      }
  }

  public var name: String { path.split(separator: "/").last.map(String.init) ?? path }
  public var recordPath: String { path + "/run.json" }
  public var metricsPath: String { path + "/metrics.jsonl" }
  public var resultsPath: String { path + "/results.csv" }
  public var logPath: String { path + "/log.txt" }
  /// What the engine's process writes to standard error: nothing, unless it crashes.
  public var engineLogPath: String { path + "/engine.log" }
  public var lockPath: String { path + "/run.lock" }
  public var checkpointsPath: String { path + "/checkpoints" }
  public var evaluationsPath: String { path + "/evaluations" }
}

/// A run's folder that cannot be made or used.
public enum RunFolderError: Error, Equatable, Sendable, CustomStringConvertible {
  case exists(path: String)
  case missing(path: String)
  case notARun(path: String)
  case badName(String)
  case unreadable(path: String, reason: String)
  /// Another process trains it; its number where it is known.
  case inUse(path: String, process: Int32?)

  public var description: String {
    switch self {
    case .exists(let path):
      "\(path): this run exists already; choose another name, or resume it"
    case .missing(let path):
      "\(path): there is no such run or checkpoint; check the path"
    case .notARun(let path):
      "\(path): not the folder of a run, it has no checkpoints folder; name a folder that training made"
    case .badName(let name):
      "\"\(name)\" cannot name a run: \(RunName.rule)"
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason); restore it or start a new run"
    case .inUse(let path, let process):
      "\(path) is being trained by " + (process.map { "process \($0)" } ?? "another process")
        + "; look on with 'skipline watch', or stop it with 'skipline stop'"
    }
  }
}

// Where the runs are made that are to suffer: a folder with a small dataset, and what every row does with runs: start
// them, look at them, and compare what is left with a run that nothing happened to.

import Foundation
import Messages
import SampleData
import Support
import Synchronization
import Training
import WeightFiles

/// A working folder that is this process's current one.
final class Laboratory: Sendable {
  let skipline: String
  let kills: Int
  let mutations: Int
  let seed: UInt64
  private let folder: String
  private let isClosed = Mutex(false)

  /// - Parameter inMemory: whether the folder may lie in memory, where a million files are quicker to write.
  init(skipline: String, kills: Int, mutations: Int, seed: UInt64, inMemory: Bool) throws {
    try expect(access(skipline, X_OK) == 0, "there is no \(skipline): build it first")
    self.skipline = skipline
    self.kills = kills
    self.mutations = mutations
    self.seed = seed
    let memory = "/dev/shm"
    let place =
      inMemory && access(memory, W_OK) == 0 ? URL(fileURLWithPath: memory) : FileManager.default.temporaryDirectory
    folder = place.appendingPathComponent("skipline-soak-\(getpid())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try expect(chdir(folder) == 0, "\(folder) cannot be entered")
    // Not SampleSet.write(to:), which waits for the disk after every file.
    let set = SampleSet(seed: 7, side: 16, trainingCount: 6, testCount: 2)
    for item in set.items {
      let path = "data/\(item.path)"
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try Data(try set.picture(of: item).encodedAsPNG()).write(to: URL(fileURLWithPath: path))
    }
    setenv("HOME", folder, 1)
    setenv("TERM", "xterm-256color", 1)
    setenv("LINES", "24", 1)
    setenv("COLUMNS", "80", 1)
  }

  /// Ends every process that works here, also those that outlive whoever started them, and removes the folder.
  func close() {
    let wasClosed = isClosed.withLock { isClosed in
      defer { isClosed = true }
      return isClosed
    }
    guard !wasClosed else { return }
    for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let number = Int32(entry), number != getpid() else { continue }
      let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(number)/cwd")
      if place == folder { kill(number, SIGKILL) }
    }
    usleep(100_000)
    try? FileManager.default.removeItem(atPath: folder)
  }

  func random(_ stream: UInt64) -> RandomGenerator { RandomGenerator(seed: seed &+ stream &* 0x9E37_79B9) }

  // MARK: Runs

  /// The arguments of a run that saves after every epoch and logs every step.
  func settings(_ run: String, epochs: Int, seed: Int = 0, threads: Int = 1, project: String = "runs") -> [String] {
    [
      "data", "--net", "cifar8", "--width", "0.25", "--imgsz", "16", "--batch", "8", "--epochs", "\(epochs)",
      "--log-every", "1", "--save-every", "1", "--keep", "2", "--seed", "\(seed)", "--threads", "\(threads)",
      "--project", project, "--name", run,
    ]
  }

  func start(_ words: [String], output: String = "output.txt", environment: [String: String] = [:]) throws -> Child
  {
    try Child([skipline] + words, output: output, environment: environment)
  }

  /// Runs the program to its end.
  func finish(_ words: [String], output: String = "output.txt", environment: [String: String] = [:]) throws
    -> Ending
  {
    try start(words, output: output, environment: environment).wait()
  }

  /// A run that nothing happens to.
  /// - Returns: its seconds, and those until its first checkpoint.
  func reference(_ run: String, epochs: Int, seed: Int = 0, threads: Int = 1) throws -> (
    total: Double, first: Double
  ) {
    let start = ContinuousClock.now
    let child = try self.start(["train"] + settings(run, epochs: epochs, seed: seed, threads: threads))
    try waitUntil("a checkpoint") { exists("runs/\(run)/checkpoints/last.safetensors") || child.poll() != nil }
    let first = (ContinuousClock.now - start).seconds
    try expect(child.wait() == .exited(0), "the run without any fault failed: \(text("output.txt"))")
    return ((ContinuousClock.now - start).seconds, first)
  }

  /// The exit status for a run that was ended before its first save.
  static let nothingToResume: Int32 = 66

  /// Goes on with a run to its end; where it had saved nothing and cannot be resumed, starts it anew.
  /// - Returns: whether it was resumed.
  @discardableResult
  func goOn(_ run: String, starting: [String]) throws -> Bool {
    if exists("runs/\(run)/run.json") {
      let ending = try finish(["train", "--resume", "runs/\(run)"])
      if ending == .exited(0) { return true }
      try expect(
        ending == .exited(Self.nothingToResume) && !exists("runs/\(run)/checkpoints/last.safetensors"),
        "\(run) cannot be resumed: \(ending): \(text("output.txt").suffix(400))")
    }
    remove("runs/\(run)")
    let ending = try finish(starting)
    try expect(ending == .exited(0), "\(run) cannot be begun anew: \(ending): \(text("output.txt").suffix(400))")
    return false
  }

  /// Goes on with a run that has a checkpoint, to its end.
  func resumeToEnd(_ run: String) throws {
    let ending = try finish(["train", "--resume", "runs/\(run)"])
    try expect(ending == .exited(0), "\(run) cannot be resumed: \(ending): \(text("output.txt").suffix(400))")
  }

  func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

  // MARK: Looking

  /// Reads every checkpoint of a run, checksum and all.
  /// - Returns: how many there are, and how many files are left of saves that did not end.
  @discardableResult
  func verify(_ run: String, project: String = "runs") throws -> (checkpoints: Int, leftovers: Int) {
    let folder = "\(project)/\(run)/checkpoints"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let files = names.filter { $0.hasSuffix(".safetensors") }
    for file in files { _ = try Safetensors.read(path: "\(folder)/\(file)") }
    return (files.count, names.count { $0.hasSuffix(".partial") })
  }

  /// The steps that `last` holds; nil where there is none.
  func savedStep(_ run: String, project: String = "runs") throws -> Int? {
    let path = "\(project)/\(run)/checkpoints/last.safetensors"
    guard exists(path) else { return nil }
    return CheckpointInfo(path: path, metadata: try Safetensors.readMetadata(path: path))?.step
  }

  /// Steps in a run's metrics.
  func loggedSteps(_ run: String, project: String = "runs") throws -> Int {
    try MetricsLog.read(path: "\(project)/\(run)/metrics.jsonl").steps.last?.step ?? 0
  }

  /// Two finished runs have the same checkpoints, bit for bit, and the same metrics, each line once.
  func expectSame(_ run: String, as reference: String) throws {
    func checkpoints(_ run: String) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: "runs/\(run)/checkpoints").sorted()
    }
    let names = try checkpoints(reference)
    let found = try checkpoints(run)
    try expect(found == names, "\(run) has checkpoints \(found), not \(names)")
    for name in names {
      let ours = try Safetensors.read(path: "runs/\(run)/checkpoints/\(name)")
      let theirs = try Safetensors.read(path: "runs/\(reference)/checkpoints/\(name)")
      try expect(ours.names == theirs.names, "\(run): \(name) has other arrays")
      for array in ours.names {
        try expect(
          Self.bits(try ours.array(array)) == Self.bits(try theirs.array(array)),
          "\(run): \(array) of \(name) differs from that of a run without interruption")
      }
    }
    let ours = try MetricsLog.read(path: "runs/\(run)/metrics.jsonl")
    let theirs = try MetricsLog.read(path: "runs/\(reference)/metrics.jsonl")
    try expect(ours.unreadableLines == 0, "\(run): \(ours.unreadableLines) torn lines in its metrics")
    try expect(
      ours.steps.map(\.step) == theirs.steps.map(\.step), "\(run): a step is missing in its metrics, or there twice"
    )
    try expect(
      ours.epochs.map(\.epoch) == theirs.epochs.map(\.epoch), "\(run): an epoch is missing, or there twice")
    for (mine, other) in zip(ours.steps, theirs.steps) {
      try expect(
        mine.loss == other.loss && mine.accuracy == other.accuracy && mine.learningRate == other.learningRate
          && mine.gradientNorm == other.gradientNorm, "\(run): step \(mine.step) has other figures")
    }
    for (mine, other) in zip(ours.epochs, theirs.epochs) {
      try expect(
        mine.trainLoss == other.trainLoss && mine.validation == other.validation,
        "\(run): epoch \(mine.epoch) has other figures")
    }
    let rows = text("runs/\(run)/results.csv").split(separator: "\n").count
    try expect(rows == theirs.epochs.count + 1, "\(run): results.csv has \(rows) lines")
  }

  private static func bits(_ array: NamedArray) -> [UInt64] {
    switch array.values {
    case .float32(let values): values.map { UInt64($0.bitPattern) }
    case .int64(let values): values.map { UInt64(bitPattern: $0) }
    default: preconditionFailure("no checkpoint has such numbers")
    }
  }
}

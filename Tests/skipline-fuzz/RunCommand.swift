// Runs entries in a process of their own, sees when an input kills it or keeps it, and writes that input down.

import ArgumentParser
import Foundation
import Fuzzing

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Feeds inputs to entries; the exit status is 1 if one did harm.",
    discussion: "The input of a number is the same in every run with the same --seed and --corpus.")

  @Argument(help: "Which entries; all if none is named.") var entries: [FuzzEntry] = []
  @OptionGroup var inputs: InputOptions
  @Option(help: "How many inputs an entry gets.") var count: UInt64 = 1_000_000
  @Option(help: "The first input's number.") var first: UInt64 = 0
  @Option(help: "Seconds after which an input counts as endless.") var limit: Double = 10
  @Option(help: "The folder for inputs that did harm.") var findings = "fuzz-findings"

  func run() throws {
    var harm = 0
    for entry in entries.isEmpty ? FuzzEntry.all : entries {
      let start = ContinuousClock.now
      var (accepted, next, state) = (UInt64(0), first, WorkerState())
      var slowest: (number: UInt64, microseconds: UInt64) = (0, 0)
      var peak: UInt64 = 0
      while next < first + count {
        let ending = try work(entry, from: next, to: first + count, state: &state)
        accepted += state.accepted
        peak = max(peak, state.peakMemory)
        if state.slowestMicroseconds > slowest.microseconds {
          slowest = (state.slowestNumber, state.slowestMicroseconds)
        }
        guard let ending else { break }
        harm += 1
        try keep(entry, number: state.number, why: ending)
        next = state.number + 1
      }
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      tell(
        "\(entry.name): \(count) inputs in \(Int(seconds)) s, \(accepted) accepted, seed \(inputs.seed); slowest "
          + "number \(slowest.number) with \(slowest.microseconds) µs; \(peak >> 20) MiB at most")
    }
    if harm > 0 {
      tell("\(harm) inputs did harm; they are in \(findings)")
      throw ExitCode(1)
    }
  }

  /// Feeds inputs until all are fed or one did harm.
  /// - Returns: what happened, nil if nothing did; `state.number` says at which input.
  private func work(
    _ entry: FuzzEntry, from first: UInt64, to end: UInt64, state: inout WorkerState
  ) throws -> String? {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("state").path
    try Data().write(to: URL(fileURLWithPath: file))
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CocoaError(.fileReadNoSuchFile) }
    defer { close(descriptor) }

    let worker = Process()
    worker.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    worker.arguments = ["worker", entry.name, "--seed", "\(inputs.seed)", "--first", "\(first)", "--end", "\(end)"]
    worker.arguments? += ["--state", file] + (inputs.corpus.map { ["--corpus", $0] } ?? [])
    try worker.run()
    var last = UInt64.max
    var lastChange = ContinuousClock.now
    while worker.isRunning {
      Thread.sleep(forTimeInterval: 0.05)
      let number = WorkerState.read(descriptor).number
      if number != last { (last, lastChange) = (number, .now) }
      if ContinuousClock.now - lastChange > .seconds(limit) {
        kill(worker.processIdentifier, SIGKILL)
        worker.waitUntilExit()
        state = WorkerState.read(descriptor)
        return "no end within \(limit) s"
      }
    }
    state = WorkerState.read(descriptor)
    if worker.terminationReason == .uncaughtSignal { return "signal \(worker.terminationStatus)" }
    return worker.terminationStatus == 0 ? nil : "exit status \(worker.terminationStatus)"
  }

  private func keep(_ entry: FuzzEntry, number: UInt64, why: String) throws {
    try FileManager.default.createDirectory(atPath: findings, withIntermediateDirectories: true)
    let path = "\(findings)/\(entry.name)-\(inputs.seed)-\(number)"
    try Data(inputs.makeRun(entry).input(number: number)).write(to: URL(fileURLWithPath: path))
    tell("\(entry.name): input \(number) of seed \(inputs.seed): \(why); written to \(path)")
  }

  /// A line at once, also into a file: `print` would keep it until the end.
  private func tell(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
}

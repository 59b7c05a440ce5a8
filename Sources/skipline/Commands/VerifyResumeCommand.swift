// `skipline verify-resume`: shows on the user's own data and settings that a run which is killed and resumed becomes
// the run that was never interrupted. What is compared is in Training; here are the processes and the killing.

import ArgumentParser
import Canvas
import FoundationEssentials
import Engine
import Glibc
import Messages
import Support
import Training
import Workbench

struct VerifyResumeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify-resume",
    abstract: "Shows that killing and resuming a run changes nothing.",
    discussion: """
      Trains a number of steps in one go, then once more in processes that are killed at random moments (SIGKILL) and \
      resumed, with one thread and two by turns unless --threads says how many, and compares the weights bit for bit and the metrics line by line. \
      Takes the options of train; reads the images from their files, without an image cache. Ends with 0 if they are the same, with 1 if not; leaves nothing behind.
      """)

  @Argument(help: "The dataset's folder.", transform: given) var data: String
  @Option(Limits.steps) var steps = 60
  @Option(Limits.interruptions) var interruptions = 6
  @OptionGroup var options: TrainingOptions

  func run() throws {
    let signals = try SignalWatcher()
    let folder = FileManager.default.temporaryDirectory.path + "/skipline-verify-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var settings = try options.settings(data: data, tell: { _ in })
    settings.project = folder
    settings.keep = KeepPolicy(everyEpochs: 0)
    settings.logEvery = 1
    // An image cache would stay in the user's cache folder, and its making would hide the run's pace from the killing.
    settings.cache.isEnabled = false
    do {
      let trial = ResumeTrial(settings: settings, steps: steps, isAsked: { signals.received != nil })
      let verdict = try trial.run(interruptions: interruptions)
      print(verdict)
      if !verdict.comparison.isSame { throw ExitCode(ExitStatus.failure.rawValue) }
    } catch is CancellationError {
      throw ExitCode(128 + (signals.received ?? SIGINT))
    }
  }

  private func print(_ verdict: ResumeTrial.Verdict) {
    let comparison = verdict.comparison
    let compared =
      "\(Format.counted(comparison.arrays, "array")) of \(Format.count(comparison.values)) numbers, "
      + "\(Format.counted(comparison.steps, "step")) and \(Format.counted(comparison.epochs, "epoch")) of metrics"
    let killed = "killed \(Format.counted(verdict.interruptions, "time")) and resumed"
    guard comparison.isSame else {
      Console.print("NOT the same: the run that was \(killed) differs from the one in one go")
      for difference in comparison.differences.prefix(20) { Console.print("  \(difference)") }
      return
    }
    Console.print("the same, bit for bit: \(compared); \(killed)")
    if comparison.epochs == 0 {
      Console.print("no epoch ended within these steps; --steps with more than one epoch's tests validating too")
    }
  }
}

/// A run in one go, and one in pieces.
private struct ResumeTrial {
  struct Verdict {
    var interruptions: Int
    var comparison: RunComparison
  }

  /// With one name of its own for each of the two.
  let settings: TrainingSettings
  let steps: Int
  /// Whether to give up.
  let isAsked: () -> Bool

  private static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path

  func run(interruptions wanted: Int) throws -> Verdict {
    Console.progress("training \(steps) steps in one go")
    let whole = try timed("whole")
    for attempt in 0..<5 {
      let name = "parts\(attempt)"
      Console.progress("training them again, killed \(Format.counted(wanted, "time"))")
      let interruptions = try trainInParts(name, wanted, pace: whole)
      // Such a fast run may be over before it is killed even once.
      guard interruptions > 0 else { continue }
      let comparison = try RunComparison(folder("whole"), folder(name))
      return Verdict(interruptions: interruptions, comparison: comparison)
    }
    throw TrialFailure(reason: "the run is over before it can be killed: give it more --steps")
  }

  // MARK: The two runs

  private struct Pace {
    /// Seconds until the first step begins, and from then on.
    var start: Double
    var steps: Double
  }

  /// Trains in one go and takes the time.
  private func timed(_ name: String) throws -> Pace {
    let clock = ContinuousClock()
    let begin = clock.now
    let process = try started(name)
    var start: Double?
    while process.isRunning {
      if start == nil, FileManager.default.fileExists(atPath: "\(settings.project)/\(name)/log.txt") {
        start = (clock.now - begin).seconds
      }
      try pause(process)
    }
    try requireSuccess(process)
    let whole = (clock.now - begin).seconds
    return Pace(start: start ?? 0, steps: whole - (start ?? 0))
  }

  /// Trains, killed at random moments.
  /// - Returns: how often it was killed.
  private func trainInParts(_ name: String, _ wanted: Int, pace: Pace) throws -> Int {
    var killed = 0
    while killed < wanted {
      let process = try started(name, part: killed)
      // Also before the first step; on the average a run gets through in so many parts.
      let delay = Double.random(in: 0...(pace.start + 2 * pace.steps / Double(wanted + 1)))
      let deadline = ContinuousClock.now + .seconds(delay)
      while process.isRunning && ContinuousClock.now < deadline { try pause(process) }
      guard process.isRunning else {
        try requireSuccess(process)
        return killed
      }
      process.kill()
      killed += 1
      Console.progress("killed at step \(savedStep(name).map { "\($0) or later" } ?? "0 or later")")
    }
    if savedStep(name) ?? 0 >= steps { return killed }
    let process = try started(name, part: killed)
    while process.isRunning { try pause(process) }
    try requireSuccess(process)
    return killed
  }

  // MARK: Processes

  /// Starts the run, or resumes it where there is one.
  /// - Parameter part: counts the processes of one run, from 0.
  private func started(_ name: String, part: Int = 0) throws -> ChildProcess {
    let run = "\(settings.project)/\(name)"
    if FileManager.default.fileExists(atPath: run + "/run.json") {
      return try ChildProcess(
        Self.program,
        arguments: [
          "train", "--resume", run, "--until-step", "\(steps)", "--threads", "\(settings.threads ?? part % 2 + 1)",
        ],
        errors: log)
    }
    try? FileManager.default.removeItem(atPath: run)
    // A path that begins with a dash would be taken for an option.
    var own = settings.absolute(from: WorkingFolder.path)
    own.name = name
    // The run in parts is saved all the time, so that it is resumed from anywhere.
    if name != "whole" { own.safety.saveMinutes = 0.05 / 60 }
    // The words of a shell, and its process becomes the program's.
    let words = own.commandLine.dropFirst("skipline".count)
    return try ChildProcess(
      "/bin/sh", arguments: ["-c", "exec \"$0\"\(words) --until-step \(steps)", Self.program], errors: log)
  }

  private var log: String { settings.project + "/errors.txt" }

  /// Waits a moment; gives up if asked to.
  private func pause(_ process: ChildProcess) throws {
    guard !isAsked() else {
      process.kill()
      throw CancellationError()
    }
    usleep(2000)
  }

  private func requireSuccess(_ process: ChildProcess) throws {
    guard !process.hasSucceeded else { return }
    let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    let last = said.split(separator: "\n").suffix(3).joined(separator: " ")
    throw TrialFailure(reason: "a run of the trial failed: \(process.ending)\(last.isEmpty ? "" : ": \(last)")")
  }

  private func folder(_ name: String) throws -> RunFolder { try RunFolder(existing: "\(settings.project)/\(name)") }

  private func savedStep(_ name: String) -> Int? {
    guard let path = try? folder(name).path(of: .last) else { return nil }
    return (try? Checkpoint.trainingState(path: path))?.step
  }
}

/// A trial that came to no verdict.
struct TrialFailure: Error, CustomStringConvertible {
  let reason: String
  var description: String { reason }
}

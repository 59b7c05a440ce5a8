// `skipline runs`: what is being trained, and what there is to evaluate and to resume.

import ArgumentParser
import Canvas
import Messages
import Training
import Workbench

struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "Lists the runs of a folder, whether they are being trained, and their checkpoints.")

  @Option(help: "The folder that holds runs. (default: runs, here or in a folder above)") var project: String?
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let project = project ?? ProjectFolder.nearest
    let runs = try RunFolder.listRuns(project: project).map { RunListing($0) }
    for run in runs { if let problem = run.problem { Console.complain("! \(problem)") } }
    if json { return try Console.print(json: runs) }
    if runs.isEmpty { return Console.print("no runs in \(project)") }
    let rows = runs.map { run in
      [
        run.folder, run.state, run.network ?? "-", run.epochs.map { "\(run.epoch)/\($0)" } ?? "\(run.epoch)",
        Format.count(run.step), run.best?.brief(decimals: 2) ?? "-",
      ]
    }
    for line in Console.table(
      [["run", "state", "network", "epochs", "step", "best validation"]] + rows, hasPaths: true)
    {
      Console.print(line)
    }
    let all = runs.flatMap(\.checkpoints)
    // A column that most people's runs have no use for.
    let hasWeights = all.contains { $0.weights != nil }
    let checkpoints = all.map { checkpoint in
      [
        checkpoint.path, "\(checkpoint.epoch)", Format.count(checkpoint.step),
        checkpoint.score?.brief(decimals: 2) ?? "-", checkpoint.savedAt,
      ] + (hasWeights ? [checkpoint.weights?.rawValue ?? "trained"] : [])
    }
    guard !checkpoints.isEmpty else { return }
    Console.print("")
    for line in Console.table(
      [["checkpoint", "epoch", "step", "validation", "saved"] + (hasWeights ? ["weights"] : [])] + checkpoints,
      hasPaths: true)
    {
      Console.print(line)
    }
  }
}

/// A run as `skipline runs` lists it.
struct RunListing: Codable, Equatable {
  var folder: String
  /// `training`, `paused`, `diverged` (it waits to be told how to go on), `validating`, `evaluating`, `preparing` or
  /// `stopping` while a process trains it; `finished` when all its epochs are done, the last one not cut short by its
  /// time budget; `unreadable` where that cannot be told; else `resumable`.
  var state: String
  /// Why it cannot be read; nil where it can.
  var problem: String?
  /// The process that trains it.
  var process: Int32?
  var network: String?
  var data: String?
  /// Epochs and steps done, and epochs asked for.
  var epoch: Int
  var epochs: Int?
  var step: Int
  /// The best score, by the run's metric.
  var best: Score?
  /// The same where that is the accuracy.
  var bestValidationAccuracy: Double?
  /// All that can be evaluated, those too that do not count for the numbers above: abandoned ones, files put there.
  var checkpoints: [CheckpointInfo]

  init(_ run: RunFolder) {
    folder = run.path
    checkpoints = run.checkpoints()
    let record: RunRecord?
    do {
      _ = try RunFolder(existing: run.path)
      record = try run.record()
    } catch {
      (record, problem) = (nil, "\(error)")
    }
    network = record?.settings.network.name
    data = record?.settings.data
    epochs = record?.settings.epochs
    let progress = run.progress(of: checkpoints, record)
    let done = progress.epoch
    epoch = done
    best = progress.best
    bestValidationAccuracy = best?.metric == .top1 ? best?.value : nil
    process = RunLock.holder(of: run)
    let saved = progress.step
    let isDone = record.map { done >= $0.settings.epochs && !progress.wasCutShort } ?? false
    if process != nil {
      let live = LiveStatus(folder: run.path)
      state = live.map { $0.hasDiverged ? "diverged" : $0.state.word } ?? "in use"
      // After a roll-back it is below what was saved before.
      step = live?.step?.step ?? saved
    } else {
      state = problem != nil ? "unreadable" : isDone ? "finished" : "resumable"
      step = saved
    }
  }
}

extension EngineState {
  /// For a list.
  fileprivate var word: String {
    switch self {
    case .idle: "ending"
    case .preparing: "preparing"
    case .training: "training"
    case .paused: "paused"
    case .validating: "validating"
    case .evaluating: "evaluating"
    case .stopping: "stopping"
    }
  }
}

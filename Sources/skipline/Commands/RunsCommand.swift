// `skipline runs`: what is being trained, and what there is to evaluate and to resume.

import ArgumentParser
import Canvas
import Messages
import Support
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
    for run in runs { if let problem = run.summary.problem { Console.complain("! \(problem)") } }
    if json { return try Console.print(json: runs) }
    if runs.isEmpty { return Console.print("no runs in \(project)") }
    // Columns that not every project has a use for.
    let hasOrigin = runs.contains { $0.initialWeights != nil }
    let hasTest = runs.contains { $0.test != nil }
    let hasNotes = runs.contains { $0.note != nil }
    let rows = runs.map(\.summary).map { run -> [String] in
      [
        run.folder, run.state.rawValue, run.network ?? "-",
        run.epochs.map { "\(run.epoch)/\($0)" } ?? "\(run.epoch)", Format.count(run.step),
        run.best?.brief(decimals: 2) ?? "-",
      ] + (hasTest ? [run.test.map { "\(Format.percent($0.top1, decimals: 2)) (\($0.checkpoint))" } ?? "-"] : [])
        + (hasOrigin ? [run.initialWeights?.shownPath(from: WorkingFolder.path) ?? "-"] : [])
        + (hasNotes ? [run.note ?? ""] : [])
    }
    let head =
      ["run", "state", "network", "epochs", "step", "best validation"] + (hasTest ? ["test"] : [])
      + (hasOrigin ? ["begun from"] : []) + (hasNotes ? ["note"] : [])
    for line in Console.table([head] + rows, hasPaths: true) {
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

/// A run as `skipline runs` lists it, with its checkpoints.
@dynamicMemberLookup
struct RunListing: Codable {
  var summary: RunSummary
  /// The best validation accuracy, where that is what the run is judged by.
  var bestValidationAccuracy: Double?
  /// All that can be evaluated, those too that do not count for the numbers above: abandoned ones, files put there.
  var checkpoints: [CheckpointInfo]

  init(_ run: RunFolder) {
    checkpoints = run.checkpoints()
    summary = run.summary(of: checkpoints)
    let best = summary.best
    bestValidationAccuracy = best?.metric == .top1 ? best?.value : nil
    guard summary.process != nil, let live = LiveStatus(folder: run.path) else { return }
    summary.state = live.hasDiverged ? .diverged : RunSummary.State(live.state)
    // After a roll-back it is below what was saved before.
    summary.step = live.step?.step ?? summary.step
  }

  subscript<Value>(dynamicMember path: KeyPath<RunSummary, Value>) -> Value { summary[keyPath: path] }

  private enum Key: String, CodingKey { case bestValidationAccuracy, checkpoints }

  init(from decoder: any Decoder) throws {
    summary = try RunSummary(from: decoder)
    let container = try decoder.container(keyedBy: Key.self)
    bestValidationAccuracy = try container.decodeIfPresent(Double.self, forKey: .bestValidationAccuracy)
    checkpoints = try container.decode([CheckpointInfo].self, forKey: .checkpoints)
  }

  func encode(to encoder: any Encoder) throws {
    try summary.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encodeIfPresent(bestValidationAccuracy, forKey: .bestValidationAccuracy)
    try container.encode(checkpoints, forKey: .checkpoints)
  }
}

extension RunSummary.State {
  /// What an engine says that it does.
  fileprivate init(_ state: EngineState) {
    self =
      switch state {
      case .idle: .ending
      case .preparing: .preparing
      case .training: .training
      case .paused: .paused
      case .validating: .validating
      case .evaluating: .evaluating
      case .stopping: .stopping
      }
  }
}

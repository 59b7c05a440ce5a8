// `skipline runs`: what there is to evaluate and to resume.

import ArgumentParser
import Canvas
import Messages
import Training

struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "Lists the runs of a folder and their checkpoints.")

  @Option(help: "The folder that holds runs.") var project = "runs"
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let runs = try RunFolder.listRuns(project: project)
    let checkpoints = runs.flatMap { $0.checkpoints() }
    if json { return try Console.print(json: checkpoints) }
    let rows = checkpoints.map { checkpoint in
      [
        checkpoint.path, "\(checkpoint.epoch)", Format.count(checkpoint.step),
        checkpoint.validationAccuracy.map { Format.percent($0, decimals: 2) } ?? "-", checkpoint.savedAt,
      ]
    }
    if rows.isEmpty { return Console.print("no runs in \(project)") }
    for line in Console.table([["checkpoint", "epoch", "step", "validation", "saved"]] + rows) {
      Console.print(line)
    }
  }
}

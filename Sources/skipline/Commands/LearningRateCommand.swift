// `skipline lr-find`: the range test of the learning rate, as a chart of lines or as JSON.

import ArgumentParser
import Canvas
import Messages
import Training
import Workbench

struct LearningRateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lr-find",
    abstract: "Tries growing learning rates for some steps and says which one to train with.",
    discussion: "It takes the options of 'train'. Nothing is kept.")

  @Argument(help: "The dataset's folder.", transform: given) var data: String
  @OptionGroup var options: TrainingOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    do { try find() } catch {
      guard let status = ExitStatus(of: error) else { throw error }
      Console.complain("skipline: \(error)".shownPaths(from: WorkingFolder.path))
      throw ExitCode(status.rawValue)
    }
  }

  private func find() throws {
    let signals = try SignalWatcher()
    let preparation = PreparationPrinter()
    let settings = try options.settings(data: data, tell: { Console.progress($0) })
      .absolute(from: WorkingFolder.path)
    let (setup, curve) = try signals.cancelling { isCancelled in
      let setup = try RunSetup(settings, progress: { preparation.report($0) }, isCancelled: isCancelled)
      let curve = try LearningRateFinder(setup).curve(isCancelled: isCancelled)
      if isCancelled() { throw CancellationError() }
      return (setup, curve)
    }
    if json { return try Console.print(json: curve) }
    for line in LearningRateChart.lines(curve, width: Console.terminalWidth ?? 80, rows: 34) { Console.print(line) }
    Console.print(LearningRateChart.verdict(curve) + ", for batches of \(setup.settings.batchSize)")
  }
}

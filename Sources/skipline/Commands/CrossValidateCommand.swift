// `skipline cross-validate`: a run for each fold, in the foreground one after another, and their figures together. What
// the folds are, and what of them is there already, is Training's.

import ArgumentParser
import Canvas
import Glibc
import Messages
import Support
import Training

struct CrossValidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cross-validate",
    abstract: "Trains a run for each fold of a dataset, and says how well they do on average.",
    discussion: """
      Divides the images into folds, each class evenly and with --group-by no group apart, and trains as many runs, \
      NAME-fold1 and so on, each validated on the fold that it was not trained on. Test images of the data are left \
      out, as folders, lists, or shares that are given with --split say. Takes the options of train. Run again, it \
      keeps the folds that are finished and goes on with the others.
      """)

  @Argument(help: "The dataset's folder.", transform: given) var data: String
  @Option(Limits.folds) var folds = 5
  @Option(help: "Which epoch of a fold counts: last, or best by --best, which flatters a little.")
  var figures = CrossValidation.Epoch.last
  @OptionGroup var options: TrainingOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    do { try crossValidate() } catch {
      guard let status = ExitStatus(of: error) else { throw error }
      Console.complain("skipline: \(error)".shownPaths(from: WorkingFolder.path))
      throw ExitCode(status.rawValue)
    }
  }

  private func crossValidate() throws {
    Console.stopWaiting()
    let signals = try SignalWatcher()
    let settings = try options.settings(data: data, tell: { Console.progress($0) }).absolute(
      from: WorkingFolder.path)
    let isDivided = options.split != nil && settings.split.lists == nil
    let validation = try signals.cancelling { isCancelled in
      try CrossValidation(settings, folds: folds, isDivided: isDivided, isCancelled: isCancelled)
    }
    for line in FindingLines(validation.findings, data: data).short { Console.progress("! \(line)") }
    for note in validation.notes { Console.progress("! \(note)") }
    Console.progress(
      "\(folds) folds of \(Format.counted(validation.images, "image"))"
        + (validation.testImages > 0
          ? "; \(Format.counted(validation.testImages, "test image")) left out" : ""))
    for fold in 1...folds {
      let name = validation.path(fold).shownPath(from: WorkingFolder.path)
      let state = try validation.state(fold)
      if state == .finished {
        Console.progress("fold \(fold) of \(folds): \(name) is finished")
        continue
      }
      Console.progress("fold \(fold) of \(folds): \(state == .unfinished ? "goes on with " : "")\(name)")
      let preparation = PreparationPrinter()
      let job = try signals.cancelling { isCancelled in
        try validation.job(
          fold, commandLine: options.recorded(), progress: { preparation.report($0) }, isCancelled: isCancelled)
      }
      let outcome = try ForegroundTraining(signals: signals, json: false).train(job).outcome
      if let signal = signals.received { throw ExitCode(128 + signal) }
      // Ended by somebody who was attached.
      if outcome.reason == .stopped {
        throw SettingsError("\(name) was stopped; to go on: run the same command again")
      }
    }
    let results = try (1...folds).map { fold in
      var result = try validation.result(fold, at: figures)
      result.run = result.run.shownPath(from: WorkingFolder.path)
      return result
    }
    let document = Document(name: validation.name, figures: figures, folds: results)
    if json { try Console.print(json: document) } else { print(document) }
  }

  /// What comes of it.
  struct Document: Codable {
    var name: String
    /// Which epoch's.
    var figures: CrossValidation.Epoch
    var folds: [CrossValidation.FoldResult]
    var loss: FoldStatistics?
    var top1: FoldStatistics?
    var balancedAccuracy: FoldStatistics?
    var macroF1: FoldStatistics?

    init(name: String, figures: CrossValidation.Epoch, folds: [CrossValidation.FoldResult]) {
      self.name = name
      self.figures = figures
      self.folds = folds
      loss = FoldStatistics(folds.map(\.loss))
      top1 = FoldStatistics(folds.map(\.top1))
      balancedAccuracy = FoldStatistics(folds.map(\.balancedAccuracy))
      macroF1 = FoldStatistics(folds.map(\.macroF1))
    }
  }

  private func print(_ document: Document) {
    func share(_ value: Double?) -> String { Format.percent(value, decimals: 2) }
    func loss(_ value: Double?) -> String { value.map { Format.fixed($0, 4) } ?? Format.absent }
    let rows = document.folds.map {
      [
        "\($0.fold)", "\($0.epoch)", share($0.top1), share($0.balancedAccuracy), share($0.macroF1), loss($0.loss),
        $0.run,
      ]
    }
    let (top1, balanced, f1) = (document.top1, document.balancedAccuracy, document.macroF1)
    let sums = [
      ["mean", "", share(top1?.mean), share(balanced?.mean), share(f1?.mean), loss(document.loss?.mean), ""],
      ["std", "", share(top1?.std), share(balanced?.std), share(f1?.std), loss(document.loss?.std), ""],
    ]
    for line in Console.table(
      [["fold", "epoch", "top-1", "balanced", "macro F1", "loss", "run"]] + rows + sums, hasPaths: true)
    {
      Console.print(line)
    }
  }
}

extension CrossValidation.Epoch: ExpressibleByArgument {}

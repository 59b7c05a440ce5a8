// `skipline plot`: curves of runs, the recall of classes, a confusion matrix or a sheet of mistakes as a picture for a document.

import ArgumentParser
import Engine
import Files
import Messages
import Reports
import Support
import Training

/// What a picture may show.
enum PlotKind: String, ExpressibleByArgument, CaseIterable {
  case curves, recall, confusion, mistakes
}

struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot",
    abstract: "Draws curves of runs, the recall of each class, a confusion matrix or a sheet of mistakes.",
    discussion: """
      The file is SVG, or PNG where its name ends so; PNG needs rsvg-convert (apt install librsvg2-bin). Confusion and \
      mistakes are of an evaluation that 'skipline evaluate' has kept in the run.
      """)

  @Argument(help: "Runs' folders or names: several for curves, else one.", transform: given) var runs: [String]
  @Option(help: "The file to draw, NAME.svg or NAME.png.", transform: given) var out: String
  @Option(help: "curves, recall (of each class over the epochs), confusion or mistakes.") var kind = PlotKind.curves
  @Option(help: "Of confusion and mistakes: the evaluated images, train, val, test or all.")
  var split: EvaluationSplit?

  func validate() throws {
    if runs.isEmpty { throw ValidationError("name a run") }
    if [.curves, .recall].contains(kind), split != nil {
      throw ValidationError("--split is about confusion and mistakes: choose one with --kind")
    }
    if kind != .curves, runs.count > 1 {
      throw ValidationError("a picture of \(kind.rawValue) is of one run: \(runs.count) are named")
    }
    if runs.count > Figure.mostRuns {
      throw ValidationError("nobody tells more than \(Figure.mostRuns) runs apart in one picture: name fewer")
    }
    _ = try format()
  }

  private func format() throws -> PictureFile.Format {
    guard let format = PictureFile.Format(out) else {
      throw ValidationError("--out \(out): the name of a picture ends in .svg or .png")
    }
    return format
  }

  func run() throws {
    let format = try format()
    let folders = try runs.map(namedRun)
    let figure: Figure
    switch kind {
    case .curves: figure = try curves(folders)
    case .recall:
      figure = .recall(try MetricsLog.read(path: folders[0].metricsPath).recalls, name: folders[0].name)
    case .confusion: figure = .confusion(try evaluation(folders[0]), name: folders[0].name)
    case .mistakes:
      figure = .mistakes(try evaluation(folders[0]), name: folders[0].name) { count, first in
        Console.complain("! \(count) images cannot be shown, the first: \(first)")
      }
    }
    try PictureFile(path: out, format: format).write(figure)
    Console.print(out)
  }

  private func curves(_ folders: [RunFolder]) throws -> Figure {
    let names = folders.map(\.name)
    return .curves(
      try zip(folders, runs).map { folder, path in
        let history = try folder.history()
        if let gap = history.gap { Console.complain("! \(folder.path): \(gap)") }
        // Runs of two projects may have one name.
        let isAlone = names.count { $0 == folder.name } == 1
        return RunCurves(history, name: isAlone ? folder.name : path)
      })
  }

  private func evaluation(_ run: RunFolder) throws -> EvaluationReport {
    let kept = try KeptEvaluation(of: run, split: split)
    if !kept.isCurrent {
      Console.complain("! the evaluation is of an earlier checkpoint: skipline evaluate \(shellQuoted(run.path))")
    }
    return kept.report
  }
}

/// A run by its folder, or by its name among the runs here.
/// - Throws: `RunFolderError`, or `FileOperationError`.
func namedRun(_ name: String) throws -> RunFolder {
  let path = foundRun(name)
  if FilePath.isFolder(path) == nil, !name.contains("/"),
    let run = try? RunFolder(existing: "\(ProjectFolder.nearest)/\(name)")
  {
    return run
  }
  return try RunFolder(existing: path)
}

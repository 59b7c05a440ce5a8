// `skipline plot`: curves of runs, a confusion matrix or a sheet of mistakes as a picture for a document.

import ArgumentParser
import Engine
import Files
import FoundationEssentials
import Glibc
import Messages
import Reports
import Support
import Training

/// What a picture may show.
enum PlotKind: String, ExpressibleByArgument, CaseIterable {
  case curves, confusion, mistakes
}

struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot", abstract: "Draws curves of runs, a confusion matrix or a sheet of mistakes.",
    discussion: """
      The file is SVG, or PNG where its name ends so; PNG needs rsvg-convert (apt install librsvg2-bin). Confusion and \
      mistakes are of an evaluation that 'skipline evaluate' has kept in the run.
      """)

  @Argument(help: "Runs' folders or names: several for curves, else one.", transform: given) var runs: [String]
  @Option(help: "The file to draw, NAME.svg or NAME.png.", transform: given) var out: String
  @Option(help: "curves, confusion or mistakes.") var kind = PlotKind.curves
  @Option(help: "Of confusion and mistakes: the evaluated images, train, val, test or all.")
  var split: EvaluationSplit?

  func validate() throws {
    if runs.isEmpty { throw ValidationError("name a run") }
    if kind == .curves, split != nil {
      throw ValidationError("--split is about confusion and mistakes: choose one with --kind")
    }
    if kind != .curves, runs.count > 1 {
      throw ValidationError("a picture of \(kind.rawValue) is of one run: \(runs.count) are named")
    }
    if runs.count > Figure.mostRuns {
      throw ValidationError("nobody tells more than \(Figure.mostRuns) runs apart in one picture: name fewer")
    }
    _ = try PictureFile.Format(out)
  }

  func run() throws {
    let format = try PictureFile.Format(out)
    let folders = try runs.map(namedRun)
    let figure: Figure
    switch kind {
    case .curves: figure = try curves(folders)
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

/// A picture in a file of a format.
struct PictureFile {
  enum Format {
    case svg, png

    /// - Throws: `ValidationError` for a name that says neither.
    init(_ path: String) throws {
      let name = FilePath.split(path).name.lowercased()
      guard name.utf8.count > 4,
        let format: Format = name.hasSuffix(".svg") ? .svg : name.hasSuffix(".png") ? .png : nil
      else { throw ValidationError("--out \(path): the name of a picture ends in .svg or .png") }
      self = format
    }
  }

  let path: String
  let format: Format

  /// Dots for each pixel of a figure, in PNG.
  private static let zoom = 2
  private static let renderer = "rsvg-convert"

  /// - Throws: `FileOperationError`, `NoRenderer` or `RenderingFailure`; what was there then stays.
  func write(_ figure: Figure) throws {
    let svg = Data(figure.svg.utf8)
    switch format {
    case .svg: try AtomicFile.write(svg, to: path)
    case .png: try render(svg)
    }
  }

  private func render(_ svg: Data) throws {
    guard let program = Self.program(Self.renderer) else { throw NoRenderer(path: path) }
    let (folder, name) = FilePath.split(FilePath.absolute(path))
    // Beside the picture, so that putting it in place is one step.
    let (source, target, log) = (
      "\(folder)/.\(name).\(getpid()).svg", "\(folder)/.\(name).\(getpid()).png",
      "\(folder)/.\(name).\(getpid()).log"
    )
    defer { for file in [source, target, log] { file.withPathCString { _ = unlink($0) } } }
    do { try AtomicFile.write(svg, to: source) } catch let error as FileOperationError {
      throw FileOperationError(path: path, step: error.step, reason: error.reason)
    }
    let process = try ChildProcess(
      program, arguments: ["--zoom", "\(Self.zoom)", "--format", "png", "--output", target, source], errors: log)
    guard process.hasSucceeded, let png = try? InputFile.contents(of: target, bound: SizeBound.imageFile) else {
      let said =
        (try? InputFile.contents(of: log, bound: 1 << 16)).map { String(decoding: $0, as: UTF8.self) } ?? ""
      throw RenderingFailure(path: path, reason: said.isEmpty ? process.ending : said)
    }
    try AtomicFile.write(Data(png), to: path)
  }

  /// Where a program is, by the search path.
  private static func program(_ name: String) -> String? {
    let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    return folders.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }
}

/// What draws PNG is not installed.
struct NoRenderer: Error, CustomStringConvertible {
  var path: String

  var description: String {
    "\(path): PNG is drawn by rsvg-convert, which is not installed: apt install librsvg2-bin; or name a file that ends "
      + "in .svg"
  }
}

/// What draws PNG could not.
struct RenderingFailure: Error, CustomStringConvertible {
  var path: String
  var reason: String

  var description: String { "\(path): rsvg-convert could not draw it: \(reason)" }
}

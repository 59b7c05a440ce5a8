// The commands that do without a screen what the workbench does, besides training: shown in the panes and the palette.

import Messages
import Support

/// Commands as text.
enum ShellCommand {
  static func check(_ data: String, _ split: SplitSettings = SplitSettings()) -> String {
    "skipline check " + shellQuoted(data) + split.folderOptions
  }

  static func summary(
    _ network: NetworkSettings, imageSize: Int, classes: Int, freeze: FreezeSettings = .none
  ) -> String {
    (["skipline", "summary", shellQuoted(network.name)] + network.optionWords
      + ["--imgsz", "\(imageSize)", "--classes", "\(classes)"]
      + (freeze.freezes ? [shellOption("--freeze", freeze.description)] : []))
      .joined(separator: " ")
  }

  static func evaluate(
    _ checkpoint: String, data: String, split: EvaluationSplit?, folders: SplitFolders? = nil
  ) -> String {
    let words = ["skipline evaluate", shellQuoted(checkpoint), "--data", shellQuoted(data)]
    return (words + (split.map { ["--split", $0.rawValue] } ?? []) + (folders?.optionWords ?? []))
      .joined(separator: " ")
  }

  static func suspects(of checkpoint: String, data: String) -> String {
    "skipline check \(shellQuoted(data)) \(shellOption("--model", checkpoint))"
  }

  static func compare(_ first: EvaluationSource, _ second: EvaluationSource) -> String {
    let words = ["skipline compare", shellQuoted(first.checkpoint), shellQuoted(second.checkpoint)]
    return (words + (second.data.map { ["--data", shellQuoted($0)] } ?? []) + ["--split", second.split.rawValue])
      .joined(separator: " ")
  }

  /// What the layers of a checkpoint are like.
  static func layers(_ checkpoint: String) -> String { "skipline layers " + shellQuoted(checkpoint) }

  /// Where a network looks for some classes.
  static func explain(_ checkpoint: String, file: String, classes: [String]) -> String {
    (["skipline explain", shellQuoted(checkpoint), shellQuoted(file)] + classes.map { shellOption("--class", $0) })
      .joined(separator: " ")
  }

  /// The weights of a run under way, as they are after the next step.
  static func evaluateNow(_ run: String, split: EvaluationSplit?) -> String {
    (["skipline evaluate", shellQuoted(run), "--now"] + (split.map { ["--split", $0.rawValue] } ?? []))
      .joined(separator: " ")
  }

  static func decide(_ change: DecisionChange, data: String, _ split: SplitSettings = SplitSettings()) -> String {
    let (verb, path, options): (String, String, [String]) =
      switch change {
      case .exclude(let path): ("exclude", path, [])
      case .include(let path): ("include", path, [])
      case .relabel(let path, let name): ("relabel", path, [shellOption("--to", name)])
      case .confirm(let path, _): ("confirm", path, [])
      case .doubt(let path): ("confirm", path, ["--undo"])
      }
    // A name that begins with a dash is no option.
    let end = path.hasPrefix("-") ? ["--"] : []
    return
      (["skipline", verb, shellQuoted(data)] + (split.folders?.optionWords ?? []) + options + end + [
        shellQuoted(path)
      ]).joined(separator: " ")
  }

  /// A new run with the weights of one whose images are of other classes now.
  static func begin(from report: DataChangeReport) -> String {
    "skipline train \(shellQuoted(report.data)) --weights "
      + shellQuoted(joined(report.run, "checkpoints/last.safetensors"))
  }

  /// - Parameter budget: seconds for all its networks; nil for what is usual.
  static func lab(_ data: String, depths: LabDepths = .small, budget: Double? = nil) -> String {
    "skipline lab \(shellQuoted(data))" + (depths == .small ? "" : " --nets \(depths)")
      + (budget.map { " " + shellOption("--budget", Settings.budget.kind.text(of: $0)) } ?? "")
  }

  static func resume(_ folder: String) -> String { "skipline train --resume " + shellQuoted(folder) }
}

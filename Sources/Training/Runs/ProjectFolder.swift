// Where runs are kept: never in the dataset they are of, where they would be taken for images of it, or be in the way
// of whoever looks for these.

import Files
import Messages

/// The folder that holds runs.
public enum ProjectFolder {
  public static let usual = "runs"

  /// `runs` in the working folder; where that is the dataset's or lies in it, `runs` beside the dataset.
  public static func standard(data: String) -> String {
    guard !data.isEmpty, FilePath.lies(usual, within: data) else { return usual }
    let parent = FilePath.split(FilePath.real(data)).folder
    return parent == "/" ? "/\(usual)" : "\(parent)/\(usual)"
  }

  /// The folder of runs for commands that name no dataset: `runs` in the working folder, or else in the nearest folder
  /// above it that has runs, for the working folder may be a dataset's.
  public static var nearest: String {
    guard FilePath.isFolder(usual) == nil else { return usual }
    let found = above.map { "\($0)/\(usual)" }.first {
      ((try? RunFolder.listRuns(project: $0)) ?? []).isEmpty == false
    }
    return found ?? usual
  }

  /// A run, or a file in one, as somebody names it who works in the run's dataset: `runs/cifar20-1` is then beside the
  /// dataset. The name itself where there is something of that name, or no such run.
  public static func run(named path: String) -> String {
    guard !path.hasPrefix("/"), !path.isEmpty, FilePath.isFolder(path) == nil else { return path }
    let parts = path.split(separator: "/")
    for folder in above where FilePath.isFolder("\(folder)/\(path)") != nil {
      // The run's own folder is the path, or the part of it before `checkpoints/...`.
      for count in [parts.count, parts.count - 2] where count > 0 {
        let run = "\(folder)/" + parts[..<count].joined(separator: "/")
        guard let record = try? RunFolder(existing: run).record() else { continue }
        if FilePath.lies(".", within: record.settings.data) { return "\(folder)/\(path)" }
      }
    }
    return path
  }

  /// `..` and so on; how deep people work in a dataset: its folder, a split's, a class's.
  private static let above = (1...4).map { Array(repeating: "..", count: $0).joined(separator: "/") }

  /// - Throws: `SettingsError` where a project's folder lies in the dataset.
  static func require(_ project: String, outside data: String) throws {
    guard FilePath.lies(project, within: data) else { return }
    throw SettingsError(
      "--project \(project) lies in the dataset \(data), where nothing is written; choose a folder outside, such as "
        + FilePath.split(FilePath.real(data)).folder + "/runs")
  }
}

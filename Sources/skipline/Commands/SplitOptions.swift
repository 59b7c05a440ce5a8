// The options that say how a dataset is divided, shared by all commands that read one.

import ArgumentParser
import Files
import Messages
import Training

/// A run, or a file in one, as a command takes it: what lies beside the dataset that one works in is found there, with
/// a word about it.
func foundRun(_ name: String) -> String {
  let found = ProjectFolder.run(named: name)
  if found != name { Console.progress("! \(name) is not here; \(found) is meant") }
  return found
}

/// `--train DIR --val DIR --test DIR`: which folders are the splits, where their names do not say it.
struct SplitFolderOptions: ParsableArguments {
  @Option(Settings.trainFolder) var train: String?
  @Option(Settings.validationFolder) var val: String?
  @Option(Settings.testFolder) var test: String?

  func validate() throws {
    for (split, folder) in folders.named where folder.isEmpty {
      throw ValidationError("--\(split.rawValue) '': name a folder")
    }
  }

  private var folders: SplitFolders {
    SplitFolders(train: train, validation: val, test: test)
  }

  /// The folders as they are kept: below DATA, so that they stay the same when it is moved.
  /// - Parameter data: the dataset's folder; nil where it is not known.
  func folders(in data: String?) -> SplitFolders? {
    var folders = folders
    for (split, folder) in folders.named {
      guard let data, folder.hasPrefix("/") else { continue }
      let isData = FilePath.real(folder) == FilePath.real(data)
      folders[split] = isData ? "." : FilePath.relative(folder, below: data) ?? folder
    }
    return folders.orNone
  }

  /// A dataset as folders and the rule divide it.
  func settings(in data: String?) -> SplitSettings { SplitSettings(folders: folders(in: data)) }
}

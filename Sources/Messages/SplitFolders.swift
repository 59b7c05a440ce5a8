// Which folders of a dataset are its splits, where their names do not say it, as people type it: `--train DIR`,
// `--val DIR`, `--test DIR`. Whether there are such folders is for Datasets to find out.

import Support

/// The folders that were named for splits. A name is a path below the dataset's folder, or one from the root that
/// leads below it; `.` is the dataset's folder itself.
public struct SplitFolders: Codable, Sendable, Equatable {
  public var train: String?
  public var validation: String?
  public var test: String?

  public init(train: String? = nil, validation: String? = nil, test: String? = nil) {
    self.train = train
    self.validation = validation
    self.test = test
  }

  public subscript(split: Split) -> String? {
    get {
      switch split {
      case .train: train
      case .validation: validation
      case .test: test
      }
    }
    set {
      switch split {
      case .train: train = newValue
      case .validation: validation = newValue
      case .test: test = newValue
      }
    }
  }

  /// Those that are named.
  public var named: [(split: Split, folder: String)] {
    Split.allCases.compactMap { split in self[split].map { (split, $0) } }
  }

  public var isEmpty: Bool { named.isEmpty }

  /// nil where nothing is named.
  public var orNone: SplitFolders? { isEmpty ? nil : self }
}

extension SplitSettings {
  /// The options that name the folders and what keeps images together, each after a space; nothing where none is.
  public var folderOptions: String { optionWords.map { " " + $0 }.joined() }

  /// The same, word by word.
  public var optionWords: [String] {
    (folders?.optionWords ?? []) + (groups.map { [shellOption("--group-by", $0)] } ?? [])
  }
}

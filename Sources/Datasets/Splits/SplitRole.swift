// What the usual words for the parts of a dataset mean, in the names of folders and of shards alike. Which words a name
// has is for SplitFolderName.swift and Records/ShardName.swift to say.

import Messages

/// What a set of images is for, by the word that it is called with.
enum SplitRole: CaseIterable, Hashable {
  case train, validation, test
  /// `eval`: test images for most people, validation images where there are others called test.
  case evaluation

  /// nil for any other word.
  /// - Parameter word: in lower case.
  init?(word: String) {
    switch word {
    case "train", "training", "trn", "trainval": self = .train
    case "val", "vals", "valid", "validate", "validating", "validation", "vld", "dev", "devel", "development":
      self = .validation
    case "test", "tests", "testing", "tst", "holdout": self = .test
    case "eval", "evaluate", "evaluation": self = .evaluation
    default: return nil
    }
  }

  /// The split it stands for.
  /// - Parameter others: the roles of all sets of the dataset.
  func split(among others: some Sequence<SplitRole>) -> Split {
    switch self {
    case .train: return .train
    case .validation: return .validation
    case .test: return .test
    case .evaluation:
      let others = Set(others)
      return others.contains(.test) && !others.contains(.validation) ? .validation : .test
    }
  }
}

// What the dataset pane and `skipline check` show of a folder of images: classes, counts, files. What is wrong with
// them is in DatasetFinding.swift.

/// One of the three parts of a dataset.
public enum Split: String, Codable, Sendable, CaseIterable, Hashable {
  case train
  case validation = "val"
  case test
}

/// A count of images for each split.
public struct SplitCounts: Codable, Sendable, Equatable {
  public var train: Int
  public var validation: Int
  public var test: Int

  public init(train: Int = 0, validation: Int = 0, test: Int = 0) {
    self.train = train
    self.validation = validation
    self.test = test
  }

  public var total: Int { train + validation + test }

  public subscript(split: Split) -> Int {
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
}

/// One image file of a dataset.
public struct ImageEntry: Codable, Sendable, Equatable, Hashable {
  /// The path below the dataset's folder.
  public var path: String
  public var split: Split
  /// What the user decided about it; nil where nothing was.
  public var decision: ImageDecision?

  public init(path: String, split: Split, decision: ImageDecision? = nil) {
    self.path = path
    self.split = split
    self.decision = decision
  }
}

/// One class: its name, its images and how they are divided.
public struct ClassReport: Codable, Sendable, Equatable {
  public var name: String
  /// Of the images that are used: excluded ones are not in it.
  public var counts: SplitCounts
  /// How many of its images the user excluded.
  public var excluded: Int
  /// Every image, excluded ones too, in natural order of the path. A relabeled image is listed in its new class.
  public var images: [ImageEntry]

  public init(name: String, counts: SplitCounts, excluded: Int = 0, images: [ImageEntry]) {
    self.name = name
    self.counts = counts
    self.excluded = excluded
    self.images = images
  }
}

/// A dataset as found on disk.
public struct DatasetReport: Codable, Sendable, Equatable {
  /// The folder that was read.
  public var root: String
  public var splitSource: SplitSource
  /// In natural order of the name: this is the order of the labels.
  public var classes: [ClassReport]
  /// Most severe first.
  public var findings: [DatasetFinding]
  /// What looking into every file measured; nil where only names were read, and `findings` then says nothing about
  /// contents.
  public var statistics: DatasetStatistics?
  /// Images whose label the user finds right: no model's doubt about them is told.
  public var confirmed: [ConfirmedLabel]
  /// Labels that are probably wrong; nil where no model was asked.
  public var labelErrors: LabelErrorReport?

  public init(
    root: String, splitSource: SplitSource, classes: [ClassReport], findings: [DatasetFinding] = [],
    statistics: DatasetStatistics? = nil, confirmed: [ConfirmedLabel] = [], labelErrors: LabelErrorReport? = nil
  ) {
    self.confirmed = confirmed
    self.labelErrors = labelErrors
    self.root = root
    self.splitSource = splitSource
    self.classes = classes
    self.findings = findings
    self.statistics = statistics
  }

  public var counts: SplitCounts {
    classes.reduce(into: SplitCounts()) { sum, entry in
      for split in Split.allCases { sum[split] += entry.counts[split] }
    }
  }

  public var excluded: Int { classes.reduce(0) { $0 + $1.excluded } }

  /// Whether training on it would go wrong: `skipline check` then exits with 65.
  public var hasErrors: Bool { findings.contains { $0.severity == .error } }
}

/// What decided which split an image belongs to.
public enum SplitSource: String, Codable, Sendable {
  /// Folders, or TFRecord shards, named for `train`, `val` and `test`.
  case folders
  /// A hash of each image's path.
  case hash
  /// Lists of paths that were exported or written by hand; a hash for images in none of them.
  case lists
}

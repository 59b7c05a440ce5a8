// What the dataset pane and `skipline check` show of a folder of images.

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

  public init(path: String, split: Split) {
    self.path = path
    self.split = split
  }
}

/// One class: its name, its images and how they are divided.
public struct ClassReport: Codable, Sendable, Equatable {
  public var name: String
  public var counts: SplitCounts
  /// Every image, in natural order of the path.
  public var images: [ImageEntry]

  public init(name: String, counts: SplitCounts, images: [ImageEntry]) {
    self.name = name
    self.counts = counts
    self.images = images
  }
}

/// Something about a dataset that a person should know before training.
public struct DatasetWarning: Codable, Sendable, Equatable {
  public enum Kind: String, Codable, Sendable {
    case fewTrainingImages, imbalance, undecodable, emptyClass, missingInSplit, ignoredFile, unreadableFolder
  }

  public var kind: Kind
  /// The class or file concerned; nil for the whole dataset.
  public var subject: String?
  /// What is the matter, with the numbers, and what to do.
  public var message: String

  public init(kind: Kind, subject: String?, message: String) {
    self.kind = kind
    self.subject = subject
    self.message = message
  }
}

/// A dataset as found on disk.
public struct DatasetReport: Codable, Sendable, Equatable {
  /// The folder that was read.
  public var root: String
  /// Whether folder names gave the splits; else a hash of each path did.
  public var splitByFolder: Bool
  /// In natural order of the name: this is the order of the labels.
  public var classes: [ClassReport]
  public var warnings: [DatasetWarning]
  /// Whether every file was decoded; if not, `undecodable` says nothing.
  public var decodingChecked: Bool
  /// Paths, below the root, of files that do not decode.
  public var undecodable: [String]

  public init(
    root: String, splitByFolder: Bool, classes: [ClassReport], warnings: [DatasetWarning] = [],
    decodingChecked: Bool = false, undecodable: [String] = []
  ) {
    self.root = root
    self.splitByFolder = splitByFolder
    self.classes = classes
    self.warnings = warnings
    self.decodingChecked = decodingChecked
    self.undecodable = undecodable
  }

  public var counts: SplitCounts {
    classes.reduce(into: SplitCounts()) { sum, entry in
      for split in Split.allCases { sum[split] += entry.counts[split] }
    }
  }
}

/// A decoded picture: 8-bit RGB, rows from the top, three bytes a pixel.
public struct PixelImage: Codable, Sendable, Equatable {
  public var width: Int
  public var height: Int
  /// [height, width, 3], 0...255.
  public var pixels: [UInt8]

  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(pixels.count == width * height * 3, "an RGB image has three bytes a pixel")
    self.width = width
    self.height = height
    self.pixels = pixels
  }
}

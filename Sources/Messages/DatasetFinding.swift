// What is wrong, or worth knowing, with a dataset, and what was measured on its files.

/// Something about a dataset that a person should know before training.
public struct DatasetFinding: Codable, Sendable, Equatable {
  public enum Severity: String, Codable, Sendable, CaseIterable {
    /// Training would be wrong, or its metrics would be.
    case error
    /// Training works; the result will be worse than it could be.
    case warning
    /// Good to know.
    case note
  }

  public enum Kind: String, Codable, Sendable, CaseIterable {
    // Folders: what was left out of the dataset, and where it was found.
    case layout
    // Files.
    case undecodable, unsupportedFormat, ignoredFile, unreadableFolder, damagedShard
    // Contents.
    case duplicate, duplicateAcrossSplits, labelConflict, suspectedLabel, nearDuplicate, nearDuplicateAcrossSplits,
      unusualSize,
      transparency, croppedAway
    // Classes.
    case emptyClass, fewTrainingImages, imbalance, missingInSplit, splitRatio, mergedClass
    // What the user decided.
    case staleDecision, splitList, decisionsMoved, groups, groupAcrossSplits
  }

  public var kind: Kind
  public var severity: Severity
  /// The class, file or folder concerned; nil for the whole dataset.
  public var subject: String?
  /// The files concerned, below the dataset's folder. A finding about groups of files (duplicates) is one finding a
  /// group.
  public var paths: [String]
  /// What is the matter, with the numbers: no sentence, no full stop.
  public var message: String
  /// What to do about it.
  public var advice: String

  public init(
    kind: Kind, severity: Severity, subject: String? = nil, paths: [String] = [], message: String, advice: String
  ) {
    self.kind = kind
    self.severity = severity
    self.subject = subject
    self.paths = paths
    self.message = message
    self.advice = advice
  }

  /// Both parts on one line.
  public var text: String { advice.isEmpty ? message : "\(message); \(advice)" }
}

/// What looking into every file of a dataset measured.
public struct DatasetStatistics: Codable, Sendable, Equatable {
  /// Width and height, pixels, as shown (after the camera's orientation).
  public struct Size: Codable, Sendable, Equatable, Hashable {
    public var width: Int
    public var height: Int

    public init(width: Int, height: Int) {
      self.width = width
      self.height = height
    }
  }

  /// How many images there are of one kind.
  public struct Share: Codable, Sendable, Equatable {
    public var name: String
    public var count: Int

    public init(name: String, count: Int) {
      self.name = name
      self.count = count
    }
  }

  /// Smallest, median and largest of a measure.
  public struct Spread: Codable, Sendable, Equatable {
    public var least: Double
    public var median: Double
    public var greatest: Double

    public init(least: Double, median: Double, greatest: Double) {
      self.least = least
      self.median = median
      self.greatest = greatest
    }
  }

  /// Images that were decoded.
  public var images: Int
  /// Paths, below the root, of files that do not decode.
  public var undecodable: [String]
  /// Bytes of all files.
  public var bytes: Int
  public var width: Spread
  public var height: Spread
  /// Width over height.
  public var aspect: Spread
  /// The most frequent sizes, the most frequent first.
  public var commonSizes: [SizeShare]
  /// PNG, JPEG and so on, the most frequent first.
  public var formats: [Share]
  /// Gray, color and so on, the most frequent first.
  public var channels: [Share]
  /// Mean and std of red, green and blue over all pixels of the training images, on values in 0...1.
  public var mean: [Double]
  public var std: [Double]

  public struct SizeShare: Codable, Sendable, Equatable {
    public var size: Size
    public var count: Int

    public init(size: Size, count: Int) {
      self.size = size
      self.count = count
    }
  }

  public init(
    images: Int, undecodable: [String], bytes: Int, width: Spread, height: Spread, aspect: Spread,
    commonSizes: [SizeShare], formats: [Share], channels: [Share], mean: [Double], std: [Double]
  ) {
    self.images = images
    self.undecodable = undecodable
    self.bytes = bytes
    self.width = width
    self.height = height
    self.aspect = aspect
    self.commonSizes = commonSizes
    self.formats = formats
    self.channels = channels
    self.mean = mean
    self.std = std
  }
}

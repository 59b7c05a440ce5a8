// What evaluating a checkpoint on a split says: totals, a line a class, the confusion matrix and every mistake.

/// A class with its probability.
public struct ClassProbability: Codable, Sendable, Equatable {
  /// Index among the checkpoint's classes.
  public var label: Int
  /// 0...1.
  public var probability: Double

  public init(label: Int, probability: Double) {
    self.label = label
    self.probability = probability
  }
}

/// An image that was given a wrong class.
public struct Misclassification: Codable, Sendable, Equatable {
  /// The path below the dataset's folder.
  public var path: String
  /// Index of the true class among the checkpoint's classes.
  public var truth: Int
  /// The most probable classes, the predicted one first, five at most.
  public var top: [ClassProbability]
  /// The probability given to the true class.
  public var truthProbability: Double

  public init(path: String, truth: Int, top: [ClassProbability], truthProbability: Double) {
    self.path = path
    self.truth = truth
    self.top = top
    self.truthProbability = truthProbability
  }
}

/// Precision, recall and F1 of one class. A ratio without any case to count is nil, not zero; in JSON, null.
public struct ClassMetrics: Codable, Sendable, Equatable {
  public var name: String
  /// Images whose true class it is.
  public var support: Int
  public var precision: Double?
  public var recall: Double?
  public var f1: Double?

  public init(name: String, support: Int, precision: Double?, recall: Double?, f1: Double?) {
    self.name = name
    self.support = support
    self.precision = precision
    self.recall = recall
    self.f1 = f1
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(support, forKey: .support)
    // Not `encodeIfPresent`: whoever reads it finds the key in every class.
    try container.encode(precision, forKey: .precision)
    try container.encode(recall, forKey: .recall)
    try container.encode(f1, forKey: .f1)
  }
}

/// What an evaluation was made of, so that two can be told apart.
public struct EvaluationProvenance: Codable, Sendable, Equatable {
  /// Of the checkpoint's file, as `crc32c:` and eight hexadecimal digits.
  public var checkpoint: String
  /// Stands for the dataset's images, splits and decisions, as in `run.json`.
  public var splitFingerprint: String
  /// Stands for the same and the files' sizes.
  public var imagesFingerprint: String
  /// Images that the user excluded from the dataset, and those of another class than their folder's.
  public var excluded: Int
  public var relabeled: Int
  /// The same counts, of each split.
  public var edits: DataEdits?
  /// Whether the images are those that the checkpoint's run was trained on, and divided as there.
  public var isRunsOwn: Bool
  /// Epochs that the checkpoint was trained for, where its file tells.
  public var epoch: Int?
  /// What the checkpoint's weights are; nil for those that were trained.
  public var weights: SavedWeights?

  public init(
    checkpoint: String, splitFingerprint: String, imagesFingerprint: String, excluded: Int, relabeled: Int,
    isRunsOwn: Bool, epoch: Int? = nil, weights: SavedWeights? = nil, edits: DataEdits? = nil
  ) {
    self.edits = edits
    self.epoch = epoch
    self.weights = weights
    self.checkpoint = checkpoint
    self.splitFingerprint = splitFingerprint
    self.imagesFingerprint = imagesFingerprint
    self.excluded = excluded
    self.relabeled = relabeled
    self.isRunsOwn = isRunsOwn
  }
}

/// How many images of each split the user excluded, or gave another class than their folder's.
public struct DataEdits: Codable, Sendable, Equatable {
  public var excluded: SplitCounts
  public var relabeled: SplitCounts

  public init(excluded: SplitCounts = SplitCounts(), relabeled: SplitCounts = SplitCounts()) {
    self.excluded = excluded
    self.relabeled = relabeled
  }

  /// Those of one split, or of all images.
  public func counts(in split: EvaluationSplit) -> (excluded: Int, relabeled: Int) {
    split.split.map { (excluded[$0], relabeled[$0]) } ?? (excluded.total, relabeled.total)
  }
}

extension EvaluationReport {
  /// What the user's decisions changed about the images that were measured, for people: the figures are then of another
  /// benchmark than the data's own. nil where nothing was decided about them, or that is not known.
  public var edits: String? {
    guard let (excluded, relabeled) = provenance?.edits?.counts(in: split), excluded + relabeled > 0 else {
      return nil
    }
    let part = split == .all ? "images" : "\(split.rawValue) images"
    let kinds = [(excluded, "left out"), (relabeled, "of another class than their folder's")].filter { $0.0 > 0 }
    return "\(part) were edited: " + kinds.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
      + "; the figures are not those of the data as they came"
  }
}

/// The result of evaluating one checkpoint on one split.
///
/// The lists may be shortened for a screen (`limited(toBytes:)`); the counts beside them are always of all.
public struct EvaluationReport: Sendable, Equatable {
  public var checkpoint: String
  public var data: String
  public var split: EvaluationSplit
  /// Images counted: every one of the split that decodes and whose class the checkpoint knows.
  public var images: Int
  /// The mean cross-entropy, nats; nil where the outputs for some image are not finite.
  public var loss: Double?
  /// Shares of the images; those whose outputs are not finite are no hits.
  public var top1: Double
  public var top5: Double
  /// The means of the classes' recalls and F1; nil where no class has an image.
  public var balancedAccuracy: Double?
  public var macroF1: Double?
  /// How far confidence and accuracy are apart, 0...1 (`Reliability.expectedCalibrationError`); nil where that is not
  /// known.
  public var calibrationError: Double?
  /// What the outputs were averaged over; nil for the image alone.
  public var augmentation: TestTimeAugmentation?
  /// What it was computed in; nil where that was not recorded.
  public var precision: InferencePrecision?
  /// Of a lower precision than fp32, what comes of fp32; nil where that was not measured.
  public var comparison: PrecisionComparison?
  /// The checkpoint's classes, in the order of its labels.
  public var classes: [ClassMetrics]
  /// Without the images whose outputs are not finite: they were given no class.
  public var confusion: ConfusionMatrix
  /// Images that were given a wrong class.
  public var mistakes: Int
  public var misclassified: [Misclassification]
  /// Images for which the network's outputs are not finite: counted, and given no class.
  public var nonFiniteImages: Int
  public var nonFinite: [String]
  /// Images that do not decode and were not counted.
  public var skippedImages: Int
  public var skipped: [String]
  /// Images of the split that were not counted because the checkpoint does not know their class.
  public var unknownImages: Int
  /// Classes of the dataset that the checkpoint does not know.
  public var unknownClasses: [String]
  /// Images/s of wall time.
  public var imagesPerSecond: Double
  /// What it was made of; nil where that was not recorded.
  public var provenance: EvaluationProvenance?
  /// Whether it was made before and found again: it is not written down.
  public var isKept = false

  public init(
    checkpoint: String, data: String, split: EvaluationSplit, images: Int, loss: Double?, top1: Double,
    top5: Double,
    classes: [ClassMetrics], confusion: ConfusionMatrix, misclassified: [Misclassification],
    nonFinite: [String] = [], skipped: [String], unknownImages: Int = 0, unknownClasses: [String],
    imagesPerSecond: Double, provenance: EvaluationProvenance? = nil, augmentation: TestTimeAugmentation? = nil,
    calibrationError: Double? = nil, precision: InferencePrecision? = nil, comparison: PrecisionComparison? = nil
  ) {
    self.calibrationError = calibrationError
    self.precision = precision
    self.comparison = comparison
    self.checkpoint = checkpoint
    self.data = data
    self.split = split
    self.images = images
    self.loss = loss
    self.top1 = top1
    self.top5 = top5
    balancedAccuracy = classes.balancedAccuracy
    macroF1 = classes.macroF1
    self.augmentation = augmentation
    self.classes = classes
    self.confusion = confusion
    mistakes = misclassified.count
    self.misclassified = misclassified
    nonFiniteImages = nonFinite.count
    self.nonFinite = nonFinite
    skippedImages = skipped.count
    self.skipped = skipped
    self.unknownImages = unknownImages
    self.unknownClasses = unknownClasses
    self.imagesPerSecond = imagesPerSecond
    self.provenance = provenance
  }

  /// Images of the split, counted or not.
  public var found: Int { images + skippedImages + unknownImages }

  /// Pairs (truth, predicted, count) off the diagonal, the most frequent first.
  public func confusedPairs(limit: Int) -> [(truth: Int, predicted: Int, count: Int)] {
    confusion.cells.filter { $0.truth != $0.predicted }
      .sorted { ($1.count, $0.truth, $0.predicted) < ($0.count, $1.truth, $1.predicted) }
      .prefix(limit).map { ($0.truth, $0.predicted, $0.count) }
  }
}

/// The classes a network gives to one image, or why it could not.
public struct Prediction: Codable, Sendable, Equatable {
  public var path: String
  /// The most probable classes by name, best first; empty when `error` says why.
  public var top: [NamedProbability]
  public var error: String?
  /// Whether the most probable class is not probable enough to be an answer; nil where none was asked for.
  public var rejected: Bool?

  public init(path: String, top: [NamedProbability], error: String? = nil, rejected: Bool? = nil) {
    self.rejected = rejected
    self.path = path
    self.top = top
    self.error = error
  }

  public struct NamedProbability: Codable, Sendable, Equatable {
    public var name: String
    /// 0...1.
    public var probability: Double

    public init(name: String, probability: Double) {
      self.name = name
      self.probability = probability
    }
  }
}

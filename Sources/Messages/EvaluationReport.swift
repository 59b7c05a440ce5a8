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

/// Precision, recall and F1 of one class. A ratio without any case to count is nil, not zero.
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
}

/// The result of evaluating one checkpoint on one split.
public struct EvaluationReport: Codable, Sendable, Equatable {
  public var checkpoint: String
  public var data: String
  public var split: Split
  /// Images counted: every one of the split that decodes.
  public var images: Int
  public var loss: Double
  public var top1: Double
  public var top5: Double
  /// The checkpoint's classes, in the order of its labels.
  public var classes: [ClassMetrics]
  /// confusion[truth][predicted], counts.
  public var confusion: [[Int]]
  public var misclassified: [Misclassification]
  /// Paths of images that do not decode and were not counted.
  public var skipped: [String]
  /// Classes of the dataset that the checkpoint does not know; their images were not counted.
  public var unknownClasses: [String]
  /// Images of wall time a second.
  public var imagesPerSecond: Double

  public init(
    checkpoint: String, data: String, split: Split, images: Int, loss: Double, top1: Double, top5: Double,
    classes: [ClassMetrics], confusion: [[Int]], misclassified: [Misclassification], skipped: [String],
    unknownClasses: [String], imagesPerSecond: Double
  ) {
    self.checkpoint = checkpoint
    self.data = data
    self.split = split
    self.images = images
    self.loss = loss
    self.top1 = top1
    self.top5 = top5
    self.classes = classes
    self.confusion = confusion
    self.misclassified = misclassified
    self.skipped = skipped
    self.unknownClasses = unknownClasses
    self.imagesPerSecond = imagesPerSecond
  }

  /// Pairs (truth, predicted, count) off the diagonal, the most frequent first.
  public func confusedPairs(limit: Int) -> [(truth: Int, predicted: Int, count: Int)] {
    var pairs: [(truth: Int, predicted: Int, count: Int)] = []
    for (truth, row) in confusion.enumerated() {
      for (predicted, count) in row.enumerated() where count > 0 && truth != predicted {
        pairs.append((truth, predicted, count))
      }
    }
    pairs.sort { ($1.count, $0.truth, $0.predicted) < ($0.count, $1.truth, $1.predicted) }
    return Array(pairs.prefix(limit))
  }
}

/// The classes a network gives to one image, or why it could not.
public struct Prediction: Codable, Sendable, Equatable {
  public var path: String
  /// The most probable classes by name, best first; empty when `error` says why.
  public var top: [NamedProbability]
  public var error: String?

  public init(path: String, top: [NamedProbability], error: String? = nil) {
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

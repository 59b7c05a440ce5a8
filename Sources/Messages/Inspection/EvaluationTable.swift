// What a network says about each image of an evaluation, as columns: a hundred thousand images are sorted, filtered and
// paged through without a hitch. The images themselves, all probabilities and the features are not in it. Choosing rows
// is in EvaluationTable+Rows.swift.

/// Which evaluation: of which checkpoint on which images.
public struct EvaluationSource: Codable, Sendable, Hashable {
  /// A checkpoint's file, or a run's folder for its best one.
  public var checkpoint: String
  /// The dataset's folder; nil for the one that the checkpoint's run was trained on.
  public var data: String?
  public var split: EvaluationSplit

  public init(checkpoint: String, data: String? = nil, split: EvaluationSplit = .test) {
    self.checkpoint = checkpoint
    self.data = data
    self.split = split
  }
}

/// An evaluation image by image. Row i of every column is of the same image; rows are in natural order of the path.
public struct EvaluationTable: Codable, Sendable, Equatable {
  public var source: EvaluationSource
  /// The folder below which the paths are.
  public var root: String
  /// The checkpoint's classes, in the order of its labels.
  public var classes: [String]
  /// Below the dataset's folder.
  public var paths: [String]
  public var splits: [Split]
  /// The label of the image's class when it was evaluated.
  public var truths: [Int32]
  /// The label of the most probable class; `noPrediction` where the network's outputs are not finite.
  public var predictions: [Int32]
  /// Of the predicted class, 0...1.
  public var confidences: [Float]
  /// By how much the most probable class is ahead of the next one, 0...1.
  public var margins: [Float]
  /// Cross-entropy in nats; the greatest finite number where the outputs are not finite.
  public var losses: [Float]
  /// How many of the most probable classes each image has in the two columns that follow.
  public var ranks: Int
  /// [images * ranks], the most probable first.
  public var topLabels: [Int32]
  /// [images * ranks], 0...1.
  public var topProbabilities: [Float]
  /// What it was made of; nil where that was not recorded.
  public var provenance: EvaluationProvenance?
  /// Why it may not be of what is there now, for people; nil where nothing is known to have changed.
  public var staleness: String?
  /// What it takes on disk, bytes; nil where it is kept in memory alone.
  public var bytes: Int?
  /// What was left out of what is kept, for people: features for want of room, for instance.
  public var notes: [String]

  /// In the place of a label.
  public static let noPrediction: Int32 = -1

  public init(
    source: EvaluationSource, root: String, classes: [String], paths: [String], splits: [Split], truths: [Int32],
    predictions: [Int32], confidences: [Float], margins: [Float], losses: [Float], ranks: Int, topLabels: [Int32],
    topProbabilities: [Float], provenance: EvaluationProvenance? = nil, staleness: String? = nil, bytes: Int? = nil,
    notes: [String] = []
  ) {
    precondition(
      [splits.count, truths.count, predictions.count, confidences.count, margins.count, losses.count]
        .allSatisfy { $0 == paths.count } && topLabels.count == paths.count * ranks
        && topProbabilities.count == topLabels.count,
      "every column has a row for each image")
    self.source = source
    self.root = root
    self.classes = classes
    self.paths = paths
    self.splits = splits
    self.truths = truths
    self.predictions = predictions
    self.confidences = confidences
    self.margins = margins
    self.losses = losses
    self.ranks = ranks
    self.topLabels = topLabels
    self.topProbabilities = topProbabilities
    self.provenance = provenance
    self.staleness = staleness
    self.bytes = bytes
    self.notes = notes
  }

  /// Rows.
  public var count: Int { paths.count }

  /// Whether the image was given its own class.
  public func isRight(_ row: Int) -> Bool { predictions[row] == truths[row] }

  /// The probability of the image's own class, 0...1.
  public func truthProbability(_ row: Int) -> Float { probability(ofLoss: losses[row]) }

  /// How strongly the network contradicts the label: the probability of the predicted class less that of the image's
  /// own, 0 for a right answer and at most 1.
  public func disagreement(_ row: Int) -> Float {
    isRight(row) ? 0 : max(0, confidences[row] - truthProbability(row))
  }

  /// The most probable classes of an image, the first one first.
  public func top(_ row: Int) -> [ClassProbability] {
    (row * ranks..<(row + 1) * ranks).filter { topLabels[$0] >= 0 }.map {
      ClassProbability(label: Int(topLabels[$0]), probability: Double(topProbabilities[$0]))
    }
  }

  /// The row of an image; nil for one that is not in the table.
  public func row(of path: String) -> Int? { paths.firstIndex { $0.utf8.elementsEqual(path.utf8) } }
}

// Images whose label is probably wrong, as a model's held-out probabilities and the images' neighbors tell. How they are
// found is in Inspection.

/// An image that may have a wrong label.
public struct SuspectedLabel: Codable, Sendable, Equatable {
  /// Below the dataset's folder.
  public var path: String
  public var split: Split
  /// The class it has, and the one it probably is of, as labels among the report's classes.
  public var label: Int
  public var suggested: Int
  /// How suspicious it is, 0...1: what network and neighbors leave to other classes than the label.
  public var score: Double
  /// What the network gives to either class, 0...1.
  public var labelProbability: Double
  public var suggestedProbability: Double
  /// Of so many most similar images, how many are of either class; 0 where there are no features.
  public var neighbors: Int
  public var labelNeighbors: Int
  public var suggestedNeighbors: Int
  /// Whether confident learning counts it as an error: a confident prediction of another class.
  public var isConfident: Bool
  /// Whether the network was trained on it: it may then have learned the wrong label by heart.
  public var isInSample: Bool

  public init(
    path: String, split: Split, label: Int, suggested: Int, score: Double, labelProbability: Double,
    suggestedProbability: Double, neighbors: Int, labelNeighbors: Int, suggestedNeighbors: Int, isConfident: Bool,
    isInSample: Bool
  ) {
    self.path = path
    self.split = split
    self.label = label
    self.suggested = suggested
    self.score = score
    self.labelProbability = labelProbability
    self.suggestedProbability = suggestedProbability
    self.neighbors = neighbors
    self.labelNeighbors = labelNeighbors
    self.suggestedNeighbors = suggestedNeighbors
    self.isConfident = isConfident
    self.isInSample = isInSample
  }
}

/// The suspected label errors of a dataset.
public struct LabelErrorReport: Codable, Sendable, Equatable {
  /// The dataset's folder.
  public var data: String
  /// The checkpoints that judged: one, or one of each fold.
  public var checkpoints: [String]
  public var classes: [String]
  /// Images that were judged by a network that was not trained on them.
  public var heldOut: Int
  /// Images that were judged by a network that was trained on them, as was asked for.
  public var inSample: Int
  /// Images that were not judged because every network was trained on them.
  public var notJudged: Int
  /// How many labels confident learning takes for wrong: the off-diagonal part of its joint distribution of given and
  /// true labels.
  public var estimatedErrors: Int
  /// The most suspicious first: those for which another class is more likely to the network, and not less to the neighbors.
  public var suspects: [SuspectedLabel]
  /// Suspects that are left out because somebody has looked at them and finds their labels right.
  public var confirmed: Int
  /// What to know of how they were judged.
  public var notes: [String]

  public init(
    data: String, checkpoints: [String], classes: [String], heldOut: Int, inSample: Int, notJudged: Int,
    estimatedErrors: Int, suspects: [SuspectedLabel], confirmed: Int = 0, notes: [String] = []
  ) {
    self.notes = notes
    self.confirmed = confirmed
    self.data = data
    self.checkpoints = checkpoints
    self.classes = classes
    self.heldOut = heldOut
    self.inSample = inSample
    self.notJudged = notJudged
    self.estimatedErrors = estimatedErrors
    self.suspects = suspects
  }

  /// The same without the suspects whose labels are confirmed, which are counted.
  public func without(_ labels: [ConfirmedLabel]) -> LabelErrorReport {
    guard !labels.isEmpty else { return self }
    let known = ConfirmedLabels(labels)
    var report = self
    report.suspects = suspects.filter { !known.contains($0.path, classes[$0.label]) }
    report.confirmed += suspects.count - report.suspects.count
    return report
  }
}

/// Confirmed labels by path.
public struct ConfirmedLabels: Sendable, Equatable {
  /// By the bytes of a path: two spellings of a name are two files.
  private var classes: [[UInt8]: ClassName]

  public init(_ labels: [ConfirmedLabel] = []) {
    classes = Dictionary(labels.map { (Array($0.path.utf8), ClassName($0.className)) }, uniquingKeysWith: { $1 })
  }

  public mutating func insert(_ label: ConfirmedLabel) {
    classes[Array(label.path.utf8)] = ClassName(label.className)
  }

  /// Whether an image is confirmed to be of a class.
  public func contains(_ path: String, _ className: String) -> Bool {
    classes[Array(path.utf8)].map { $0 == ClassName(className) } ?? false
  }
}

// What the validation after an epoch says beyond its means: the recall of each class, which two classes are confused the
// most, and the images that are hardest for the network, each with what became of it since the validation before. It
// comes of the pass over the validation images that is made anyway.

/// A validation image that the network finds hard.
public struct HardImage: Codable, Sendable, Equatable {
  public enum Change: String, Codable, Sendable {
    /// It was not among the hardest images of the validation before.
    case new
    /// It was given a wrong class then, and is given its own now.
    case fixed
  }

  /// Below the dataset's folder.
  public var path: String
  /// The label of its class.
  public var truth: Int
  /// The label of the most probable class; nil where the network's outputs are not finite.
  public var predicted: Int?
  /// Of the predicted class, 0...1.
  public var probability: Double
  /// Cross-entropy in nats; nil where the outputs are not finite.
  public var loss: Double?
  /// nil for none, and after the first validation, which there is nothing to compare with.
  public var change: Change?

  public init(path: String, truth: Int, predicted: Int?, probability: Double, loss: Double?, change: Change? = nil)
  {
    self.path = path
    self.truth = truth
    self.predicted = predicted
    self.probability = probability
    self.loss = loss
    self.change = change
  }

  /// Whether it was given its own class.
  public var isRight: Bool { predicted == truth }
}

/// Two classes, and how many images of the one were given the other.
public struct ConfusedClasses: Codable, Sendable, Equatable {
  /// Labels, the smaller one first.
  public var first: Int
  public var second: Int
  /// In both directions.
  public var count: Int

  public init(first: Int, second: Int, count: Int) {
    self.first = first
    self.second = second
    self.count = count
  }
}

/// A validation in its details. Labels are those of the run's classes.
public struct ValidationDetails: Codable, Sendable, Equatable {
  /// The epoch that it was made after, and the epoch's last step.
  public var epoch: Int
  public var step: Int
  /// Images that were measured, and those of them that were not given their own class.
  public var images: Int
  public var wrong: Int
  /// Images that were wrong in the validation before and are right now, and the other way round; nil where there is none
  /// to compare with.
  public var fixed: Int?
  public var broken: Int?
  /// Of each class, 0...1; nil for one without validation images.
  public var recalls: [Double?]
  /// Mean cross-entropy of each class in nats; nil for one without validation images, and where an output of its is not
  /// finite.
  public var losses: [Double?]
  /// The same as `recalls`, of the validation before; empty where there is none.
  public var recallsBefore: [Double?]
  /// The pair that is confused the most; nil where none is.
  public var confused: ConfusedClasses?
  /// The greatest loss first.
  public var hardest: [HardImage]

  public init(
    epoch: Int, step: Int, images: Int, wrong: Int, fixed: Int? = nil, broken: Int? = nil, recalls: [Double?],
    losses: [Double?] = [], recallsBefore: [Double?] = [], confused: ConfusedClasses? = nil, hardest: [HardImage]
  ) {
    self.epoch = epoch
    self.step = step
    self.images = images
    self.wrong = wrong
    self.fixed = fixed
    self.broken = broken
    self.recalls = recalls
    self.losses = losses
    self.recallsBefore = recallsBefore
    self.confused = confused
    self.hardest = hardest
  }

  /// By how much the recall of a class changed, -1...1; nil where it has none, or had none before.
  public func change(ofRecall label: Int) -> Double? {
    guard recalls.indices.contains(label), recallsBefore.indices.contains(label), let now = recalls[label],
      let before = recallsBefore[label]
    else { return nil }
    return now - before
  }
}

// What the validations of a run gave each class, for curves: few numbers of each, however many classes there are.

/// The recall and the loss of each class after an epoch. Labels are those of the run's classes.
public struct ClassFigures: Codable, Sendable, Equatable {
  public var epoch: Int
  public var step: Int
  /// 0...1; nil for a class without validation images.
  public var recalls: [Float?]
  /// Mean cross-entropy in nats; nil for a class without validation images, and where an output of its is not finite.
  /// Empty where it was not measured.
  public var losses: [Float?]

  public init(epoch: Int, step: Int, recalls: [Float?], losses: [Float?]) {
    self.epoch = epoch
    self.step = step
    self.recalls = recalls
    self.losses = losses
  }

  public init(_ details: ValidationDetails) {
    self.init(
      epoch: details.epoch, step: details.step, recalls: details.recalls.map { $0.map { Float($0) } },
      losses: details.losses.map { $0.map { Float($0) } })
  }
}

extension ThinnedSeries<ClassFigures> {
  /// Numbers that a series holds at most, in each of the two figures: of many classes, fewer epochs are kept.
  private static let mostNumbers = 40_000

  /// Validations as they are, ever fewer of them the longer the run is.
  public static func sampled(classes: Int) -> ThinnedSeries {
    let capacity = min(512, max(16, mostNumbers / max(1, classes)))
    return sampled(capacity: capacity - capacity % 2, step: { $0.step })
  }
}

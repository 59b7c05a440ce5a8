// What a range test of the learning rate found.

/// The loss as the learning rate grows from step to step.
public struct LearningRateCurve: Codable, Sendable, Equatable {
  public struct Point: Codable, Sendable, Equatable {
    public var rate: Double
    /// The step's mean loss, nats.
    public var loss: Double
    /// The same smoothed over the steps before.
    public var smoothed: Double

    public init(rate: Double, loss: Double, smoothed: Double) {
      self.rate = rate
      self.loss = loss
      self.smoothed = smoothed
    }
  }

  public var points: [Point]
  /// The peak rate to train with; nil where the loss never fell.
  public var suggestion: Double?
  /// The rate at which the smoothed loss was lowest.
  public var lowest: Double?
  /// Whether the test ended because the loss had grown beyond use.
  public var diverged: Bool

  public init(points: [Point], suggestion: Double?, lowest: Double?, diverged: Bool) {
    self.points = points
    self.suggestion = suggestion
    self.lowest = lowest
    self.diverged = diverged
  }
}

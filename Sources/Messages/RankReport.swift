// How the ranks of a run are doing: each as fast as it is by itself, how long it waits for the others, and how far it is
// behind. Measured on each rank, gathered by rank 0 with what is counted of the steps.

/// What was measured of a run's ranks since the report before.
public struct RankReport: Codable, Sendable, Equatable {
  /// The step up to which it was measured.
  public var step: Int
  /// In their order; at least two.
  public var ranks: [RankReading]

  public init(step: Int, ranks: [RankReading]) {
    self.step = step
    self.ranks = ranks
  }

  /// The rank that the others wait for most: the one whose lag is the largest. Nil where all came at the same time.
  public var slowest: Int? {
    guard let largest = ranks.map(\.lag).max(), largest > 0 else { return nil }
    return ranks.firstIndex { $0.lag == largest }
  }
}

/// One rank.
public struct RankReading: Codable, Sendable, Equatable {
  /// What its machine calls itself.
  public var machine: String
  /// Images that it computed, by the seconds in which it did not wait for other ranks: what it would do alone. Nil where
  /// it had none.
  public var imagesPerSecond: Double?
  /// Of the time of its steps, the share in which it waited for other ranks, 0...1.
  public var waiting: Double
  /// Seconds by which it was done with its part of a step after the rank that was first; the mean of the steps.
  public var lag: Double

  public init(machine: String, imagesPerSecond: Double?, waiting: Double, lag: Double) {
    self.machine = machine
    self.imagesPerSecond = imagesPerSecond
    self.waiting = waiting
    self.lag = lag
  }
}

// What is measured of the ranks while they take steps together: each measures itself, tells it with what it has counted
// of the next step, and rank 0 makes reports of what all tell.

import FoundationEssentials
import Messages
import Ranks

/// The times of one rank.
struct RankTimes: Equatable {
  /// Seconds from the beginning of a step until this rank had its part of it, without those in which it waited for other
  /// ranks.
  var work = 0.0
  /// Of the step before: from its beginning to its end, and of it, waiting for other ranks.
  var seconds = 0.0
  var waiting = 0.0
  /// Of the step before: images that this rank computed.
  var images = 0

  /// As it is told to other ranks.
  func put(into words: inout WordWriter) {
    for number in [work, seconds, waiting] { words.put(number) }
    words.put(images)
  }

  init() {}

  init(_ words: inout WordReader) {
    (work, seconds, waiting) = (words.number(), words.number(), words.number())
    images = words.word()
  }
}

/// Measures this rank's steps, and on rank 0 gathers what all have measured.
struct RankWatch {
  /// Seconds between two reports, at least.
  static let interval = Duration.seconds(1)

  /// What the ranks' machines are called, by rank; empty before they have told it.
  var machines: [String] = []
  private let clock = ContinuousClock()
  private var began: ContinuousClock.Instant?
  private var own = RankTimes()
  private var waited = 0.0
  private var waitedInEpoch = 0.0

  private var sums: [Sum] = []
  private var steps = 0
  private var reported: ContinuousClock.Instant?
  /// Over the epoch, by rank.
  private var lags: [Double] = []

  /// Of one rank, since the report before.
  private struct Sum {
    var seconds = 0.0
    var waiting = 0.0
    var images = 0
    var lag = 0.0
  }

  // MARK: This rank

  /// A step begins.
  mutating func begin(at start: ContinuousClock.Instant) {
    began = start
    waited = 0
  }

  /// Counts the time of what waits for other ranks.
  mutating func waiting<Value>(_ body: () throws(RankFailure) -> Value) throws(RankFailure) -> Value {
    let start = clock.now
    defer { waited(seconds: (clock.now - start).seconds) }
    return try body()
  }

  mutating func waited(seconds: Double) { waited += seconds }

  /// This rank has its part of the step.
  /// - Returns: what it tells.
  mutating func arrived() -> RankTimes {
    own.work = max(0, elapsed - waited)
    return own
  }

  /// The step is over.
  /// - Parameter images: that this rank computed.
  mutating func end(images: Int) {
    (own.seconds, own.waiting, own.images) = (elapsed, waited, images)
    waitedInEpoch += waited
    began = nil
  }

  private var elapsed: Double { began.map { (clock.now - $0).seconds } ?? 0 }

  // MARK: All of them

  /// Takes what all have told with a step.
  mutating func take(_ times: [RankTimes]) {
    if sums.count != times.count { sums = Array(repeating: Sum(), count: times.count) }
    if lags.count != times.count { lags = Array(repeating: 0, count: times.count) }
    steps += 1
    let first = times.map(\.work).min() ?? 0
    for (rank, time) in times.enumerated() {
      sums[rank].seconds += time.seconds
      sums[rank].waiting += time.waiting
      sums[rank].images += time.images
      sums[rank].lag += time.work - first
      lags[rank] += time.work - first
    }
  }

  /// What was measured since the last report, where that is long enough ago and there is anything.
  /// - Parameter step: steps done.
  mutating func report(step: Int, now: ContinuousClock.Instant = .now) -> RankReport? {
    guard machines.count == sums.count, sums.contains(where: { $0.seconds > 0 }),
      reported.map({ now - $0 >= Self.interval }) ?? true
    else { return nil }
    defer { (reported, sums, steps) = (now, [], 0) }
    return RankReport(
      step: step,
      ranks: zip(machines, sums).map { machine, sum in
        let work = sum.seconds - sum.waiting
        return RankReading(
          machine: machine, imagesPerSecond: sum.images > 0 && work > 0 ? Double(sum.images) / work : nil,
          waiting: sum.seconds > 0 ? min(1, sum.waiting / sum.seconds) : 0, lag: sum.lag / Double(max(1, steps)))
      })
  }

  /// Seconds of the epoch in which this rank waited for others, and the rank that was behind most, with how much it was
  /// in all. It begins anew.
  mutating func takeEpoch() -> (waiting: Double, slowest: (rank: Int, lag: Double)?) {
    defer { (waitedInEpoch, lags) = (0, []) }
    let largest = lags.max() ?? 0
    return (waitedInEpoch, largest > 0 ? lags.firstIndex(of: largest).map { ($0, largest) } : nil)
  }
}

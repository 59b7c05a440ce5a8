// What is made of the times that ranks tell each other.

import Messages
import Testing

@testable import Training

@Suite struct RankWatchTests {
  private func times(work: Double, seconds: Double, waiting: Double, images: Int) -> RankTimes {
    var times = RankTimes()
    (times.work, times.seconds, times.waiting, times.images) = (work, seconds, waiting, images)
    return times
  }

  @Test func `speed is that of a rank's own work, lag that behind the first, a step's mean`() throws {
    var watch = RankWatch()
    watch.machines = ["a", "b"]
    watch.take([
      times(work: 1, seconds: 0, waiting: 0, images: 0), times(work: 1.5, seconds: 0, waiting: 0, images: 0),
    ])
    // Of no step is there all that is told.
    #expect(watch.report(step: 0) == nil)
    watch.take([
      times(work: 1, seconds: 2, waiting: 1, images: 8), times(work: 1.25, seconds: 2, waiting: 0, images: 8),
    ])
    let told = watch.report(step: 2)
    let report = try #require(told)
    #expect(
      report
        == RankReport(
          step: 2,
          ranks: [
            RankReading(machine: "a", imagesPerSecond: 8, waiting: 0.5, lag: 0),
            RankReading(machine: "b", imagesPerSecond: 4, waiting: 0, lag: 0.375),
          ]))
    #expect(report.slowest == 1)
    let epoch = watch.takeEpoch()
    #expect(epoch.slowest?.rank == 1 && epoch.slowest?.lag == 0.75)
    #expect(watch.takeEpoch().slowest == nil)
  }

  @Test func `a report comes after a second, of what was measured since`() throws {
    var watch = RankWatch()
    watch.machines = ["a", "b"]
    let now = ContinuousClock.now
    func step(_ images: Int) -> [RankTimes] {
      [times(work: 1, seconds: 1, waiting: 0, images: images), times(work: 1, seconds: 1, waiting: 0, images: 0)]
    }
    watch.take(step(8))
    #expect(watch.report(step: 1, now: now) != nil)
    watch.take(step(4))
    #expect(watch.report(step: 2, now: now + .milliseconds(999)) == nil)
    watch.take(step(2))
    let told = watch.report(step: 3, now: now + .seconds(1))
    let report = try #require(told)
    #expect(report.ranks[0].imagesPerSecond == 3 && report.ranks[1].imagesPerSecond == nil && report.slowest == nil)
  }

  @Test func `times come back as they were told, and what is no step is refused`() throws {
    let own = times(work: 1, seconds: 2, waiting: 0.5, images: 3)
    var tally = StepTally()
    tally.add(BatchTally(slot: 4, images: 2, loss: 0.5, correct: 1, items: [7, 9], skipped: []))
    var words = WordWriter()
    own.put(into: &words)
    tally.put(into: &words)
    var reader = WordReader(words.bytes)
    #expect(RankTimes(&reader) == own)
    var told = StepTally()
    try told.add(&reader, of: 1)
    #expect(told == tally)
    for count in 0..<words.bytes.count {
      var reader = WordReader(Array(words.bytes.prefix(count)))
      _ = RankTimes(&reader)
      var told = StepTally()
      #expect(throws: (any Error).self, "\(count)") { try told.add(&reader, of: 1) }
    }
  }
}

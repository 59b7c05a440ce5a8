// The table of limits: what a number outside of its range, or a text that is none, meets.

import Messages
import Testing

@Suite struct LimitsTests {
  private static let hostile = [
    "", " ", "-1", "-9223372036854775808", "2147483648", "9007199254740993", "9223372036854775807",
    "9223372036854775808", "18446744073709551616", "1e18", "1e308", "1e400", "inf", "-inf", "nan", "NaN", "many",
    "1 ",
    "1,5", "1.5.2", "--batch",
  ]

  private func accepted<Number>(_ setting: NumericSetting<Number>) -> [String] {
    Self.hostile.filter { (try? setting.parse($0)) != nil }
  }

  @Test func `of hostile values only those within the range are taken`() {
    for setting in [
      Limits.imageSize, Limits.classes, Limits.percent, Limits.batchSize, Limits.epochs, Limits.patience,
      Limits.scheduleEpoch, Limits.schedulePatience, Limits.threads, Limits.workers, Limits.saveEvery, Limits.keep,
      Limits.logEvery, Limits.top, Limits.shards, Limits.steps, Limits.interruptions, Limits.epoch,
    ] {
      #expect(accepted(setting).isEmpty, "\(setting.name)")
    }
    for setting in [
      Limits.width, Limits.momentum, Limits.weightDecay, Limits.jitter, Limits.labelSmoothing,
      Limits.scheduleFactor, Limits.warmUp, Limits.saveMinutes, Limits.time, Limits.share,
    ] {
      #expect(accepted(setting).isEmpty || setting.name == "time", "\(setting.name)")
    }
    #expect(accepted(Limits.mean).isEmpty)
    #expect(accepted(Limits.time).isEmpty)
    #expect(accepted(Limits.seed) == Self.hostile.filter { UInt64($0) != nil })
    #expect(accepted(Limits.count) == ["2147483648"])
    #expect(accepted(Limits.learningRate) == accepted(Limits.clip))
    #expect(!accepted(Limits.learningRate).contains { ["1e308", "1e400", "inf", "nan", "NaN", "-1"].contains($0) })
  }

  @Test func `the ends of a range are in it or not, as it says`() {
    #expect(Limits.batchSize.range.contains(1) && !Limits.batchSize.range.contains(0))
    #expect(Limits.batchSize.range.contains(65_536) && !Limits.batchSize.range.contains(65_537))
    #expect(Limits.momentum.range.contains(0) && !Limits.momentum.range.contains(1))
    #expect(Limits.scheduleFactor.range.contains(0.5) && !Limits.scheduleFactor.range.contains(0))
    #expect(!Limits.width.range.contains(.nan) && !Limits.learningRate.range.contains(.infinity))
  }

  @Test func `an error names what was set, the value, and what it must be`() {
    let option = OutOfRange(place: "--batch", value: "0", requirement: "a whole number from 1 to 65,536")
    #expect(throws: option) { try Limits.batchSize.parse("0") }
    #expect(option.description == "--batch 0: it must be a whole number from 1 to 65,536")
    #expect(
      throws: OutOfRange(place: "settings.keep.newest", value: "-5", requirement: Limits.keep.range.requirement)
    ) {
      try Limits.keep.check(-5, at: "settings.keep.newest")
    }
    #expect(
      [Limits.width.range.requirement, Limits.momentum.range.requirement, Limits.learningRate.range.requirement]
        == ["a number above 0, at most 16", "a number 0 or more and below 1", "a number above 0, at most 1e30"])
    #expect(Limits.time.range.text == "above 0, at most 1,000,000,000")
  }

  @Test func `the usual settings are within the table, and so are its ends together`() throws {
    var settings = TrainingSettings(data: "d", network: NetworkSettings(name: "cifar20"))
    try settings.checkNumbers()
    settings.batchSize = Limits.batchSize.range.upper
    settings.epochs = Limits.epochs.range.upper
    settings.schedule = .step(epochs: [Limits.scheduleEpoch.range.upper], factor: 0.5)
    try settings.checkNumbers(at: "settings")
    settings.schedule = .plateau(factor: .nan, patience: 1)
    let error = #expect(throws: OutOfRange.self) { try settings.checkNumbers(at: "settings") }
    #expect(error?.place == "settings.schedule.plateau.factor")
  }
}

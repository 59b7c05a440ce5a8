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
      Settings.imageSize.number, Limits.classes, Limits.percent, Settings.batchSize.number, Settings.epochs.number,
      Settings.patience.number, Limits.scheduleEpoch, Limits.schedulePatience, Settings.threads.number,
      Settings.workers.number, Settings.saveEvery.number, Settings.logEvery.number, Limits.top, Limits.shards,
      Limits.steps, Limits.interruptions, Limits.epoch,
    ] {
      #expect(accepted(setting).isEmpty, "\(setting.name)")
    }
    for setting in [
      Settings.width.number, Settings.momentum.number, Settings.weightDecay.number, Settings.jitter.number,
      Settings.erase.number, Settings.rotate.number, Settings.cropScale.number, Settings.mixup.number,
      Settings.cutMix.number,
      Settings.labelSmoothing.number, Limits.scheduleFactor, Limits.warmUp, Settings.saveMinutes.number,
      Settings.time.number, Limits.share,
    ] {
      #expect(accepted(setting).isEmpty || setting.name == "time", "\(setting.name)")
    }
    #expect(Self.hostile.allSatisfy { (try? Settings.mean.kind.parse($0)) == nil })
    #expect(Self.hostile.allSatisfy { (try? Settings.keep.kind.parse($0)) == nil })
    #expect(accepted(Settings.time.number).isEmpty)
    #expect(accepted(Settings.seed.number) == Self.hostile.filter { UInt64($0) != nil })
    #expect(accepted(Limits.count) == ["2147483648"])
    let rates = accepted(Settings.learningRate.number)
    #expect(rates == accepted(Settings.clip.number))
    #expect(!rates.contains { ["1e308", "1e400", "inf", "nan", "NaN", "-1"].contains($0) })
  }

  @Test func `the ends of a range are in it or not, as it says`() {
    #expect(Settings.batchSize.range.contains(1) && !Settings.batchSize.range.contains(0))
    #expect(Settings.batchSize.range.contains(65_536) && !Settings.batchSize.range.contains(65_537))
    #expect(Settings.momentum.range.contains(0) && !Settings.momentum.range.contains(1))
    #expect(Limits.scheduleFactor.range.contains(0.5) && !Limits.scheduleFactor.range.contains(0))
    #expect(!Settings.width.range.contains(.nan) && !Settings.learningRate.range.contains(.infinity))
  }

  @Test func `an error names what was set, the value, and what it must be`() {
    let option = OutOfRange(place: "--batch", value: "0", requirement: "a whole number from 1 to 65,536")
    #expect(throws: option) { try Settings.batchSize.number.parse("0") }
    let reason = SettingRefusal("it must be a whole number from 1 to 65,536")
    #expect(throws: reason) { try Settings.batchSize.kind.parse("0") }
    #expect(option.description == "--batch 0: it must be a whole number from 1 to 65,536")
    var settings = Settings.usual
    settings.keep.newest = -5
    #expect(
      throws: OutOfRange(place: "settings.keep.newest", value: "-5", requirement: Settings.keepRange.requirement)
    ) {
      try settings.checkNumbers(at: "settings")
    }
    #expect(
      [
        Settings.width.range.requirement, Settings.momentum.range.requirement,
        Settings.learningRate.range.requirement,
      ]
        == ["a number above 0, at most 16", "a number 0 or more and below 1", "a number above 0, at most 1e30"])
    #expect(Settings.time.range.text == "above 0, at most 1,000,000,000")
  }

  @Test func `the usual settings are within the table, and so are its ends together`() throws {
    var settings = Settings.usual
    try settings.checkNumbers()
    settings.batchSize = Settings.batchSize.range.upper
    settings.epochs = Settings.epochs.range.upper
    settings.schedule = .step(epochs: [Limits.scheduleEpoch.range.upper], factor: 0.5)
    try settings.checkNumbers(at: "settings")
    settings.schedule = .plateau(factor: .nan, patience: 1)
    let error = #expect(throws: OutOfRange.self) { try settings.checkNumbers(at: "settings") }
    #expect(error?.place == "settings.schedule.plateau.factor")
  }
}

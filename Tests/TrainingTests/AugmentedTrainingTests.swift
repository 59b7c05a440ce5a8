// Training with every augmentation and with mixing: the same bits by any number of threads, and after an interruption
// in the middle of an epoch; what the figures of mixed images are; and settings that go together or do not.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct AugmentedTrainingTests {
  private let project: ToyProject

  init() throws { project = try ToyProject() }

  /// One method each, and all that go together.
  private static let methods: [(name: String, change: Change)] = [
    ("vflip", { $0.augmentation.verticalFlip = true }), ("rotate", { $0.augmentation.rotation = 15 }),
    ("erase", { $0.augmentation.erasing = 0.5 }), ("trivial", { $0.augmentation.automatic = .trivial }),
    ("alternate", { $0.augmentation.alternatesFlip = true }), ("mixup", { $0.augmentation.mixup = 0.4 }),
    ("cutmix", { $0.augmentation.cutMix = 1 }),
    ("pad", { ($0.preprocessing.resize, $0.preprocessing.padColor) = (.pad, .edge) }),
    ("noise", { $0.preprocessing.background = .noise }),
    (
      "crop",
      { ($0.augmentation.crop, $0.augmentation.cropScale) = (.randomResized, 0.6) }
    ),
    (
      "all",
      {
        $0.preprocessing.resize = .pad
        $0.labelSmoothing = 0.1
        $0.augmentation = AugmentationSettings(
          crop: .randomResized, cropScale: 0.7, alternatesFlip: true, verticalFlip: true, rotation: 10,
          automatic: .trivial, colorJitter: 0.1, erasing: 0.25, erasingFill: .mean, mixup: 0.2, cutMix: 1)
      }
    ),
  ]

  @Test(arguments: methods.map(\.name))
  func `a run that is stopped in mid-epoch goes on to the same bits, with other threads too`(name: String) throws {
    let change = try #require(Self.methods.first { $0.name == name }).change
    let settings = project.settings(epochs: 3, change: change)
    let reference = try project.train(settings)
    let stopped = try project.train(settings) { $0.isStep(7) ? [.stop] : [] }
    let resumed = try project.resume(stopped.run, ResumeChanges(threads: 2, workers: 3))
    let comparison = try RunComparison(reference.run, resumed.run)
    #expect(comparison.isSame, "\(comparison.differences)")
    #expect(try resumed.arrays() == reference.arrays())
    if name != "noise" && name != "pad" {
      // The toy images are square and opaque.
      #expect(
        try reference.arrays()["fc.weight"] != project.train(project.settings(epochs: 3)).arrays()["fc.weight"])
    }
  }

  @Test func `epochs say whether their images were mixed, and an accuracy of mixed images is in shares`() throws {
    let plain = try project.train(project.settings())
    #expect(plain.epochs.allSatisfy { !$0.isMixed })
    let log = try String(contentsOfFile: plain.run.metricsPath, encoding: .utf8)
    #expect(!log.contains("mixed"))
    let mixed = try project.train(project.settings { $0.augmentation.mixup = 1 })
    #expect(mixed.epochs.count == 2 && mixed.epochs.allSatisfy(\.isMixed))
    #expect(try MetricsLog.read(path: mixed.run.metricsPath).epochs.map(\.isMixed) == [true, true])
    // Of four whole images, or the last two, a step has so many quarters; of mixed ones anything between.
    #expect(
      plain.steps.allSatisfy {
        ($0.accuracy * 4).rounded() == $0.accuracy * 4
      })
    #expect(mixed.steps.contains { ($0.accuracy * 12).rounded() != $0.accuracy * 12 })
    #expect(mixed.steps.allSatisfy { (0...1).contains($0.accuracy) })
  }

  private typealias Change = @Sendable (inout TrainingSettings) -> Void

  private static let refused: [(option: String, change: Change)] = [
    (
      "--alternate-flip",
      { ($0.augmentation.horizontalFlip, $0.augmentation.alternatesFlip) = (false, true) }
    ),
    ("--crop-scale", { $0.augmentation.cropScale = 0.6 }),
    (
      "--crop-scale",
      {
        $0.preprocessing.resize = .crop
        ($0.augmentation.crop, $0.augmentation.cropScale) = (.padAndCrop, 0.6)
      }
    ),
    ("--erase-fill", { $0.augmentation.erasingFill = .mean }),
    ("--mixup", { ($0.augmentation.mixup, $0.batchSize) = (0.2, 1) }),
    ("--pad-color", { $0.preprocessing.padColor = .white }), ("--erase", { $0.augmentation.erasing = 1.5 }),
    ("--rotate", { $0.augmentation.rotation = .nan }),
  ]

  @Test(arguments: refused.indices)
  func `settings that mean nothing beside others are refused, and name their option`(index: Int) throws {
    let (option, change) = Self.refused[index]
    let error = #expect(throws: SettingsError.self) { try project.train(project.settings(change: change)) }
    #expect(error?.description.contains(option) == true, "\(String(describing: error))")
  }

  @Test func `labels that are mixed or smoothed leave a loss that no network gets below`() {
    func floor(_ change: (inout TrainingSettings) -> Void) -> Double {
      project.settings(change: change).lossFloor(classes: 10)
    }
    #expect(floor { _ in } == 0)
    // Of Beta(1, 1), the mean of -s ln s - (1 - s) ln(1 - s) for s from 0 to 1, is one half.
    #expect(abs(floor { $0.augmentation.mixup = 1 } - 0.5) < 1e-9)
    // By the midpoint rule with 10^7 points.
    #expect(abs(floor { $0.augmentation.cutMix = 0.5 } - 0.386294) < 1e-5)
    #expect(abs(floor { ($0.augmentation.mixup, $0.augmentation.cutMix) = (1, 0.5) } - 0.443147) < 1e-5)
    #expect(abs(floor { $0.labelSmoothing = 0.1 } - (-0.91 * log(0.91) - 0.09 * log(0.01))) < 1e-12)
    #expect(floor { ($0.augmentation.mixup, $0.labelSmoothing) = (100, 0.9) } < log(10))
    // 1.3 is more than half of ln 10, and less than halfway from there to a floor of 0.5.
    func warns(_ floor: Double) -> Bool {
      var watch = LossWatch(classes: 10, stepsPerEpoch: 10, floor: floor)
      return (0..<600).contains { _ in watch.add(1.3) != nil }
    }
    #expect(warns(0) && !warns(0.5))
  }

  @Test func `settings that go together are taken`() throws {
    let changes: [Change] = [
      { ($0.augmentation.crop, $0.augmentation.cropScale) = (.randomResized, 0.6) },
      { ($0.preprocessing.resize, $0.augmentation.cropScale) = (.crop, 0.6) },
      { ($0.preprocessing.resize, $0.preprocessing.padColor) = (.pad, .edge) },
    ]
    for change in changes {
      try project.settings(change: change).validate()
    }
  }
}

// What makes runs faster: whitened first layers, blocks left out, small images first; each to the same bits when a run is
// interrupted.

import Files
import Messages
import Networks
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Training

@Suite struct FastTrainingTests {
  private let project: ToyProject

  init() throws { project = try ToyProject(side: 16) }

  private func settings(_ network: NetworkSettings, _ change: (inout TrainingSettings) -> Void = { _ in })
    -> TrainingSettings
  {
    project.settings(epochs: 4) {
      $0.network = network
      $0.preprocessing.imageSize = 16
      change(&$0)
    }
  }

  private static let narrow = NetworkSettings(name: "resnet9", widthMultiplier: 0.0625)
  private static let whitened = NetworkSettings(name: "resnet9", widthMultiplier: 0.0625, isWhitened: true)
  private static let dropping = NetworkSettings(name: "cifar8", widthMultiplier: 0.25, dropPath: 0.5)

  /// Stopped within an epoch and after one, and before the first step.
  @Test(
    arguments: [
      ("resnet9", narrow, nil), ("whitened", whitened, nil), ("drop path", dropping, nil),
      ("progressive", NetworkSettings(name: "cifar8", widthMultiplier: 0.25), 0.5),
      (
        "all of it", NetworkSettings(name: "resnet9", widthMultiplier: 0.0625, isWhitened: true, dropPath: 0.3),
        0.75
      ),
      ("groups", NetworkSettings(name: "resnext50_32x4d", widthMultiplier: 0.03125, dropPath: 0.3), nil),
      ("squeezes", NetworkSettings(name: "seresnet18", widthMultiplier: 0.03125), nil),
      ("article", NetworkSettings(name: "resnet50", widthMultiplier: 0.03125, variant: .article), nil),
    ] as [(String, NetworkSettings, Double?)])
  func `a run that is interrupted ends in the same bits`(
    title: String, network: NetworkSettings, start: Double?
  ) throws {
    let settings = settings(network) {
      $0.progressiveStart = start
      $0.optimizer.normBiasRate = 8
      $0.convolutionInitialization = .dirac
    }
    let reference = try project.train(settings)
    for step in [3, 5, 11] {
      let stopped = try project.train(settings) { $0.isStep(step) ? [.stop] : [] }
      let run = try project.resume(stopped.run, ResumeChanges(threads: 2))
      let comparison = try RunComparison(reference.run, run.run)
      #expect(comparison.isSame, "\(step): \(comparison.differences)")
    }
  }

  @Test(
    arguments: [
      { $0.network.dropPath = 0.5 }, { $0.progressiveStart = 0.5 }, { $0.optimizer.normBiasRate = 64 },
      { $0.convolutionInitialization = .dirac },
    ] as [@Sendable (inout TrainingSettings) -> Void])
  func `each of them changes what is learned`(change: @Sendable (inout TrainingSettings) -> Void) throws {
    let network = NetworkSettings(name: "cifar8", widthMultiplier: 0.25)
    let usual = try project.train(settings(network))
    let other = try project.train(settings(network, change))
    #expect(try !RunComparison(usual.run, other.run).isSame)
  }

  @Test func `the whitened layer is measured on the training images, stays, and is in the checkpoint`() throws {
    let run = try project.train(settings(Self.whitened))
    let filters = try #require(try run.arrays()["whiten.weight"])
    #expect(filters.shape == [24, 3, 2, 2])
    let setup = try RunSetup(settings(Self.whitened), caches: nil)
    let network = Network(setup.plan, seed: 77)
    let random = try #require(network.whitening).value
    setup.whiten(network)
    let parameter = try #require(network.whitening)
    #expect(parameter.value != random)
    // Of another seed, and after training: the images alone decide.
    #expect(
      filters
        == NamedArray(name: "whiten.weight", shape: [24, 3, 2, 2], floats: parameter.fileOrder(parameter.value)))
    let values = parameter.fileOrder(parameter.value)
    #expect(zip(values.prefix(144), values.suffix(144)).allSatisfy { $0 == -$1 } && values.contains { $0 != 0 })
    // Weights that a run starts from have their own.
    let next = try project.train(
      settings(Self.whitened) {
        $0.initialWeights = run.run.path(of: .last)
        $0.preprocessing.normalization = .given(mean: [0, 0, 0], std: [1, 1, 1])
        $0.epochs = 1
      })
    #expect(try next.arrays()["whiten.weight"] == filters)
  }

  @Test func `a run in which blocks are left out continues one in which none are`() throws {
    let first = try project.train(settings(NetworkSettings(name: "cifar8", widthMultiplier: 0.25)))
    let second = try project.train(settings(Self.dropping) { $0.initialWeights = first.run.path(of: .last) })
    #expect(second.outcome.reason == .completed)
  }

  // MARK: Progressive resizing

  @Test func `sides rise in four stages, and the last epoch has the image size`() {
    func sides(_ size: Int, _ start: Double, _ epochs: Int) -> [Int] {
      let resizing = ProgressiveResizing(imageSize: size, start: start, epochs: epochs)
      return (0..<epochs).map { resizing.side(epoch: $0) }
    }
    #expect(sides(32, 0.5, 8) == [16, 16, 20, 20, 28, 28, 32, 32])
    #expect(sides(224, 0.5, 4) == [112, 148, 188, 224])
    #expect(sides(28, 0.6, 4) == [16, 20, 24, 28])
    #expect(sides(32, 0.5, 1) == [32])
    #expect(sides(32, 0.5, 2) == [16, 32])
    #expect(sides(32, 0.5, 3) == [16, 20, 32])
    #expect(sides(30, 0.99, 4) == [30, 30, 30, 30] || sides(30, 0.99, 4).last == 30)
    for epochs in 1...40 {
      for size in [1, 3, 8, 30, 33, 96] {
        let sides = sides(size, 0.25, epochs)
        #expect(sides.last == size && sides == sides.sorted() && sides.allSatisfy { $0 > 0 && $0 <= size })
      }
    }
  }

  @Test func `steps see the sides of their epochs, and validation the image size`() throws {
    let settings = settings(NetworkSettings(name: "cifar8", widthMultiplier: 0.25)) { $0.progressiveStart = 0.5 }
    let setup = try RunSetup(settings, caches: nil)
    let sides = (0..<4).map { epoch in
      setup.training.epoch(epoch, side: settings.side(epoch: epoch)).map { batch in
        #expect(batch.images.count == batch.labels.count * batch.side * batch.side * 3)
        return batch.side
      }
    }
    #expect(sides.map { Set($0) } == [[8], [12], [12], [16]])
    #expect(setup.validation.epoch().allSatisfy { $0.side == 16 })
    let run = try project.train(settings)
    #expect(run.outcome.reason == .completed && run.epochs.count == 4)
  }

  @Test(arguments: [
    ("vgg19", 32, "has dense layers on a grid"), ("vgg19_bn", 32, "has dense layers on a grid"),
    ("resnet9", 16, "too small for resnet9"),
  ])
  func `a network that cannot is refused`(name: String, side: Int, words: String) throws {
    let settings = settings(NetworkSettings(name: name, widthMultiplier: 0.0625)) {
      $0.preprocessing.imageSize = side
      $0.progressiveStart = 0.25
    }
    let error = #expect(throws: SettingsError.self) { try settings.requireTrainable() }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    #expect(throws: SettingsError.self) { try RunSetup(settings, caches: nil) }
  }
}

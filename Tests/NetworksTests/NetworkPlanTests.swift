// What a person may ask of a network, what is filled in for them, and what is refused with a reason.

import Messages
import Tensors
import Testing

@testable import NaiveNetworks
@testable import Networks

@Suite struct NetworkPlanTests {
  // MARK: Defaults

  @Test(arguments: [
    ("resnet18", 224, Shortcut.projection, BlockVersion.v1, Stem.large),
    ("resnet34", 64, .projection, .v1, .large),
    ("resnet50", 64, .projection, .v1_5, .large),
    ("resnet50", 63, .projection, .v1_5, .small),
    ("resnet152", 32, .projection, .v1_5, .small),
    ("cifar20", 32, .zeroPadding, .v1, .small),
    ("cifar56", 224, .zeroPadding, .v1, .small),
  ])
  func `defaults`(name: String, imageSize: Int, shortcut: Shortcut, version: BlockVersion, stem: Stem) throws {
    let settings = try NetworkPlan(NetworkSettings(name: name), imageSize: imageSize, classes: 2).settings
    #expect(settings.shortcut == shortcut)
    #expect(settings.version == version)
    #expect(settings.stem == stem)
  }

  @Test(arguments: Architecture.examples + ["cifar1202"], [Stem.small, .large])
  func `the largest of all that can be asked for together is counted without overflow`(
    name: String, stem: Stem
  ) throws {
    var settings = NetworkSettings(name: name, widthMultiplier: Settings.width.range.upper)
    settings.stem = stem
    let plan = try NetworkPlan(
      settings, imageSize: Settings.imageSize.range.upper, classes: Limits.classes.range.upper)
    let summary = plan.summary(batchSize: Settings.batchSize.range.upper, threads: Settings.threads.range.upper)
    #expect(summary.trainingMemory > 1 << 45 && summary.parameters > 1 << 24)
  }

  @Test func `what is asked for is not replaced by a default`() throws {
    let asked = NetworkSettings(
      name: "cifar20", shortcut: .zeroPadding, zeroPlacement: .end, version: .v2, stem: .large, widthMultiplier: 2,
      head: .regularized)
    #expect(try NetworkPlan(asked, imageSize: 32, classes: 2).settings == asked)
  }

  @Test func `the stem may have a width of its own`() throws {
    func plan(_ name: String, _ stem: Int?, shortcut: Shortcut? = nil) throws -> NetworkPlan {
      try NetworkPlan(
        NetworkSettings(name: name, shortcut: shortcut, widthMultiplier: 0.5, stemWidth: stem), imageSize: 64,
        classes: 2)
    }
    func shape(_ plan: NetworkPlan, _ array: String) -> [Int]? { plan.state.first { $0.name == array }?.shape }
    let half = try plan("resnet50", 64)
    #expect(
      shape(half, "conv1.weight") == [64, 3, 7, 7] && shape(half, "layer1.0.conv1.weight") == [32, 64, 1, 1])
    #expect(shape(half, "layer1.0.downsample.0.weight") == [128, 64, 1, 1])
    #expect(shape(half, "layer1.1.conv1.weight") == [32, 128, 1, 1])
    // Where it is not the first stage's, a basic block changes the shape too.
    #expect(shape(try plan("resnet18", 48), "layer1.0.downsample.0.weight") == [32, 48, 1, 1])
    #expect(try plan("resnet18", 32) == plan("resnet18", nil))
    // Shortcut A adds channels and drops none.
    #expect(throws: NetworkError.self) { try plan("resnet18", 48, shortcut: .zeroPadding) }
    #expect(shape(try plan("resnet18", 24, shortcut: .zeroPadding), "layer1.0.conv1.weight") == [32, 24, 3, 3])
    #expect(throws: NetworkError.self) {
      try Architecture.check(NetworkSettings(name: "vgg19", stemWidth: 8))
    }
  }

  @Test func `names may be written in capitals`() throws {
    #expect(try Architecture(name: "ResNet50") == Architecture(name: "resnet50"))
  }

  // MARK: Refusals

  @Test(arguments: [
    "", "resnet", "resnet19", "resnet-18", "plain50x", "plain9", "cifar7", "cifar2", "cifar21", "cifar-20", "cifar",
    "vgg15", "vgg19 ", "alexnets", "resnet+18", "resnet018", "cifar1208",
    "cifar6000000000000002", "cifar99999999999999999999",
  ])
  func `an unknown name is refused, and the known ones are listed`(name: String) {
    #expect(throws: NetworkError.unknownName(name)) {
      try NetworkPlan(NetworkSettings(name: name), imageSize: 224, classes: 10)
    }
    #expect("\(NetworkError.unknownName(name))".contains("resnet152"))
  }

  @Test func `an image that shrinks to nothing is refused with the layer's name`() throws {
    #expect(
      throws: NetworkError.vanishes(layer: "max pool", input: FeatureShape(height: 1, width: 1, channels: 512))
    ) {
      try NetworkPlan(NetworkSettings(name: "vgg19"), imageSize: 31, classes: 10)
    }
    _ = try NetworkPlan(NetworkSettings(name: "vgg19"), imageSize: 32, classes: 10)
    let error = NetworkError.vanishes(layer: "max pool", input: FeatureShape(height: 1, width: 1, channels: 512))
    #expect("\(error)".contains("1x1"))
    #expect("\(error)".contains("--imgsz"))
  }

  @Test(arguments: [1, 2, 3])
  func `a residual network takes the smallest images`(imageSize: Int) throws {
    for stem in Stem.allCases {
      let plan = try NetworkPlan(
        NetworkSettings(name: "resnet18", stem: stem, widthMultiplier: 0.0625), imageSize: imageSize, classes: 2)
      let logits = Network(plan, seed: 1).forward(
        Tensor([2, imageSize, imageSize, 3]) { Float($0) }, Pass(.inference, ThreadPool(threads: 1)))
      #expect(logits.shape == [2, 2])
    }
  }

  @Test(arguments: [0, -1, 16.5, .infinity, .nan])
  func `a width multiplier out of range is refused`(multiplier: Double) throws {
    #expect {
      try NetworkPlan(NetworkSettings(name: "cifar20", widthMultiplier: multiplier), imageSize: 32, classes: 10)
    } throws: { $0 is NetworkError && "\($0)".contains("--width \(multiplier): it must be") }
  }

  @Test(arguments: [(0, 10), (-3, 10), (32, 0), (32, -1)])
  func `no image and no classes are refused`(imageSize: Int, classes: Int) {
    #expect(throws: NetworkError.self) {
      try NetworkPlan(NetworkSettings(name: "cifar20"), imageSize: imageSize, classes: classes)
    }
  }

  // MARK: Width and head

  @Test(arguments: [(0.25, [4, 8, 16]), (1.0, [16, 32, 64]), (2.0, [32, 64, 128]), (0.001, [1, 1, 1])])
  func `the width multiplier scales every stage, to no less than one channel`(multiplier: Double, widths: [Int])
    throws
  {
    let plan = try NetworkPlan(
      NetworkSettings(name: "cifar8", widthMultiplier: multiplier), imageSize: 8, classes: 7)
    let rows = plan.summary(batchSize: 1).layers
    #expect(rows.filter { $0.kind == .addition }.map(\.output.channels) == widths)
    #expect(rows.last?.output.channels == 7)
  }

  @Test func `the regularized head drops out, begins wide and carries a weight decay of its own`() throws {
    let plan = try NetworkPlan(NetworkSettings(name: "cifar8", head: .regularized), imageSize: 8, classes: 100)
    #expect(plan.summary(batchSize: 1).layers.contains { $0.kind == .dropout })
    let network = Network(plan, seed: 2)
    let penalized = network.parameters.filter { $0.weightDecay != nil }
    #expect(penalized.map(\.name) == ["fc.weight"])
    let weights = NaiveTensor(penalized[0].value)
    #expect(weights.values.allSatisfy { abs($0) <= 0.2 })
    // A normal cut at two standard deviations has 0.88 of its std; 6400 values.
    let std = (weights.norm * weights.norm / Double(weights.values.count)).squareRoot()
    #expect(abs(std - 0.088) < 0.004)
  }

  // MARK: Initial weights

  @Test func `convolutions begin normal with He's std, norms as identity, biases at zero`() throws {
    let network = Network(
      try NetworkPlan(NetworkSettings(name: "vgg19_bn", widthMultiplier: 0.125), imageSize: 32, classes: 10),
      seed: 3)
    for parameter in network.parameters {
      let values = NaiveTensor(parameter.value)
      let count = Double(values.values.count)
      let std = values.norm / count.squareRoot()
      switch parameter.role {
      case .convolutionWeight:
        let expected = (2 / Double(9 * parameter.value.shape[3])).squareRoot()
        // Five times the estimate's own std.
        #expect(abs(std / expected - 1) < 5 / (2 * count).squareRoot(), "\(parameter.name)")
        #expect(abs(values.values.reduce(0, +) / count) < 5 * expected / count.squareRoot())
      case .denseWeight:
        #expect(abs(std / 0.01 - 1) < 5 / (2 * count).squareRoot(), "\(parameter.name)")
      case .bias: #expect(std == 0)
      case .norm:
        let value = parameter.name.hasSuffix(".weight") ? 1.0 : 0
        #expect(values.values.allSatisfy { $0 == value })
      }
    }
    for buffer in network.buffers {
      let value: Float = buffer.name.hasSuffix("running_var") ? 1 : 0
      #expect(buffer.value.values.allSatisfy { $0 == value })
    }
  }

  @Test func `a classifier begins uniform within the inverse root of its inputs`() throws {
    let network = Network(try NetworkPlan(NetworkSettings(name: "cifar8"), imageSize: 8, classes: 100), seed: 4)
    let weights = try #require(network.parameters.first { $0.name == "fc.weight" }).value.values
    #expect(weights.allSatisfy { abs($0) <= 0.125 })
    #expect((weights.max() ?? 0) > 0.12)
    #expect((weights.min() ?? 0) < -0.12)
  }

  @Test func `the same seed gives the same weights, another seed others`() throws {
    let plan = try NetworkPlan(NetworkSettings(name: "cifar8", shortcut: .projection), imageSize: 8, classes: 10)
    func weights(_ seed: UInt64) -> [[Float]] {
      Network(plan, seed: seed).parameters.filter { $0.role == .convolutionWeight || $0.name == "fc.weight" }
        .map(\.value.values)
    }
    #expect(weights(1) == weights(1))
    #expect(zip(weights(1), weights(2)).allSatisfy { $0 != $1 })
    // Layers of the same shape do not begin alike.
    #expect(Set(weights(1)).count == weights(1).count)
  }

  @Test func `a weight depends on its name and the seed, not on the layers before it`() throws {
    func stem(_ name: String) throws -> Tensor? {
      Network(try NetworkPlan(NetworkSettings(name: name), imageSize: 8, classes: 10), seed: 5)
        .parameters.first { $0.name == "layer3.0.conv2.weight" }?.value
    }
    #expect(try stem("cifar8") == stem("cifar14"))
  }
}

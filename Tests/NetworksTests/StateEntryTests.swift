// What a plan says of its network's arrays is what the network has; options that mean nothing are refused.

import Messages
import Tensors
import Testing

@testable import Networks

@Suite struct StateEntryTests {
  static let networks: [(NetworkSettings, Int)] = [
    (NetworkSettings(name: "cifar8", widthMultiplier: 0.25), 8),
    (NetworkSettings(name: "cifar8", shortcut: .projectionAlways, version: .v2, head: .regularized), 16),
    (NetworkSettings(name: "plain20", widthMultiplier: 0.25), 8),
    (NetworkSettings(name: "plain34", version: .v2, widthMultiplier: 0.0625), 64),
    (NetworkSettings(name: "resnet18", shortcut: .zeroPadding, widthMultiplier: 0.125), 32),
    (NetworkSettings(name: "resnet50", widthMultiplier: 0.0625), 64),
    (NetworkSettings(name: "resnet50", version: .v2, widthMultiplier: 0.0625), 64),
    (NetworkSettings(name: "resnet50", widthMultiplier: 0.0625, variant: .article), 64),
    (NetworkSettings(name: "wide_resnet50_2", widthMultiplier: 0.0625), 64),
    (NetworkSettings(name: "resnext50_32x4d", widthMultiplier: 0.0625), 64),
    (NetworkSettings(name: "resnet26d", widthMultiplier: 0.0625), 65),
    (NetworkSettings(name: "resnet18d", shortcut: .projectionAlways, version: .v2, widthMultiplier: 0.0625), 64),
    (NetworkSettings(name: "seresnet18", widthMultiplier: 0.0625, dropPath: 0.1), 32),
    (NetworkSettings(name: "seresnet50", version: .v2, widthMultiplier: 0.0625), 64),
    (NetworkSettings(name: "resnext101_64x4d", version: .v2, widthMultiplier: 0.03125, dropPath: 0.1), 32),
    (NetworkSettings(name: "vgg19", widthMultiplier: 0.03125), 32),
    (NetworkSettings(name: "vgg19_bn", widthMultiplier: 0.03125), 64),
    (NetworkSettings(name: "resnet9", widthMultiplier: 0.0625), 16),
    (NetworkSettings(name: "alexnet", widthMultiplier: 0.03125, head: .regularized), 64),
    (NetworkSettings(name: "squeezenet1_0", widthMultiplier: 0.0625), 40),
    (NetworkSettings(name: "googlenet", widthMultiplier: 0.0625, head: .regularized), 32),
    (NetworkSettings(name: "googlenet", widthMultiplier: 0.0625, auxiliaryHeads: true), 32),
    (NetworkSettings(name: "wrn-10-2", widthMultiplier: 0.5), 16), (NetworkSettings(name: "lenet5"), 32),
    (NetworkSettings(name: "lenet5-classic"), 40),
    (
      NetworkSettings(
        name: "resnet9", widthMultiplier: 0.0625, head: .regularized, isWhitened: true, dropPath: 0.1), 32
    ),
  ]

  @Test(arguments: networks)
  func `a plan lists the arrays of its network`(settings: NetworkSettings, imageSize: Int) throws {
    let plan = try NetworkPlan(settings, imageSize: imageSize, classes: 5)
    let network = Network(plan, seed: 0)
    let listed = Dictionary(uniqueKeysWithValues: plan.state.map { ($0.name, $0.shape) })
    #expect(listed.count == plan.state.count)
    var built = Dictionary(uniqueKeysWithValues: network.parameters.map { ($0.name, $0.fileShape) })
    for buffer in network.buffers { built[buffer.name] = buffer.value.shape }
    #expect(listed == built)
    let variances = plan.state.filter { $0.kind == .runningVariance }.map(\.name)
    #expect(variances == plan.state.map(\.name).filter { $0.hasSuffix("running_var") })
    #expect(network.parameters.suffix(2).map(\.name) == [plan.classifier + ".weight", plan.classifier + ".bias"])
  }

  @Test func `the arrays of a network of many gigabytes are listed without making it`() throws {
    let plan = try NetworkPlan(
      NetworkSettings(name: "resnet152", widthMultiplier: 16), imageSize: 224, classes: 1000)
    #expect(plan.state.last { $0.name == "fc.weight" }?.shape == [1000, 32768])
  }

  @Test(arguments: networks)
  func `inference takes less memory than training, and more for more images`(
    settings: NetworkSettings, imageSize: Int
  ) throws {
    let plan = try NetworkPlan(settings, imageSize: imageSize, classes: 5)
    let one = plan.inferenceMemory(batchSize: 1, threads: 2)
    let eight = plan.inferenceMemory(batchSize: 8, threads: 2)
    #expect(one < eight)
    #expect(eight < plan.summary(batchSize: 8).trainingMemory)
  }

  @Test(arguments: [
    (NetworkSettings(name: "cifar20"), 32, 32), (NetworkSettings(name: "cifar20", version: .v2), 32, 8),
    (NetworkSettings(name: "resnet50", widthMultiplier: 0.5), 64, 4),
    (NetworkSettings(name: "vgg19_bn", widthMultiplier: 0.125), 32, 16),
    (NetworkSettings(name: "resnet18", widthMultiplier: 0.25), 64, 600),
    (NetworkSettings(name: "resnet18"), 64, 64),
  ])
  func `the estimate for inference is near the most bytes in use at one time, in a process of its own`(
    settings: NetworkSettings, imageSize: Int, images: Int
  ) async {
    await #expect(processExitsWith: .success) { [settings, imageSize, images] in
      let plan = try NetworkPlan(settings, imageSize: imageSize, classes: 10)
      let network = Network(plan, seed: 1)
      let batch = Tensor([images, imageSize, imageSize, 3]) { Float($0 % 17) }
      // Of both, the one that takes less comes first: what is counted is the most so far.
      for convolutions in [ConvolutionAlgorithms.bfloat16, .fastest] {
        let estimate =
          plan.inferenceMemory(batchSize: images, threads: 2, convolutions: convolutions)
        _ = InferenceNetwork(network, convolutions: convolutions).forward(batch, ThreadPool(threads: 2))
        let ratio = Double(estimate) / Double(StoragePool.peakBytes)
        #expect(
          (0.8...1.5).contains(ratio), "\(convolutions): estimated \(estimate) bytes, used \(StoragePool.peakBytes)"
        )
      }
    }
  }

  @Test(arguments: [
    (NetworkSettings(name: "vgg19", version: .v2), "--block v2"),
    (NetworkSettings(name: "vgg19_bn", version: .v1), "--block v1"),
    (NetworkSettings(name: "vgg19", stem: .small), "--stem small"),
    (NetworkSettings(name: "vgg19", shortcut: .zeroPadding), "--shortcut A"),
    (NetworkSettings(name: "vgg19_bn", zeroPlacement: .end), "--zeros end"),
    (NetworkSettings(name: "plain20", shortcut: .projection), "--shortcut B"),
    (NetworkSettings(name: "plain34", zeroPlacement: .end), "--zeros end"),
    (NetworkSettings(name: "resnet18", version: .v1_5), "--block v1.5"),
    (NetworkSettings(name: "cifar20", version: .v1_5), "--block v1.5"),
    (NetworkSettings(name: "resnet18", zeroPlacement: .end), "--zeros end"),
    (NetworkSettings(name: "cifar20", shortcut: .projection, zeroPlacement: .end), "--zeros end"),
    (NetworkSettings(name: "resnet18", variant: .article), "--variant article"),
    (NetworkSettings(name: "vgg19", variant: .article), "--variant article"),
  ])
  func `an option that means nothing for a network is refused`(settings: NetworkSettings, option: String) {
    let error = #expect(throws: NetworkError.self) { try Architecture.check(settings) }
    #expect(error?.description.hasPrefix(option) == true && error?.description.contains(settings.name) == true)
  }

  @Test(arguments: [
    (NetworkSettings(name: "resnet50", shortcut: .projection, variant: .article), "--shortcut B", "shortcut A"),
    (NetworkSettings(name: "resnet101", version: .v1_5, variant: .article), "--block v1.5", "block v2"),
    (NetworkSettings(name: "resnet152", zeroPlacement: .end, variant: .article), "--zeros end", "zeros split"),
  ])
  func `an option that contradicts a variant is refused with what the variant has`(
    settings: NetworkSettings, option: String, has: String
  ) {
    let error = #expect(throws: NetworkError.self) { try Architecture.check(settings) }
    #expect(
      error?.description
        == "\(option) contradicts --variant article, which has \(has): leave one of them out")
  }

  @Test func `a head that was asked for must be the variant's`() throws {
    let article = NetworkSettings(name: "resnet50", variant: .article)
    let error = #expect(throws: NetworkError.self) { try Architecture.checkHead(article) }
    #expect(error?.description.hasPrefix("--head standard contradicts --variant article") == true)
    var regularized = article
    regularized.head = .regularized
    try Architecture.checkHead(regularized)
    try Architecture.checkHead(NetworkSettings(name: "resnet50"))
  }

  @Test(arguments: [
    NetworkSettings(name: "resnet50", shortcut: .zeroPadding, version: .v2, stem: .small, variant: .article),
    NetworkSettings(name: "vgg19", widthMultiplier: 0.5, head: .regularized),
    NetworkSettings(name: "plain20", version: .v2, stem: .large),
    NetworkSettings(name: "resnet50", shortcut: .zeroPadding, zeroPlacement: .end, version: .v1_5),
    NetworkSettings(name: "cifar20", zeroPlacement: .end), NetworkSettings(name: "resnet18", version: .v1),
  ])
  func `an option that means something is taken`(settings: NetworkSettings) throws {
    try Architecture.check(settings)
  }

  @Test func `two settings of one network are equal once they are resolved`() throws {
    func resolved(_ settings: NetworkSettings) throws -> NetworkSettings {
      try NetworkPlan(settings, imageSize: 32, classes: 3).settings
    }
    #expect(
      try resolved(NetworkSettings(name: "plain20", shortcut: .projection))
        == resolved(NetworkSettings(name: "plain20")))
    #expect(
      try resolved(NetworkSettings(name: "vgg19", version: .v2, stem: .small))
        == resolved(NetworkSettings(name: "vgg19")))
    #expect(
      try resolved(
        NetworkSettings(
          name: "resnet50", shortcut: .zeroPadding, version: .v2, head: .regularized, variant: .article))
        == resolved(NetworkSettings(name: "resnet50", variant: .article)))
    #expect(
      try resolved(NetworkSettings(name: "resnet18", variant: .article))
        == resolved(NetworkSettings(name: "resnet18")))
    #expect(
      try resolved(NetworkSettings(name: "resnet18", version: .v1_5))
        == resolved(NetworkSettings(name: "resnet18")))
  }
}

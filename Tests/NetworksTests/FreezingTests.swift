// Frozen layers: which ones a name freezes, that nothing of them changes, and that the gradients of the others are those
// of a network whose frozen part is a fixed function.

import Messages
import Tensors
import Testing

@testable import Networks

@Suite struct FreezingTests {
  private func plan(_ name: String, _ version: BlockVersion? = nil, size: Int = 32) throws -> NetworkPlan {
    try NetworkPlan(
      NetworkSettings(name: name, version: version, widthMultiplier: 0.0625), imageSize: size, classes: 3)
  }

  private func trained(_ plan: NetworkPlan) -> [String] {
    Network(plan, seed: 1).trainedParameters.map(\.name)
  }

  @Test(arguments: [
    ("resnet18", "none", "conv1.weight"), ("resnet18", "stem", "layer1.0.conv1.weight"),
    ("resnet18", "layer1", "layer2.0.conv1.weight"), ("resnet18", "layer2.0", "layer2.1.conv1.weight"),
    ("resnet18", "layer4", "fc.weight"), ("resnet50", "layer3", "layer4.0.conv1.weight"),
    ("cifar8", "stem", "layer1.0.conv1.weight"), ("cifar8", "backbone", "fc.weight"),
    ("plain18", "layer2", "layer3.0.conv1.weight"), ("plain18", "layer1.0.conv1", "layer1.0.bn1.weight"),
    ("vgg19_bn", "features", "classifier.0.weight"), ("vgg19_bn", "features.0", "features.1.weight"),
    ("vgg19", "classifier.0", "classifier.3.weight"), ("vgg19", "backbone", "classifier.6.weight"),
    ("resnet18", "conv1", "bn1.weight"), ("resnet18", "bn1", "layer1.0.conv1.weight"),
  ])
  func `a part freezes everything up to its end`(name: String, part: String, first: String) throws {
    let whole = try plan(name, size: 64)
    let names = trained(try whole.freezing(part))
    #expect(names.first == first)
    #expect(names == trained(whole).drop { $0 != first }.map { $0 })
  }

  @Test func `pre-activation blocks and the norm behind them are frozen where they stand`() throws {
    #expect(trained(try plan("resnet18", .v2).freezing("layer2")).first == "layer3.0.bn1.weight")
    #expect(trained(try plan("resnet18", .v2).freezing("layer4")).first == "norm.weight")
    #expect(trained(try plan("resnet18", .v2).freezing("backbone")) == ["fc.weight", "fc.bias"])
  }

  @Test(arguments: [
    ("resnet18", "layer5", "stem, layer1, layer2, layer3, layer4"),
    ("resnet18", "fc", "nothing of resnet18 to train"),
    ("vgg19", "stem", "features"), ("vgg19", "classifier", "nothing of vgg19"),
    ("cifar8", "layer1.0.conv1", "--freeze layer1.0 freezes all of it"), ("cifar8", "layer", "no part 'layer'"),
    ("cifar8", "layer1.", "no part"), ("cifar8", "Backbone", "no part"),
  ])
  func `a part that is none is refused, and what there is is named`(name: String, part: String, told: String) throws
  {
    let error = #expect(throws: NetworkError.self) { try plan(name).freezing(part) }
    #expect(error?.description.contains(told) == true, "\(String(describing: error))")
  }

  @Test(
    arguments: [
      ("cifar8", nil, "stem"), ("cifar8", nil, "layer1"), ("cifar8", nil, "layer2"), ("cifar8", nil, "backbone"),
      ("cifar8", .v2, "stem"), ("cifar8", .v2, "layer1"), ("cifar8", .v2, "backbone"),
      ("plain8", nil, "layer1.0.conv1"),
      ("plain8", nil, "layer2"),
    ] as [(String, BlockVersion?, String)])
  func `the gradients behind frozen layers`(name: String, version: BlockVersion?, part: String) throws {
    let plan = try NetworkPlan(
      NetworkSettings(name: name, version: version, widthMultiplier: 0.25), imageSize: 8, classes: 3)
    var network = LayerCase(
      name: "\(name) \(part)", layers: plan.layers, input: [2, 8, 8, 3], sampling: .directionAndElements(2))
    network.frozen = try plan.freezing(part).lowered.frozen
    // Measured: outputs 1.3e-6 (a norm of its own behind a frozen convolution), gradients 2e-6.
    expectAgreement(network, output: 4e-6, gradient: 1.2e-5)
  }

  @Test(arguments: [("cifar8", nil), ("cifar8", .v2), ("plain8", nil)] as [(String, BlockVersion?)])
  func `the gradients through batch norms that keep their statistics`(name: String, version: BlockVersion?) throws {
    let plan = try NetworkPlan(
      NetworkSettings(name: name, version: version, widthMultiplier: 0.25), imageSize: 8, classes: 3)
    var network = LayerCase(
      name: "\(name), statistics kept", layers: plan.layers, input: [2, 8, 8, 3], sampling: .directionAndElements(2)
    )
    network.keepsStatistics = true
    expectAgreement(network, output: 1.2e-6, gradient: 1.2e-5)
  }

  @Test(arguments: ["stem", "layer1", "backbone"])
  func `nothing of the frozen layers changes, and what they make can be had by itself`(part: String) throws {
    let plan = try plan("resnet18").freezing(part)
    let network = Network(plan, seed: 1)
    for buffer in network.buffers { buffer.value = ReferenceNumbers.value(of: buffer) }
    let pool = ThreadPool(threads: 2)
    let images = Tensor([3, 32, 32, 3]) { Float($0 % 23) / 11 - 1 }
    let frozen = Set(network.parameters.filter { !$0.isTrained }.map { String($0.name.prefix { $0 != "." }) })
    let before = network.buffers.map { ($0.name, $0.value.values) }
    let logits = network.forward(images, Pass(.training, pool))
    network.backward(Tensor(logits.shape) { _ in 1 }, Pass(.training, pool))
    for (buffer, (name, values)) in zip(network.buffers, before) {
      #expect((buffer.value.values == values) == frozen.contains(String(name.prefix { $0 != "." })), "\(name)")
    }
    for norm in network.batchNorms {
      #expect(norm.batchesTracked == (norm.weight.isTrained ? 1 : 0), "\(norm.name)")
    }
    #expect(network.parameters.allSatisfy { $0.gradient.count == ($0.isTrained ? $0.value.count : 0) })

    let features = network.features(images, Pass(.inference, pool))
    #expect(features.count == 3 * plan.features.count)
    #expect(
      network.forward(features: features, Pass(.inference, pool)).values
        == network.forward(images, Pass(.inference, pool)).values)
  }

  @Test func `a network that is thawed has the gradients of one that never was frozen`() throws {
    let whole = try plan("cifar8")
    let pool = ThreadPool(threads: 1)
    func gradients(_ network: Network) -> [[Float]] {
      let logits = network.forward(Tensor([2, 32, 32, 3]) { Float($0 % 19) / 9 }, Pass(.training, pool))
      network.backward(Tensor(logits.shape) { Float($0) - 2 }, Pass(.training, pool))
      return network.parameters.map(\.gradient.values)
    }
    let frozen = Network(try whole.freezing("layer2"), seed: 4)
    #expect(gradients(frozen)[0].isEmpty)
    for (norm, buffers) in zip(frozen.batchNorms, Network(whole, seed: 4).batchNorms) {
      (norm.runningMean.value, norm.runningVariance.value) = (
        buffers.runningMean.value, buffers.runningVariance.value
      )
    }
    frozen.follow(whole)
    #expect(gradients(frozen) == gradients(Network(whole, seed: 4)))
  }

  @Test func `the summary says what is trained`() throws {
    let summary = try NetworkPlan(NetworkSettings(name: "resnet18"), imageSize: 64, classes: 10).freezing(
      "backbone"
    )
    .summary(batchSize: 8)
    #expect(summary.trainedParameters == 512 * 10 + 10)
    // He et al. 2015; torchvision counts 11,689,512 with 1,000 classes.
    #expect(summary.parameters == 11_689_512 - 990 * 513)
    #expect(summary.layers.filter { $0.isTrained && $0.parameters > 0 }.map(\.name) == ["fc"])
  }
}

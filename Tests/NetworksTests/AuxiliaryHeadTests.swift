// Classifiers in the middle of a network: gradients against the naive twin, and nothing of them outside of training.

import Messages
import Tensors
import Testing

@testable import NaiveNetworks
@testable import Networks

@Suite struct AuxiliaryHeadTests {
  /// A head between two parts that both learn, one at the end of what stands before the classifier.
  static let layers: [LayerPlan] = {
    func unit(_ name: String, _ outputs: Int) -> [LayerPlan] {
      [.convolution(name: name, outputs: outputs, kernel: 3, padding: 1), .batchNorm(name: name + ".bn"), .relu]
    }
    func head(_ name: String) -> LayerPlan {
      .auxiliaryHead(
        name: name,
        [.averagePool(side: 2)] + unit(name + ".conv", 2)
          + [.flatten, .dense(name: name + ".fc1", outputs: 4), .relu, .dropout(rate: 0.5)]
          + [.dense(name: name + ".fc2", outputs: 3)])
    }
    return unit("a", 3) + [head("aux1")]
      + [.block(name: "b", [.branches(name: "b.join", [unit("b1", 2), unit("b2", 3)], joined: .concatenation)])]
      + [head("aux2"), .averagePool(side: 1), .flatten, .dropout(rate: 0.2), .dense(name: "fc", outputs: 3)]
  }()

  @Test func `the gradients of a loss with auxiliary heads`() {
    let shape = [3, 5, 5, 2]
    var twins = TwinLayers(Self.layers, input: FeatureShape(height: 5, width: 5, channels: 2))
    let input = ReferenceNumbers.tensor("input:heads", shape) { (2 * $0 - 1) * 1.7 }
    let naive = NaiveTensor(input)
    twins.twin.mode = .training
    let pass = twins.pass(.training)
    let expected = twins.twin.forwardWithHeads(naive)
    let (output, heads) = twins.layers.forwardWithHeads(input, pass)
    #expect(heads.count == 2 && expected.heads.count == 2)
    #expect(Deviation.largest(output, from: expected.output) <= 4e-6)
    for (head, expected) in zip(heads, expected.heads) { #expect(Deviation.largest(head, from: expected) <= 4e-6) }

    let probes = (0...2).map { ReferenceNumbers.tensor("probe:heads\($0)", [3, 3]) { 2 * $0 - 1 } }
    let values = probes.map { $0.values.map(Double.init) }
    let inputGradient = twins.layers.backward(probes[0], heads: Array(probes[1...]), pass)
    let twin = twins.twin
    func loss(_ twin: NaiveNetwork, _ input: NaiveTensor) -> Double {
      let (output, heads) = twin.forwardWithHeads(input)
      return output.dot(values[0]) + heads[0].dot(values[1]) + heads[1].dot(values[2])
    }
    let checks =
      [GradientCheck(name: "input", gradient: inputGradient, point: naive) { loss(twin, $0) }]
      + twins.layers.parameters.map { parameter in
        GradientCheck(name: parameter.name, gradient: parameter.gradient, point: NaiveTensor(parameter.value)) {
          var moved = twin
          moved.values[parameter.name] = $0
          return loss(moved, naive)
        }
      }
    let floor = 0.01 * checks.reduce(0) { max($0, NaiveTensor($1.gradient).norm) }
    for check in checks {
      #expect(check.difference(.everyElement, floor: floor) <= 1e-5, "\(check.name)")
    }
  }

  private func network(heads: Bool, images: Int = 2) throws -> Network {
    let settings = NetworkSettings(
      name: "googlenet", widthMultiplier: 0.0625, dropout: 0, auxiliaryHeads: heads ? true : nil)
    return Network(try NetworkPlan(settings, imageSize: 32, classes: 3), seed: 1)
  }

  @Test func `an image goes by auxiliary heads, in training too where they are not asked for`() throws {
    let (with, without) = (try network(heads: true), try network(heads: false))
    let images = ReferenceNumbers.images(2, side: 32)
    let pool = ThreadPool(threads: 2)
    for mode in [Pass.Mode.training, .inference] {
      let logits = with.forward(images, Pass(mode, pool)).values
      #expect(logits == without.forward(images, Pass(mode, pool)).values)
    }
    let counts = with.batchNorms.filter { $0.name.hasPrefix("aux") }.map(\.batchesTracked)
    #expect(counts == [0, 0])
    #expect(try with.plan.withoutHeads() == without.plan)
  }

  @Test func `torchvision's count of parameters, and what options mean`() throws {
    let plan = try NetworkPlan(
      NetworkSettings(name: "googlenet", auxiliaryHeads: true), imageSize: 224, classes: 1000)
    #expect(plan.summary(batchSize: 1).parameters == 13_004_888)
    #expect(plan.depth == 22)
    #expect(plan.headClassifierArrays == ["aux1.fc2.weight", "aux1.fc2.bias", "aux2.fc2.weight", "aux2.fc2.bias"])
    #expect(throws: NetworkError.self) {
      try Architecture.check(NetworkSettings(name: "resnet18", auxiliaryHeads: true))
    }
    try Architecture.check(NetworkSettings(name: "resnet18", auxiliaryHeads: false))
  }

  @Test(arguments: [
    ("inception3b", ["aux1", "aux2"]), ("inception4a", ["aux2"]), ("inception4c", ["aux2"]), ("inception4d", []),
    ("backbone", []),
  ])
  func `a head is frozen with the map that it reads`(part: String, trained: [String]) throws {
    let network = try network(heads: true)
    network.follow(try network.plan.freezing(part))
    let names = Set(network.trainedParameters.map { $0.name.prefix { $0 != "." } }.filter { $0.hasPrefix("aux") })
    #expect(names == Set(trained.map { Substring($0) }))
    let pass = Pass(.training, ThreadPool(threads: 1))
    let images = ReferenceNumbers.images(2, side: 32)
    let (logits, heads) = network.forwardWithHeads(images, pass)
    #expect(heads.count == trained.count)
    for parameter in network.trainedParameters { parameter.gradient = Tensor(parameter.value.shape) { _ in .nan } }
    network.backward(logits, heads: heads, pass)
    for parameter in network.trainedParameters {
      #expect(parameter.gradient.values.allSatisfy { $0.isFinite }, "\(parameter.name)")
    }
    // What is computed once for each image is what the frozen layers give.
    let again = try self.network(heads: true)
    again.follow(network.plan)
    let still = Pass(.inference, ThreadPool(threads: 1))
    #expect(
      again.forward(features: again.features(images, still), still).values == again.forward(images, still).values)
  }
}

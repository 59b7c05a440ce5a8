// The one list of operations: what reads what, which shapes come out, what is done together and in which order.

import Messages
import Tensors
import Testing

@testable import Networks

@Suite struct LoweredPlanTests {
  private static let image = FeatureShape(height: 8, width: 6, channels: 3)

  private func lowered(_ plans: [LayerPlan], imageGradient: Bool = false) throws -> LoweredPlan {
    try LoweredPlan(plans, image: Self.image, imageGradient: imageGradient)
  }

  private func convolution(_ name: String, _ outputs: Int, _ kernel: Extent = 1, stride: Int = 1) -> LayerPlan {
    .convolution(
      name: name, outputs: outputs, kernel: kernel, stride: stride,
      padding: Extent(height: kernel.height / 2, width: kernel.width / 2))
  }

  private func sum(_ branches: [LayerPlan]...) -> LayerPlan {
    .branches(name: "add", branches, joined: .addition)
  }

  /// Operations, and for each the batch norm that does it: `3<2`.
  private func fusions(_ plan: LoweredPlan) -> [String] {
    plan.operations.enumerated().compactMap { index, operation in operation.fusedWith.map { "\(index)<\($0)" } }
  }

  @Test func `a residual block by hand`() throws {
    let plan = try lowered([
      convolution("stem", 4),
      .block(
        name: "block",
        [
          sum(
            [
              convolution("a", 6, 3, stride: 2), .batchNorm(name: "bn.a"), .relu, convolution("b", 6, 3),
              .batchNorm(name: "bn.b"),
            ], [convolution("down", 6, stride: 2), .batchNorm(name: "bn.down")]), .relu,
        ]),
    ])
    // stem, a, bn.a, relu, b, bn.b, down, bn.down, add, relu: values 1 to 10.
    #expect(plan.operations.map(\.inputs) == [[0], [1], [2], [3], [4], [5], [1], [7], [6, 8], [9]])
    #expect(plan.operations.map(\.depth) == [0, 1, 1, 1, 1, 1, 2, 2, 1, 1])
    let (whole, half) = (
      FeatureShape(height: 8, width: 6, channels: 4), FeatureShape(height: 4, width: 3, channels: 6)
    )
    #expect(plan.operations.map(\.output) == [whole] + Array(repeating: half, count: 9))
    #expect(plan.output == half)
    #expect(fusions(plan) == ["3<2", "8<5", "9<5"])
    // The norm that adds comes after the shortcut; its own output is never there, the sum's is.
    #expect(plan.steps.map(\.operation) == [0, 1, 2, 4, 6, 7, 5])
    #expect(plan.steps.map(\.output) == [1, 2, 4, 5, 7, 8, 10])
    #expect(plan.steps.map { $0.inputs.map(\.value) } == [[0], [1], [2], [4], [1], [7], [5, 8]])
    // The stem's output goes on to the shortcut.
    #expect(
      plan.steps.map { $0.inputs.map(\.isLast) } == [
        [true], [false], [true], [true], [true], [true], [true, true],
      ])
    #expect(plan.steps.map(\.activates) == [false, false, true, false, false, false, true])
    #expect(plan.steps.map(\.momentsFor) == [nil, 2, nil, 5, 7, nil, nil])
    let graph = LayerGraph(plan, seed: 1)
    #expect(graph.batchNorms.map(\.name) == ["bn.a", "bn.b", "bn.down"], "files keep the order of the description")
    #expect(graph.batchNorms.map(\.activation) == [.relu, .relu, .none])
  }

  @Test func `what is fused, and what is not`() throws {
    let norm = LayerPlan.batchNorm(name: "a")
    #expect(try fusions(lowered([norm, .relu])) == ["1<0"])
    #expect(try fusions(lowered([norm, .relu, .relu])) == ["1<0"], "the second is one of its own")
    #expect(try fusions(lowered([norm, .dropout(rate: 0.5), .relu])) == [])
    #expect(try fusions(lowered([convolution("c", 3), .relu])) == [])
    #expect(try fusions(lowered([sum([norm], [])])) == ["1<0"])
    #expect(try fusions(lowered([sum([], [norm]), .relu])) == ["1<0", "2<0"], "in whichever branch the norm is")
    #expect(try fusions(lowered([sum([norm], [.batchNorm(name: "b")])])) == ["2<0"], "the first of two norms")
    #expect(try fusions(lowered([sum([norm, .relu], [])])) == ["1<0"], "a ReLU before the sum, not after")
    #expect(try fusions(lowered([sum([norm, .relu], [.batchNorm(name: "b")]), .relu])) == ["1<0", "3<2", "4<2"])
    #expect(try fusions(lowered([sum([convolution("c", 3)], []), .relu])) == [], "nothing there that adds")
    #expect(try fusions(lowered([sum([norm], [], []), .relu])) == [], "a norm adds one thing")
    // Both branches read the norm, so that its output has to be there.
    #expect(try fusions(lowered([norm, sum([.relu], [])])) == [])
    #expect(try fusions(lowered([norm, sum([], [])])) == [])
  }

  @Test func `only a convolution whose output a norm alone reads gathers moments`() throws {
    let norm = LayerPlan.batchNorm(name: "a")
    func gathering(_ plans: [LayerPlan]) throws -> [Int?] { try lowered(plans).steps.map(\.momentsFor) }
    #expect(try gathering([convolution("c", 3), norm]) == [1, nil])
    #expect(try gathering([convolution("c", 3), .relu, norm]) == [nil, nil, nil])
    #expect(try gathering([convolution("c", 3), sum([norm], [])]) == [nil, nil])
    #expect(try gathering([norm, .relu]) == [nil])
  }

  @Test func `a convolution that reads the image leaves out its gradient, wherever it stands`() throws {
    let plans = [
      .branches(
        name: "cat",
        [
          [convolution("a", 2)], [.maxPool(kernel: 3, stride: 1, padding: 1), convolution("b", 2)],
          [convolution("c", 2), convolution("d", 2)],
        ], joined: .concatenation), convolution("e", 2),
    ]
    // a, pool, b, c, d, cat, e
    let plan = try lowered(plans)
    #expect(
      plan.steps.map { $0.inputs.map(\.hasGradient) } == [
        [false], [false], [false], [false], [true], [true, true, true], [true],
      ])
    #expect(plan.output.channels == 2)
    #expect(plan.operations[5].output == FeatureShape(height: 8, width: 6, channels: 6))
    #expect(try lowered(plans, imageGradient: true).steps.allSatisfy { $0.inputs.allSatisfy(\.hasGradient) })

    let pool = ThreadPool(threads: 2)
    let input = ReferenceNumbers.tensor("input", [2, 8, 6, 3]) { 2 * $0 - 1 }
    func gradients(_ plan: LoweredPlan) -> (image: Tensor, parameters: [Tensor]) {
      let (graph, pass) = (LayerGraph(plan, seed: 3), Pass(.training, pool))
      let probe = ReferenceNumbers.tensor("probe", graph.forward(input, pass).shape) { 2 * $0 - 1 }
      let image = graph.backward(probe, pass)
      return (image, graph.parameters.map(\.gradient))
    }
    let (without, with) = (gradients(plan), gradients(try lowered(plans, imageGradient: true)))
    #expect(without.image.count == 0)
    #expect(with.image.shape == input.shape)
    #expect(without.parameters == with.parameters)
    #expect(without.parameters.allSatisfy { $0.values.contains { $0 != 0 } })
  }

  @Test func `a dense layer knows the map that was flattened, and only the first one reads it`() throws {
    let plan = try lowered([
      .flatten, .relu, .dropout(rate: 0.5), .dense(name: "a", outputs: 144), .relu, .dense(name: "b", outputs: 2),
    ])
    #expect(plan.operations[3].map == Self.image)
    #expect(
      plan.operations[5].map == FeatureShape(height: 1, width: 1, channels: 144), "of as many values as the map")
  }

  @Test func `a map that is too small is named, in a branch too`() {
    let small = FeatureShape(height: 8, width: 6, channels: 3)
    #expect(throws: NetworkError.vanishes(layer: "b", input: small)) {
      try lowered([sum([], [.convolution(name: "b", outputs: 3, kernel: Extent(height: 1, width: 7))])])
    }
    #expect(throws: NetworkError.vanishes(layer: "max pool", input: small)) {
      try lowered([.maxPool(kernel: 7, stride: 1)])
    }
    #expect(throws: Never.self) {
      try lowered([.convolution(name: "b", outputs: 3, kernel: Extent(height: 7, width: 1))])
    }
  }

  @Test func `rows of a summary name kernels that are no squares, and what joins`() throws {
    let layers: [LayerPlan] = [
      .branches(
        name: "mixed", [[convolution("a", 2, Extent(height: 1, width: 7))], [convolution("b", 3)]],
        joined: .concatenation), .averagePool(side: 1), .flatten, .dense(name: "fc", outputs: 4),
    ]
    let plan = try NetworkPlan(
      resolved: NetworkSettings(name: "own"), imageSize: 9, classes: 4, channels: 1, layers: layers)
    let rows = plan.summary(batchSize: 1).layers
    #expect(rows.map(\.kernel) == ["1x7", "1x1", nil, nil, nil, nil])
    #expect(rows.map(\.kind) == [.convolution, .convolution, .concatenation, .globalAveragePool, .flatten, .dense])
    #expect(rows.map(\.name)[2] == "mixed")
    // 1 * 7 * 1 * 2, 1 * 1 * 1 * 3, and 5 * 4 + 4; 81 pixels.
    #expect(rows.map(\.parameters) == [14, 3, 0, 0, 0, 24])
    #expect(rows.map(\.multiplyAdds) == [14 * 81, 3 * 81, 0, 0, 0, 20])
    #expect(plan.state.map(\.shape) == [[2, 1, 1, 7], [3, 1, 1, 1], [4, 5], [4]])
    #expect(Network(plan, seed: 1).parameters.map(\.fileShape) == plan.state.map(\.shape))
  }

  // MARK: Images

  @Test(arguments: ["cifar8", "resnet18", "vgg19"])
  func `images of one channel`(name: String) throws {
    let settings = NetworkSettings(name: name, widthMultiplier: 0.0625)
    let plan = try NetworkPlan(settings, imageSize: 32, classes: 3, channels: 1)
    #expect(plan.input.channels == 1)
    #expect(plan.state.first?.shape[1] == 1)
    let network = Network(plan, seed: 1)
    let pass = Pass(.training, ThreadPool(threads: 2))
    let images = ReferenceNumbers.tensor("gray", [4, 32, 32, 1]) { 2 * $0 - 1 }
    let result = pass.ops.softmaxCrossEntropy(logits: network.forward(images, pass), labels: [0, 1, 2, 0])
    network.backward(result.gradient, pass)
    #expect(network.parameters.allSatisfy { $0.gradient.values.allSatisfy(\.isFinite) })
    #expect(network.gradientNorm(pass.pool) > 0)
    let colored = try NetworkPlan(settings, imageSize: 32, classes: 3)
    #expect(plan.state.dropFirst() == colored.state.dropFirst(), "only the first convolution differs")
  }

  @Test(arguments: [0, 2, 4, -1])
  func `images of other channels are refused`(channels: Int) {
    #expect(throws: NetworkError.unsupported("images have one channel or three, not \(channels)")) {
      try NetworkPlan(NetworkSettings(name: "cifar8"), imageSize: 32, classes: 3, channels: channels)
    }
  }
}

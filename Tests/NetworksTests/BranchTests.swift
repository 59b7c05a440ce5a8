// Networks whose branches part and join: GoogLeNet's block and others that are in no registry, against naive twins.

import Messages
import Tensors
import Testing

@testable import Networks

@Suite struct BranchTests {
  private static func convolution(
    _ name: String, _ outputs: Int, _ kernel: Extent, normed: Bool
  ) -> [LayerPlan] {
    let padding = Extent(height: kernel.height / 2, width: kernel.width / 2)
    let layer = LayerPlan.convolution(
      name: name, outputs: outputs, kernel: kernel, padding: padding, bias: !normed)
    return normed ? [layer, .batchNorm(name: name + ".bn"), .relu] : [layer, .relu]
  }

  /// Szegedy et al. 2014 (arXiv:1409.4842), figure 2b; the 5x5 as a 1x5 and a 5x1 (Szegedy et al. 2015,
  /// arXiv:1512.00567, figure 6).
  private static func inception(_ name: String, normed: Bool) -> LayerPlan {
    func branch(_ steps: (String, Int, Extent)...) -> [LayerPlan] {
      steps.flatMap { convolution("\(name).\($0.0)", $0.1, $0.2, normed: normed) }
    }
    return .block(
      name: name,
      [
        .branches(
          name: name,
          [
            branch(("one", 3, 1)), branch(("three.reduce", 2, 1), ("three", 4, 3)),
            branch(
              ("five.reduce", 2, 1), ("five.a", 2, Extent(height: 1, width: 5)),
              ("five.b", 3, Extent(height: 5, width: 1))),
            [.maxPool(kernel: 3, stride: 1, padding: 1)] + branch(("pool", 2, 1)),
          ], joined: .concatenation)
      ])
  }

  private static func join(_ join: Join, _ branches: [LayerPlan]...) -> LayerPlan {
    .branches(name: "join", branches, joined: join)
  }

  static let cases: [LayerCase] = {
    let norm = LayerPlan.batchNorm(name: "bn")
    func conv(_ name: String, _ outputs: Int = 3) -> LayerPlan {
      .convolution(name: name, outputs: outputs, kernel: 3, padding: 1)
    }
    let plans: [(String, [LayerPlan])] = [
      ("GoogLeNet's block", [inception("a", normed: false)]),
      ("GoogLeNet's block with batch norm", [inception("a", normed: true)]),
      ("two of GoogLeNet's blocks", [inception("a", normed: true), inception("b", normed: true)]),
      (
        "channels added to what is there, twice (DenseNet)",
        [
          join(.concatenation, [], [norm, .relu, conv("a")]), join(.concatenation, [], [conv("b", 2), .relu]),
        ]
      ),
      ("a sum of three", [join(.addition, [conv("a")], [], [norm, .relu]), .relu]),
      ("a sum of a map and itself", [join(.addition, [], [])]),
      ("a map beside itself", [join(.concatenation, [], [])]),
      ("a norm that adds another branch's convolution", [join(.addition, [conv("a")], [norm]), .relu]),
      ("a norm that both branches read", [norm, join(.addition, [.relu, conv("a")], [])]),
      (
        "what works in place beside what reads the same",
        [
          join(.concatenation, [.relu], [], [.dropout(rate: 0.5)], [.relu, .dropout(rate: 0.25), conv("a")])
        ]
      ),
      ("a sum of what a ReLU keeps", [join(.addition, [conv("a"), .relu], [conv("b"), .relu]), conv("c")]),
      (
        "branches within a branch",
        [
          join(
            .addition,
            [join(.concatenation, [conv("a", 1)], [conv("b", 2)]), norm],
            [join(.addition, [conv("c")], [.batchNorm(name: "inner")]), .relu]), .relu, conv("d"),
        ]
      ),
      (
        "pooled branches",
        [
          join(
            .concatenation, [.maxPool(kernel: 2, stride: 2)],
            [.convolution(name: "a", outputs: 2, kernel: 2, stride: 2)],
            [.averagePool(side: 2), .zeroPadding(name: "pad", stride: 1, channels: 4, placement: .split)]),
          .flatten, .dense(name: "fc", outputs: 3),
        ]
      ),
    ]
    return plans.map { LayerCase(name: $0.0, layers: $0.1, input: [3, 4, 4, 3]) }
  }()

  // Measured: outputs 4e-7, gradients 1e-6.
  @Test(arguments: cases)
  func `branches and their gradients`(_ c: LayerCase) {
    expectAgreement(c, output: 1.5e-6, gradient: 4e-6)
  }

  /// A small GoogLeNet from the image to the logits.
  static func network() throws -> NetworkPlan {
    let layers =
      convolution("stem", 4, 3, normed: true) + [inception("a", normed: true), .maxPool(kernel: 2, stride: 2)]
      + [inception("b", normed: true), .averagePool(side: 1), .flatten, .dropout(rate: 0.4)]
      + [.dense(name: "fc", outputs: 3)]
    return try NetworkPlan(
      resolved: NetworkSettings(name: "small GoogLeNet"), imageSize: 8, classes: 3, layers: layers)
  }

  @Test func `a whole network of them`() throws {
    let plan = try Self.network()
    expectAgreement(
      LayerCase(
        name: "small GoogLeNet", layers: plan.layers, input: [3, 8, 8, 3], sampling: .directionAndElements(3)),
      output: 3e-6, gradient: 2e-5)
    // Four convolutions of 1x1, a 3x3, a 1x5 and a 5x1 in each block, with a weight and a bias a channel of their
    // norms.
    func block(_ inputs: Int) -> Int {
      inputs * (3 + 2 + 2 + 2) + 2 * 4 * 9 + 2 * 2 * 5 + 2 * 3 * 5 + 2 * (3 + 2 + 4 + 2 + 2 + 3 + 2)
    }
    let summary = plan.summary(batchSize: 1)
    #expect(summary.parameters == 3 * 4 * 9 + 2 * 4 + block(4) + block(12) + 12 * 3 + 3)
    #expect(summary.parameters == Network(plan, seed: 1).parameters.reduce(0) { $0 + $1.value.count })
    #expect(Set(plan.state.map(\.name)).count == plan.state.count)
  }

  @Test func `it learns, with the same bits for any number of threads`() throws {
    func train(threads: Int) throws -> (losses: [Double], weights: [[Float]]) {
      let network = Network(try Self.network(), seed: 2)
      let pool = ThreadPool(threads: threads)
      let labels = [0, 1, 2, 0, 1]
      // Noise around a gray of the class's own.
      let images = ReferenceNumbers.images(5, side: 8)
      let batch = Tensor(images.shape) { images[$0] + Float(labels[$0 / 192]) }
      let losses = (0..<40).map { step in
        let pass = Pass(.training, pool, seed: UInt64(step))
        let result = pass.ops.softmaxCrossEntropy(logits: network.forward(batch, pass), labels: labels)
        network.backward(result.gradient, pass)
        for parameter in network.parameters {
          var update = parameter.gradient
          pass.ops.scale(&update, by: -0.1)
          pass.ops.add(update, to: &parameter.value)
        }
        return result.loss
      }
      return (losses, network.parameters.map(\.value.values))
    }
    let one = try train(threads: 1)
    #expect(one.losses[35...].max() ?? 1 < 0.75 * one.losses[0], "\(one.losses)")
    for threads in [2, 3] {
      let other = try train(threads: threads)
      #expect(other.losses == one.losses)
      #expect(other.weights == one.weights)
    }
  }

  /// In a process of its own: the account of memory is one for all.
  @Test func `the memory estimate is near the most bytes in use at one time, in a process of its own`() async {
    await #expect(processExitsWith: .success) {
      let (side, images) = (32, 16)
      func block(_ name: String, _ width: Int) -> LayerPlan {
        func branch(_ kernel: Int, _ label: String) -> [LayerPlan] {
          [
            .convolution(
              name: "\(name).\(label)", outputs: width, kernel: Extent(kernel), padding: Extent(kernel / 2)),
            .batchNorm(name: "\(name).\(label).bn"), .relu,
          ]
        }
        return .branches(
          name: name,
          [
            branch(1, "a"), branch(1, "b") + branch(3, "c"), branch(5, "d"),
            [.maxPool(kernel: 3, stride: 1, padding: 1)] + branch(1, "e"),
          ], joined: .concatenation)
      }
      let plan = try NetworkPlan(
        resolved: NetworkSettings(name: "own"), imageSize: side, classes: 10,
        layers: [
          .convolution(name: "stem", outputs: 16, kernel: 3, padding: 1), .batchNorm(name: "bn"), .relu,
          block("a", 16), .maxPool(kernel: 2, stride: 2), block("b", 24), .averagePool(side: 1), .flatten,
          .dense(name: "fc", outputs: 10),
        ])
      let estimate = plan.trainingMemory(batchSize: images, threads: 2, optimizerState: 1)
      let network = Network(plan, seed: 1)
      let momentum = network.parameters.map { Tensor(zeros: $0.value.shape) }
      let pass = Pass(.training, ThreadPool(threads: 2))
      for _ in 0..<2 {
        let batch = Tensor([images, side, side, 3]) { Float($0 % 17) }
        let result = pass.ops.softmaxCrossEntropy(
          logits: network.forward(batch, pass), labels: [Int](repeating: 0, count: images))
        network.backward(result.gradient, pass)
      }
      let ratio = withExtendedLifetime(momentum) { Double(estimate) / Double(StoragePool.peakBytes) }
      #expect(
        (0.9...1.1).contains(ratio), "estimated \(estimate) bytes, used \(StoragePool.peakBytes): \(brief(ratio))")
    }
  }
}

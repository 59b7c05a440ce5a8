// Stochastic depth: the layer against its twin, and what it leaves out.

import Messages
import Support
import Tensors
import Testing

@testable import Networks

@Suite struct DropPathTests {
  @Test(arguments: [
    LayerCase(name: "drop path", layers: [.dropPath(rate: 0.4)], input: [9, 2, 3, 4]),
    LayerCase(
      name: "drop path at the end of a branch",
      layers: [
        .convolution(name: "first", outputs: 4, kernel: 3, padding: 1),
        .branches(
          name: "add",
          [
            [
              .convolution(name: "inner", outputs: 4, kernel: 3, padding: 1), .batchNorm(name: "bn"),
              .dropPath(rate: 0.5),
            ],
            [],
          ], joined: .addition), .relu,
      ], input: [6, 3, 4, 3]),
    LayerCase(name: "scale", layers: [.scale(0.125)], input: [2, 3, 4, 5]),
    LayerCase(
      name: "two drop paths", layers: [.dropPath(rate: 0.3), .relu, .dropPath(rate: 0.3)], input: [8, 2, 2, 3]),
  ])
  func `a layer and its gradient`(_ c: LayerCase) {
    expectAgreement(c, output: 1e-6, gradient: 3e-6)
  }

  @Test(arguments: [
    NetworkSettings(name: "cifar8", widthMultiplier: 0.25, dropPath: 0.5),
    NetworkSettings(name: "cifar14", version: .v2, widthMultiplier: 0.25, dropPath: 0.5),
    NetworkSettings(name: "cifar8", shortcut: .projectionAlways, widthMultiplier: 0.25, dropPath: 0.5),
  ])
  func `a network with blocks left out is its twin`(settings: NetworkSettings) throws {
    let plan = try NetworkPlan(settings, imageSize: 8, classes: 3)
    expectAgreement(
      LayerCase(
        name: "\(settings.name) with drop path", layers: plan.layers, input: [4, 8, 8, 3],
        sampling: .directionAndElements(2)), output: 2e-6, gradient: 2e-5)
  }

  @Test
  func `a share of the images is zero whatever they held, the others are scaled, and inference changes nothing`() {
    let images = 4000
    let pool = ThreadPool(threads: 2)
    let layer = DropPath(rate: 0.25, salt: 3)
    let input = Tensor([images, 1, 1, 2]) { $0 % 2 == 0 ? 3 : 6 }
    let output = layer.forward(input, Pass(.training, pool, seed: 5)).values
    var dropped = 0
    for image in 0..<images {
      let pair = [output[2 * image], output[2 * image + 1]]
      #expect(pair == [0, 0] || pair == [4, 8])
      if pair == [0, 0] { dropped += 1 }
    }
    // Five standard deviations of a binomial: sqrt(4000 * 0.25 * 0.75) = 27.
    #expect(abs(dropped - 1000) < 137)
    #expect(layer.forward(input, Pass(.inference, pool)).values == input.values)
    // Another step or layer leaves out others; the same one, the same.
    #expect(layer.forward(input, Pass(.training, pool, seed: 5)).values == output)
    #expect(layer.forward(input, Pass(.training, pool, seed: 6)).values != output)
    #expect(DropPath(rate: 0.25, salt: 4).forward(input, Pass(.training, pool, seed: 5)).values != output)
    let bad = DropPath(rate: 0.999, salt: 1).forward(Tensor([1, 1, 1, 1], [.nan]), Pass(.training, pool, seed: 1))
    #expect(bad.values == [0])
  }

  /// Huang et al. 2016, section 3: p of block l of L is l / L of the last one's.
  @Test func `rates rise evenly from the first block to the last`() throws {
    func rates(_ settings: NetworkSettings, imageSize: Int = 32) throws -> [Double] {
      try NetworkPlan(settings, imageSize: imageSize, classes: 10).lowered.operations.compactMap {
        if case .dropPath(let rate) = $0.kind { rate } else { nil }
      }
    }
    #expect(try rates(NetworkSettings(name: "cifar20", dropPath: 0.9)) == (1...9).map { 0.9 * Double($0) / 9 })
    #expect(try rates(NetworkSettings(name: "resnet18", dropPath: 0.4)) == (1...8).map { 0.4 * Double($0) / 8 })
    #expect(try rates(NetworkSettings(name: "resnet9", dropPath: 0.2)) == [0.1, 0.2])
    #expect(try rates(NetworkSettings(name: "cifar20")).isEmpty)
  }

  @Test func `a network without shortcuts has no blocks to leave out`() {
    for name in ["vgg19", "plain20"] {
      let error = #expect(throws: NetworkError.self) {
        try Architecture.check(NetworkSettings(name: name, dropPath: 0.1))
      }
      #expect(error?.description.contains("--drop-path 0.1 means nothing for \(name)") == true)
    }
    #expect(throws: NetworkError.self) {
      try NetworkPlan(NetworkSettings(name: "cifar20", dropPath: 1), imageSize: 32, classes: 10)
    }
  }
}

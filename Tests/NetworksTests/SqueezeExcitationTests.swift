// Squeeze and excitation against its naive twin and finite differences, and what its parameters are in files.

import Messages
import Tensors
import Testing

@testable import Networks

@Suite struct SqueezeExcitationTests {
  static let cases: [LayerCase] = [
    LayerCase(name: "8 to 3", layers: [.squeezeExcitation(name: "se", reduced: 3)], input: [2, 3, 4, 8]),
    LayerCase(
      name: "17 to 8, a pixel", layers: [.squeezeExcitation(name: "se", reduced: 8)], input: [3, 1, 1, 17]),
    LayerCase(name: "1 to 1", layers: [.squeezeExcitation(name: "se", reduced: 1)], input: [20, 5, 3, 1]),
    LayerCase(
      name: "of a norm, added to what it reads",
      layers: [
        .branches(
          name: "add",
          [
            [
              .convolution(name: "conv", outputs: 6, kernel: 3, padding: 1), .batchNorm(name: "bn"),
              .squeezeExcitation(name: "se", reduced: 2),
            ], [],
          ], joined: .addition), .relu,
      ], input: [3, 4, 4, 6]),
  ]

  @Test(arguments: cases)
  func `the layer and its gradients`(_ c: LayerCase) { expectAgreement(c, output: 1e-6, gradient: 3e-6) }

  @Test func `a gate of zero weights halves everything, and inference leaves its caller's tensor alone`() {
    let layer = SqueezeExcitation(
      name: "se", firstWeight: Tensor(zeros: [1, 1, 3, 2]), secondWeight: Tensor(zeros: [1, 1, 2, 3]))
    let input = Tensor([1, 2, 1, 3], [2, 4, 6, -2, -4, -6])
    let output = layer.forward(input, Pass(.inference, ThreadPool(threads: 1)))
    #expect(output.values == [1, 2, 3, -1, -2, -3])
    #expect(input[0] == 2)
  }

  @Test(arguments: [(64, 8), (128, 8), (256, 16), (512, 32), (2048, 128), (4, 8), (200, 16)])
  func `a sixteenth of the channels in whole eights`(channels: Int, reduced: Int) {
    #expect(SEResNet.reduced(channels) == reduced)
  }

  @Test(arguments: [1, 4, 33])
  func `one and three threads give the same bits`(images: Int) {
    func outcome(_ threads: Int) -> [[UInt32]] {
      let layer = SqueezeExcitation(
        name: "se", firstWeight: ReferenceNumbers.tensor("first", [1, 1, 20, 8]) { 2 * $0 - 1 },
        secondWeight: ReferenceNumbers.tensor("second", [1, 1, 8, 20]) { 2 * $0 - 1 })
      let pass = Pass(.training, ThreadPool(threads: threads))
      let output = layer.forward(ReferenceNumbers.tensor("input", [images, 9, 7, 20]) { 2 * $0 - 1 }, pass)
      let gradient = layer.backward(ReferenceNumbers.tensor("probe", output.shape) { 2 * $0 - 1 }, pass)
      return ([output, gradient] + layer.parameters.map(\.gradient)).map { $0.values.map(\.bitPattern) }
    }
    #expect((outcome(1) == outcome(3)) as Bool)
  }
}

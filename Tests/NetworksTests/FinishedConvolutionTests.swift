// Convolutions in inference that do the work of the batch norm behind them: the same bits as one after the other, however
// the work is cut; and networks find those that can, and no others.

import Messages
import Tensors
import Testing

@testable import Networks

@Suite struct FinishedConvolutionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var input: [Int]
    var outputs: Int
    var kernel = 3
    var stride = 1
    var groups = 1
    var testDescription: String { "\(input) to \(outputs), \(kernel)/\(stride), \(groups) groups" }
  }

  /// Sums by the definition that read pixels, gather them and read lines; tiles of both sizes that reach over the edge;
  /// many outputs of few tiles; groups.
  @Test(arguments: [
    Case(input: [3, 9, 7, 24], outputs: 40, kernel: 1),
    Case(input: [2, 9, 8, 16], outputs: 33, kernel: 1, stride: 2),
    Case(input: [2, 30, 31, 3], outputs: 16, kernel: 7, stride: 2),
    Case(input: [2, 15, 14, 32], outputs: 48, stride: 2), Case(input: [1, 60, 70, 8], outputs: 8),
    Case(input: [4, 29, 30, 32], outputs: 32), Case(input: [2, 6, 5, 64], outputs: 64),
    Case(input: [2, 7, 7, 256], outputs: 256), Case(input: [2, 9, 9, 32], outputs: 32, groups: 8),
    Case(input: [3, 5, 5, 24], outputs: 270, kernel: 1), Case(input: [9, 4, 4, 40], outputs: 70, stride: 2),
    Case(input: [8, 2, 2, 300], outputs: 24),
  ])
  func `a finished convolution has the bits of a convolution, a norm, a sum and a ReLU`(_ c: Case) {
    let shape = [c.kernel, c.kernel, c.input[3] / c.groups, c.outputs]
    let method = ConvolutionMethod(
      input: c.input, weight: shape, stride: c.stride, padding: Extent(c.kernel / 2), groups: c.groups)
    let x = ReferenceNumbers.tensor("x", c.input) { 2 * $0 - 1 }
    let w = ReferenceNumbers.tensor("w", shape) { 2 * $0 - 1 }
    var map = FoldedBatchNorm(channels: c.outputs)
    map.set(
      mean: (0..<c.outputs).map { Double($0 % 5) / 10 }, variance: (0..<c.outputs).map { Double($0 % 7) + 0.5 },
      epsilon: 1e-5, weight: ReferenceNumbers.tensor("gamma", [c.outputs]) { $0 + 0.5 },
      bias: ReferenceNumbers.tensor("beta", [c.outputs]) { $0 - 0.5 })
    for threads in [1, 3] {
      let ops = Ops(ThreadPool(threads: threads))
      let plain = ops.convolve(x, w, method)
      let skip = ReferenceNumbers.tensor("skip", plain.shape) { 4 * $0 - 2 }
      for addend in [nil, skip] {
        for activation in [Activation.none, .relu] {
          var expected = plain
          ops.normalize(&expected, by: map, adding: addend, activation)
          let finished = ops.convolve(x, w, method, finishing: map, adding: addend, activation)
          #expect(finished.values == expected.values, "\(threads) threads")
        }
      }
    }
  }

  @Test(arguments: [
    ("cifar20", 16), ("resnet50", 32), ("plain20", 16), ("vgg11_bn", 32), ("resnext50_32x4d", 32),
    ("googlenet", 32),
    ("resnet9", 16), ("resnet18d", 32), ("seresnet18", 32), ("wrn-10-2", 16),
  ])
  func `networks give the same bits with and without`(name: String, side: Int) throws {
    let plan = try NetworkPlan(
      NetworkSettings(name: name, widthMultiplier: name.hasPrefix("resne") ? 0.25 : 1), imageSize: side, classes: 5)
    let network = Network(plan, seed: 3)
    let images = ReferenceNumbers.tensor("images", [2, side, side, 3]) { 2 * $0 - 1 }
    let pool = ThreadPool(threads: 2)
    for (index, norm) in network.batchNorms.enumerated() {
      norm.runningMean.value = Tensor(norm.runningMean.value.shape) { Float(($0 + index) % 3) / 10 }
      norm.runningVariance.value = Tensor(norm.runningVariance.value.shape) { Float($0 % 4) + 0.5 }
    }
    let finished = network.forward(images, Pass(.inference, pool))
    network.finishesConvolutions = false
    #expect(network.forward(images, Pass(.inference, pool)).values == finished.values)
  }
}

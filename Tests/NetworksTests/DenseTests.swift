// The fully connected layer, flattening and dropout.

import Tensors
import Testing

@testable import Networks

@Suite struct DenseTests {
  static let cases: [LayerCase] = [
    LayerCase(name: "dense on a row", layers: [dense(4)], input: [3, 1, 1, 5]),
    LayerCase(name: "dense on one value", layers: [dense(1)], input: [1, 1, 1, 1]),
    LayerCase(name: "dense on a map", layers: [.flatten, dense(7)], input: [2, 2, 3, 4]),
    LayerCase(name: "dense wider than the chunks", layers: [.flatten, dense(37)], input: [19, 2, 2, 5]),
    LayerCase(name: "dropout", layers: [.dropout(rate: 0.5)], input: [2, 2, 3, 4]),
    LayerCase(
      name: "dropouts around a dense layer",
      layers: [.dropout(rate: 0.25), .flatten, dense(9), .dropout(rate: 0.5)],
      input: [3, 2, 2, 2]),
  ]

  private static func dense(_ outputs: Int) -> LayerPlan {
    .dense(name: "fc", outputs: outputs, initialization: .uniform, weightDecay: nil)
  }

  // Measured: outputs 1.4e-7, gradients 8e-8.
  @Test(arguments: cases)
  func `a layer and its gradients`(_ c: LayerCase) {
    expectAgreement(c, output: 4e-7, gradient: 3e-7)
  }

  @Test(arguments: [0.0, 0.1, 0.5, 0.9])
  func `dropout keeps the mean and drops its share`(rate: Double) {
    let output = Dropout(rate: rate, salt: 1).forward(
      Tensor([100_000]) { _ in 1 }, Pass(.training, ThreadPool(threads: 1), seed: 3))
    let dropped = Double(output.values.filter { $0 == 0 }.count) / 100_000
    // Five standard deviations of a share of 100,000.
    #expect(abs(dropped - rate) <= 5 * (rate * (1 - rate) / 100_000).squareRoot())
    #expect(output.values.allSatisfy { $0 == 0 || abs(Double($0) * (1 - rate) - 1) < 1e-6 })
    let mean = output.values.reduce(0.0) { $0 + Double($1) } / 100_000
    #expect(abs(mean - 1) <= 5 * (rate / (1 - rate) / 100_000).squareRoot() + 1e-6)
  }

  @Test func `dropout drops the same values on the way back`() {
    let layer = Dropout(rate: 0.5, salt: 1)
    let pass = Pass(.training, ThreadPool(threads: 1), seed: 8)
    let ones = Tensor([1000]) { _ in 1 }
    #expect(layer.forward(ones, pass) == layer.backward(ones, pass))
  }

  @Test func `dropout does nothing in inference`() {
    let input = Tensor([1000]) { Float($0) }
    #expect(Dropout(rate: 0.5, salt: 1).forward(input, Pass(.inference, ThreadPool(threads: 1))) == input)
  }

  @Test func `what dropout drops depends on the step and on the layer, and on nothing else`() {
    func output(seed: UInt64, salt: UInt64, threads: Int = 1) -> [Float] {
      Dropout(rate: 0.5, salt: salt).forward(
        Tensor([100]) { _ in 1 }, Pass(.training, ThreadPool(threads: threads), seed: seed)
      ).values
    }
    #expect(output(seed: 1, salt: 2) == output(seed: 1, salt: 2, threads: 3))
    #expect(output(seed: 1, salt: 2) != output(seed: 2, salt: 2))
    #expect(output(seed: 1, salt: 2) != output(seed: 1, salt: 1))
    #expect(output(seed: 1, salt: 2) != output(seed: 2, salt: 1))
  }
}

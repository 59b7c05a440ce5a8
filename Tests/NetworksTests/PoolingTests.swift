// ReLU and pooling: layers without parameters that choose or average.

import Tensors
import Testing

@testable import Networks

@Suite struct PoolingTests {
  static let cases: [LayerCase] = [
    LayerCase(name: "ReLU", layers: [.relu], input: [2, 3, 4, 5]),
    LayerCase(name: "two ReLUs, the second in the first's memory", layers: [.relu, .relu], input: [2, 3, 4, 5]),
    LayerCase(
      name: "max pool 3x3/2 padding 1, even map", layers: [.maxPool(kernel: 3, stride: 2, padding: 1)],
      input: [2, 6, 4, 3]),
    LayerCase(
      name: "max pool 3x3/2 padding 1, odd map", layers: [.maxPool(kernel: 3, stride: 2, padding: 1)],
      input: [3, 5, 7, 2]),
    LayerCase(
      name: "max pool 2x2/2 with a remainder", layers: [.maxPool(kernel: 2, stride: 2, padding: 0)],
      input: [2, 5, 4, 3]),
    LayerCase(
      name: "max pool 3x3/1, overlapping", layers: [.maxPool(kernel: 3, stride: 1, padding: 0)],
      input: [1, 5, 4, 2]),
    LayerCase(name: "means of 2x2", layers: [.averageWindows(side: 2)], input: [2, 4, 6, 3]),
    LayerCase(name: "means of 2x2 of an odd map", layers: [.averageWindows(side: 2)], input: [3, 5, 3, 17]),
    LayerCase(name: "means of 2x2 of a pixel", layers: [.averageWindows(side: 2)], input: [2, 1, 1, 2]),
    LayerCase(name: "means of 3x3, cut off", layers: [.averageWindows(side: 3)], input: [1, 5, 4, 2]),
    LayerCase(name: "global max pool", layers: [.globalMaxPool], input: [3, 4, 5, 3]),
    LayerCase(name: "global max pool of a pixel", layers: [.globalMaxPool], input: [2, 1, 1, 5]),
    LayerCase(name: "global max pool of a large map", layers: [.globalMaxPool], input: [2, 19, 17, 2]),
    LayerCase(name: "global average pool", layers: [.averagePool(side: 1)], input: [3, 4, 5, 3]),
    LayerCase(name: "average pool to 2x2", layers: [.averagePool(side: 2)], input: [2, 4, 6, 3]),
    LayerCase(name: "average pool to 3x3, overlapping", layers: [.averagePool(side: 3)], input: [2, 5, 4, 2]),
    LayerCase(name: "average pool to more than there is", layers: [.averagePool(side: 7)], input: [2, 1, 2, 3]),
    LayerCase(name: "average pool to 7x7 from 10x9", layers: [.averagePool(side: 7)], input: [1, 10, 9, 2]),
  ]

  // Measured: outputs 1.4e-7, gradients 8e-8; rounding only where there is an average.
  @Test(arguments: cases)
  func `a layer and its gradient`(_ c: LayerCase) {
    expectAgreement(c, output: 4e-7, gradient: 4e-7)
  }

  @Test func `areas of an overlapping average, by hand`() {
    // A row of three to two: areas 0 ... 1 and 1 ... 2.
    let layer = AdaptiveAveragePool(side: 2)
    let pool = ThreadPool(threads: 1)
    let output = layer.forward(
      Tensor([1, 3, 3, 1], [0, 2, 4, 0, 2, 4, 0, 2, 4]), Pass(.training, pool))
    #expect(output.values == [1, 3, 1, 3])
    // The middle pixel is in all four areas, a quarter each.
    let gradient = layer.backward(Tensor([1, 2, 2, 1], [4, 4, 4, 4]), Pass(.training, pool))
    #expect(gradient.values == [1, 2, 1, 2, 4, 2, 1, 2, 1])
  }

  @Test func `means of squares count only what is there, by hand`() {
    let layer = AverageWindows(side: 2)
    let pass = Pass(.training, ThreadPool(threads: 1))
    let output = layer.forward(Tensor([1, 3, 3, 1], [1, 3, 5, 5, 7, 9, 2, 4, 8]), pass)
    #expect(output.values == [4, 7, 3, 8])
    let gradient = layer.backward(Tensor([1, 2, 2, 1], [4, 4, 4, 4]), pass)
    #expect(gradient.values == [1, 1, 2, 1, 1, 2, 2, 2, 4])
  }

  @Test func `ReLU leaves its caller's tensor alone and lets a NaN through`() {
    let input = Tensor([4], [-1, 0, 2, .nan])
    let output = ReLU().forward(input, Pass(.training, ThreadPool(threads: 1)))
    #expect(input[0] == -1)
    #expect(output.values[..<3] == [0, 0, 2])
    #expect(output[3].isNaN)
  }

  @Test func `ReLU's gradient at zero is zero`() {
    let relu = ReLU()
    let pass = Pass(.training, ThreadPool(threads: 1))
    _ = relu.forward(Tensor([3], [-1, 0, 1]), pass)
    #expect(relu.backward(Tensor([3], [5, 5, 5]), pass).values == [0, 0, 5])
  }

  @Test func `of equal maxima the first gets the gradient`() {
    let pool = MaxPool(kernel: 2, stride: 2, padding: 0)
    let pass = Pass(.training, ThreadPool(threads: 1))
    let output = pool.forward(Tensor([1, 2, 2, 1], [1, 3, 3, 3]), pass)
    #expect(output.values == [3])
    #expect(pool.backward(Tensor([1, 1, 1, 1], [7]), pass).values == [0, 7, 0, 0])
  }

  @Test func `of equal maxima of a whole map the first gets the gradient, and a NaN is the maximum`() {
    let pool = GlobalMaxPool()
    let pass = Pass(.training, ThreadPool(threads: 1))
    // Two channels: 1 3 3 0 and -5 -4 NaN 9.
    let output = pool.forward(Tensor([1, 2, 2, 2], [1, -5, 3, -4, 3, .nan, 0, 9]), pass)
    #expect(output.shape == [1, 1, 1, 2])
    #expect(output[0] == 3 && output[1].isNaN)
    let gradient = pool.backward(Tensor([1, 1, 1, 2], [7, 8]), pass)
    #expect(gradient.values == [0, 0, 7, 0, 0, 8, 0, 0])
  }

  @Test func `padding never wins a maximum, however negative the image`() {
    let pool = MaxPool(kernel: 3, stride: 2, padding: 1)
    let output = pool.forward(Tensor([1, 4, 4, 1]) { _ in -9 }, Pass(.inference, ThreadPool(threads: 1)))
    #expect(output.values == [-9, -9, -9, -9])
  }

  @Test func `a NaN is every maximum it is seen by`() {
    let pool = MaxPool(kernel: 2, stride: 2, padding: 0)
    let output = pool.forward(
      Tensor([1, 2, 4, 1], [1, .nan, 1, 2, 5, 5, 3, 4]), Pass(.inference, ThreadPool(threads: 1)))
    #expect(output[0].isNaN)
    #expect(output[1] == 4)
  }

  @Test func `a window larger than the padded map is a programmer's mistake, in a process of its own`() async {
    await #expect(processExitsWith: .failure) {
      _ = MaxPool(kernel: 3, stride: 2, padding: 0).forward(
        Tensor(zeros: [1, 2, 2, 1]), Pass(.inference, ThreadPool(threads: 1)))
    }
  }
}

// The whitened first layer: its filters, and that it stays as it is.

import Messages
import Support
import Tensors
import Testing

@testable import NaiveNetworks
@testable import Networks

@Suite struct WhiteningTests {
  private static func images(_ count: Int, side: Int, gray: Bool = false) -> [Float] {
    var generator = RandomGenerator(7)
    return (0..<count).flatMap { _ -> [Float] in
      // Neighbors are alike, as in pictures, and so are the channels.
      var last: Float = 0
      return (0..<side * side).flatMap { _ -> [Float] in
        last = 0.8 * last + generator.normal()
        let value = last
        return (0..<3).map { _ in gray ? value : value + 0.5 * generator.normal() }
      }
    }
  }

  private static func filters(_ images: [Float], side: Int, kernel: Int) throws -> Tensor {
    var patches = PatchWhitening(kernel: kernel, channels: 3)
    patches.add(images, height: side, width: side)
    return try #require(patches.filters)
  }

  @Test func `eigenvectors of a matrix by hand`() {
    // Eigenvalues 3 and 1, vectors along the diagonals.
    let pairs = SymmetricMatrix(side: 2, values: [2, 1, 1, 2]).eigenvectors
    #expect(zip(pairs, [3.0, 1]).allSatisfy { abs($0.value - $1) < 1e-12 })
    #expect(abs(pairs[0].vector[0] - pairs[0].vector[1]) < 1e-12)
    #expect(abs(pairs[1].vector[0] + pairs[1].vector[1]) < 1e-12)
  }

  @Test func `eigenvectors make the matrix again`() {
    var generator = RandomGenerator(1)
    let side = 27
    var values = [Double](repeating: 0, count: side * side)
    for row in 0..<side {
      for column in 0...row {
        let value = Double(generator.normal())
        (values[row * side + column], values[column * side + row]) = (value, value)
      }
    }
    let pairs = SymmetricMatrix(side: side, values: values).eigenvectors
    #expect(pairs.map(\.value) == pairs.map(\.value).sorted(by: >))
    var largest = 0.0
    for row in 0..<side {
      for column in 0..<side {
        let sum = pairs.reduce(0) { $0 + $1.value * $1.vector[row] * $1.vector[column] }
        largest = max(largest, abs(sum - values[row * side + column]))
        let product = zip(pairs[row].vector, pairs[column].vector).reduce(0) { $0 + $1.0 * $1.1 }
        largest = max(largest, abs(product - (row == column ? 1 : 0)))
      }
    }
    #expect(largest < 1e-12, "\(largest)")
  }

  @Test(arguments: [2, 3])
  func `what the filters make of patches is uncorrelated, of variance one, and there twice with both signs`(
    kernel: Int
  ) throws {
    let (count, side) = (20, 12)
    let images = Self.images(count, side: side)
    let weight = try Self.filters(images, side: side, kernel: kernel)
    let half = kernel * kernel * 3
    #expect(weight.shape == [kernel, kernel, 3, 2 * half])
    let output = Naive.convolution(
      NaiveTensor(Tensor([count, side, side, 3], images)), weight: NaiveTensor(weight), bias: nil, stride: 1,
      padding: (0, 0))
    let pixels = output.values.count / (2 * half)
    for first in 0..<half {
      for second in first..<half {
        var moment = 0.0
        for pixel in 0..<pixels {
          moment += output.values[pixel * 2 * half + first] * output.values[pixel * 2 * half + second]
        }
        // A variance v comes out as v / (v + epsilon); the smallest here is about 0.2.
        #expect(abs(moment / Double(pixels) - (first == second ? 1 : 0)) < 0.005, "\(first), \(second)")
      }
      for place in 0..<half {
        #expect(weight[place * 2 * half + first] == -weight[place * 2 * half + half + first])
      }
    }
  }

  @Test func `gray images leave the directions between channels empty`() throws {
    let weight = try Self.filters(Self.images(8, side: 10, gray: true), side: 10, kernel: 2)
    let used = (0..<24).filter { filter in (0..<12).contains { weight[$0 * 24 + filter] != 0 } }
    // Four values of a patch of gray, and their negatives.
    #expect(used == [0, 1, 2, 3, 12, 13, 14, 15])
    #expect(weight.values.allSatisfy { abs($0) < 100 })
  }

  @Test func `batches add up, and nothing gives nothing`() throws {
    let images = Self.images(6, side: 9)
    var parts = PatchWhitening(kernel: 2, channels: 3)
    #expect(parts.filters == nil)
    parts.add([], height: 9, width: 9)
    #expect(parts.filters == nil)
    parts.add(Array(images[..<(2 * 243)]), height: 9, width: 9)
    parts.add(Array(images[(2 * 243)...]), height: 9, width: 9)
    let whole = try Self.filters(images, side: 9, kernel: 2)
    let apart = try #require(parts.filters)
    #expect(Deviation.largest(apart, from: NaiveTensor(whole)) < 1e-5)
    parts.add([Float](repeating: .nan, count: 243), height: 9, width: 9)
    #expect(parts.filters == nil)
  }

  @Test func `a whitening layer is a convolution, and hands a gradient on where one is wanted`() {
    expectAgreement(
      LayerCase(
        name: "whitening",
        layers: [.whitening(name: "whiten", kernel: 2), .relu, .convolution(name: "conv", outputs: 3, kernel: 3)],
        input: [2, 6, 5, 3]), output: 1e-6, gradient: 3e-6)
  }

  @Test func `a whitening layer never learns, and nothing goes back to it`() throws {
    let plan = try NetworkPlan(
      NetworkSettings(name: "resnet9", widthMultiplier: 0.0625, isWhitened: true), imageSize: 16, classes: 3)
    let network = Network(plan, seed: 4)
    let fixed = try #require(network.whitening)
    #expect(fixed.name == "whiten.weight" && fixed.weightDecay == 0)
    #expect(network.parameters.filter(\.isFixed).count == 1)
    let pass = Pass(.training, ThreadPool(threads: 1))
    let logits = network.forward(ReferenceNumbers.images(2, side: 16), pass)
    network.backward(pass.ops.softmaxCrossEntropy(logits: logits, labels: [0, 1]).gradient, pass)
    #expect(fixed.gradient.values.allSatisfy { $0 == 0 })
    let second = try #require(plan.lowered.steps.first { plan.lowered.operations[$0.operation].kind.learns })
    #expect(!second.inputs[0].hasGradient)
    #expect(
      Network(try NetworkPlan(NetworkSettings(name: "resnet9"), imageSize: 16, classes: 3), seed: 1).whitening
        == nil)
  }

  @Test(arguments: ["cifar20", "resnet18", "vgg19"])
  func `other networks have no whitened form`(name: String) {
    let error = #expect(throws: NetworkError.self) {
      try Architecture.check(NetworkSettings(name: name, isWhitened: true))
    }
    #expect(error?.description.contains("--whiten means nothing for \(name)") == true)
  }
}

@Suite struct DiracInitializationTests {
  /// torch.nn.init.dirac_ of the first filters: filter i has a one in the middle of channel i.
  @Test func `filters hand their channel on, as many as there are, and the others are as before`() throws {
    let plan = try NetworkPlan(NetworkSettings(name: "cifar8", shortcut: .projection), imageSize: 8, classes: 3)
    let usual = Network(plan, seed: 3)
    let dirac = Network(plan, seed: 3, initialization: .dirac)
    var others = 0
    for (parameter, before) in zip(dirac.parameters, usual.parameters) {
      guard parameter.role == .convolutionWeight else {
        #expect(parameter.value.values == before.value.values)
        continue
      }
      let shape = parameter.fileShape
      let (values, old) = (parameter.fileOrder(parameter.value), before.fileOrder(before.value))
      let filter = shape[1] * shape[2] * shape[3]
      for output in 0..<shape[0] {
        let row = Array(values[(output * filter)..<((output + 1) * filter)])
        if output < shape[1] {
          var identity = [Float](repeating: 0, count: filter)
          identity[(output * shape[2] + shape[2] / 2) * shape[3] + shape[3] / 2] = 1
          #expect(row == identity, "\(parameter.name), filter \(output)")
        } else {
          others += 1
          #expect(row == Array(old[(output * filter)..<((output + 1) * filter)]))
        }
      }
    }
    // 16 filters of 3 channels, 32 of 16, 64 of 32, and the two projections.
    #expect(others == 13 + 2 * 16 + 2 * 32)
  }

  /// As torch.nn.init.dirac_ with `groups`.
  @Test(arguments: [(2, 3), (3, 2), (4, 4)])
  func `in groups the first filters of each hand that group's channels on`(inputs: Int, outputs: Int) throws {
    let plan = try LoweredPlan(
      [
        .convolution(name: "conv", outputs: 3 * outputs, kernel: 3, padding: 1, groups: 3), .flatten,
        .dense(name: "fc", outputs: 2),
      ], image: FeatureShape(height: 4, width: 4, channels: 3 * inputs))
    let layers = LayerGraph(plan, seed: 1, initialization: .dirac)
    let parameter = try #require(layers.parameters.first { $0.name == "conv.weight" })
    #expect(parameter.fileShape == [3 * outputs, inputs, 3, 3])
    let weight = parameter.fileOrder(parameter.value)
    for output in 0..<(3 * outputs) where output % outputs < inputs {
      var identity = [Float](repeating: 0, count: inputs * 9)
      identity[output % outputs * 9 + 4] = 1
      #expect(Array(weight[(output * inputs * 9)..<((output + 1) * inputs * 9)]) == identity, "filter \(output)")
    }
  }
}

// Networks for inference against the naive twin, and against the network that they are made of: convolutions with what
// follows in the product, however the work is cut and whatever stands in the memory of the result before.

import Messages
import Tensors
import Testing

@testable import NaiveNetworks
@testable import Networks

@Suite struct InferenceNetworkTests {
  /// From layer to layer the error of rounded numbers grows; a layer that is wrong is a leap.
  /// - Parameter least: what the first layers may be apart.
  private func expectNoLeap(
    of rounded: InferenceNetwork, from float: InferenceNetwork, on images: Tensor, atFirst least: Double,
    _ pool: ThreadPool
  ) {
    var largest = 0.0
    for value in float.plan.lowered.steps.map(\.output) where float.computes(value) {
      let own = Deviation.norm(
        rounded.forward(images, to: value, pool), from: NaiveTensor(float.forward(images, to: value, pool)))
      #expect(own < least + 1.6 * largest, "value \(value): \(brief(own)), before \(brief(largest))")
      largest = max(largest, own)
    }
  }

  /// A network and a batch that has settled its statistics: random weights make maps that no trained network has.
  private func settled(
    _ settings: NetworkSettings, side: Int, _ pool: ThreadPool
  ) throws -> (Network, images: Tensor) {
    let network = Network(try NetworkPlan(settings, imageSize: side, classes: 5), seed: 3)
    ReferenceNumbers.fill(network)
    let images = ReferenceNumbers.tensor("images", [4, side, side, 3]) { 2 * $0 - 1 }
    for norm in network.batchNorms { norm.batchesTracked = 0 }
    for _ in 0..<40 { _ = network.forward(images, Pass(.training, pool)) }
    return (network, images)
  }

  /// Without a list of all that differs.
  private func isSame(_ a: Tensor, _ b: Tensor) -> Bool { a == b }

  struct Case: Sendable, CustomTestStringConvertible {
    var input: [Int]
    var outputs: Int
    var kernel = 3
    var stride = 1
    var groups = 1
    var algorithms = ConvolutionAlgorithms.fastest
    /// Of the largest result.
    var error = 2e-6
    var testDescription: String { "\(input) to \(outputs), \(kernel)/\(stride), \(groups) groups, \(algorithms)" }
  }

  /// Pixels that are read where they lie, gathered, copied because their rows would collide; lines of several images at
  /// a time; more columns than one thread's; many steps; tiles of both sizes and of a stride, few tiles of many outputs;
  /// groups.
  static let cases = [
    Case(input: [3, 9, 7, 24], outputs: 40, kernel: 1),
    Case(input: [2, 9, 8, 16], outputs: 33, kernel: 1, stride: 2),
    Case(input: [1, 2, 3, 1024], outputs: 96, kernel: 1), Case(input: [1, 15, 15, 600], outputs: 37, kernel: 1),
    Case(input: [2, 30, 31, 3], outputs: 16, kernel: 7, stride: 2),
    Case(input: [5, 15, 14, 32], outputs: 48, stride: 2), Case(input: [1, 60, 70, 8], outputs: 8),
    Case(input: [4, 29, 30, 32], outputs: 32, error: 2e-5), Case(input: [2, 6, 5, 64], outputs: 70, error: 2e-5),
    Case(input: [2, 7, 7, 256], outputs: 256, error: 2e-5),
    Case(input: [16, 15, 16, 160], outputs: 250, stride: 2),
    Case(input: [2, 9, 9, 32], outputs: 32, groups: 8),
    Case(input: [2, 9, 8, 48], outputs: 34, groups: 2),
    Case(input: [9, 4, 4, 40], outputs: 70, stride: 2), Case(input: [8, 2, 2, 300], outputs: 34),
    Case(input: [10, 4, 3, 20], outputs: 12, kernel: 5),
    Case(input: [2, 9, 8, 16], outputs: 34, kernel: 1, algorithms: .bfloat16, error: 1e-2),
    Case(input: [2, 15, 14, 32], outputs: 48, stride: 2, algorithms: .bfloat16, error: 1e-2),
    Case(input: [4, 29, 30, 32], outputs: 32, algorithms: .bfloat16, error: 3e-2),
    Case(input: [2, 6, 5, 64], outputs: 70, algorithms: .bfloat16, error: 3e-2),
    Case(input: [2, 7, 7, 256], outputs: 256, algorithms: .bfloat16, error: 3e-2),
  ]

  @Test(arguments: cases)
  func `a prepared convolution is the sum by the definition with a norm, an addition and a ReLU`(_ c: Case) {
    let shape = [c.kernel, c.kernel, c.input[3] / c.groups, c.outputs]
    let x = ReferenceNumbers.tensor("x", c.input) { 2 * $0 - 1 }
    let w = ReferenceNumbers.tensor("w", shape) { 2 * $0 - 1 }
    let (mean, variance) = (
      (0..<c.outputs).map { Double($0 % 5) / 10 }, (0..<c.outputs).map { Double($0 % 7) + 0.5 }
    )
    let gamma = ReferenceNumbers.tensor("gamma", [c.outputs]) { $0 + 0.5 }
    let beta = ReferenceNumbers.tensor("beta", [c.outputs]) { $0 - 0.5 }
    var map = FoldedBatchNorm(channels: c.outputs)
    map.set(mean: mean, variance: variance, epsilon: 1e-5, weight: gamma, bias: beta)
    let sums = Naive.convolution(
      NaiveTensor(x), weight: NaiveTensor(w), bias: nil, stride: c.stride, padding: (c.kernel / 2, c.kernel / 2),
      groups: c.groups)
    let normalized = Naive.batchNorm(
      sums, scale: NaiveTensor(gamma), shift: NaiveTensor(beta), mean: mean, variance: variance, epsilon: 1e-5)
    expectWithWhatFollows(normalized, x, error: c.error) {
      PreparedConvolution(
        weight: w, norm: map, stride: c.stride, padding: Extent(c.kernel / 2), groups: c.groups,
        algorithms: c.algorithms)
    }
  }

  /// Near the sums with and without an addition and a ReLU, with the same bits on any threads and in the addend's place.
  /// - Parameter look: shown each expectation.
  private func expectWithWhatFollows(
    _ sums: NaiveTensor, _ x: Tensor, error: Double, of prepared: () -> PreparedConvolution,
    _ look: (_ expected: NaiveTensor, _ addend: Tensor?, Activation) -> Void = { _, _, _ in }
  ) {
    let skip = ReferenceNumbers.tensor("skip", sums.shape) { 40 * $0 - 20 }
    for addend in [nil, skip] {
      for activation in [Activation.none, .relu] {
        let sum = addend.map { sums + NaiveTensor($0) } ?? sums
        let expected = activation == .relu ? Naive.relu(sum) : sum
        var first: Tensor?
        for threads in [1, 3, 8] {
          let convolution = prepared()
          let ops = Ops(ThreadPool(threads: threads))
          let y = convolution(x, adding: addend, activation, ops)
          #expect(Deviation.largest(y, from: expected) < error, "\(threads) threads")
          #expect(first.map { isSame($0, y) } ?? true, "\(threads) threads give other bits than 1")
          first = first ?? y
          guard let addend else { continue }
          // What nobody else has becomes the result.
          let own = Tensor(addend.shape, addend.values)
          #expect(isSame(convolution(x, adding: consume own, activation, ops), y), "in place of the addend")
        }
        look(expected, addend, activation)
      }
    }
  }

  // MARK: bfloat16

  struct RoundedCase: Sendable, CustomTestStringConvertible {
    var input: [Int]
    var outputs: Int
    var kernel: Extent = 3
    var stride = 1
    var padding: Extent = 0
    var groups = 1
    var testDescription: String {
      "\(input) to \(outputs), \(kernel)/\(stride), padding \(padding), \(groups) groups"
    }
  }

  /// Pixels of a whole map, at a distance, beside padding; so many channels that rows would collide; sums of several
  /// parts; odd numbers of pairs; windows that are no squares; lines of several images and blocks of lines; more columns
  /// than a panel has.
  static let roundedCases = [
    RoundedCase(input: [3, 9, 7, 24], outputs: 40, kernel: 1),
    RoundedCase(input: [2, 9, 8, 16], outputs: 34, kernel: 1, stride: 2),
    RoundedCase(input: [2, 7, 6, 10], outputs: 6, kernel: 1, padding: 1),
    RoundedCase(input: [1, 2, 3, 2048], outputs: 96, kernel: 1),
    RoundedCase(input: [1, 5, 5, 2120], outputs: 38, kernel: 1),
    RoundedCase(input: [2, 30, 31, 4], outputs: 16, kernel: 7, stride: 2, padding: 3),
    RoundedCase(input: [5, 15, 14, 32], outputs: 48, stride: 2, padding: 1),
    RoundedCase(input: [2, 11, 9, 6], outputs: 6, stride: 3),
    RoundedCase(input: [1, 60, 70, 8], outputs: 8, padding: 1),
    RoundedCase(input: [9, 4, 3, 42], outputs: 70, stride: 2, padding: 1),
    RoundedCase(
      input: [3, 6, 7, 10], outputs: 14, kernel: Extent(height: 1, width: 7), padding: Extent(height: 0, width: 3)),
    RoundedCase(
      input: [2, 8, 9, 34], outputs: 270, kernel: Extent(height: 3, width: 2), padding: Extent(height: 1, width: 0)),
  ]

  /// The nearest bfloat16, by the definition: of the two floats with 8 bits of precision around it, the even one of two
  /// that are equally near.
  private func rounded(_ tensor: Tensor) -> Tensor {
    Tensor(
      tensor.shape,
      tensor.values.map { value in
        let below = Float(bitPattern: value.bitPattern & 0xffff_0000)
        let above = Float(bitPattern: below.bitPattern + 0x1_0000)
        let (down, up) = (abs(Double(value) - Double(below)), abs(Double(above) - Double(value)))
        if down == up { return below.bitPattern & 0x1_0000 == 0 ? below : above }
        return down < up ? below : above
      })
  }

  /// A convolution of a case with a norm of mean 0 and factors `gamma`, and what it is made of.
  private func normed(_ c: RoundedCase) -> (x: Tensor, w: Tensor, gamma: Tensor, beta: Tensor, map: FoldedBatchNorm)
  {
    let w = ReferenceNumbers.tensor(
      "w", [c.kernel.height, c.kernel.width, c.input[3] / c.groups, c.outputs]
    ) { 2 * $0 - 1 }
    let gamma = ReferenceNumbers.tensor("gamma", [c.outputs]) { $0 + 0.5 }
    let beta = ReferenceNumbers.tensor("beta", [c.outputs]) { $0 - 0.5 }
    var map = FoldedBatchNorm(channels: c.outputs)
    let (zeros, ones) = ([Double](repeating: 0, count: c.outputs), [Double](repeating: 1, count: c.outputs))
    map.set(mean: zeros, variance: ones, epsilon: 0, weight: gamma, bias: beta)
    return (ReferenceNumbers.tensor("x", c.input) { 2 * $0 - 1 }, w, gamma, beta, map)
  }

  private func prepared(
    _ c: RoundedCase, _ w: Tensor, _ map: FoldedBatchNorm, _ algorithms: ConvolutionAlgorithms
  ) -> PreparedConvolution {
    PreparedConvolution(
      weight: w, norm: map, stride: c.stride, padding: c.padding, groups: c.groups, algorithms: algorithms)
  }

  @Test(arguments: roundedCases)
  func `a prepared convolution in bfloat16 is the sum of rounded factors, with what follows not rounded`(
    _ c: RoundedCase
  ) {
    let (x, w, gamma, beta, map) = normed(c)
    // The norm's factors are multiplied in before weights are rounded.
    let scaled = Tensor(w.shape, w.values.enumerated().map { $1 * gamma[$0 % c.outputs] })
    let sums = Naive.convolution(
      NaiveTensor(rounded(x)), weight: NaiveTensor(rounded(scaled)), bias: NaiveTensor(beta), stride: c.stride,
      padding: (c.padding.height, c.padding.width))
    // Measured: 3.9e-7; of factors that are not rounded 4e-4 to 2.7e-3.
    expectWithWhatFollows(sums, x, error: 2e-6, of: { prepared(c, w, map, .bfloat16) }) {
      expected, addend, activation in
      let float = prepared(c, w, map, .fastest)(x, adding: addend, activation, Ops(ThreadPool(threads: 1)))
      #expect(Deviation.largest(float, from: expected) > 1e-4, "it is no float")
    }
  }

  /// An odd depth, as of a first layer; an odd number of outputs; groups.
  @Test(arguments: [
    RoundedCase(input: [2, 20, 21, 3], outputs: 16, kernel: 7, stride: 2, padding: 3),
    RoundedCase(input: [2, 9, 8, 7], outputs: 12, kernel: 1),
    RoundedCase(input: [2, 9, 8, 16], outputs: 33, kernel: 1),
    RoundedCase(input: [2, 9, 9, 32], outputs: 32, padding: 1, groups: 8),
    RoundedCase(input: [2, 9, 8, 48], outputs: 34, padding: 1, groups: 2),
  ])
  func `what training in bfloat16 leaves in float32 is the same to the bit in inference`(_ c: RoundedCase) {
    let (x, w, _, _, map) = normed(c)
    let ops = Ops(ThreadPool(threads: 2))
    let y = prepared(c, w, map, .bfloat16)(x, .relu, ops)
    #expect(isSame(y, prepared(c, w, map, .fastest)(x, .relu, ops)))
  }

  @Test(arguments: [
    (NetworkSettings(name: "resnet50", widthMultiplier: 0.25), 64, 0.7),
    (NetworkSettings(name: "resnet18", widthMultiplier: 0.25), 64, 0.03),
    (NetworkSettings(name: "cifar20"), 16, 0.01), (NetworkSettings(name: "cifar8", version: .v2), 16, 0.01),
    (NetworkSettings(name: "googlenet", widthMultiplier: 0.25), 64, 0.35),
    (NetworkSettings(name: "squeezenet1_1", widthMultiplier: 0.5), 64, 0.02),
    (NetworkSettings(name: "seresnet18", widthMultiplier: 0.25), 32, 0.01),
  ])
  func
    `a network for inference in bfloat16 gives nearly what it does in float32, with the same bits on any threads`(
      settings: NetworkSettings, side: Int, error: Double
    ) throws
  {
    let pool = ThreadPool(threads: 2)
    let (network, images) = try settled(settings, side: side, pool)
    let (float, mixed) = (InferenceNetwork(network), InferenceNetwork(network, convolutions: .bfloat16))
    let expected = NaiveTensor(float.forward(images, pool))
    let one = mixed.forward(images, ThreadPool(threads: 1))
    let deviation = Deviation.norm(one, from: expected)
    // Random weights enlarge what is rounded, the more the deeper; a layer that is wrong is a leap.
    #expect(deviation < error && deviation > 1e-5, "\(brief(deviation))")
    expectNoLeap(of: mixed, from: float, on: images, atFirst: 0.01, pool)
    #expect(isSame(mixed.forward(images, ThreadPool(threads: 3)), one))
  }

  @Test(
    arguments: [(7, 512, 1), (4, 256, 1), (14, 64, 1), (2, 96, 1), (3, 40, 1), (16, 128, 2)],
    [ConvolutionAlgorithms.fastest, .bfloat16])
  func `an image alone is what it is in its batch, to the bit`(
    map: (side: Int, channels: Int, stride: Int), algorithms: ConvolutionAlgorithms
  ) {
    let (side, channels, stride) = map
    let images = 64
    let x = ReferenceNumbers.tensor("x", [images, side, side, channels]) { 2 * $0 - 1 }
    let w = ReferenceNumbers.tensor("w", [3, 3, channels, channels]) { 2 * $0 - 1 }
    func method(_ images: Int) -> ConvolutionMethod {
      ConvolutionMethod(
        input: [images, side, side, channels], weight: [3, 3, channels, channels], stride: stride, padding: 1,
        algorithms)
    }
    let convolution = PreparedConvolution(weight: w, stride: stride, padding: 1, algorithms: algorithms)
    let ops = Ops(ThreadPool(threads: 2))
    let whole = convolution(x, .relu, ops)
    for part in [0..<1, 3..<5, 63..<64] {
      #expect(isSame(convolution(x.images(part), .relu, ofBatch: images, ops), whole.images(part)), "\(part)")
    }
    // By itself, few tiles may go another way.
    let goesAnotherWay = stride == 1 ? (4...7).contains(side) : algorithms == .fastest
    #expect(!goesAnotherWay || method(1).preparedFloats != method(images).preparedFloats)
  }

  @Test func `weights that change later change nothing, and batches of other sizes are as good`() {
    var w = ReferenceNumbers.tensor("w", [3, 3, 32, 32]) { 2 * $0 - 1 }
    let bias = ReferenceNumbers.tensor("bias", [32]) { $0 }
    let convolution = PreparedConvolution(weight: w, bias: bias, padding: 1)
    let ops = Ops(ThreadPool(threads: 2))
    let original = NaiveTensor(w)
    for images in [1, 9, 1] {
      let x = ReferenceNumbers.tensor("x", [images, 5, 5, 32]) { 2 * $0 - 1 }
      w[0] += 1
      let expected = Naive.convolution(
        NaiveTensor(x), weight: original, bias: NaiveTensor(bias), stride: 1, padding: (1, 1))
      #expect(Deviation.largest(convolution(x, .none, ops), from: expected) < 2e-5)
    }
  }

  @Test func `a NaN stays one`() {
    let ops = Ops(ThreadPool(threads: 1))
    // Outputs that are part of a vector, and those of whole tiles.
    for outputs in [8, 64] {
      let w = ReferenceNumbers.tensor("w", [1, 1, 8, outputs]) { 2 * $0 - 1 }
      var x = ReferenceNumbers.tensor("x", [1, 4, 4, 8]) { $0 }
      x[0] = .nan
      for addend in [nil, Tensor(zeros: [1, 4, 4, outputs])] {
        let y = PreparedConvolution(weight: w)(x, adding: addend, .relu, ops)
        #expect((0..<outputs).allSatisfy { y[$0].isNaN } && (outputs..<y.count).allSatisfy { y[$0].isFinite })
      }
    }
    let tiles = PreparedConvolution(weight: ReferenceNumbers.tensor("w", [3, 3, 32, 32]) { $0 }, padding: 1)
    var map = ReferenceNumbers.tensor("x", [2, 16, 16, 32]) { $0 }
    map[0] = .nan
    #expect(tiles(map, .relu, ops)[0].isNaN)
  }

  static let networks: [(NetworkSettings, Int)] = [
    (NetworkSettings(name: "cifar20"), 16), (NetworkSettings(name: "cifar8", version: .v2), 16),
    (NetworkSettings(name: "resnet50", widthMultiplier: 0.25), 32), (NetworkSettings(name: "plain20"), 16),
    (NetworkSettings(name: "vgg11", widthMultiplier: 0.25), 32), (NetworkSettings(name: "vgg11_bn"), 32),
    (NetworkSettings(name: "resnext50_32x4d", widthMultiplier: 0.25), 32), (NetworkSettings(name: "googlenet"), 32),
    (NetworkSettings(name: "resnet9"), 16),
    (NetworkSettings(name: "resnet9", widthMultiplier: 0.25, isWhitened: true, dropPath: 0.3), 28),
    (NetworkSettings(name: "resnet18d", widthMultiplier: 0.25), 32),
    (NetworkSettings(name: "seresnet18", widthMultiplier: 0.25), 32), (NetworkSettings(name: "wrn-10-2"), 16),
    (NetworkSettings(name: "squeezenet1_1", widthMultiplier: 0.5), 64),
    (NetworkSettings(name: "alexnet", widthMultiplier: 0.125), 96), (NetworkSettings(name: "lenet5-classic"), 32),
    (NetworkSettings(name: "googlenet", widthMultiplier: 0.25, auxiliaryHeads: true), 64),
  ]

  @Test(arguments: networks)
  func `a network for inference gives what its network does, but for rounding`(
    settings: NetworkSettings, side: Int
  ) throws {
    let network = Network(try NetworkPlan(settings, imageSize: side, classes: 5), seed: 3)
    ReferenceNumbers.fill(network)
    let images = ReferenceNumbers.tensor("images", [3, side, side, 3]) { 2 * $0 - 1 }
    let inference = InferenceNetwork(network)
    let expected = NaiveTensor(network.forward(images, Pass(.inference, ThreadPool(threads: 2))))
    let one = inference.forward(images, ThreadPool(threads: 1))
    #expect(Deviation.largest(one, from: expected) < 2e-4)
    #expect(isSame(inference.forward(images, ThreadPool(threads: 3)), one), "the bits of one thread")
    let value = network.plan.penultimate
    try #require(inference.computes(value))
    let (logits, kept) = inference.forward(images, keeping: value, ThreadPool(threads: 2))
    #expect(isSame(logits, one))
    #expect(isSame(inference.forward(images, to: value, ThreadPool(threads: 2)), kept))
    let known = network.forward(images, to: value, Pass(.inference, ThreadPool(threads: 2)))
    #expect(Deviation.largest(kept, from: NaiveTensor(known)) < 2e-4)
    // More than one batch is only slower.
    let once = InferenceNetwork(network, isForOneBatch: true)
    for _ in 0..<2 { #expect(isSame(once.forward(images, ThreadPool(threads: 2)), one)) }
  }

  @Test func `a network for one batch keeps no weights but the network's, in a process of its own`() async {
    await #expect(processExitsWith: .success) {
      let network = Network(
        try NetworkPlan(NetworkSettings(name: "resnet18", widthMultiplier: 0.5), imageSize: 32, classes: 5), seed: 3
      )
      let pool = ThreadPool(threads: 2)
      func kept(isForOneBatch: Bool) -> Int {
        let before = StoragePool.bytesInUse
        let inference = InferenceNetwork(network, isForOneBatch: isForOneBatch)
        for images in [3, 1] { _ = inference.forward(Tensor(zeros: [images, 32, 32, 3]), pool) }
        return withExtendedLifetime(inference) { StoragePool.bytesInUse - before }
      }
      let weights = 4 * network.parameters.reduce(0) { $0 + $1.value.count }
      let (all, none) = (kept(isForOneBatch: false), kept(isForOneBatch: true))
      #expect(all > weights, "\(all) bytes for weights of \(weights)")
      #expect(none < weights / 20, "\(none) bytes for weights of \(weights)")
    }
  }

  @Test(arguments: [
    (NetworkSettings(name: "resnet18"), 64, 100),
    (NetworkSettings(name: "googlenet", widthMultiplier: 0.25), 64, 150),
    (NetworkSettings(name: "resnet18", version: .v2, widthMultiplier: 0.25), 64, 200),
  ])
  func `images that go in parts give the bits that they give all at once, in bytes too`(
    settings: NetworkSettings, side: Int, images: Int
  ) throws {
    let network = Network(try NetworkPlan(settings, imageSize: side, classes: 5), seed: 3)
    ReferenceNumbers.fill(network)
    let stages = InferenceStage.stages(of: InferenceSteps(network.plan.lowered).steps, network.plan.lowered)
    let sizes = stages.map { min(images, $0.images(threads: 2)) }
    #expect(Set(sizes).count > 1 && sizes.last == images, "\(sizes): nothing is put together")
    let batch = ReferenceNumbers.tensor("images", [images, side, side, 3]) { 2 * $0 - 1 }
    let calibration = QuantizationCalibration(network, convolutions: network.plan.quantizableConvolutions)
    calibration.look(at: batch.images(3..<5), ThreadPool(threads: 2))
    for quantization in [nil, calibration.quantization()] {
      let inference = InferenceNetwork(network, quantization: quantization)
      let whole = inference.forward(batch, keeping: network.plan.penultimate, ThreadPool(threads: 2)).logits
      for threads in [1, 2] {
        #expect(isSame(inference.forward(batch, ThreadPool(threads: threads)), whole), "\(threads) threads")
      }
    }
  }

  @Test func `large maps go a few images at a time, small ones together`() throws {
    let plan = try NetworkPlan(NetworkSettings(name: "resnet50"), imageSize: 224, classes: 10)
    let steps = InferenceSteps(plan.lowered).steps
    let stages = InferenceStage.stages(of: steps, plan.lowered)
    #expect(stages.flatMap(\.steps) == Array(steps.indices))
    // By the sizes of He et al. 2015, table 1: the stem's map of 112 x 112 x 64 and the pooled one are a million floats,
    // two maps of 56 x 56 x 256 and one of 64 between them 1.8 million, of 16 MB.
    let images = stages.map { $0.images(threads: 2) }
    #expect(images.prefix(5) == [4, 4, 2, 2, 2])
    #expect(images.last.map { $0 >= 64 } == true)
    #expect(stages.count == 2 + 16 + 3, "the stem and its pool, a stage for each block; pool, flatten, dense")
    #expect(stages.allSatisfy { $0.images(threads: 64) >= $0.images(threads: 2) })
    #expect(stages.allSatisfy { $0.images(threads: 1) >= 1 })
  }

  @Test func `each convolution of a residual network does its norm, its ReLU and its addition`() throws {
    let plan = try NetworkPlan(NetworkSettings(name: "resnet50"), imageSize: 64, classes: 5)
    let steps = InferenceSteps(plan.lowered).steps
    // He et al. 2015, table 1: 49 convolutions, and here a projection for each of 4 stages; pool, pool, flatten, dense.
    #expect(steps.count == 49 + 4 + 4)
    #expect(steps.count { $0.norm != nil } == 53)
    #expect(steps.count { $0.norm != nil && $0.inputs.count == 2 } == 16, "a sum for each block")
    #expect(steps.count { $0.norm != nil && $0.activates } == 49, "all but the projections")
  }

  @Test(arguments: [
    (NetworkSettings(name: "cifar20"), 16, 0.08),
    (NetworkSettings(name: "resnet50", widthMultiplier: 0.25), 64, 1),
    (NetworkSettings(name: "resnet18"), 64, 0.1), (NetworkSettings(name: "vgg11", widthMultiplier: 0.25), 32, 0.08),
    (NetworkSettings(name: "resnet9"), 32, 0.08),
    (NetworkSettings(name: "googlenet", widthMultiplier: 0.25), 64, 0.6),
    (NetworkSettings(name: "seresnet18", widthMultiplier: 0.25), 32, 0.12),
    (NetworkSettings(name: "wrn-10-2"), 16, 0.08), (NetworkSettings(name: "cifar8", version: .v2), 16, 0.08),
    (NetworkSettings(name: "resnext50_32x4d", widthMultiplier: 0.25), 64, 1),
  ])
  func `a quantized network gives nearly what its network does, with the same bits on any threads`(
    settings: NetworkSettings, side: Int, error: Double
  ) throws {
    let pool = ThreadPool(threads: 2)
    let (network, images) = try settled(settings, side: side, pool)
    let names = network.plan.quantizableConvolutions
    let calibration = QuantizationCalibration(network, convolutions: names)
    calibration.look(at: images, pool)
    let quantization = try #require(calibration.quantization())
    #expect(Set(quantization.weights.keys) == Set(names) && Set(quantization.inputs.keys) == Set(names))
    let quantized = InferenceNetwork(network, quantization: quantization)
    let expected = NaiveTensor(InferenceNetwork(network).forward(images, pool))
    let one = quantized.forward(images, ThreadPool(threads: 1))
    let deviation = Deviation.norm(one, from: expected)
    #expect(deviation < error && deviation > 1e-4, "\(brief(deviation))")
    // From layer to layer the error grows, the more the less a network has learned; a layer that is wrong is a leap.
    let float = InferenceNetwork(network)
    expectNoLeap(of: quantized, from: float, on: images, atFirst: 0.03, pool)
    #expect(isSame(quantized.forward(images, ThreadPool(threads: 3)), one))
  }

  @Test func `a range ends where its roundings and cuts make the smallest error`() throws {
    var counts = MagnitudeCounts()
    // n numbers up to 1 and one at 40: the sum n (end / 255)^2 / 12 + (40 - end)^2 is least at 40 / (1 + n / 780,300).
    for _ in 0..<40 { counts.add(Tensor([100_000]) { Float($0) / 100_000 }) }
    counts.add(Tensor([1], [40]))
    let format = try #require(counts.format())
    #expect(format.zero == 0 && (6...7.1).contains(format.scale * 255), "\(format)")
    counts.add(Tensor([1], [-0.5]))
    let signed = try #require(counts.format())
    #expect(signed.zero == 128 && (1.4...2.3).contains(signed.scale * 127), "\(signed)")
    counts.add(Tensor([1], [.nan]))
    #expect(counts.format() == nil)
    #expect(MagnitudeCounts().format() == nil)
  }
}

// Convolutions: every kernel side, stride and padding in use, against the naive loops and their finite differences.

import Messages
import Testing

@testable import NaiveNetworks
@testable import Networks
@testable import Tensors

@Suite struct ConvolutionTests {
  /// Kernel sides with their strides, paddings and channel counts; odd maps, so that strides leave a remainder.
  static let cases: [LayerCase] = {
    var cases: [LayerCase] = []
    func add(
      _ kernel: Extent, stride: Int, padding: Extent, _ inputs: Int, _ outputs: Int, bias: Bool = false,
      map: (Int, Int) = (7, 6), images: Int = 2
    ) {
      cases.append(
        LayerCase(
          name:
            "\(kernel)/\(stride) padding \(padding.height == padding.width ? "\(padding.height)" : "\(padding)"), "
            + "\(inputs) to \(outputs) channels\(bias ? ", bias" : "")"
            + ", \(images) images of \(map.0)x\(map.1)",
          layers: [
            .convolution(
              name: "conv", outputs: outputs, kernel: kernel, stride: stride, padding: padding, bias: bias)
          ], input: [images, map.0, map.1, inputs]))
    }
    for kernel in [1, 3, 5, 7] {
      for stride in [1, 2] {
        add(Extent(kernel), stride: stride, padding: Extent(kernel / 2), 3, 4)
        add(Extent(kernel), stride: stride, padding: 0, 1, 2, bias: true, map: (9, 7))
      }
    }
    for stride in [1, 2] {
      add(1, stride: stride, padding: 0, 16, 5)
      add(3, stride: stride, padding: 1, 16, 3, bias: true, map: (4, 5))
    }
    // Padding of a 1x1, a map smaller than the kernel, one pixel, one image, and more images than chunks.
    add(1, stride: 1, padding: 1, 2, 3, map: (3, 3))
    add(7, stride: 2, padding: 3, 3, 2, map: (2, 3))
    add(3, stride: 1, padding: 1, 3, 2, map: (1, 1), images: 1)
    add(3, stride: 2, padding: 1, 2, 2, bias: true, map: (3, 3), images: 19)
    // Higher than wide and wider than high, with padding both ways, one way or the other way, and none.
    for kernel in [(1, 3), (3, 1), (1, 7), (5, 2), (2, 3)] {
      let kernel = Extent(height: kernel.0, width: kernel.1)
      for stride in [1, 2, 3] {
        add(kernel, stride: stride, padding: Extent(height: kernel.height / 2, width: kernel.width / 2), 3, 4)
        add(kernel, stride: stride, padding: 0, 2, 3, bias: true, map: (9, 8))
        add(kernel, stride: stride, padding: Extent(height: 1, width: 0), 4, 5, map: (5, 8), images: 3)
      }
    }
    // Maps of a few pixels of many images, which are made place by place: of one pixel to sixteen, of which a window sees
    // all, some or the edge; not quite small, and not quite many.
    for map in [(1, 1), (2, 2), (2, 3), (3, 4), (4, 4), (8, 2)] {
      for stride in [1, 2] { add(3, stride: stride, padding: 1, 5, 6, bias: true, map: map, images: 9) }
    }
    add(Extent(height: 3, width: 2), stride: 1, padding: Extent(height: 1, width: 0), 3, 4, map: (4, 3), images: 8)
    // More images than a block of a weight's gradient has steps; images a multiple of 4 KB apart.
    add(3, stride: 1, padding: 1, 2, 3, map: (2, 2), images: 130)
    add(3, stride: 1, padding: 1, 64, 3, map: (4, 4), images: 8)
    add(1, stride: 1, padding: 0, 1024, 3, map: (2, 3))
    for stride in [1, 2, 3] { add(5, stride: stride, padding: 2, 2, 3, map: (5, 4), images: 8) }
    add(1, stride: 2, padding: 0, 3, 4, map: (5, 6), images: 8)
    add(1, stride: 1, padding: 1, 2, 3, map: (2, 2), images: 8)
    add(1, stride: 3, padding: 1, 2, 3, map: (1, 1), images: 8)
    add(3, stride: 1, padding: 1, 2, 3, map: (2, 2), images: 7)
    add(3, stride: 1, padding: 1, 2, 3, map: (4, 5), images: 8)
    // Few pixels of many channels, which are made by columns of the weights, either way.
    for stride in [1, 2, 3] {
      add(1, stride: stride, padding: 0, 3, 258, map: (5, 4))
      add(1, stride: stride, padding: 0, 261, 4, bias: true, map: (4, 5))
    }
    // As Winograd's algorithm would take it, were the padding the same both ways.
    add(3, stride: 1, padding: Extent(height: 1, width: 0), 16, 16, map: (8, 10))
    add(3, stride: 1, padding: Extent(height: 0, width: 1), 16, 16, map: (8, 10))
    return cases
  }()

  /// Groups of few outputs, which share vectors, and of sixteen and more; depthwise; more and fewer outputs than inputs.
  static let groupedCases: [LayerCase] = {
    var cases: [LayerCase] = []
    func add(
      _ groups: Int, _ inputs: Int, _ outputs: Int, kernel: Extent = 3, stride: Int = 1, padding: Extent = 1,
      bias: Bool = false, map: (Int, Int) = (5, 4), images: Int = 2
    ) {
      cases.append(
        LayerCase(
          name:
            "\(groups) groups of \(inputs) to \(outputs), \(kernel)/\(stride) padding \(padding)\(bias ? ", bias" : "")"
            + ", \(images) images of \(map.0)x\(map.1)",
          layers: [
            .convolution(
              name: "conv", outputs: groups * outputs, kernel: kernel, stride: stride, padding: padding, bias: bias,
              groups: groups)
          ], input: [images, map.0, map.1, groups * inputs]))
    }
    for stride in [1, 2] {
      for width in [1, 2, 3, 4, 5, 8] { add(3, width, width, stride: stride) }
      add(2, 16, 16, stride: stride, map: (4, 3))
      add(2, 20, 17, stride: stride, map: (3, 3), images: 1)
    }
    // More than sixteen outputs, of which the last vector has a few; a depthwise map with a multiplier; odd ratios.
    add(10, 2, 2, stride: 2, bias: true)
    add(5, 4, 4, map: (3, 3))
    add(6, 1, 3)
    add(3, 4, 1, stride: 2)
    add(2, 3, 18, map: (3, 3))
    add(2, 18, 3, map: (3, 3))
    // Kernels and maps of other shapes: pixels that no window sees, a map of one pixel, more images than chunks.
    add(3, 2, 2, kernel: 1, padding: 0)
    add(3, 2, 2, kernel: 1, stride: 3, padding: 0, map: (7, 7))
    add(2, 2, 3, kernel: 5, stride: 2, padding: 2, map: (6, 7))
    add(2, 2, 2, kernel: Extent(height: 1, width: 3), padding: Extent(height: 0, width: 1))
    add(2, 2, 2, kernel: Extent(height: 3, width: 2), stride: 2, padding: Extent(height: 1, width: 0))
    add(4, 2, 2, map: (1, 1), images: 1)
    add(2, 2, 2, stride: 2, map: (3, 3), images: 19)
    add(2, 17, 16, kernel: 1, stride: 2, padding: 0, map: (3, 3))
    return cases
  }()

  @Test(arguments: groupedCases)
  func `a convolution in groups and its gradients`(_ c: LayerCase) {
    expectAgreement(c, output: 6e-7, gradient: 6e-7)
  }

  struct GroupedCase: Sendable, CustomTestStringConvertible {
    var groups: Int
    var input: [Int]
    var outputs: Int
    var stride = 1
    var testDescription: String { "\(groups) groups, \(input) to \(outputs), stride \(stride)" }
  }

  /// As ResNeXt has them, where the work is cut in every way: over lines, over groups, over both; several blocks.
  @Test(arguments: [
    GroupedCase(groups: 32, input: [2, 14, 14, 128], outputs: 128),
    GroupedCase(groups: 32, input: [3, 15, 14, 256], outputs: 256, stride: 2),
    GroupedCase(groups: 64, input: [1, 9, 9, 256], outputs: 256),
    GroupedCase(groups: 32, input: [2, 7, 7, 512], outputs: 512),
    GroupedCase(groups: 32, input: [2, 8, 8, 1024], outputs: 1024, stride: 2),
    GroupedCase(groups: 3, input: [1, 60, 61, 24], outputs: 24),
    GroupedCase(groups: 2, input: [1, 40, 50, 64], outputs: 64),
  ])
  func `a convolution in groups is as many convolutions side by side, with the same bits on any number of threads`(
    _ c: GroupedCase
  ) {
    let channels = c.input[3] / c.groups
    let shape = [3, 3, channels, c.outputs]
    let method = ConvolutionMethod(input: c.input, weight: shape, stride: c.stride, padding: 1, groups: c.groups)
    let x = ReferenceNumbers.tensor("x", c.input) { 2 * $0 - 1 }
    let w = ReferenceNumbers.tensor("w", shape) { 2 * $0 - 1 }
    let dy = ReferenceNumbers.tensor("dy", method.outputShape) { 2 * $0 - 1 }
    func passes(_ pool: ThreadPool, _ moments: ChannelMoments) -> [Tensor] {
      let ops = Ops(pool)
      var dw = Tensor(shape) { _ in .nan }
      ops.convolutionWeightGradient(x, dy, method, into: &dw)
      return [
        ops.convolve(x, w, method, gathering: moments), ops.convolutionInputGradient(dy, w, method), dw,
      ]
    }
    let moments = ChannelMoments(channels: c.outputs)
    let results = passes(ThreadPool(threads: 1), moments)
    let others = ChannelMoments(channels: c.outputs)
    #expect(passes(ThreadPool(threads: 3), others) == results)
    #expect(others.mean == moments.mean && others.variance == moments.variance)
    #expect(moments.rows == dy.count / c.outputs)

    // Each group by the code for whole convolutions.
    let ops = Ops(ThreadPool(threads: 2))
    var input = c.input
    input[3] = channels
    let own = [3, 3, channels, c.outputs / c.groups]
    let one = ConvolutionMethod(input: input, weight: own, stride: c.stride, padding: 1, .direct)
    let parts = [Int](repeating: channels, count: c.groups)
    let outputs = [Int](repeating: c.outputs / c.groups, count: c.groups)
    let (xs, ws, dys) = (
      ops.split(x, channels: parts), ops.split(w, channels: outputs), ops.split(dy, channels: outputs)
    )
    var expected: [[Tensor]] = [[], [], []]
    for group in 0..<c.groups {
      var dw = Tensor(uninitialized: own)
      ops.convolutionWeightGradient(xs[group], dys[group], one, into: &dw)
      expected[0].append(ops.convolve(xs[group], ws[group], one))
      expected[1].append(ops.convolutionInputGradient(dys[group], ws[group], one))
      expected[2].append(dw)
    }
    for (result, expected) in zip(results, expected) {
      let all = NaiveTensor(ops.concatenate(expected))
      #expect(Deviation.largest(result, from: all) < 1.5e-6)
    }
    let means = Naive.moments(NaiveTensor(results[0]))
    let scale = means.variance.reduce(0, max).squareRoot()
    #expect(zip(moments.mean, means.mean).allSatisfy { abs($0 - $1) < 1e-6 * scale })
  }

  // Measured: outputs 1.2e-7, of sixteen channels 4.2e-7, of 261 4.8e-7; gradients 1.3e-7.
  @Test(arguments: cases)
  func `a convolution and its gradients`(_ c: LayerCase) {
    expectAgreement(c, output: c.input[3] >= 16 ? 6e-7 : 4e-7, gradient: 4e-7)
  }

  /// Rounded to bfloat16, so that rounding again changes nothing.
  private func rounded(_ name: String, _ shape: [Int]) -> [Float] {
    ReferenceNumbers.tensor(name, shape) { 2 * $0 - 1 }.values.map {
      Float(bitPattern: ($0.bitPattern + 0x8000) & 0xffff_0000)
    }
  }

  struct PairedCase: Sendable, CustomTestStringConvertible {
    var input: [Int]
    var outputs: Int
    var kernel: Extent
    var stride: Int
    var padding: Extent
    var testDescription: String { "\(kernel)/\(stride) padding \(padding), \(input) to \(outputs)" }
  }

  static let pairedCases: [PairedCase] =
    ([(1, 0), (1, 1), (3, 1), (3, 0), (7, 3)] as [(Extent, Extent)] + [
      (Extent(height: 1, width: 7), Extent(height: 0, width: 3)),
      (Extent(height: 3, width: 2), Extent(height: 1, width: 0)),
    ]).flatMap { kernel, padding in
      [1, 2, 3].flatMap { stride in
        [[2, 7, 7, 6], [3, 8, 9, 34], [1, 60, 31, 2], [5, 7, 8, 300], [9, 4, 4, 34], [8, 3, 4, 300]].map { input in
          PairedCase(
            input: input, outputs: input[3] == 34 ? 270 : 6, kernel: kernel, stride: stride, padding: padding)
        }
      }
    }

  /// All three passes against those in float32 of numbers that are rounded already.
  @Test(arguments: pairedCases)
  func `a convolution in bfloat16 is one of rounded factors`(_ c: PairedCase) {
    let weights = [c.kernel.height, c.kernel.width, c.input[3], c.outputs]
    let paired = DirectConvolution(
      input: c.input, weight: weights, stride: c.stride, padding: c.padding, .bfloat16)
    let plain = DirectConvolution(input: c.input, weight: weights, stride: c.stride, padding: c.padding)
    let (x, w, dy) = (rounded("x", c.input), rounded("w", weights), rounded("dy", plain.outputShape))
    func passes(_ convolution: DirectConvolution, _ pool: ThreadPool) -> [[Float]] {
      var y = [Float](repeating: .nan, count: dy.count)
      convolution.forward(x: x, w: w, y: &y, pool)
      var dx = [Float](repeating: .nan, count: x.count)
      convolution.inputGradient(dy: dy, w: w, dx: &dx, pool)
      var dw = Tensor(uninitialized: weights)
      convolution.weightGradient(x: x, dy: dy, dw: &dw, pool)
      return [y, dx, dw.values]
    }
    let alone = ThreadPool(threads: 1)
    let (results, expected) = (passes(paired, alone), passes(plain, alone))
    for (result, expected) in zip(results, expected) {
      let largest = expected.map(abs).max() ?? 0
      let error = zip(result, expected).map { abs($0 - $1) }.max() ?? 0
      // Measured: 6e-7.
      #expect(error <= 2e-6 * largest)
    }
    #expect(passes(paired, ThreadPool(threads: 3)) == results, "the bits do not depend on the threads")
  }

  /// Maps of several blocks a chunk, and of fewer lines than chunks; Winograd's and one that is made by places, which
  /// gather nothing.
  @Test(arguments: [
    (1, 1, [3, 40, 40, 64], true), (1, 2, [3, 9, 8, 16], true), (3, 2, [4, 31, 30, 24], true),
    (3, 1, [1, 5, 6, 4], true),
    (3, 1, [4, 12, 12, 32], false), (3, 2, [9, 4, 4, 24], false),
  ])
  func `the moments gathered are those of the output`(_ kernel: Int, _ stride: Int, _ input: [Int], _ gathers: Bool)
  {
    let weight = ReferenceNumbers.tensor("weight", [kernel, kernel, input[3], 20]) { 2 * $0 - 1 }
    let layer = Convolution(name: "conv", weight: weight, stride: stride, padding: Extent(kernel / 2))
    let moments = ChannelMoments(channels: 20)
    layer.outputMoments = moments
    let images = ReferenceNumbers.tensor("input", input) { 2 * $0 - 0.5 }
    _ = layer.forward(images, Pass(.inference, ThreadPool(threads: 2)))
    #expect(moments.rows == 0, "inference gathers nothing")
    let output = layer.forward(images, Pass(.training, ThreadPool(threads: 2)))
    #expect(moments.rows == (gathers ? output.count / 20 : 0))
    guard gathers else { return }
    let expected = Naive.moments(NaiveTensor(output))
    for c in 0..<20 {
      // Measured: 2.8e-8 of a std, and 5.2e-8.
      #expect(abs(moments.mean[c] - expected.mean[c]) < 1e-7 * expected.variance[c].squareRoot())
      #expect(abs(moments.variance[c] / expected.variance[c] - 1) < 2e-7)
    }
  }

  struct LargeCase: Sendable, Codable, CustomTestStringConvertible {
    var input: [Int]
    var outputs: Int
    var kernel = 3
    var stride = 1
    /// Rather than by the definition.
    var isFastest = false
    var testDescription: String { "\(input) to \(outputs), \(kernel)/\(stride)\(isFastest ? ", fastest" : "")" }
  }

  /// Wide enough that a chunk works through several blocks of lines, and deep enough that a sum has several parts; many
  /// channels both ways on maps of a few pixels, by places and by pixels; lines of windows that are copied; tiles of a
  /// stride.
  @Test(arguments: [
    LargeCase(input: [1, 72, 72, 64], outputs: 2), LargeCase(input: [8, 2, 2, 260], outputs: 258),
    LargeCase(input: [9, 4, 3, 260], outputs: 270, stride: 2),
    LargeCase(input: [5, 3, 4, 260], outputs: 258, kernel: 1),
    LargeCase(input: [5, 4, 4, 257], outputs: 300, kernel: 1, stride: 2),
    LargeCase(input: [3, 9, 8, 130], outputs: 20, stride: 2),
    LargeCase(input: [16, 15, 16, 160], outputs: 250, stride: 2, isFastest: true),
  ])
  func `a large convolution and the slopes of its gradients`(_ c: LargeCase) {
    let weight = ReferenceNumbers.tensor("weight", [c.kernel, c.kernel, c.input[3], c.outputs]) { 2 * $0 - 1 }
    let input = ReferenceNumbers.tensor("input", c.input) { 2 * $0 - 1 }
    let padding = c.kernel / 2
    let layer = Convolution(
      name: "conv", weight: weight, stride: c.stride, padding: Extent(padding),
      algorithms: c.isFastest ? .fastest : .direct)
    let method = ConvolutionMethod(input: c.input, weight: weight.shape, stride: c.stride, padding: Extent(padding))
    #expect(!c.isFastest || method.winograd != nil)
    let pass = Pass(.training, ThreadPool(threads: 2))
    func naive(_ input: Tensor, _ weight: Tensor) -> NaiveTensor {
      Naive.convolution(
        NaiveTensor(input), weight: NaiveTensor(weight), bias: nil, stride: c.stride, padding: (padding, padding))
    }
    let output = layer.forward(input, pass)
    // Measured: 4.6e-7, and 1.1e-6 in tiles.
    #expect(Deviation.largest(output, from: naive(input, weight)) < (c.isFastest ? 2e-6 : 1e-6))

    // The gradient of a linear map: a probe through it gives the slope along any direction exactly.
    let probe = ReferenceNumbers.tensor("probe", output.shape) { 2 * $0 - 1 }
    let gradient = layer.backward(probe, pass)
    let other = ReferenceNumbers.tensor("other", input.shape) { 2 * $0 - 1 }
    let slope = naive(other, weight).dot(probe.values.map(Double.init))
    let size = NaiveTensor(gradient).norm
    // Measured: 5e-8 and, for the weights, 1.4e-7 of the gradient's norm.
    #expect(abs(NaiveTensor(gradient).dot(other.values.map(Double.init)) - slope) < 5e-7 * size)
    let otherWeight = ReferenceNumbers.tensor("other weight", weight.shape) { 2 * $0 - 1 }
    let weightSlope = naive(input, otherWeight).dot(probe.values.map(Double.init))
    let weightGradient = NaiveTensor(layer.weight.gradient)
    #expect(
      abs(weightGradient.dot(otherWeight.values.map(Double.init)) - weightSlope) < 5e-7 * weightGradient.norm)
  }

  /// The pool's account is one for the whole process. By places and by columns, with lines that are copied and windows
  /// that are.
  @Test(
    arguments: [
      LargeCase(input: [8, 2, 2, 256], outputs: 288), LargeCase(input: [64, 4, 4, 64], outputs: 96),
      LargeCase(input: [16, 4, 4, 512], outputs: 512, kernel: 1), LargeCase(input: [3, 31, 30, 160], outputs: 64),
      LargeCase(input: [2, 90, 90, 3], outputs: 32, kernel: 7, stride: 2),
    ], 0..<3)
  func `scratch memory is what is announced, in a process of its own`(_ c: LargeCase, pass: Int) async {
    await #expect(processExitsWith: .success) { [c, pass] in
      let shape = [c.kernel, c.kernel, c.input[3], c.outputs]
      let convolution = DirectConvolution(
        input: c.input, weight: shape, stride: c.stride, padding: Extent(c.kernel / 2))
      let x = ReferenceNumbers.tensor("x", c.input) { $0 }
      let w = ReferenceNumbers.tensor("w", shape) { $0 }
      let dy = ReferenceNumbers.tensor("dy", convolution.outputShape) { $0 }
      let pool = ThreadPool(threads: 1)
      var result = Tensor(uninitialized: [dy.shape, x.shape, w.shape][pass])
      let scratch =
        switch pass {
        case 0: convolution.forwardScratch
        case 1: convolution.inputGradientScratch
        default: convolution.weightGradientScratch
        }
      Tensor.read(x, w) { x, w in
        dy.read { dy in
          switch pass {
          case 0: result.write { convolution.forward(x: x, w: w, y: $0, pool) }
          case 1: result.write { convolution.inputGradient(dy: dy, w: w, dx: $0, pool) }
          default: convolution.weightGradient(x: x, dy: dy, dw: &result, pool)
          }
        }
      }
      let announced = x.count + w.count + dy.count + result.count + scratch.floats(threads: 1)
      let ratio = Double(StoragePool.peakBytes) / Double(4 * announced)
      // Sizes are rounded up by an eighth at most.
      #expect((1.0...1.125).contains(ratio), "\(brief(ratio)) of what was announced")
    }
  }

  @Test func `the first convolution of a network leaves out its input's gradient, not its weight's`() {
    let weight = ReferenceNumbers.tensor("weight", [3, 3, 2, 2]) { 2 * $0 - 1 }
    let input = ReferenceNumbers.tensor("input", [2, 4, 4, 2]) { 2 * $0 - 1 }
    let (first, later) = (
      Convolution(name: "conv", weight: weight, padding: 1, inputGradient: .omitted),
      Convolution(name: "conv", weight: weight, padding: 1)
    )
    let pass = Pass(.training, ThreadPool(threads: 1))
    let output = first.forward(input, pass)
    #expect(output == later.forward(input, pass))
    #expect(first.backward(output, pass).count == 0)
    #expect(later.backward(output, pass).shape == input.shape)
    #expect(first.weight.gradient == later.weight.gradient)
  }

  @Test func `a NaN in the image reaches every output that sees it and no other`() {
    var input = Tensor(zeros: [1, 5, 5, 1])
    input[12] = .nan
    let layer = Convolution(name: "conv", weight: Tensor([3, 3, 1, 1]) { _ in 1 }, padding: 1)
    let output = layer.forward(input, Pass(.inference, ThreadPool(threads: 1)))
    for y in 0..<5 {
      for x in 0..<5 { #expect(output[y * 5 + x].isNaN == ((1...3).contains(y) && (1...3).contains(x))) }
    }
  }

  @Test
  func `a backward pass without a training pass before it is a programmer's mistake, in a process of its own`()
    async
  {
    await #expect(processExitsWith: .failure) {
      let layer = Convolution(name: "conv", weight: Tensor(zeros: [1, 1, 1, 1]))
      let pool = ThreadPool(threads: 1)
      _ = layer.forward(Tensor(zeros: [1, 1, 1, 1]), Pass(.inference, pool))
      _ = layer.backward(Tensor(zeros: [1, 1, 1, 1]), Pass(.training, pool))
    }
  }

  @Test(arguments: [1, 2])
  func `a kernel larger than the padded image is a programmer's mistake, in a process of its own`(stride: Int) async
  {
    await #expect(processExitsWith: .failure) { [stride] in
      let layer = Convolution(name: "conv", weight: Tensor(zeros: [3, 3, 1, 1]), stride: stride)
      _ = layer.forward(Tensor(zeros: [1, 2, 2, 1]), Pass(.inference, ThreadPool(threads: 1)))
    }
  }
}

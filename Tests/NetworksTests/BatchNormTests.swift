// Batch norm: both modes, the running statistics, and batches large enough to be measured in blocks.

import Support
import Messages
import Testing

@testable import NaiveNetworks
@testable import Networks
@testable import Tensors

@Suite struct BatchNormTests {
  static let cases: [LayerCase] = [
    ([2, 3, 4, 3], "a few channels"), ([4, 1, 1, 5], "one pixel an image"),
    ([1, 5, 5, 1], "one image, one channel"),
    ([3, 2, 2, 17], "odd channels"), ([2, 1, 1, 2], "two values a channel"),
  ].map { LayerCase(name: "batch norm of \($0.1)", layers: [.batchNorm(name: "bn")], input: $0.0) }

  // Measured: outputs 8e-8; gradients 1.6e-7, but 1.1e-5 for two values a channel, whose gradient all but cancels.
  @Test(arguments: cases)
  func `batch norm and its gradients`(_ c: LayerCase) {
    expectAgreement(c, output: 3e-7, gradient: c.input == [2, 1, 1, 2] ? 4e-5 : 5e-7)
  }

  /// What is joined with the norm, as the builder joins it.
  static let joined: [LayerCase] = [
    ([2, 3, 4, 3], "a few channels"), ([4, 1, 1, 5], "one pixel an image"),
    ([1, 5, 5, 1], "one image, one channel"),
    ([3, 2, 2, 17], "odd channels"), ([2, 3, 3, 257], "channels beyond a panel of groups"),
  ].flatMap { shape, title in
    let plans: [(String, [LayerPlan])] = [
      ("ReLU", [.batchNorm(name: "bn"), .relu]),
      ("two ReLUs", [.batchNorm(name: "bn"), .relu, .relu]),
      ("addition", [sum([.batchNorm(name: "bn")], [], activated: false)]),
      ("addition and ReLU", [sum([.batchNorm(name: "bn")], [], activated: true)]),
      (
        "addition of another norm and ReLU",
        [sum([.batchNorm(name: "bn")], [.batchNorm(name: "other")], activated: true)]
      ),
      (
        "addition of what a ReLU carries on, before another norm",
        [.batchNorm(name: "first"), .relu, sum([.batchNorm(name: "bn")], [], activated: false)]
      ),
      (
        "ReLU before an addition that passes by",
        [sum([.batchNorm(name: "bn"), .relu, .dropout(rate: 0)], [], activated: false)]
      ),
    ]
    return plans.map { LayerCase(name: "batch norm with \($0.0), \(title)", layers: $0.1, input: shape) }
  }

  private static func sum(_ body: [LayerPlan], _ shortcut: [LayerPlan], activated: Bool) -> LayerPlan {
    .block(
      name: "sum",
      [.branches(name: "sum.add", [body, shortcut], joined: .addition)] + (activated ? [.relu] : []))
  }

  @Test(arguments: joined)
  func `batch norm with what is joined to it`(_ c: LayerCase) {
    expectAgreement(c, output: 5e-7, gradient: 2e-6)
  }

  /// Gradients are made in place, but never in an array that somebody else still has.
  @Test func `nobody's tensors are changed`() {
    let pool = ThreadPool(threads: 2)
    let (training, inference) = (Pass(.training, pool), Pass(.inference, pool))
    let shape = [2, 3, 3, 5]
    let input = ReferenceNumbers.tensor("input", shape) { 2 * $0 - 1 }
    let addend = ReferenceNumbers.tensor("addend", shape) { 2 * $0 - 1 }
    let probe = ReferenceNumbers.tensor("probe", shape) { 2 * $0 - 1 }
    let before = (input.values, addend.values, probe.values)
    let layer = BatchNorm(name: "bn", channels: 5, activation: .relu)
    _ = layer.forward(input, inference)
    _ = layer.forward(input, adding: addend, inference)
    _ = layer.forward(input, training)
    _ = layer.backward(probe, training)
    _ = layer.forward(input, training)
    _ = layer.backward(probe, adding: addend, training)
    _ = layer.forward(input, adding: addend, training)
    _ = layer.backwardOfSum(probe, training)
    #expect(input.values == before.0)
    #expect(addend.values == before.1)
    #expect(probe.values == before.2)
  }

  @Test func `moments that the layer before has gathered are used once, and then measured again`() {
    let pass = Pass(.training, ThreadPool(threads: 2))
    let input = ReferenceNumbers.tensor("input", [3, 5, 7, 6]) { 4 * $0 + 1 }
    let rows = 3 * 5 * 7
    let layer = BatchNorm(name: "bn", channels: 6)
    let measured = layer.forward(input, pass)
    // In portions of four rows, by three chunks: only the rounding differs.
    input.read { x in
      layer.moments.gather(chunks: 3) { moments in
        pass.pool.run(chunks: 3) { chunk in
          let range = ThreadPool.range(chunk, of: 3, count: rows)
          for row in stride(from: range.lowerBound, to: range.upperBound, by: 4) {
            moments.add(x + row * 6, rows: min(4, range.upperBound - row), chunk: chunk)
          }
        }
      }
    }
    #expect(layer.moments.rows == rows)
    #expect(Deviation.largest(layer.forward(input, pass), from: NaiveTensor(measured)) < 5e-7)
    #expect(layer.moments.rows == 0)
    // Those of another tensor would show.
    pass.ops.measure(Tensor([rows, 6]) { _ in 100 }, into: layer.moments)
    #expect(layer.forward(input, pass) != measured)
    #expect(layer.forward(input, pass) == measured)
  }

  @Test func `running statistics move a tenth of the way to the batch's mean and unbiased variance`() {
    let layer = BatchNorm(name: "bn", channels: 3)
    let pool = ThreadPool(threads: 2)
    var (mean, variance) = ([0.0, 0, 0], [1.0, 1, 1])
    for step in 0..<3 {
      let input = ReferenceNumbers.tensor("step \(step)", [2, 2, 3, 3]) { 5 * $0 - 1 }
      _ = layer.forward(input, Pass(.training, pool))
      let batch = Naive.moments(NaiveTensor(input))
      for c in 0..<3 {
        mean[c] = 0.9 * mean[c] + 0.1 * batch.mean[c]
        // 12 values a channel.
        variance[c] = 0.9 * variance[c] + 0.1 * batch.variance[c] * 12 / 11
      }
    }
    #expect(Deviation.largest(layer.runningMean.value, from: NaiveTensor([3], mean)) < 2e-7)
    #expect(Deviation.largest(layer.runningVariance.value, from: NaiveTensor([3], variance)) < 2e-7)
    #expect(layer.batchesTracked == 3)

    let before = (layer.runningMean.value, layer.runningVariance.value)
    _ = layer.forward(Tensor([1, 1, 1, 3]) { _ in 100 }, Pass(.inference, pool))
    #expect(layer.runningMean.value == before.0)
    #expect(layer.runningVariance.value == before.1)
    #expect(layer.batchesTracked == 3)
  }

  @Test func `two toy values become minus and plus one`() {
    let layer = BatchNorm(name: "bn", channels: 1)
    let output = layer.forward(Tensor([2, 1, 1, 1], [300, 500]), Pass(.training, ThreadPool(threads: 1)))
    // Epsilon is 1e-5 beside a variance of 10,000.
    #expect(abs(output[0] + 1) < 1e-6)
    #expect(abs(output[1] - 1) < 1e-6)
    // (300 + 500) / 2 a tenth of the way; unbiased variance 20,000.
    #expect(abs(layer.runningMean.value[0] - 40) < 1e-4)
    #expect(abs(layer.runningVariance.value[0] - 2000.9) < 1e-2)
  }

  @Test func `a constant channel is normalized to its bias`() {
    let layer = BatchNorm(name: "bn", channels: 1)
    layer.bias.value[0] = 3
    let output = layer.forward(Tensor([4, 2, 2, 1]) { _ in 7 }, Pass(.training, ThreadPool(threads: 2)))
    #expect(output.values.allSatisfy { abs($0 - 3) < 1e-4 })
    let gradient = layer.backward(Tensor([4, 2, 2, 1]) { Float($0) }, Pass(.training, ThreadPool(threads: 2)))
    #expect(gradient.values.allSatisfy { $0.isFinite })
  }

  /// 5 channels: 16 rows are a group, 204 groups a block; a chunk of 16 here 312 or 313 groups, so every chunk has two
  /// blocks, the last one partial.
  @Test func `a batch of many blocks is measured as exactly as a small one`() {
    let shape = [5, 125, 128, 5]
    var generator = RandomGenerator(seed: 31)
    // Each channel with a mean far from zero and a std of its own.
    let input = Tensor(shape) { Float($0 % 5 * 10) + generator.normal() * Float($0 % 5 + 1) }
    let moments = ChannelMoments(channels: 5)
    Ops(ThreadPool(threads: 2)).measure(input, into: moments)
    let naive = Naive.moments(NaiveTensor(input))
    #expect(moments.rows == 80_000)
    for c in 0..<5 {
      // Measured: 1.3e-6 of a std (the mean is up to twenty standard deviations), and 1.6e-7.
      #expect(abs(moments.mean[c] - naive.mean[c]) < 4e-6 * naive.variance[c].squareRoot())
      #expect(abs(moments.variance[c] / naive.variance[c] - 1) < 5e-7)
    }

    let layer = BatchNorm(name: "bn", channels: 5)
    let pass = Pass(.training, ThreadPool(threads: 2))
    let output = layer.forward(input, pass)
    let probe = ReferenceNumbers.tensor("probe", shape) { 2 * $0 - 1 }
    _ = layer.backward(probe, pass)
    let shift = (0..<5).map { c in
      stride(from: c, to: probe.count, by: 5).reduce(0.0) { $0 + Double(probe[$1]) }
    }
    let scale = (0..<5).map { c in
      stride(from: c, to: probe.count, by: 5).reduce(0.0) { $0 + Double(probe[$1]) * Double(output[$1]) }
    }
    // Sums of 80,000 numbers of mean zero; measured: 6e-7 and 5e-7 of the largest.
    #expect(Deviation.largest(layer.bias.gradient, from: NaiveTensor([5], shift)) < 2e-6)
    #expect(Deviation.largest(layer.weight.gradient, from: NaiveTensor([5], scale)) < 2e-6)
  }

  @Test func `a NaN stays in its channel`() {
    let layer = BatchNorm(name: "bn", channels: 2)
    var input = Tensor([2, 2, 2, 2]) { Float($0) }
    input[4] = .nan
    let output = layer.forward(input, Pass(.training, ThreadPool(threads: 1)))
    for (index, value) in output.values.enumerated() { #expect(value.isNaN == (index % 2 == 0)) }
  }
}

// Training gives the same bits whatever the number of threads.

import Messages
import Tensors
import Testing

@testable import Networks

@Suite struct ThreadIndependenceTests {
  /// Everything that a few steps of training leave behind, bit by bit.
  private struct Outcome: Equatable {
    var losses: [UInt64] = []
    var logits: [UInt32] = []
    var gradients: [String: [UInt32]] = [:]
    var parameters: [String: [UInt32]] = [:]
    var statistics: [String: [UInt32]] = [:]
  }

  private func train(
    _ plan: NetworkPlan, images: Int, threads: Int, seed: UInt64 = 7,
    _ convolutions: ConvolutionAlgorithms = .fastest
  ) -> Outcome {
    let network = Network(plan, seed: seed, convolutions: convolutions)
    let pool = ThreadPool(threads: threads)
    var outcome = Outcome()
    func bits(_ tensor: Tensor) -> [UInt32] { tensor.values.map(\.bitPattern) }
    for step in 0..<3 {
      let pass = Pass(.training, pool, seed: UInt64(step))
      let batch = ReferenceNumbers.images(images, side: plan.input.height, name: "step \(step)")
      let labels = ReferenceNumbers.labels(images, classes: plan.classes, name: "labels \(step)")
      let result = pass.ops.softmaxCrossEntropy(logits: network.forward(batch, pass), labels: labels)
      outcome.losses.append(result.loss.bitPattern)
      network.backward(result.gradient, pass)
      outcome.losses.append(network.gradientNorm(pool).bitPattern)
      for parameter in network.parameters {
        if step == 2 { outcome.gradients[parameter.name] = bits(parameter.gradient) }
        var update = parameter.gradient
        pass.ops.scale(&update, by: -0.05)
        pass.ops.add(update, to: &parameter.value)
      }
    }
    let images = ReferenceNumbers.images(images, side: plan.input.height)
    outcome.logits = bits(network.forward(images, Pass(.inference, pool)))
    for parameter in network.parameters { outcome.parameters[parameter.name] = bits(parameter.value) }
    for buffer in network.buffers { outcome.statistics[buffer.name] = bits(buffer.value) }
    return outcome
  }

  // Odd batches, so that chunks are uneven.
  @Test(arguments: [
    (NetworkSettings(name: "cifar8"), 16, 5),
    (NetworkSettings(name: "cifar8", shortcut: .projection, version: .v2, head: .regularized), 16, 9),
    (NetworkSettings(name: "resnet50", stem: .large, widthMultiplier: 1.0 / 16), 32, 3),
    (NetworkSettings(name: "vgg19", widthMultiplier: 1.0 / 16), 32, 3),
    (NetworkSettings(name: "seresnet18", stem: .large, widthMultiplier: 1.0 / 8, dropPath: 0.2), 32, 3),
    (NetworkSettings(name: "resnet18d", stem: .large, widthMultiplier: 1.0 / 8), 48, 3),
    (NetworkSettings(name: "resnext50_32x4d", stem: .large, widthMultiplier: 1.0 / 8, dropPath: 0.2), 32, 3),
    (NetworkSettings(name: "resnet9", widthMultiplier: 0.25, isWhitened: true, dropPath: 0.3), 28, 5),
    (NetworkSettings(name: "resnet9", widthMultiplier: 0.125), 16, 7),
    (NetworkSettings(name: "googlenet", widthMultiplier: 1.0 / 16), 30, 3),
    (NetworkSettings(name: "squeezenet1_1", widthMultiplier: 1.0 / 8), 33, 3),
    (NetworkSettings(name: "lenet5-classic"), 32, 5),
    (NetworkSettings(name: "wrn-10-1", dropout: 0.3), 16, 5),
  ])
  func `one, two and three threads train to the same bits`(
    settings: NetworkSettings, imageSize: Int, images: Int
  ) throws {
    let plan = try NetworkPlan(settings, imageSize: imageSize, classes: 10)
    for convolutions in [ConvolutionAlgorithms.fastest, .bfloat16] {
      expectSameBits(plan, images: images, convolutions)
    }
  }

  private func expectSameBits(_ plan: NetworkPlan, images: Int, _ convolutions: ConvolutionAlgorithms) {
    let alone = train(plan, images: images, threads: 1, convolutions)
    for threads in [2, 3] {
      let together = train(plan, images: images, threads: threads, convolutions)
      // Compared part by part: a difference of whole outcomes would print every number.
      #expect(together.losses == alone.losses)
      #expect(together.logits == alone.logits)
      for name in alone.gradients.keys {
        #expect((together.gradients[name] == alone.gradients[name]) as Bool, "gradient of \(name)")
        #expect((together.parameters[name] == alone.parameters[name]) as Bool, "\(name)")
      }
      for name in alone.statistics.keys {
        #expect((together.statistics[name] == alone.statistics[name]) as Bool, "\(name)")
      }
    }
  }

  @Test func `another seed trains to other bits`() throws {
    let plan = try NetworkPlan(NetworkSettings(name: "cifar8"), imageSize: 16, classes: 10)
    #expect(train(plan, images: 4, threads: 2, seed: 1) == train(plan, images: 4, threads: 2, seed: 1))
    #expect(
      train(plan, images: 4, threads: 2, seed: 1).logits != train(plan, images: 4, threads: 2, seed: 2).logits)
  }

  @Test func `bfloat16 changes training a little, and its passes of inference not at all`() throws {
    let settings = NetworkSettings(name: "resnet50", stem: .large, widthMultiplier: 1.0 / 4)
    let plan = try NetworkPlan(settings, imageSize: 64, classes: 10)
    let images = ReferenceNumbers.images(16, side: 64)
    let (exact, mixed) = (Network(plan, seed: 3), Network(plan, seed: 3, convolutions: .bfloat16))
    let pool = ThreadPool(threads: 1)
    let (inference, training) = (Pass(.inference, pool), Pass(.training, pool))
    #expect(mixed.forward(images, inference) == exact.forward(images, inference))
    let (logits, expected) = (mixed.forward(images, training), exact.forward(images, training))
    #expect(logits != expected)
    let squares = zip(logits.values, expected.values).map { ($0 - $1) * ($0 - $1) }.reduce(0, +)
    let difference = (squares / expected.values.map { $0 * $0 }.reduce(0, +)).squareRoot()
    // Measured: 0.21; PyTorch's autocast on a whole ResNet-50 with random weights and images like these: 0.30.
    #expect(difference < 0.3)
  }

  @Test func `inference leaves no trace`() throws {
    let plan = try NetworkPlan(NetworkSettings(name: "cifar8", head: .regularized), imageSize: 16, classes: 10)
    let network = Network(plan, seed: 1)
    let pool = ThreadPool(threads: 2)
    let before = network.buffers.map(\.value)
    let images = ReferenceNumbers.images(3, side: 16)
    let logits = network.forward(images, Pass(.inference, pool, seed: 1))
    #expect(network.forward(images, Pass(.inference, pool, seed: 2)) == logits)
    #expect(network.buffers.map(\.value) == before)
    // Each image by itself has the logits that it has in a batch, but for the order of additions.
    let alone = network.forward(
      Tensor([1, 16, 16, 3]) { images[$0] }, Pass(.inference, pool))
    for k in 0..<10 { #expect(abs(alone[k] - logits[k]) < 1e-5) }
  }
}

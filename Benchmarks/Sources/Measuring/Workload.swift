// One thing to time: a network, an image size, a batch, training or inference. The same for our programs and for a
// peer's, so that both are asked for the same.

import Messages
import Networks
import Support
import Tensors
import Training

/// What is computed in a step.
public struct Workload: Codable, Sendable, Equatable {
  public enum Mode: String, Codable, Sendable, CaseIterable {
    /// Forward, backward, SGD.
    case train
    /// Forward alone, batch norm by its running statistics.
    case infer
  }

  public var net: String
  /// The images' side, pixels.
  public var size: Int
  public var batch: Int
  public var mode: Mode
  public var precision: TrainingPrecision
  /// Whether convolutions are computed in 8-bit integers, in inference.
  public var isQuantized = false
  public var classes = 10

  public init(net: String, size: Int, batch: Int, mode: Mode, precision: TrainingPrecision = .fp32) {
    self.net = net
    self.size = size
    self.batch = batch
    self.mode = mode
    self.precision = precision
  }

  /// `train`, or with another precision than the usual one `train bf16` or `infer int8`.
  public var modeText: String {
    mode.rawValue + (isQuantized ? " int8" : precision == .fp32 ? "" : " \(precision.rawValue)")
  }

  /// The network that a peer times: torchvision's stem at every size.
  public func plan() throws -> NetworkPlan {
    let stem: Stem? = net.hasPrefix("resnet") ? .large : nil
    return try NetworkPlan(NetworkSettings(name: net, stem: stem), imageSize: size, classes: classes)
  }
}

/// A workload ready to be done, on random images that are already in memory: the network alone, no image files.
public final class PreparedWorkload {
  public let workload: Workload
  public let network: Network
  public let pool: ThreadPool
  private var optimizer: SGD
  /// For inference alone.
  private let inference: InferenceNetwork?
  private let images: Tensor
  private let labels: [Int]
  private var steps: UInt64 = 0

  public convenience init(_ workload: Workload, threads: Int) throws {
    try self.init(workload, pool: ThreadPool(threads: threads))
  }

  public init(_ workload: Workload, pool: ThreadPool) throws {
    self.workload = workload
    self.pool = pool
    network = Network(
      try workload.plan(), seed: 0, convolutions: workload.precision.convolutions)
    optimizer = SGD(OptimizerSettings(weightDecay: 1e-4), network.parameters)
    var generator = RandomGenerator(seed: 1)
    images = Tensor([workload.batch, workload.size, workload.size, 3]) { _ in generator.normal() }
    if workload.mode == .train {
      inference = nil
    } else if workload.isQuantized {
      let calibration = QuantizationCalibration(network, convolutions: network.plan.quantizableConvolutions)
      calibration.look(at: images, pool)
      inference = InferenceNetwork(network, quantization: calibration.quantization())
    } else {
      inference = InferenceNetwork(
        network, convolutions: workload.precision.convolutions)
    }
    labels = (0..<workload.batch).map { _ in generator.integer(below: workload.classes) }
  }

  public func step() {
    steps += 1
    if let inference {
      _ = inference.forward(images, pool)
      return
    }
    let pass = Pass(.training, pool, seed: steps)
    let loss = pass.ops.softmaxCrossEntropy(logits: network.forward(images, pass), labels: labels)
    network.backward(loss.gradient, pass)
    update()
  }

  /// A step whose layers are looked at, as training does now and then.
  public func watchedStep() {
    steps += 1
    var watch = LayerWatch(interval: 1)
    let probe = watch.begin(step: Int(steps), isFirst: true)
    let pass = Pass(.training, pool, seed: steps)
    let logits = network.probed(by: probe) { network.forward(images, pass) }
    let loss = pass.ops.softmaxCrossEntropy(logits: logits, labels: labels)
    network.backward(loss.gradient, pass)
    watch.keepWeights(of: network)
    watch.keepGradients(of: network, scale: 1, pool)
    update()
    _ = watch.end(network, rate: 0.01, pool)
  }

  /// The optimizer's part of a step.
  public func update() { optimizer.step(network.parameters, StepNumbers(rate: 0.01), pool) }
}

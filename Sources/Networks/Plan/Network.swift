// A network with weights, built from its plan.

import Messages
import Tensors

/// A network that can be run forwards and, after a training pass, backwards.
///
/// Not `Sendable`: it belongs to the thread that trains or evaluates it.
public final class Network {
  public let plan: NetworkPlan
  public let parameters: [Parameter]
  public let buffers: [StateBuffer]
  public let batchNorms: [BatchNorm]
  private let layers: Sequential

  /// A network with initial weights. Every parameter is a function of the seed and its own name.
  ///
  /// Convolutions: normal with deviation sqrt(2 / (K * K * O)) (He et al. 2015, arXiv:1502.01852, section 2.2, in the
  /// backward form that torchvision uses). Batch norm: scale 1, shift 0.
  public init(_ plan: NetworkPlan, seed: UInt64, convolutions: ConvolutionAlgorithms = .fastest) {
    self.plan = plan
    var builder = LayerBuilder(seed: seed, convolutions: convolutions)
    layers = Sequential(builder.build(plan.layers, input: plan.input))
    parameters = layers.parameters
    buffers = layers.buffers
    batchNorms = builder.batchNorms
  }

  /// - Parameter images: [N, H, W, 3], normalised.
  /// - Returns: logits [N, classes].
  public func forward(_ images: consuming Tensor, _ pass: Pass) -> Tensor { layers.forward(images, pass) }

  /// Sets every parameter's gradient.
  /// - Parameter logitsGradient: the loss's gradient by the last training pass's logits.
  public func backward(_ logitsGradient: consuming Tensor, _ pass: Pass) {
    _ = layers.backward(logitsGradient, pass)
  }

  /// The Euclidean norm of the whole gradient.
  public func gradientNorm(_ workers: WorkerPool) -> Double {
    parameters.reduce(0) { $0 + $1.gradient.sumOfSquares(workers) }.squareRoot()
  }
}

/// Makes layers with initial weights from a plan.
struct LayerBuilder {
  let seed: UInt64
  let algorithms: ConvolutionAlgorithms
  var batchNorms: [BatchNorm] = []
  private var dropouts: UInt64 = 0
  private var convolutions = 0
  /// The map that the last flattening made a row of.
  private var flattened: FeatureShape?

  init(seed: UInt64, convolutions: ConvolutionAlgorithms = .fastest) {
    self.seed = seed
    algorithms = convolutions
  }

  /// A batch norm and the ReLU after it become one layer.
  mutating func build(_ plans: [LayerPlan], input: FeatureShape) -> [any Layer] {
    var shape = input
    var layers: [any Layer] = []
    for (index, plan) in plans.enumerated() {
      let isActivated = index + 1 < plans.count && plans[index + 1] == .relu
      if plan != .relu || !(layers.last is BatchNorm) {
        let layer = build(plan, input: shape, activation: isActivated ? .relu : .none)
        if let norm = layer as? BatchNorm, let convolution = layers.last as? Convolution {
          convolution.outputMoments = norm.moments
        }
        layers.append(layer)
      }
      guard let output = try? plan.output(for: shape) else {
        preconditionFailure("a plan's shapes are checked when it is made")
      }
      shape = output
    }
    return layers
  }

  /// - Parameter activation: what follows, for those layers that can do it at the same time.
  private mutating func build(
    _ plan: LayerPlan, input: FeatureShape, activation: BatchNorm.Activation
  ) -> any Layer {
    switch plan {
    case .batchNorm(let name):
      let layer = BatchNorm(name: name, channels: input.channels, activation: activation)
      batchNorms.append(layer)
      return layer
    case .convolution(let name, let outputs, let kernel, let stride, let padding, let bias):
      convolutions += 1
      let deviation = Float((2 / Double(kernel * kernel * outputs)).squareRoot())
      return Convolution(
        name: name, weight: drawn(name, [kernel, kernel, input.channels, outputs]) { $0.normal() * deviation },
        bias: bias ? Tensor(zeros: [outputs]) : nil, stride: stride, padding: padding,
        inputGradient: convolutions == 1 ? .omitted : .computed, algorithms: algorithms)
    case .relu: return ReLU()
    case .maxPool(let kernel, let stride, let padding):
      return MaxPool(kernel: kernel, stride: stride, padding: padding)
    case .averagePool(let side): return AveragePool(side: side)
    case .flatten:
      flattened = input
      return Flatten()
    case .dropout(let rate):
      dropouts += 1
      return Dropout(rate: rate, salt: dropouts)
    case .dense(let name, let outputs, let initialisation, let penalty):
      return dense(name, input, outputs, initialisation, penalty)
    case .residual(let block): return residual(block, input)
    }
  }

  private func dense(
    _ name: String, _ input: FeatureShape, _ outputs: Int, _ initialisation: DenseInitialisation, _ penalty: Double?
  ) -> Dense {
    let inputs = input.count
    let weight = drawn(name, [inputs, outputs]) { generator in
      switch initialisation {
      case .uniform:
        let bound = 1 / Float(inputs).squareRoot()
        return generator.uniform(in: -bound...bound)
      case .normal(let deviation): return generator.normal() * Float(deviation)
      case .truncatedNormal(let deviation): return generator.truncatedNormal() * Float(deviation)
      }
    }
    // The first dense layer after a flattening reads that map, which decides the order of its weights in files.
    let map = flattened.flatMap { $0.count == inputs ? $0 : nil } ?? input
    return Dense(
      name: name, weight: weight, bias: Tensor(zeros: [outputs]), map: [map.height, map.width, map.channels],
      penalty: penalty)
  }

  private mutating func residual(_ block: ResidualPlan, _ input: FeatureShape) -> ResidualBlock {
    let preActivation = block.preActivation.isEmpty ? nil : Sequential(build(block.preActivation, input: input))
    // The ReLU of the sum belongs to the norm that adds.
    var body = build(block.body + (block.activatesSum ? [.relu] : []), input: input)
    let norm = body.last as? BatchNorm
    if norm != nil { body.removeLast() }
    precondition(norm?.activation == .relu || !block.activatesSum, "a ReLU follows a sum only where a norm does")
    let shortcut: (any Layer)?
    var source = ResidualBlock.ShortcutSource.input
    switch block.shortcut {
    case .identity: shortcut = nil
    case .zeroPadding(let stride, let channels, let placement):
      shortcut = ZeroPaddedShortcut(stride: stride, channels: channels, placement: placement)
    case .projection(let layers):
      shortcut = Sequential(build(layers, input: input))
      source = .preActivated
    }
    return ResidualBlock(
      preActivation: preActivation, body: Sequential(body), norm: norm, shortcut: shortcut, shortcutSource: source)
  }

  private func drawn(
    _ name: String, _ shape: [Int], _ draw: (inout RandomGenerator) -> Float
  ) -> Tensor {
    var generator = RandomGenerator(seed, stableHash(name))
    return Tensor(shape) { _ in draw(&generator) }
  }
}

// The layers of a lowered plan, with initial weights. How they are connected is LayerGraph's business.

import Messages
import Support
import Tensors

/// Makes layers with initial weights.
struct LayerBuilder {
  private let seed: UInt64
  private let algorithms: ConvolutionAlgorithms
  private var dropouts: UInt64 = 0

  init(seed: UInt64, convolutions: ConvolutionAlgorithms) {
    self.seed = seed
    algorithms = convolutions
  }

  /// - Returns: a layer an operation; nil for what is done along with others, or has nothing of its own.
  mutating func build(_ plan: LoweredPlan) -> [(any Layer)?] {
    var layers = [(any Layer)?](repeating: nil, count: plan.operations.count)
    // Steps come in the order of the pass, in which dropouts and nothing else are counted.
    for step in plan.steps {
      let layer = layer(plan.operations[step.operation], step)
      // At once, so that the gradients of what is frozen never take memory together.
      if step.isFrozen { for parameter in layer?.parameters ?? [] { parameter.isTrained = false } }
      layers[step.operation] = layer
    }
    return layers
  }

  private mutating func layer(_ operation: LoweredPlan.Operation, _ step: LoweredPlan.Step) -> (any Layer)? {
    let input = operation.input
    switch operation.kind {
    case .batchNorm(let name):
      return BatchNorm(name: name, channels: input.channels, activation: step.activates ? .relu : .none)
    case .convolution(let name, let outputs, let kernel, let stride, let padding, let bias):
      let std = Float((2 / Double(kernel.count * outputs)).squareRoot())
      return Convolution(
        name: name,
        weight: drawn(name, [kernel.height, kernel.width, input.channels, outputs]) { $0.normal() * std },
        bias: bias ? Tensor(zeros: [outputs]) : nil, stride: stride, padding: padding,
        inputGradient: step.inputs[0].hasGradient ? .computed : .omitted, algorithms: algorithms)
    case .relu: return ReLU()
    case .maxPool(let kernel, let stride, let padding):
      return MaxPool(kernel: kernel, stride: stride, padding: padding)
    case .averagePool(let side): return AdaptiveAveragePool(side: side)
    case .flatten: return Flatten()
    case .dropout(let rate):
      dropouts += 1
      return Dropout(rate: rate, salt: dropouts)
    case .dense(let name, let outputs, let initialization, let weightDecay):
      return dense(name, operation.map, outputs, initialization, weightDecay)
    case .zeroPadding(_, let stride, let channels, let placement):
      return ZeroPaddedShortcut(stride: stride, channels: channels, placement: placement)
    case .join: return nil
    }
  }

  private func dense(
    _ name: String, _ map: FeatureShape, _ outputs: Int, _ initialization: DenseInitialization,
    _ weightDecay: Double?
  ) -> Dense {
    let inputs = map.count
    let weight = drawn(name, [inputs, outputs]) { generator in
      switch initialization {
      case .uniform:
        let bound = 1 / Float(inputs).squareRoot()
        return generator.uniform(in: -bound...bound)
      case .normal(let std): return generator.normal() * Float(std)
      case .truncatedNormal(let std): return generator.truncatedNormal() * Float(std)
      }
    }
    return Dense(
      name: name, weight: weight, bias: Tensor(zeros: [outputs]), map: [map.height, map.width, map.channels],
      weightDecay: weightDecay)
  }

  /// Every parameter is a function of the seed and its own name.
  private func drawn(
    _ name: String, _ shape: [Int], _ draw: (inout RandomGenerator) -> Float
  ) -> Tensor {
    var generator = RandomGenerator(seed, stableHash(name))
    return Tensor(shape) { _ in draw(&generator) }
  }
}

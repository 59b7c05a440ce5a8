// The layers of a lowered plan, with initial weights or without. How they are connected is LayerGraph's business.

import Messages
import Support
import Tensors

/// Makes layers with initial weights.
struct LayerBuilder {
  /// nil where all that would be drawn is to be loaded, and is undefined until then.
  private let seed: UInt64?
  private let algorithms: ConvolutionAlgorithms
  private let initialization: ConvolutionInitialization
  /// Layers so far that leave something out at random.
  private var dropouts: UInt64 = 0

  init(
    seed: UInt64?, convolutions: ConvolutionAlgorithms, initialization: ConvolutionInitialization = .he
  ) {
    self.seed = seed
    algorithms = convolutions
    self.initialization = initialization
  }

  /// - Returns: a layer an operation; nil for what is done along with others, or has nothing of its own.
  mutating func build(_ plan: LoweredPlan) -> [(any Layer)?] {
    var layers = [(any Layer)?](repeating: nil, count: plan.operations.count)
    // Steps come in the order of the pass, in which dropouts and nothing else are counted.
    for step in plan.steps {
      let layer = layer(
        plan.operations[step.operation], step, isClassifier: step.operation == plan.lastLearning,
        isSquashed: plan.isSquashed(step.operation))
      // At once, so that the gradients of what is frozen never take memory together.
      if step.isFrozen { for parameter in layer?.parameters ?? [] { parameter.isTrained = false } }
      layers[step.operation] = layer
    }
    return layers
  }

  /// He's for what a ReLU follows; before a squashing function as much as leaves the variance as it is (LeCun et al. 1998,
  /// "Efficient BackProp", section 4.6).
  private static func std(_ kernel: Extent, inputs: Int, outputs: Int, isSquashed: Bool) -> Float {
    let variance = isSquashed ? 1 / Double(kernel.count * inputs) : 2 / Double(kernel.count * outputs)
    return Float(variance.squareRoot())
  }

  /// Of a convolution that is the classifier: as many outputs as there are classes would else make its weights large
  /// where these are few.
  private static let classifierStd: Float = 0.01

  private mutating func layer(
    _ operation: LoweredPlan.Operation, _ step: LoweredPlan.Step, isClassifier: Bool, isSquashed: Bool
  ) -> (any Layer)? {
    let input = operation.input
    switch operation.kind {
    case .batchNorm(let name, let epsilon):
      return BatchNorm(
        name: name, channels: input.channels, activation: step.activates ? .relu : .none, epsilon: epsilon)
    case .convolution(let name, let outputs, let kernel, let stride, let padding, let bias, let groups):
      let std =
        isClassifier
        ? Self.classifierStd : Self.std(kernel, inputs: input.channels, outputs: outputs, isSquashed: isSquashed)
      return Convolution(
        name: name,
        weight: convolutionWeight(
          name, kernel, input.channels / groups, outputs, groups: groups, std: std,
          initialization: isClassifier ? .he : initialization),
        bias: bias ? Tensor(zeros: [outputs]) : nil, stride: stride, padding: padding, groups: groups,
        inputGradient: step.inputs[0].hasGradient ? .computed : .omitted, algorithms: algorithms)
    case .sparseConvolution(let name, let kernel, let sources):
      // As many as an output reads.
      let inputs = max(1, sources.reduce(0) { $0 + $1.count } / max(1, sources.count))
      let std = Self.std(kernel, inputs: inputs, outputs: sources.count, isSquashed: isSquashed)
      let shape = [kernel.height, kernel.width, input.channels, sources.count]
      return Convolution(
        name: name, weight: drawn(name, shape) { $0.normal() * std }, bias: Tensor(zeros: [sources.count]),
        sources: sources, inputGradient: step.inputs[0].hasGradient ? .computed : .omitted, algorithms: algorithms)
    case .relu: return ReLU()
    case .scaledTanh: return ScaledTanhLayer()
    case .subsampling(let name, let kernel):
      return Subsampling(name: name, channels: input.channels, kernel: kernel)
    case .luma: return LumaLayer()
    case .maxPool(let kernel, let stride, let padding, let ceilMode):
      return MaxPool(MaxPoolWindow(kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode))
    case .averagePool(let side): return AdaptiveAveragePool(side: side)
    case .averageWindows(let side): return AverageWindows(side: side)
    case .globalMaxPool: return GlobalMaxPool()
    case .flatten: return Flatten()
    case .dropout(let rate):
      dropouts += 1
      return Dropout(rate: rate, salt: dropouts)
    case .dropPath(let rate):
      dropouts += 1
      return DropPath(rate: rate, salt: dropouts)
    case .scale(let factor): return Scale(factor: factor)
    case .whitening(let name, let kernel):
      // Until the patches are measured, a stand-in.
      let std = Float(1 / Double(kernel * kernel * input.channels).squareRoot())
      let shape = [kernel, kernel, input.channels, operation.output.channels]
      return Convolution(
        name: name, weight: drawn(name, shape) { $0.normal() * std },
        inputGradient: step.inputs[0].hasGradient ? .computed : .omitted, isFixed: true, algorithms: algorithms)
    case .squeezeExcitation(let name, let reduced):
      let channels = input.channels
      func weight(_ name: String, _ inputs: Int, _ outputs: Int) -> Tensor {
        let std = Float((2 / Double(outputs)).squareRoot())
        return drawn(name, [1, 1, inputs, outputs]) { $0.normal() * std }
      }
      return SqueezeExcitation(
        name: name, firstWeight: weight(name + ".fc1", channels, reduced),
        secondWeight: weight(name + ".fc2", reduced, channels))
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

  /// [KH, KW, C, O], C those of a group.
  private func convolutionWeight(
    _ name: String, _ kernel: Extent, _ inputs: Int, _ outputs: Int, groups: Int, std: Float,
    initialization: ConvolutionInitialization
  ) -> Tensor {
    var weight = drawn(name, [kernel.height, kernel.width, inputs, outputs]) { $0.normal() * std }
    guard initialization == .dirac, seed != nil else { return weight }
    // The middle of a kernel with an even side is PyTorch's: the place behind it.
    let middle = (kernel.height / 2) * kernel.width + kernel.width / 2
    // Within each group as many filters as it has channels.
    let filters = outputs / groups
    for filter in 0..<outputs where filter % filters < inputs {
      for place in 0..<kernel.count {
        for channel in 0..<inputs {
          weight[(place * inputs + channel) * outputs + filter] =
            place == middle && channel == filter % filters ? 1 : 0
        }
      }
    }
    return weight
  }

  /// Every parameter is a function of the seed and its own name.
  private func drawn(
    _ name: String, _ shape: [Int], _ draw: (inout RandomGenerator) -> Float
  ) -> Tensor {
    guard let seed else { return Tensor(uninitialized: shape) }
    var generator = RandomGenerator(seed, stableHash(name))
    return Tensor(shape) { _ in draw(&generator) }
  }
}

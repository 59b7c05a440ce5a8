// The layers of a lowered plan and the way through them: which tensor goes where, forwards and backwards. It keeps no
// tensor between the passes; each layer keeps its own.

import Messages
import Support
import Tensors

/// A network's layers, or some of them, as one layer.
public final class LayerGraph: Layer {
  public let parameters: [Parameter]
  public let buffers: [StateBuffer]
  public let batchNorms: [BatchNorm]
  private let layers: [(any Layer)?]
  private var steps: [Step] = []
  /// The value at which the layers that are trained begin.
  private var start = LoweredPlan.image
  /// The value that is the output.
  private let output: LoweredPlan.Value

  private struct Step {
    let work: Work
    let inputs: [LoweredPlan.Input]
    let output: LoweredPlan.Value
    let isFrozen: Bool
  }

  private enum Work {
    case layer(any Layer)
    /// A norm that adds its second input.
    case normAndSum(BatchNorm)
    case sum
    case concatenation(Concatenation)
  }

  /// Layers with initial weights.
  public convenience init(
    _ plan: LoweredPlan, seed: UInt64, convolutions: ConvolutionAlgorithms = .fastest,
    initialization: ConvolutionInitialization = .he
  ) {
    var builder = LayerBuilder(seed: seed, convolutions: convolutions, initialization: initialization)
    self.init(plan, builder.build(plan))
  }

  /// - Parameter layers: a layer for each operation that is neither fused nor a sum.
  private init(_ plan: LoweredPlan, _ layers: [(any Layer)?]) {
    // The operations' order, not the steps': a norm that waits for a shortcut still comes before its layers in files.
    let made = layers.compactMap { $0 }
    parameters = made.flatMap(\.parameters)
    buffers = made.flatMap(\.buffers)
    batchNorms = made.compactMap { $0 as? BatchNorm }
    output = plan.operations.count
    self.layers = layers
    follow(plan)
  }

  /// Goes by another plan of the same layers from now on, one that freezes others. What is frozen has no gradient.
  func follow(_ plan: LoweredPlan) {
    precondition(plan.operations.count == layers.count, "a plan of other layers")
    start = plan.frozen
    for (index, layer) in layers.enumerated() {
      for parameter in layer?.parameters ?? [] { parameter.isTrained = index >= plan.frozen }
    }
    steps = plan.steps.map { step in
      let work: Work =
        switch layers[step.operation] {
        case let norm as BatchNorm where step.adds: .normAndSum(norm)
        case let layer?: .layer(layer)
        case nil:
          if case .join(_, .addition) = plan.operations[step.operation].kind {
            .sum
          } else {
            .concatenation(.init())
          }
        }
      if let reader = step.momentsFor, let norm = layers[reader] as? BatchNorm {
        (layers[step.operation] as? Convolution)?.outputMoments = norm.moments
      }
      if let convolution = layers[step.operation] as? Convolution {
        convolution.inputGradient = step.inputs[0].hasGradient ? .computed : .omitted
      }
      return Step(work: work, inputs: step.inputs, output: step.output, isFrozen: step.isFrozen)
    }
  }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    forward(input, from: LoweredPlan.image, to: output, pass)
  }

  /// What the frozen layers make of images: what the others begin with.
  func features(_ images: consuming Tensor, _ pass: Pass) -> Tensor {
    forward(images, from: LoweredPlan.image, to: start, pass)
  }

  /// The layers behind the frozen ones.
  func forward(features: consuming Tensor, _ pass: Pass) -> Tensor {
    forward(features, from: start, to: output, pass)
  }

  private func forward(
    _ input: consuming Tensor, from first: LoweredPlan.Value, to last: LoweredPlan.Value, _ pass: Pass
  ) -> Tensor {
    var values = Values(count: output + 1)
    values.put(consume input, at: first)
    let training = pass
    for step in steps where step.output > first && step.output <= last {
      let inputs = step.inputs
      var pass = training
      if step.isFrozen { pass.mode = .inference }
      switch step.work {
      case .layer(let layer): values.put(layer.forward(values.take(inputs[0]), pass), at: step.output)
      case .normAndSum(let norm):
        // In this order: both may be the same value.
        let inner = values.take(inputs[0])
        let addend = values.take(inputs[1])
        values.put(norm.forward(consume inner, adding: consume addend, pass), at: step.output)
      case .sum:
        var sum = values.take(inputs[0])
        for input in inputs.dropFirst() { pass.ops.add(values.take(input), to: &sum) }
        values.put(consume sum, at: step.output)
      case .concatenation(let layer):
        values.put(layer.forward(inputs.map { values.take($0) }, pass), at: step.output)
      }
    }
    return values.take(last)
  }

  /// - Returns: the gradient by the input; an empty tensor where the plan leaves that out.
  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    var gradients = Values(count: output + 1)
    gradients.put(consume outputGradient, at: output)
    for step in steps.reversed() {
      // Nothing learns there, and so nothing has reached it.
      guard gradients.has(step.output) else { continue }
      let inputs = step.inputs
      let gradient = gradients.take(step.output)
      switch step.work {
      case .layer(let layer):
        let input = inputs[0]
        if gradients.has(input.value) {
          let skipGradient = gradients.take(input.value)
          gradients.put(layer.backward(consume gradient, adding: consume skipGradient, pass), at: input.value)
        } else {
          let inner = layer.backward(consume gradient, pass)
          if input.hasGradient { gradients.put(consume inner, at: input.value) }
        }
      case .normAndSum(let norm):
        let (inner, skipGradient) = norm.backwardOfSum(consume gradient, pass)
        gradients.add(consume skipGradient, to: inputs[1], pass)
        gradients.add(consume inner, to: inputs[0], pass)
      case .sum:
        for input in inputs.dropFirst() { gradients.add(copy gradient, to: input, pass) }
        gradients.add(consume gradient, to: inputs[0], pass)
      case .concatenation(let layer):
        for (part, input) in zip(layer.backward(consume gradient, pass), inputs) {
          gradients.add(part, to: input, pass)
        }
      }
    }
    return gradients.has(LoweredPlan.image) ? gradients.take(LoweredPlan.image) : Tensor(uninitialized: [0])
  }

  /// Tensors on their way. What is taken for the last time is let go, which leaves a layer the only owner of its input:
  /// that is what lets it work in place.
  private struct Values {
    private var tensors: [Tensor?]

    init(count: Int) { tensors = [Tensor?](repeating: nil, count: count) }

    func has(_ value: LoweredPlan.Value) -> Bool { tensors[value] != nil }

    mutating func put(_ tensor: consuming Tensor, at value: LoweredPlan.Value) { tensors[value] = tensor }

    mutating func take(_ value: LoweredPlan.Value) -> Tensor {
      guard let tensor = tensors[value].take() else {
        preconditionFailure("value \(value) is read before it is made")
      }
      return tensor
    }

    mutating func take(_ input: LoweredPlan.Input) -> Tensor {
      if input.isLast { return take(input.value) }
      guard let tensor = tensors[input.value] else {
        preconditionFailure("value \(input.value) is read before it is made")
      }
      return tensor
    }

    /// Adds a gradient to what has reached the value on other ways.
    mutating func add(_ gradient: consuming Tensor, to input: LoweredPlan.Input, _ pass: Pass) {
      guard input.hasGradient else { return }
      if has(input.value) {
        var sum = take(input.value)
        pass.ops.add(gradient, to: &sum)
        put(consume sum, at: input.value)
      } else {
        put(gradient, at: input.value)
      }
    }
  }
}

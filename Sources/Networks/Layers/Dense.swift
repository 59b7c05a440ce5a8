// The fully connected layer.

import Support
import Tensors

/// y = x * weight + bias, for x [N, I] or any shape of I values an image.
public final class Dense: Layer {
  /// [I, O], the input values in the order of a map [H, W, C].
  public let weight: Parameter
  /// [O].
  public let bias: Parameter

  private let name: String
  private var input: Tensor?

  /// - Parameters:
  ///   - map: the input's height, width and channels, for the order of the weights in files.
  ///   - weightDecay: a weight decay of the weights' own; nil for the optimizer's.
  public init(name: String, weight: Tensor, bias: Tensor, map: [Int], weightDecay: Double? = nil) {
    precondition(map.reduce(1, *) == weight.shape[0], "dense weights \(weight.shape) for a map \(map)")
    self.name = name
    self.weight = Parameter(
      name: name + ".weight", role: .denseWeight(map: map), value: weight, weightDecay: weightDecay)
    self.bias = Parameter(name: name + ".bias", role: .bias, value: bias)
  }

  public var parameters: [Parameter] { [weight, bias] }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    let inputs = weight.value.shape[0]
    precondition(
      input.count == input.shape[0] * inputs, "\(name) takes \(inputs) values an image, not \(input.shape)")
    let output = pass.ops.dense(input, weight.value, bias.value)
    if pass.goesBack { self.input = input }
    return output
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let input = used(&self.input, by: name)
    pass.ops.sumColumns(of: outputGradient, into: &bias.gradient)
    pass.ops.denseWeightGradient(input, outputGradient, into: &weight.gradient)
    return pass.ops.denseInputGradient(outputGradient, weight.value, inputShape: input.shape)
  }
}

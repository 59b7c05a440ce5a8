// Multiplication by a constant.

import Tensors

/// y = factor * x, in place. After the classifier a factor below 1 keeps the first logits small.
public final class Scale: Layer {
  private let factor: Float

  public init(factor: Double) { self.factor = Float(factor) }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    pass.ops.scale(&input, by: factor)
    return input
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    pass.ops.scale(&outputGradient, by: factor)
    return outputGradient
  }
}

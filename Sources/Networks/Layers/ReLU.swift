// The rectified linear unit.

import Tensors

/// y = max(x, 0), in place.
public final class ReLU: Layer {
  private var output: Tensor?

  public init() {}

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    pass.ops.relu(&input)
    if pass.goesBack { output = input }
    return input
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    pass.ops.reluGradient(&outputGradient, output: used(&output, by: "ReLU"))
    return outputGradient
  }
}

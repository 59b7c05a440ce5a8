// A map as one row of values: what stands before a fully connected layer.

import Tensors

/// [N, H, W, C] to [N, H * W * C].
public final class Flatten: Layer {
  private var inputShape: [Int]?

  public init() {}

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    let shape = input.shape
    if pass.goesBack { inputShape = shape }
    return input.reshaped([shape[0], shape.dropFirst().reduce(1, *)])
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    outputGradient.reshaped(used(&inputShape, by: "flatten"))
  }
}

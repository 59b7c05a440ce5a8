// The rectified linear unit.

import CKernels
import Tensors

/// y = max(x, 0), in place.
public final class ReLU: Layer {
  private var output: Tensor?

  public init() {}

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    let count = input.count
    input.write { y in pass.workers.run(over: count) { ck_relu(y + $0.lowerBound, $0.count) } }
    if pass.mode == .training { output = input }
    return input
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let output = used(&self.output, by: "ReLU")
    let count = output.count
    output.read { y in
      outputGradient.write { dy in
        pass.workers.run(over: count) { ck_relu_backward(dy + $0.lowerBound, y + $0.lowerBound, $0.count) }
      }
    }
    return outputGradient
  }
}

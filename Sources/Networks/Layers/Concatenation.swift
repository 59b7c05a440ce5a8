// Branches put side by side: what a GoogLeNet block ends in.

import Tensors

/// The channels of several maps of one size, one map's after the other's: [N, H, W, C1], [N, H, W, C2], ... to
/// [N, H, W, C1 + C2 + ...] (Szegedy et al. 2014, "Going deeper with convolutions", arXiv:1409.4842, section 4).
///
/// Backwards each map gets the gradients of its own channels.
final class Concatenation {
  private var channels: [Int]?

  /// - Parameter inputs: at least one.
  func forward(_ inputs: [Tensor], _ pass: Pass) -> Tensor {
    if pass.goesBack { channels = inputs.map { $0.shape[$0.shape.count - 1] } }
    return pass.ops.concatenate(inputs)
  }

  /// - Returns: the gradients by the inputs, in their order.
  func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> [Tensor] {
    pass.ops.split(outputGradient, channels: used(&channels, by: "concatenation"))
  }
}

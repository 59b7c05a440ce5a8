// The shortcut without parameters, He et al. 2015, section 3.3, option A.

import Messages
import Tensors

/// Shortcut option A: every `stride`-th pixel, and zeros for the channels that are new.
public final class ZeroPaddedShortcut: Layer {
  private let stride: Int
  private let channels: Int
  private let placement: ZeroPlacement
  private var inputShape: [Int]?

  public init(stride: Int, channels: Int, placement: ZeroPlacement) {
    self.stride = stride
    self.channels = channels
    self.placement = placement
  }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    if pass.goesBack { inputShape = input.shape }
    return pass.ops.subsample(input, copy(of: input.shape))
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    pass.ops.subsampleGradient(outputGradient, copy(of: used(&inputShape, by: "zero-padded shortcut")))
  }

  private func copy(of input: [Int]) -> StridedCopy {
    StridedCopy(
      input: input, stride: stride, channels: channels,
      firstChannel: placement == .split ? (channels - input[3]) / 2 : 0)
  }
}

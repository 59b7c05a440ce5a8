// The layers of LeNet-5 as published that no later network has: LeCun et al. 1998, "Gradient-based learning applied to
// document recognition", section II.B and appendix A; and the gray image that it looks at.

import Tensors

/// y = 1.7159 tanh(2/3 x), in place.
public final class ScaledTanhLayer: Layer {
  private var output: Tensor?

  public init() {}

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    pass.ops.scaledTanh(&input)
    if pass.goesBack { output = input }
    return input
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    pass.ops.scaledTanhGradient(&outputGradient, output: used(&output, by: "tanh"))
    return outputGradient
  }
}

/// y[..., c] = weight[c] * (the sum of an area of `kernel` x `kernel` pixels) + bias[c]: [N, H, W, C] to
/// [N, H / kernel, W / kernel, C]. At the start weight is 1 / kernel^2, so that it is the mean.
public final class Subsampling: Layer {
  /// [C] both.
  public let weight: Parameter
  public let bias: Parameter
  private let name: String
  private let kernel: Int
  private var cache: (sums: Tensor, inputShape: [Int])?

  public init(name: String, channels: Int, kernel: Int) {
    (self.name, self.kernel) = (name, kernel)
    weight = Parameter(
      name: name + ".weight", role: .norm, value: Tensor([channels]) { _ in 1 / Float(kernel * kernel) })
    bias = Parameter(name: name + ".bias", role: .bias, value: Tensor(zeros: [channels]))
  }

  public var parameters: [Parameter] { [weight, bias] }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    let sums = pass.ops.sumPool(input, kernel: kernel)
    var output = sums
    pass.ops.multiply(channels: weight.value, &output)
    pass.ops.add(channels: bias.value, to: &output)
    if pass.goesBack { cache = (sums, input.shape) }
    return output
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    var (sums, inputShape) = used(&cache, by: name)
    pass.ops.sumColumns(of: outputGradient, into: &bias.gradient)
    pass.ops.multiply(&sums, by: outputGradient)
    pass.ops.sumColumns(of: sums, into: &weight.gradient)
    pass.ops.multiply(channels: weight.value, &outputGradient)
    return pass.ops.sumPoolGradient(outputGradient, kernel: kernel, inputShape: inputShape)
  }
}

/// The gray of a color image, 0.299 red + 0.587 green + 0.114 blue: [N, H, W, 3] to [N, H, W, 1]. Of a gray one it is
/// what was there.
public final class LumaLayer: Layer {
  private var isGray = false

  public init() {}

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    isGray = input.shape[input.shape.count - 1] == 1
    return isGray ? input : pass.ops.luma(input)
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    isGray ? outputGradient : pass.ops.lumaGradient(outputGradient)
  }
}

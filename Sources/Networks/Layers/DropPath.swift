// Stochastic depth: whole branches left out at random, image by image.

import Support
import Tensors

/// In training, an image's map is zero with probability `rate` and else divided by 1 - rate, so that the mean stays; in
/// inference it does nothing. At the end of a residual block's body this leaves the block out for that image (Huang et
/// al. 2016, "Deep networks with stochastic depth", arXiv:1603.09382, section 3; torchvision's StochasticDepth in its
/// mode "row").
///
/// Which images are left out is a function of the pass's seed, the layer's salt and the image's place in the batch.
public final class DropPath: Layer {
  private let rate: Float
  /// Tells the layers of one network apart.
  private let salt: UInt64
  private var factors: [Float]?

  public init(rate: Double, salt: UInt64) {
    precondition((0..<1).contains(rate), "a drop path rate of \(rate)")
    self.rate = Float(rate)
    self.salt = salt
  }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    guard pass.mode == .training else { return input }
    let factors = Self.factors(images: input.shape[0], rate: rate, salt: salt, seed: pass.seed)
    pass.ops.scale(images: &input, by: factors)
    self.factors = factors
    return input
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    guard pass.mode == .training else { return outputGradient }
    pass.ops.scale(images: &outputGradient, by: used(&factors, by: "drop path"))
    return outputGradient
  }

  /// What each image's map is multiplied by: 0, or 1 / (1 - rate).
  static func factors(images: Int, rate: Float, salt: UInt64, seed: UInt64) -> [Float] {
    var generator = RandomGenerator(seed, salt, purpose)
    let kept = 1 / (1 - rate)
    return (0..<images).map { _ in generator.uniform() < rate ? 0 : kept }
  }

  /// Tells its choices from a dropout's of the same seed and salt.
  private static let purpose = stableHash("drop path")
}

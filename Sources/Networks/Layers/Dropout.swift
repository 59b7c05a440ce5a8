// Values left out at random.

import Support
import Tensors

/// In training, each value is zero with probability `rate` and else divided by 1 - rate, so that the mean stays
/// (Srivastava et al. 2014, "inverted" form). In inference it does nothing.
public final class Dropout: Layer {
  private let rate: Float
  /// Tells the dropouts of one network apart.
  private let salt: UInt64
  private var factors: Tensor?

  public init(rate: Double, salt: UInt64) {
    precondition((0..<1).contains(rate), "a dropout rate of \(rate)")
    self.rate = Float(rate)
    self.salt = salt
  }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    guard pass.mode == .training else { return input }
    var generator = RandomGenerator(pass.seed, salt)
    let kept = 1 / (1 - rate)
    let factors = Tensor(input.shape) { _ in generator.uniform() < rate ? 0 : kept }
    pass.ops.multiply(&input, by: factors)
    self.factors = factors
    return input
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    guard pass.mode == .training else { return outputGradient }
    pass.ops.multiply(&outputGradient, by: used(&factors, by: "dropout"))
    return outputGradient
  }
}

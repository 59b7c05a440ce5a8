// What AdamW changes parameters by. Number by number, so any cut gives the same bits.

import CKernels
import Glibc

/// One step of Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv:1711.05101, algorithm 2, with
/// PyTorch's torch.optim.AdamW for what it leaves open: the rate multiplies the decay):
///
///     g = gradientScale * gradient
///     m = beta1 * m + (1 - beta1) * g
///     s = beta2 * s + (1 - beta2) * g^2
///     value = (1 - rate * decay) * value - rate * (m / (1 - beta1^t)) / (sqrt(s / (1 - beta2^t)) + epsilon)
public struct AdamWStep: Sendable {
  /// Which step it is since m and s were zero, from 1.
  public var t: Int
  public var rate: Double
  public var beta1: Double
  public var beta2: Double
  public var epsilon: Double
  public var decay: Double
  public var gradientScale: Double

  public init(
    t: Int, rate: Double, beta1: Double, beta2: Double, epsilon: Double, decay: Double, gradientScale: Double = 1
  ) {
    precondition(t > 0, "steps are counted from 1")
    (self.t, self.rate, self.beta1, self.beta2) = (t, rate, beta1, beta2)
    (self.epsilon, self.decay, self.gradientScale) = (epsilon, decay, gradientScale)
  }
}

extension Ops {
  /// Carries out the step. All tensors are of one shape; `mean` and `square` are zero before the first step.
  public func apply(
    _ step: AdamWStep, _ value: inout Tensor, mean: inout Tensor, square: inout Tensor, gradient: Tensor
  ) {
    precondition(
      [value.count, mean.count, square.count].allSatisfy { $0 == gradient.count },
      "a step of \(value.shape) with a gradient \(gradient.shape) and averages \(mean.shape), \(square.shape)")
    let count = gradient.count
    // Corrections in double precision, as 1 - beta2^t is nearly zero at first.
    var numbers = ck_adamw_step(
      rate: Float(step.rate / (1 - pow(step.beta1, Double(step.t)))), mean_share: Float(1 - step.beta1),
      square_kept: Float(step.beta2), square_share: Float(1 - step.beta2),
      root_scale: Float(1 / (1 - pow(step.beta2, Double(step.t))).squareRoot()), epsilon: Float(step.epsilon),
      value_kept: Float(1 - step.rate * step.decay), gradient_scale: Float(step.gradientScale))
    withUnsafePointer(to: &numbers) { numbers in
      gradient.read { gradient in
        mean.write { mean in
          square.write { square in
            value.write { value in
              pool.run(over: count, chunks: ThreadPool.chunks(of: count)) { part in
                let start = part.lowerBound
                ck_adamw(value + start, mean + start, square + start, gradient + start, part.count, numbers)
              }
            }
          }
        }
      }
    }
  }
}

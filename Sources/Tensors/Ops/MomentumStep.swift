// What optimizers change parameters by. Number by number, so any cut gives the same bits.

import CKernels

/// One step of SGD with momentum:
///
///     g = gradientScale * gradient + decay * value
///     v = momentum * v + g
///     value -= rate * v, or rate * (g + momentum * v) in Nesterov's form
public struct MomentumStep: Sendable {
  public var rate: Double
  public var momentum: Double
  public var decay: Double
  public var gradientScale: Double
  public var isNesterov: Bool

  public init(rate: Double, momentum: Double, decay: Double, gradientScale: Double = 1, isNesterov: Bool) {
    (self.rate, self.momentum, self.decay) = (rate, momentum, decay)
    (self.gradientScale, self.isNesterov) = (gradientScale, isNesterov)
  }
}

extension Ops {
  /// Carries out the step. All tensors are of one shape; `velocity` is zero before the first step.
  public func apply(_ step: MomentumStep, _ value: inout Tensor, velocity: inout Tensor, gradient: Tensor) {
    precondition(
      value.count == gradient.count && velocity.count == gradient.count,
      "a step of \(value.shape) with a gradient \(gradient.shape) and a velocity \(velocity.shape)")
    let count = gradient.count
    let (rate, momentum, decay) = (Float(step.rate), Float(step.momentum), Float(step.decay))
    let (gradientScale, nesterov): (Float, Int32) = (Float(step.gradientScale), step.isNesterov ? 1 : 0)
    gradient.read { gradient in
      velocity.write { velocity in
        value.write { value in
          pool.run(over: count, chunks: ThreadPool.chunks(of: count)) { part in
            let start = part.lowerBound
            ck_sgd(
              value + start, velocity + start, gradient + start, part.count, rate, momentum, decay, gradientScale,
              nesterov)
          }
        }
      }
    }
  }
}

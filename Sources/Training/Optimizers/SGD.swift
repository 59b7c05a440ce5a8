// Stochastic gradient descent: one loop over every parameter.

import CKernels
import Messages
import Networks
import Tensors

/// SGD with momentum, Nesterov's form optional, and weight decay as an L2 penalty.
///
/// g = gradient + decay * value; v = momentum * v + g; value -= rate * v, or rate * (g + momentum * v) in Nesterov's
/// form (Sutskever et al. 2013, as PyTorch writes it: the rate is outside v).
public struct SGD: Optimizer {
  private let settings: OptimiserSettings
  /// v of each parameter.
  public var state: [OptimizerState]

  public init(_ settings: OptimiserSettings, _ parameters: [Parameter]) {
    self.settings = settings
    state = [OptimizerState("momentum", like: parameters)]
  }

  public mutating func step(_ parameters: [Parameter], rate: Double, gradientScale: Double, _ workers: WorkerPool) {
    precondition(parameters.count == state[0].tensors.count, "the optimizer was made for other parameters")
    let (momentum, nesterov) = (Float(settings.momentum), settings.nesterov ? Int32(1) : 0)
    for (index, parameter) in parameters.enumerated() {
      let count = parameter.value.count
      let decay = Float(self.decay(of: parameter))
      parameter.gradient.read { gradient in
        state[0].tensors[index].write { velocity in
          parameter.value.write { value in
            workers.run(over: count, shards: WorkerPool.shards(of: count)) { part in
              let start = part.lowerBound
              ck_sgd(
                value + start, velocity + start, gradient + start, part.count, Float(rate), momentum, decay,
                Float(gradientScale), nesterov)
            }
          }
        }
      }
    }
  }

  private func decay(of parameter: Parameter) -> Double {
    if let penalty = parameter.penalty { return penalty }
    return parameter.isNormOrBias && !settings.decayNormsAndBiases ? 0 : settings.weightDecay
  }
}

// Stochastic gradient descent: one loop over every parameter.

import Messages
import Networks
import Tensors

/// SGD with momentum, Nesterov's form optional, and weight decay as an L2 penalty.
///
/// g = gradient + decay * value; v = momentum * v + g; value -= rate * v, or rate * (g + momentum * v) in Nesterov's
/// form (Sutskever et al. 2013, as PyTorch writes it: the rate is outside v).
public struct SGD: Optimizer {
  private let settings: OptimizerSettings
  /// v of each parameter.
  public var state: [OptimizerState]

  public init(_ settings: OptimizerSettings, _ parameters: [Parameter]) {
    self.settings = settings
    state = [OptimizerState("momentum", like: parameters)]
  }

  public mutating func step(_ parameters: [Parameter], _ numbers: StepNumbers, _ pool: ThreadPool) {
    precondition(parameters.count == state[0].tensors.count, "the optimizer was made for other parameters")
    // A schedule that moves the momentum leaves none as it is.
    let momentum = settings.momentum.map { $0 > 0 ? max(0, $0 + numbers.momentumShift) : 0 } ?? 0
    for (index, parameter) in parameters.enumerated() {
      let step = MomentumStep(
        rate: settings.rate(numbers, of: parameter), momentum: momentum, decay: settings.decay(of: parameter),
        gradientScale: numbers.gradientScale, isNesterov: settings.nesterov)
      Ops(pool).apply(
        step, &parameter.value, velocity: &state[0].tensors[index], gradient: parameter.gradient)
    }
  }
}

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

  public mutating func step(_ parameters: [Parameter], rate: Double, gradientScale: Double, _ pool: ThreadPool) {
    precondition(parameters.count == state[0].tensors.count, "the optimizer was made for other parameters")
    for (index, parameter) in parameters.enumerated() {
      let step = MomentumStep(
        rate: rate * parameter.rateFactor, momentum: settings.momentum, decay: decay(of: parameter),
        gradientScale: gradientScale,
        isNesterov: settings.nesterov)
      Ops(pool).apply(
        step, &parameter.value, velocity: &state[0].tensors[index], gradient: parameter.gradient)
    }
  }

  private func decay(of parameter: Parameter) -> Double {
    if let weightDecay = parameter.weightDecay { return weightDecay }
    return parameter.isNormOrBias && !settings.decayNormsAndBiases ? 0 : settings.weightDecay
  }
}

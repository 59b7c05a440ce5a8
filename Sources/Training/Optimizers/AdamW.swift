// Adam with decoupled weight decay: one loop over every parameter.

import Messages
import Networks
import Tensors

/// AdamW (Loshchilov and Hutter 2017, arXiv:1711.05101): a step in the direction of the gradient's average over the root
/// of its square's average, and weight decay beside it instead of in the gradient. The formula is `AdamWStep`'s, the
/// numbers are PyTorch's.
public struct AdamW: Optimizer {
  private let settings: OptimizerSettings
  /// The averages of the gradient and of its square.
  private var mean: OptimizerState
  private var square: OptimizerState

  public init(_ settings: OptimizerSettings, _ parameters: [Parameter]) {
    self.settings = settings
    mean = OptimizerState("mean", like: parameters)
    square = OptimizerState("square", like: parameters)
  }

  public var state: [OptimizerState] {
    get { [mean, square] }
    set { (mean, square) = (newValue[0], newValue[1]) }
  }

  public mutating func step(_ parameters: [Parameter], _ numbers: StepNumbers, _ pool: ThreadPool) {
    precondition(parameters.count == mean.tensors.count, "the optimizer was made for other parameters")
    guard let betas = settings.betas, let epsilon = settings.epsilon else {
      preconditionFailure("AdamW without its numbers")
    }
    for (index, parameter) in parameters.enumerated() {
      let step = AdamWStep(
        t: numbers.done + 1, rate: settings.rate(numbers, of: parameter),
        beta1: max(0, betas.first + numbers.momentumShift), beta2: betas.second, epsilon: epsilon,
        decay: settings.decay(of: parameter),
        gradientScale: numbers.gradientScale)
      Ops(pool).apply(
        step, &parameter.value, mean: &mean.tensors[index], square: &square.tensors[index],
        gradient: parameter.gradient)
    }
  }
}

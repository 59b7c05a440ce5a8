// What the loop, the checkpoint and the memory check ask of a way to change weights, whichever it is.

import Messages
import Networks
import Tensors

/// Changes parameters by their gradients.
///
/// What it remembers from step to step is named state with one tensor a parameter: a checkpoint keeps it under these
/// names, and whoever reckons memory asks how much it is.
public protocol Optimizer {
  /// In an order of its own; the tensors in the parameters' order and inner layout.
  var state: [OptimizerState] { get set }

  /// Changes every parameter by its gradient.
  /// - Parameters:
  ///   - parameters: those it was made for, in the same order.
  ///   - rate: the learning rate of this step; each parameter's `rateFactor` multiplies it.
  ///   - gradientScale: multiplies the gradient first; see `clippingScale`.
  mutating func step(_ parameters: [Parameter], rate: Double, gradientScale: Double, _ pool: ThreadPool)
}

/// One thing that an optimizer remembers of every parameter.
public struct OptimizerState {
  /// As in a checkpoint: `momentum`.
  public let name: String
  public var tensors: [Tensor]

  /// All zero, as before the first step.
  init(_ name: String, like parameters: [Parameter]) {
    self.name = name
    tensors = parameters.map { Tensor(zeros: $0.value.shape) }
  }
}

extension Optimizer {
  /// Begins anew, as before the first step.
  public mutating func reset() {
    for index in state.indices { state[index].tensors = state[index].tensors.map { Tensor(zeros: $0.shape) } }
  }
}

extension OptimizerSettings {
  /// The optimizer that is asked for.
  func optimizer(for parameters: [Parameter]) -> any Optimizer { SGD(self, parameters) }

  /// Numbers that it remembers of each number of a parameter.
  var stateCount: Int { optimizer(for: []).state.count }

  /// What to multiply a gradient of this norm by, so that it is no longer than the clip (Pascanu et al. 2013,
  /// arXiv:1211.5063, algorithm 1).
  public func clippingScale(gradientNorm: Double) -> Double {
    guard let clip = gradientClip, gradientNorm > clip else { return 1 }
    return clip / gradientNorm
  }
}

// Slow weights around another optimizer's.

import Messages
import Networks
import Tensors

/// Lookahead (Zhang et al. 2019, arXiv:1907.08610, algorithm 1): another optimizer changes the (fast) weights; after
/// every k of its steps the slow ones move a share of the way toward them, and the fast ones go on from there. What the
/// other optimizer remembers stays ("maintain", section 3 of the paper).
///
/// The slow weights are the algorithm's result: they are validated, and what checkpoints have. Batch norm's running
/// statistics, which are averages of the last ten batches or so, are used with them as they are.
public struct Lookahead: Optimizer {
  private let settings: LookaheadSettings
  private var inner: any Optimizer
  private var slow: OptimizerState

  /// - Parameter parameters: as they begin.
  public init(_ settings: LookaheadSettings, around inner: any Optimizer, _ parameters: [Parameter]) {
    self.settings = settings
    self.inner = inner
    slow = OptimizerState("slow", of: parameters)
  }

  public var state: [OptimizerState] {
    get { inner.state + [slow] }
    set {
      inner.state = Array(newValue.dropLast())
      if let last = newValue.last { slow = last }
    }
  }

  public var evaluated: [Tensor]? { slow.tensors }

  public mutating func step(_ parameters: [Parameter], _ numbers: StepNumbers, _ pool: ThreadPool) {
    inner.step(parameters, numbers, pool)
    guard (numbers.done + 1) % settings.steps == 0 else { return }
    for (index, parameter) in parameters.enumerated() {
      Ops(pool).approach(&slow.tensors[index], toward: parameter.value, by: Float(settings.share))
      parameter.value = slow.tensors[index]
    }
  }

  public mutating func reset(_ parameters: [Parameter]) {
    inner.reset(parameters)
    slow = OptimizerState("slow", of: parameters)
  }
}

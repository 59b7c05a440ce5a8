// What the loop, the checkpoint and the memory check ask of a way to change weights, whichever it is.

import Messages
import Networks
import Tensors

/// Changes parameters by their gradients.
///
/// What it remembers from step to step is named state with one tensor a parameter: a checkpoint keeps it under these
/// names, and whoever reckons memory asks how much it is. How many steps it has done since it began anew is told to it.
public protocol Optimizer {
  /// In an order of its own; the tensors in the parameters' order and inner layout.
  var state: [OptimizerState] { get set }

  /// The weights to evaluate and to save instead of those that the next step changes; nil where they are the same.
  var evaluated: [Tensor]? { get }

  /// Changes every parameter by its gradient.
  /// - Parameter parameters: those it was made for, in the same order.
  mutating func step(_ parameters: [Parameter], _ numbers: StepNumbers, _ pool: ThreadPool)

  /// Begins anew, as before the first step, from the parameters as they are.
  mutating func reset(_ parameters: [Parameter])
}

/// What differs from step to step.
public struct StepNumbers: Sendable, Equatable {
  /// The learning rate; each parameter's `rateFactor` multiplies it.
  public var rate: Double
  /// Multiplies the gradient first; see `clippingScale`.
  public var gradientScale: Double
  /// Added to the momentum, by a schedule that moves it.
  public var momentumShift: Double
  /// Steps that the optimizer has done since it began anew.
  public var done: Int

  public init(rate: Double, gradientScale: Double = 1, momentumShift: Double = 0, done: Int = 0) {
    (self.rate, self.gradientScale) = (rate, gradientScale)
    (self.momentumShift, self.done) = (momentumShift, done)
  }
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

  /// The parameters as they are.
  init(_ name: String, of parameters: [Parameter]) {
    self.name = name
    tensors = parameters.map(\.value)
  }
}

extension Optimizer {
  public var evaluated: [Tensor]? { nil }

  public mutating func reset(_ parameters: [Parameter]) {
    for index in state.indices { state[index].tensors = state[index].tensors.map { Tensor(zeros: $0.shape) } }
  }
}

extension TrainingSettings {
  /// Numbers that a run remembers from step to step of each number of a parameter: the optimizer's, the average's, and
  /// the gradients of earlier batches.
  var rememberedCount: Int {
    optimizer.stateCount + (ema == nil ? 0 : 1) + (accumulate > 1 ? 1 : 0)
      + ReplicaTree(replicas: replicaCount).mostWaiting
  }
}

extension OptimizerSettings {
  /// Numbers that a step takes at one time besides what is remembered.
  func scratch(for plan: NetworkPlan) -> Int {
    guard method == .muon else { return 0 }
    return plan.trainedState.filter { $0.kind == .parameter && $0.shape.count == 4 }.map { entry in
      NewtonSchulz.scratch(rows: entry.shape.dropFirst().reduce(1, *), columns: entry.shape[0])
    }.max() ?? 0
  }

  /// The optimizer that is asked for.
  func optimizer(for parameters: [Parameter]) -> any Optimizer {
    let optimizer: any Optimizer =
      switch method {
      case .sgd: SGD(self, parameters)
      case .adamw: AdamW(self, parameters)
      case .muon: Muon(self, parameters)
      }
    return lookahead.map { Lookahead($0, around: optimizer, parameters) } ?? optimizer
  }

  /// Numbers that it remembers of each number of a parameter.
  var stateCount: Int { optimizer(for: []).state.count }

  /// A parameter's learning rate in a step.
  func rate(_ numbers: StepNumbers, of parameter: Parameter) -> Double {
    numbers.rate * rateFactor(of: parameter) * parameter.rateFactor
  }

  /// What a parameter's learning rate is multiplied by besides its own factor: that of batch norms' shifts is usually
  /// too small, as they have
  /// no scale of their own to grow by (Jordan 2024, arXiv:2404.00498, section 3.4; Page 2019). Their weight decay is
  /// divided by it, so that a step shrinks them as much as without it.
  func rateFactor(of parameter: Parameter) -> Double { parameter.isNormBias ? normBiasRate : 1 }

  /// The weight decay of a parameter: its own, or the optimizer's.
  func decay(of parameter: Parameter) -> Double {
    if let weightDecay = parameter.weightDecay { return weightDecay }
    if parameter.isNormOrBias && !decayNormsAndBiases { return 0 }
    return weightDecay / rateFactor(of: parameter)
  }

  /// What to multiply a gradient of this norm by, so that it is no longer than the clip (Pascanu et al. 2013,
  /// arXiv:1211.5063, algorithm 1).
  public func clippingScale(gradientNorm: Double) -> Double {
    guard let clip = gradientClip, gradientNorm > clip else { return 1 }
    return clip / gradientNorm
  }

  /// - Throws: `SettingsError` for a number that the optimizer has no use for, or one that it lacks.
  func validate() throws(SettingsError) {
    let name = "--optimizer \(method.rawValue)"
    let usual = method.usual
    let rows: [(option: String, isGiven: Bool, isUsed: Bool)] = [
      ("momentum", momentum != nil, usual.momentum != nil), ("betas", betas != nil, usual.betas != nil),
      ("epsilon", epsilon != nil, usual.epsilon != nil),
    ]
    for row in rows where row.isGiven != row.isUsed {
      throw SettingsError(
        row.isGiven
          ? "--\(row.option) is nothing to \(name): leave it out" : "\(name) needs a --\(row.option)")
    }
    guard nesterov else { return }
    switch method {
    case .sgd: if momentum == 0 { throw SettingsError("--nesterov needs a --momentum above 0") }
    case .adamw: throw SettingsError("--nesterov is nothing to \(name): leave it out")
    case .muon: throw SettingsError("the momentum of \(name) is Nesterov's in any case: leave --nesterov out")
    }
  }
}

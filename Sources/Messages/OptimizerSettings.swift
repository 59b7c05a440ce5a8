// How weights are changed by their gradients: which optimizer, and its numbers. What each has where nothing is said of
// it stands here too; what an optimizer does is in Training.

import Support

/// An optimizer and its numbers. A number that an optimizer has no use for is nil, and an error where it is not.
public struct OptimizerSettings: Codable, Sendable, Equatable {
  public var method: OptimizerMethod
  /// Of sgd and muon, 0 ..< 1.
  public var momentum: Double?
  /// Nesterov's form of sgd's momentum.
  public var nesterov: Bool
  /// Of adamw.
  public var betas: AdamBetas?
  /// Of adamw: what keeps its divisor above zero.
  public var epsilon: Double?
  /// An L2 penalty for sgd; for the others each step takes rate * decay of the weights away.
  public var weightDecay: Double
  /// Whether weight decay also acts on batch norm's scale and shift and on biases.
  public var decayNormsAndBiases: Bool
  /// Largest norm of the whole gradient; nil for no clipping.
  public var gradientClip: Double?
  /// Multiplies the learning rate of batch norms' shifts, and divides their weight decay.
  public var normBiasRate: Double
  /// Steps of slow weights around the optimizer's; nil for none.
  public var lookahead: LookaheadSettings?

  /// Those of sgd, where nothing else is said.
  public init(
    method: OptimizerMethod = .sgd, momentum: Double? = 0.9, nesterov: Bool = false, betas: AdamBetas? = nil,
    epsilon: Double? = nil, weightDecay: Double = 5e-4, decayNormsAndBiases: Bool = true,
    gradientClip: Double? = nil, normBiasRate: Double = 1, lookahead: LookaheadSettings? = nil
  ) {
    self.method = method
    self.momentum = momentum
    self.nesterov = nesterov
    self.betas = betas
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.decayNormsAndBiases = decayNormsAndBiases
    self.gradientClip = gradientClip
    self.normBiasRate = normBiasRate
    self.lookahead = lookahead
  }
}

/// The optimizers.
public enum OptimizerMethod: String, Codable, Sendable, CaseIterable {
  /// Stochastic gradient descent with momentum.
  case sgd
  /// Adam with decoupled weight decay.
  case adamw
  /// Orthogonalized momentum for convolutions, SGD for everything else.
  case muon

  /// What holds where nothing is said.
  public var usual: OptimizerSettings {
    switch self {
    case .sgd: OptimizerSettings()
    case .adamw:
      OptimizerSettings(method: self, momentum: nil, betas: AdamBetas(), epsilon: 1e-8, weightDecay: 0.01)
    case .muon: OptimizerSettings(method: self, momentum: 0.95, weightDecay: 0.01)
    }
  }

  /// The peak learning rate where nothing is said.
  public var usualRate: Double {
    switch self {
    case .sgd: 0.1
    case .adamw: 0.003
    case .muon: 0.05
    }
  }
}

extension TrainingSettings {
  /// Gives the numbers that are as usual for another optimizer those that are usual for the present one.
  public mutating func optimizerChanged(from before: OptimizerMethod) {
    let (old, new) = (before.usual, optimizer.method.usual)
    if learningRate == before.usualRate { learningRate = optimizer.method.usualRate }
    if optimizer.momentum == old.momentum { optimizer.momentum = new.momentum }
    if optimizer.betas == old.betas { optimizer.betas = new.betas }
    if optimizer.epsilon == old.epsilon { optimizer.epsilon = new.epsilon }
    if optimizer.weightDecay == old.weightDecay { optimizer.weightDecay = new.weightDecay }
  }
}

/// How much of their averages of the gradient and of its square AdamW keeps at a step.
public struct AdamBetas: Codable, Sendable, Equatable {
  public var first: Double
  public var second: Double

  public init(_ first: Double = 0.9, _ second: Double = 0.999) { (self.first, self.second) = (first, second) }

  static let range = NumericRange.from(0.0, below: 1)

  /// `0.9,0.999`
  static let notation = Notation<AdamBetas>(
    takesAnyWord: true,
    read: { text throws(SettingRefusal) in
      let words = text.split(separator: ",", omittingEmptySubsequences: false)
      let numbers = words.compactMap { try? range.parse(String($0)) }
      guard words.count == 2, numbers.count == 2 else {
        throw SettingRefusal("it must be two numbers such as 0.9,0.999, each \(range.text)")
      }
      return AdamBetas(numbers[0], numbers[1])
    },
    write: { "\($0.first.plain),\($0.second.plain)" },
    numbers: { betas, option, place throws(OutOfRange) in
      for value in [betas.first, betas.second] { try range.check(value, of: option, at: place) }
    })
}

/// How slow weights follow those that the optimizer changes.
public struct LookaheadSettings: Codable, Sendable, Equatable {
  /// Steps between two moves of the slow weights.
  public var steps: Int
  /// The share of the way that they move.
  public var share: Double

  public init(steps: Int = 5, share: Double = 0.5) { (self.steps, self.share) = (steps, share) }

  static let stepsRange = NumericRange.from(1, to: 1_000_000)
  static let shareRange = NumericRange.above(0.0, to: 1)

  /// `5:0.5`, or `5`.
  static let notation = Notation<LookaheadSettings>(
    takesAnyWord: true,
    read: { text throws(SettingRefusal) in
      let words = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      let usual = LookaheadSettings()
      let share = words.count > 1 ? try? shareRange.parse(words[1]) : usual.share
      guard (1...2).contains(words.count), let steps = try? stepsRange.parse(words[0]), let share else {
        throw SettingRefusal(
          "it must be steps and a share such as \(usual), the steps \(stepsRange.requirement), the share "
            + shareRange.requirement)
      }
      return LookaheadSettings(steps: steps, share: share)
    },
    write: { $0.description },
    numbers: { lookahead, option, place throws(OutOfRange) in
      try stepsRange.check(lookahead.steps, of: option, at: place.map { "\($0).steps" })
      try shareRange.check(lookahead.share, of: option, at: place.map { "\($0).share" })
    })
}

extension LookaheadSettings: CustomStringConvertible {
  public var description: String { "\(steps):\(share.plain)" }
}

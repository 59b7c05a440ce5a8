// The learning rate as a pure function of where training stands. Only a plateau and a rate changed by hand have a
// memory, and that is a part of the training state, which goes into checkpoints.

import Glibc
import Messages

/// The learning rate of every step of a run.
///
///     constant  peak
///     step      peak · factor^(named epochs that are over)
///     cosine    peak · min(1, (step + 1) / warm)                              while step < warm
///               peak · 0.5 · (1 + cos(π · (step - warm) / (steps - warm)))    from then on
///     plateau   peak · factor^(reductions so far)
///     linear    as the cosine, and from then on peak · (steps - step) / (steps - warm)
///     one-cycle along half a cosine from peak / divisor to peak by the step warmUp · steps - 1, then likewise down to
///               peak / divisor / 10,000 at the last step
///     restarts  peak · 0.5 · (1 + cos(π · share of the period that is over)), the periods being epochs, epochs · factor,
///               epochs · factor² ... long
///
/// with warm = the warm-up's share of all steps, rounded down, at least 1. One-cycle is Smith and Topin 2017
/// (arXiv:1708.07120) as PyTorch's OneCycleLR has it: the momentum goes the other way, from 0.05 above what is set to
/// 0.05 below and back. Restarts are Loshchilov and Hutter 2016 (arXiv:1608.03983), section 3; linear is what the
/// fastest runs on CIFAR-10 use (Page 2018, "How to train your ResNet"). The cosine is Loshchilov and Hutter 2016
/// (arXiv:1608.03983), equation 5, without restarts and down to zero; the linear warm-up is Goyal et al. 2017
/// (arXiv:1706.02677), section 2.2. Where layers are frozen for the first epochs, a cosine, a linear or a one-cycle schedule
/// goes through once in these and again, warm-up included, in the others: what is trained is not the same, and the
/// optimizer begins anew.
public struct LearningRateSchedule: Sendable, Equatable {
  /// What changes while a run goes on; with the settings it is all that a resumed run needs.
  public struct State: Codable, Sendable, Equatable {
    public var peak: Double
    /// Plateau: how often the rate was reduced.
    public var reductions = 0
    /// Plateau: the lowest validation loss; nil before the first.
    public var bestLoss: Double?
    /// Plateau: epochs since then, or since the last reduction.
    public var badEpochs = 0

    public init(peak: Double) { self.peak = peak }

    /// Goes on from an earlier epoch of which only the weights are known: reductions stay, losses are judged anew.
    mutating func restart() {
      bestLoss = nil
      badEpochs = 0
    }
  }

  private let settings: Schedule
  private let stepsPerEpoch: Int
  private let steps: Int
  /// Steps after which a schedule over the whole run begins anew; nil for never.
  private let frozenSteps: Int?

  /// - Parameters:
  ///   - stepsPerEpoch: at least 1.
  ///   - frozenEpochs: epochs after which more layers are trained; nil where they stay the same.
  public init(settings: Schedule, stepsPerEpoch: Int, epochs: Int, frozenEpochs: Int? = nil) {
    precondition(stepsPerEpoch > 0 && epochs >= 0, "an epoch has at least one step")
    self.settings = settings
    self.stepsPerEpoch = stepsPerEpoch
    steps = stepsPerEpoch * epochs
    frozenSteps = frozenEpochs.flatMap { $0 < epochs ? $0 * stepsPerEpoch : nil }
  }

  /// The rate of the next step.
  public func rate(_ state: TrainingState) -> Double { rate(step: state.scheduledStep, state.schedule) }

  /// The rate of the step that was taken last; before the first, that of the first.
  func lastRate(_ state: TrainingState) -> Double {
    rate(step: state.scheduled(max(0, state.step - 1)), state.schedule)
  }

  /// The rate for one step.
  /// - Parameter step: optimizer steps done before it, from 0.
  public func rate(step: Int, _ state: State) -> Double {
    switch settings {
    case .constant:
      return state.peak
    case .step(let epochs, let factor):
      return reduced(state.peak, by: factor, times: epochs.count { $0 * stepsPerEpoch <= step })
    case .cosine(let warmUp):
      let (step, steps) = phase(of: step)
      let warm = max(1, Int(Double(steps) * warmUp))
      if step < warm { return state.peak * min(1, Double(step + 1) / Double(warm)) }
      // Beyond the last step the cosine would rise again.
      let decayed = Double(min(step, max(steps, warm)) - warm)
      return state.peak * 0.5 * (1 + cos(Double.pi * decayed / Double(max(1, steps - warm))))
    case .plateau(let factor, _):
      return reduced(state.peak, by: factor, times: state.reductions)
    case .linear(let warmUp):
      let (step, steps) = phase(of: step)
      let warm = max(1, Int(Double(steps) * warmUp))
      if step < warm { return state.peak * min(1, Double(step + 1) / Double(warm)) }
      let left = max(steps, warm) - min(step, max(steps, warm))
      return state.peak * Double(left) / Double(max(1, steps - warm))
    case .oneCycle(let warmUp, let divisor):
      let low = state.peak / divisor
      let (isRising, share) = cycle(step, warmUp: warmUp)
      return isRising
        ? Self.between(low, state.peak, share) : Self.between(state.peak, low / Self.finalDivisor, share)
    case .restarts(let epochs, let factor):
      return Self.between(state.peak, 0, period(step, first: epochs * stepsPerEpoch, factor: factor))
    }
  }

  /// What is added to the momentum of the next step.
  func momentumShift(_ state: TrainingState) -> Double { momentumShift(step: state.scheduledStep) }

  func momentumShift(step: Int) -> Double {
    guard case .oneCycle(let warmUp, _) = settings else { return 0 }
    let (isRising, share) = cycle(step, warmUp: warmUp)
    let width = Schedule.momentumShift
    return isRising ? Self.between(width, -width, share) : Self.between(-width, width, share)
  }

  private static let finalDivisor = 1e4

  /// Where a step lies in a cycle over the steps of its phase: in its rise or in its fall, and how far, 0...1.
  private func cycle(_ step: Int, warmUp: Double) -> (isRising: Bool, share: Double) {
    let (number, steps) = phase(of: step)
    let last = Double(max(0, steps - 1))
    let top = warmUp * Double(steps) - 1
    let step = min(Double(number), last)
    if step <= top { return (true, top > 0 ? step / top : 1) }
    return (false, last > top ? (step - top) / (last - top) : 1)
  }

  /// The share of the present period that is over, 0 ..< 1.
  /// - Parameter first: steps of the first one.
  private func period(_ step: Int, first: Int, factor: Int) -> Double {
    if factor == 1 { return Double(step % first) / Double(first) }
    var (start, length) = (0, first)
    while step - start >= length { (start, length) = (start + length, length * factor) }
    return Double(step - start) / Double(length)
  }

  /// Along half a cosine from one number to another.
  private static func between(_ from: Double, _ to: Double, _ share: Double) -> Double {
    to + (from - to) / 2 * (1 + cos(Double.pi * share))
  }

  /// A step's number among those in which the same layers are trained, and how many these are.
  private func phase(of step: Int) -> (step: Int, steps: Int) {
    guard let frozenSteps else { return (step, steps) }
    return step < frozenSteps ? (step, frozenSteps) : (step - frozenSteps, steps - frozenSteps)
  }

  /// How an epoch's end changes the memory; only a plateau's.
  /// - Parameter validationLoss: nil where there are no validation images or their outputs are not finite: then
  ///   nothing is learned from the epoch, and neither from a loss that is not finite.
  public func epochEnded(_ state: inout State, validationLoss: Double?) {
    guard case .plateau(_, let patience) = settings, let loss = validationLoss, loss.isFinite else { return }
    if loss < state.bestLoss ?? .infinity {
      state.bestLoss = loss
      state.badEpochs = 0
    } else {
      state.badEpochs += 1
      if state.badEpochs >= patience {
        state.reductions += 1
        state.badEpochs = 0
      }
    }
  }

  /// One multiplication a time, as an optimizer that changes its rate in place would, so the bits agree.
  private func reduced(_ peak: Double, by factor: Double, times: Int) -> Double {
    (0..<times).reduce(peak) { rate, _ in rate * factor }
  }
}

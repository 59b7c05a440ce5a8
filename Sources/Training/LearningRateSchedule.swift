// The learning rate as a function of the step. Only a plateau has a memory, and that memory is in `state`, which goes
// into checkpoints.

import Glibc
import Messages

/// The learning rate of every step of a run.
///
///     constant  peak
///     step      peak · factor^(named epochs that are over)
///     cosine    peak · min(1, (step + 1) / warm)                              while step < warm
///               peak · 0.5 · (1 + cos(π · (step - warm) / (steps - warm)))    from then on
///     plateau   peak · factor^(reductions so far)
///
/// with warm = the warm-up's share of all steps, rounded down, at least 1. The cosine is Loshchilov and Hutter 2016
/// (arXiv:1608.03983), equation 5, without restarts and down to zero; the linear warm-up is Goyal et al. 2017
/// (arXiv:1706.02677), section 2.2.
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
  }

  public var state: State
  private let settings: Schedule
  private let stepsPerEpoch: Int
  private let steps: Int

  /// - Parameters:
  ///   - peak: the rate that the schedule scales.
  ///   - stepsPerEpoch: at least 1.
  public init(settings: Schedule, peak: Double, stepsPerEpoch: Int, epochs: Int) {
    precondition(stepsPerEpoch > 0 && epochs >= 0, "an epoch has at least one step")
    self.settings = settings
    self.stepsPerEpoch = stepsPerEpoch
    steps = stepsPerEpoch * epochs
    state = State(peak: peak)
  }

  /// The rate for one step.
  /// - Parameter step: optimiser steps done before it, from 0.
  public func rate(step: Int) -> Double {
    switch settings {
    case .constant:
      return state.peak
    case .step(let epochs, let factor):
      return reduced(by: factor, times: epochs.count { $0 * stepsPerEpoch <= step })
    case .cosine(let warmUp):
      let warm = max(1, Int(Double(steps) * warmUp))
      if step < warm { return state.peak * min(1, Double(step + 1) / Double(warm)) }
      // Beyond the last step the cosine would rise again.
      let decayed = Double(min(step, max(steps, warm)) - warm)
      return state.peak * 0.5 * (1 + cos(Double.pi * decayed / Double(max(1, steps - warm))))
    case .plateau(let factor, _):
      return reduced(by: factor, times: state.reductions)
    }
  }

  /// Tells the schedule how an epoch ended; only a plateau listens.
  /// - Parameter validationLoss: nil where there are no validation images or their outputs are no numbers: then
  ///   nothing is learnt from the epoch, and neither from a loss that is no finite number.
  public mutating func epochEnded(validationLoss: Double?) {
    guard case .plateau(_, let patience) = settings, let loss = validationLoss, loss.isFinite else {
      return
    }
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

  /// Goes on from an earlier epoch of which only the weights are known: reductions stay, losses are judged anew.
  public mutating func restart() {
    state.bestLoss = nil
    state.badEpochs = 0
  }

  /// Scales everything from now on to another peak.
  public mutating func setPeak(_ peak: Double) { state.peak = peak }

  /// One multiplication a time, as an optimiser that changes its rate in place would, so the bits agree.
  private func reduced(by factor: Double, times: Int) -> Double {
    (0..<times).reduce(state.peak) { rate, _ in rate * factor }
  }
}

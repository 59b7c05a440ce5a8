// Learning rates against numbers worked out by hand or by the same formula elsewhere.

import Foundation
import Messages
import Testing

@testable import Training

@Suite struct LearningRateScheduleTests {
  /// A schedule, and the state that it is a function of.
  private struct Followed: Equatable {
    let schedule: LearningRateSchedule
    var state: LearningRateSchedule.State

    func rate(step: Int) -> Double { schedule.rate(step: step, state) }
    mutating func epochEnded(validationLoss: Double?) {
      schedule.epochEnded(&state, validationLoss: validationLoss)
    }
  }

  private func schedule(_ settings: Schedule, peak: Double = 1, stepsPerEpoch: Int = 10, epochs: Int = 10)
    -> Followed
  {
    Followed(
      schedule: LearningRateSchedule(settings: settings, stepsPerEpoch: stepsPerEpoch, epochs: epochs),
      state: .init(peak: peak))
  }

  @Test func `constant is constant`() {
    let constant = schedule(.constant, peak: 0.3)
    #expect([0, 1, 50, 99, 1000].map { constant.rate(step: $0) } == [0.3, 0.3, 0.3, 0.3, 0.3])
  }

  @Test func `the cosine rises over its share, is halved in the middle and ends near zero`() {
    // 20 steps, warm-up over 4: the quarter steps, then half a cosine over 16.
    let cosine = schedule(.cosine(warmUp: 0.2), peak: 2, stepsPerEpoch: 4, epochs: 5)
    #expect((0..<4).map { cosine.rate(step: $0) } == [0.5, 1, 1.5, 2])
    #expect(cosine.rate(step: 4) == 2)
    #expect(abs(cosine.rate(step: 8) - (1 + 0.5.squareRoot())) < 1e-15)
    #expect(abs(cosine.rate(step: 12) - 1) < 1e-15)
    #expect(abs(cosine.rate(step: 19) - 0.019214719596769552) < 1e-15)
    #expect(cosine.rate(step: 20) == 0)
    #expect(cosine.rate(step: 30) == 0, "beyond the end it does not rise again")
  }

  /// lr * min(1, (done + 1) / warm) or lr * 0.5 * (1 + cos(pi * (done - warm) / (steps - warm))) with Python's
  /// `math`, for 3 epochs of 47 steps at 0.1 and 5 %.
  @Test func `the cosine agrees with a separate computation in Python`() {
    let cosine = schedule(.cosine(warmUp: 0.05), peak: 0.1, stepsPerEpoch: 47, epochs: 3)
    let expected: [(step: Int, rate: Double)] = [
      (0, 0.014285714285714285), (3, 0.05714285714285714), (6, 0.1), (7, 0.1),
      (8, 0.0999862592554908), (50, 0.07667246368117853), (74, 0.05), (140, 1.3740744509205261e-05),
    ]
    for (step, rate) in expected { #expect(abs(cosine.rate(step: step) - rate) <= 1e-16, "step \(step)") }
  }

  @Test func `frozen epochs have a cosine of their own, and so have those that follow`() {
    let whole = LearningRateSchedule(settings: .cosine(warmUp: 0.2), stepsPerEpoch: 4, epochs: 8, frozenEpochs: 3)
    func alone(_ epochs: Int) -> LearningRateSchedule {
      LearningRateSchedule(settings: .cosine(warmUp: 0.2), stepsPerEpoch: 4, epochs: epochs)
    }
    let state = LearningRateSchedule.State(peak: 0.5)
    #expect(
      (0..<32).map { whole.rate(step: $0, state) }
        == (0..<12).map { alone(3).rate(step: $0, state) } + (0..<20).map { alone(5).rate(step: $0, state) })
    let frozen = LearningRateSchedule(settings: .cosine(warmUp: 0.2), stepsPerEpoch: 4, epochs: 3, frozenEpochs: 3)
    #expect(frozen == alone(3), "nothing follows")
  }

  @Test func `five percent of the steps is the whole part of a twentieth, at least one`() {
    for steps in 1...20_000 {
      let cosine = schedule(.cosine(warmUp: 0.05), stepsPerEpoch: steps, epochs: 1)
      let warm = max(1, steps / 20)
      // The warm-up's first rate is one part of `warm`.
      if cosine.rate(step: 0) != 1 / Double(warm) { Issue.record("\(steps) steps do not warm up over \(warm)") }
    }
  }

  @Test func `without warm-up the cosine begins at the peak`() {
    let cosine = schedule(.cosine(warmUp: 0), stepsPerEpoch: 2, epochs: 1)
    #expect([0, 1].map { cosine.rate(step: $0) } == [1, 1])
    #expect(schedule(.cosine(warmUp: 0), stepsPerEpoch: 1, epochs: 1).rate(step: 0) == 1)
  }

  @Test func `steps reduce the rate after the epochs named`() {
    let step = schedule(.step(epochs: [2, 4], factor: 0.5))
    #expect([0, 19, 20, 39, 40, 99].map { step.rate(step: $0) } == [1, 1, 0.5, 0.5, 0.25, 0.25])
  }

  @Test func `a plateau reduces after its patience, and begins to count anew`() {
    var plateau = schedule(.plateau(factor: 0.5, patience: 2))
    func rates(_ losses: [Double?]) -> [Double] {
      losses.map { loss in
        plateau.epochEnded(validationLoss: loss)
        return plateau.rate(step: 0)
      }
    }
    #expect(rates([3, 2]) == [1, 1])
    #expect(rates([2, 2.5]) == [1, 0.5], "equal is not better")
    #expect(rates([nil, nil, nil]) == [0.5, 0.5, 0.5], "nothing is learned without a loss")
    #expect(rates([1.9, .nan, .infinity]) == [0.5, 0.5, 0.5], "nor from what is no number")
    #expect(rates([1, 2, 0.5, 2, 2]) == [0.5, 0.5, 0.5, 0.5, 0.25])
  }

  @Test func `a NaN before any loss says nothing`() {
    var plateau = schedule(.plateau(factor: 0.5, patience: 1))
    plateau.epochEnded(validationLoss: .nan)
    #expect(plateau.rate(step: 0) == 1)
    #expect(plateau.state.bestLoss == nil && plateau.state.badEpochs == 0)
  }

  @Test(arguments: [
    Schedule.constant, .step(epochs: [1], factor: 0.1), .cosine(warmUp: 0.1), .plateau(factor: 0.1, patience: 1),
  ])
  func `a new peak scales what follows`(settings: Schedule) {
    var changed = schedule(settings)
    for loss in [1.0, 2] { changed.epochEnded(validationLoss: loss) }
    let before = [0, 15, 60].map { changed.rate(step: $0) }
    changed.state.peak = 4
    #expect(zip(before, [0, 15, 60].map { changed.rate(step: $0) }).allSatisfy { abs($0 * 4 - $1) < 1e-15 })
  }

  @Test func `the state, saved and restored, goes on in the same way`() throws {
    var plateau = schedule(.plateau(factor: 0.5, patience: 2))
    for loss in [3.0, 4, 4, 4] { plateau.epochEnded(validationLoss: loss) }
    plateau.state.peak = 0.75
    var restored = schedule(.plateau(factor: 0.5, patience: 2))
    restored.state = try JSONDecoder().decode(
      LearningRateSchedule.State.self, from: JSONEncoder().encode(plateau.state))
    #expect(restored == plateau)
    for loss in [4.0, 2, 5, 5] {
      plateau.epochEnded(validationLoss: loss)
      restored.epochEnded(validationLoss: loss)
      #expect(restored.rate(step: 0) == plateau.rate(step: 0))
    }
    #expect(restored.rate(step: 0) == 0.75 / 8)
  }
}

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

  @Test(arguments: [
    Schedule.cosine(warmUp: 0.2), .linear(warmUp: 0.2), .oneCycle(warmUp: 0.25, divisor: 10),
  ])
  func `frozen epochs have a schedule of their own, and so have those that follow`(settings: Schedule) {
    let whole = LearningRateSchedule(settings: settings, stepsPerEpoch: 4, epochs: 8, frozenEpochs: 3)
    func alone(_ epochs: Int) -> LearningRateSchedule {
      LearningRateSchedule(settings: settings, stepsPerEpoch: 4, epochs: epochs)
    }
    let state = LearningRateSchedule.State(peak: 0.5)
    #expect(
      (0..<32).map { whole.rate(step: $0, state) }
        == (0..<12).map { alone(3).rate(step: $0, state) } + (0..<20).map { alone(5).rate(step: $0, state) })
    #expect(
      (0..<32).map { whole.momentumShift(step: $0) }
        == (0..<12).map { alone(3).momentumShift(step: $0) } + (0..<20).map { alone(5).momentumShift(step: $0) })
    let frozen = LearningRateSchedule(settings: settings, stepsPerEpoch: 4, epochs: 3, frozenEpochs: 3)
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

  /// torch.optim.lr_scheduler.OneCycleLR(max_lr=0.4, total_steps=20, pct_start=0.3, div_factor=25) with SGD.
  @Test func `one cycle is PyTorch's, its momentum too`() {
    let rates = [
      0.016, 0.0526687370800101, 0.14866873708001, 0.26733126291999, 0.36333126291999, 0.4, 0.394985602494035,
      0.38019385280539, 0.35636647102842, 0.324698261579905, 0.28677720071652, 0.244504808774516, 0.2000008,
      0.155496791225484, 0.11322439928348, 0.0753033384200948, 0.04363512897158, 0.0198077471946105,
      0.00501599750596502, 1.6e-06,
    ]
    let momenta = [
      0.95, 0.940450849719, 0.915450849719, 0.884549150281, 0.859549150281, 0.85, 0.851253604391, 0.854951556605,
      0.860908425877, 0.868825509907, 0.878305813044, 0.888873953302, 0.9, 0.911126046698, 0.921694186956,
      0.931174490093, 0.939091574123, 0.945048443395, 0.948746395609, 0.95,
    ]
    let cycle = schedule(.oneCycle(warmUp: 0.3, divisor: 25), peak: 0.4, stepsPerEpoch: 5, epochs: 4)
    for step in 0..<20 {
      #expect(abs(cycle.rate(step: step) - rates[step]) < 1e-14, "step \(step)")
      #expect(abs(0.9 + cycle.schedule.momentumShift(step: step) - momenta[step]) < 1e-11, "step \(step)")
    }
    #expect(cycle.rate(step: 50) == cycle.rate(step: 19), "beyond the end it does not rise again")
    #expect(schedule(.cosine(warmUp: 0.3)).schedule.momentumShift(step: 0) == 0)
  }

  @Test func `a cycle of hardly any steps is a rate all the same`() {
    for (steps, warmUp) in [(1, 0.0), (1, 0.9), (2, 0.5), (2, 0), (3, 0.34), (10, 0.1)] {
      let cycle = schedule(.oneCycle(warmUp: warmUp, divisor: 25), stepsPerEpoch: steps, epochs: 1)
      for step in 0...steps {
        #expect((1e-7...1).contains(cycle.rate(step: step)), "step \(step) of \(steps), warm-up \(warmUp)")
        #expect(abs(cycle.schedule.momentumShift(step: step)) <= 0.05)
      }
    }
  }

  /// torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(T_0=2, T_mult=2), every third of four steps an epoch.
  @Test func `restarts are PyTorch's`() {
    let rates = [
      0.1, 0.0691341716182545, 0.0146446609406726, 0.0990392640201615, 0.0853553390593274, 0.0597545161008064,
      0.0308658283817455, 0.00842651938487273, 0.1, 0.0978470167866105, 0.0915734806151273, 0.0817196642081823,
      0.0691341716182545, 0.054900857016478, 0.0402454838991936, 0.0264301631587001, 0.0146446609406726,
      0.00590393678258225, 0.000960735979838478,
    ]
    let restarts = schedule(.restarts(epochs: 2, factor: 2), peak: 0.1, stepsPerEpoch: 4, epochs: 14)
    for (index, rate) in rates.enumerated() {
      #expect(abs(restarts.rate(step: 3 * index) - rate) < 1e-15, "step \(3 * index)")
    }
    let even = schedule(.restarts(epochs: 3, factor: 1), stepsPerEpoch: 2, epochs: 9)
    #expect((0..<18).allSatisfy { even.rate(step: $0) == even.rate(step: $0 % 6) })
    #expect(even.rate(step: 3) == 0.5)
  }

  @Test func `a line rises over its share and falls to nothing`() {
    let line = schedule(.linear(warmUp: 0.2), peak: 2, stepsPerEpoch: 4, epochs: 5)
    #expect((0..<4).map { line.rate(step: $0) } == [0.5, 1, 1.5, 2])
    #expect(line.rate(step: 4) == 2 && line.rate(step: 12) == 1 && line.rate(step: 19) == 0.125)
    #expect(line.rate(step: 20) == 0 && line.rate(step: 99) == 0)
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
    .linear(warmUp: 0.1), .oneCycle(warmUp: 0.3, divisor: 25), .restarts(epochs: 3, factor: 2),
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

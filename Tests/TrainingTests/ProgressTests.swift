// When training ends: early, and how long until then.

import Foundation
import Testing

@testable import Training

@Suite struct EarlyStoppingTests {
  /// The rule, and the state that it is a function of.
  private struct Followed: Equatable {
    let rule: EarlyStopping
    var state = EarlyStopping.State()

    init(patience: Int?, state: EarlyStopping.State = .init()) {
      rule = EarlyStopping(patience: patience)
      self.state = state
    }

    mutating func epochEnded(validationAccuracy: Double?) -> EarlyStopping.Verdict {
      rule.epochEnded(&state, value: validationAccuracy)
    }
  }

  @Test func `it stops after its patience without a better accuracy`() {
    var stopping = Followed(patience: 2)
    #expect(
      [0.5, 0.5, 0.6, 0.59, 0.6].map { stopping.epochEnded(validationAccuracy: $0) } == [
        .improved, .goOn, .improved, .goOn, .stop,
      ])
    #expect(stopping.state.best == 0.6)
  }

  @Test func `without patience it never stops, and still knows the best`() {
    var stopping = Followed(patience: nil)
    #expect(stopping.epochEnded(validationAccuracy: 0.5) == .improved)
    for _ in 0..<1000 { #expect(stopping.epochEnded(validationAccuracy: 0.1) == .goOn) }
    #expect(stopping.epochEnded(validationAccuracy: 0.51) == .improved)
  }

  @Test func `an accuracy of zero is better than none, and no accuracy and NaN say nothing`() {
    var stopping = Followed(patience: 2)
    #expect(stopping.epochEnded(validationAccuracy: nil) == .goOn)
    #expect(stopping.epochEnded(validationAccuracy: .nan) == .goOn)
    #expect(stopping.epochEnded(validationAccuracy: 0) == .improved)
    #expect(stopping.epochEnded(validationAccuracy: .nan) == .goOn)
    for _ in 0..<9 { #expect(stopping.epochEnded(validationAccuracy: .nan) == .goOn) }
    #expect(stopping.state.badEpochs == 0)
    #expect(stopping.epochEnded(validationAccuracy: 0) == .goOn)
    #expect(stopping.epochEnded(validationAccuracy: 0) == .stop)
  }

  @Test func `the state, saved and restored, goes on in the same way`() throws {
    var stopping = Followed(patience: 2)
    _ = stopping.epochEnded(validationAccuracy: 0.5)
    _ = stopping.epochEnded(validationAccuracy: 0.4)
    let state = try JSONDecoder().decode(
      EarlyStopping.State.self, from: JSONEncoder().encode(stopping.state))
    var restored = Followed(patience: 2, state: state)
    #expect(restored == stopping)
    #expect(restored.epochEnded(validationAccuracy: 0.45) == .stop)
  }
}

@Suite struct ProgressEstimateTests {
  @Test func `nothing is told before the first step`() {
    let estimate = ProgressEstimate(steps: 10, validations: 1, validationImages: 100)
    #expect(estimate.imagesPerSecond == nil)
    #expect(estimate.secondsLeft == nil)
  }

  @Test func `steps and validations left, at the speed measured`() {
    // 4 epochs of 5 steps of 8 images, 12 validation images an epoch.
    var estimate = ProgressEstimate(steps: 20, validations: 4, validationImages: 12)
    estimate.stepEnded(images: 8, seconds: 2)
    #expect(estimate.imagesPerSecond == 4)
    // 19 steps of 2 s, and 48 images at three times the speed of training: 38 + 4.
    #expect(estimate.secondsLeft == 42)
    for _ in 0..<4 { estimate.stepEnded(images: 8, seconds: 2) }
    estimate.validated(images: 6, seconds: 3)
    // 15 steps of 2 s, and 42 images at half a second each: 30 + 21.
    #expect(estimate.secondsLeft == 51)
    estimate.validated(images: 6, seconds: 3)
    #expect(estimate.secondsLeft == 48)
    estimate.validationEnded()
    #expect(estimate.secondsLeft == 48)
  }

  @Test func `what is saved after an epoch counts, the last ones most`() {
    var estimate = ProgressEstimate(steps: 10, validations: 4, validationImages: 0)
    estimate.stepEnded(images: 8, seconds: 2)
    #expect(estimate.secondsLeft == 18)
    estimate.saved(seconds: 3)
    #expect(abs((estimate.secondsLeft ?? 0) - (18 + 4 * 3)) < 1e-9)
    estimate.validationEnded()
    estimate.saved(seconds: 1)
    #expect(abs((estimate.secondsLeft ?? 0) - (18 + 3 * 2)) < 1e-9)
  }

  @Test func `the average looks back on the last steps only`() {
    var estimate = ProgressEstimate(steps: 1000, validations: 0, validationImages: 0)
    for _ in 0..<100 { estimate.stepEnded(images: 10, seconds: 10) }
    for _ in 0..<(ProgressEstimate.window - 1) { estimate.stepEnded(images: 10, seconds: 1) }
    #expect(estimate.imagesPerSecond! < 10)
    estimate.stepEnded(images: 10, seconds: 1)
    #expect(estimate.imagesPerSecond == 10)
    #expect(estimate.secondsLeft == Double(1000 - 100 - ProgressEstimate.window))
  }

  @Test func `old validations fade`() {
    var estimate = ProgressEstimate(steps: 1, validations: 101, validationImages: 10)
    estimate.stepEnded(images: 1, seconds: 1)
    estimate.validated(images: 10, seconds: 1000)
    estimate.validationEnded()
    for _ in 0..<40 {
      estimate.validated(images: 10, seconds: 10)
      estimate.validationEnded()
    }
    #expect(abs(estimate.secondsLeft! - 600) < 0.001)
  }

  @Test func `it ends at zero and not below`() {
    var estimate = ProgressEstimate(steps: 1, validations: 1, validationImages: 2)
    for _ in 0..<3 { estimate.stepEnded(images: 1, seconds: 1) }
    for _ in 0..<2 {
      estimate.validated(images: 2, seconds: 1)
      estimate.validationEnded()
    }
    #expect(estimate.secondsLeft == 0)
  }

  @Test func `a clock that stands still gives no speed instead of infinity`() {
    var estimate = ProgressEstimate(steps: 5, validations: 0, validationImages: 0)
    estimate.stepEnded(images: 8, seconds: 0)
    #expect(estimate.imagesPerSecond == nil)
    #expect(estimate.secondsLeft == nil)
  }
}

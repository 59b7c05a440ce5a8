// Loss, gradient or weights that are not finite: nothing of them gets into a checkpoint, and every way of going on.

import Foundation
import Messages
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Training

@Suite struct DivergenceTests {
  private let project: ToyProject

  init() throws { project = try ToyProject() }

  private func isFinite(_ path: String) throws -> Bool {
    let file = try Safetensors.read(path: path)
    return try file.names.allSatisfy { name in
      guard case .float32(let values) = try file.array(name).values else { return true }
      return values.allSatisfy(\.isFinite)
    }
  }

  private func reports(_ run: ToyRun) -> [DivergenceReport] {
    run.events.compactMap { if case .diverged(let report) = $0 { report } else { nil } }
  }

  private func recoveries(_ run: ToyRun) -> [RecoveryReport] {
    run.events.compactMap { if case .recovered(let report) = $0 { report } else { nil } }
  }

  @Test func `back to the last checkpoint with the rate it had, the run becomes the one that never left its way`()
    throws
  {
    let reference = try project.train(project.settings(epochs: 3))
    var wasSet = false
    let run = try project.trainWatched(project.settings(epochs: 3)) { event, _ in
      // Only on the first way: rolled back, step 7 is passed again.
      if event.isStep(7), !wasSet {
        wasSet = true
        return [.setLearningRate(1e12)]
      }
      // A tenth of it is the rate that the run began with.
      if case .diverged = event { return [.setLearningRate(0.5), .recover(.rollBack)] }
      return []
    }
    let report = try #require(reports(run).first)
    #expect(report.step > 8 && report.savedStep == 5)
    #expect(recoveries(run).map(\.step) == [5])
    let comparison = try RunComparison(reference.run, run.run)
    #expect(comparison.isSame, "\(comparison.differences)")
  }

  /// The classifier is broken from outside before the eighth step and mended before it is answered.
  @Test func `behind the batch with a tenth of the rate, which is named, left out and forgotten`() throws {
    var before: Tensor?
    let run = try project.trainWatched(project.settings(epochs: 3)) { event, loop in
      let weight = loop.network.parameters.first { $0.name == "fc.weight" }
      if event.isStep(7) {
        before = weight?.value
        weight?.value = Tensor(weight?.value.shape ?? []) { _ in 3e38 }
      }
      if case .diverged = event, let before {
        weight?.value = before
        return [.pause, .recover(.lowerRate)]
      }
      return []
    }
    let report = try #require(reports(run).first)
    #expect(report.step == 8 && report.epoch == 2 && report.cause == .loss)
    #expect(report.files.count == 4 && report.files.allSatisfy { $0.hasPrefix("train/") })
    #expect(recoveries(run) == [RecoveryReport(recovery: .lowerRate, step: 7, learningRate: 0.05 * 0.1)])
    #expect(run.outcome.reason == .completed && run.outcome.steps == 14, "one batch of fifteen is left out")
    #expect(run.steps.map(\.step) == Array(1...14))
    #expect(run.steps.dropFirst(7).allSatisfy { $0.learningRate == 0.05 * 0.1 })
    #expect(try isFinite(run.run.path(of: .last)))
    // Seven passes counted before, seven after: the one that failed left no trace in the running statistics.
    let tracked = try run.arrays()["bn1.num_batches_tracked"]
    #expect(tracked?.values == .int64([14]))
  }

  @Test func `whoever watches may end it, and the state is saved`() throws {
    for answer in [TrainingCommand.stop, .recover(.stop)] {
      let run = try project.trainWatched(project.settings(epochs: 3)) { event, _ in
        if event.isStep(7) { return [.setLearningRate(1e12)] }
        if case .diverged = event { return [answer] }
        return []
      }
      #expect(run.outcome.reason == .stopped)
      #expect(try isFinite(run.run.path(of: .last)))
    }
  }

  @Test(arguments: DivergencePolicy.allCases)
  func `unwatched, a run that cannot be saved from diverging ends at last, with a checkpoint of numbers`(
    policy: DivergencePolicy
  ) throws {
    var recoveries: [Recovery] = []
    let error = #expect(throws: TrainingError.self) {
      try project.train(
        project.settings(epochs: 100) {
          $0.safety.divergence = policy
          $0.learningRate = 1e25
        }
      ) { event in
        if case .recovered(let report) = event { recoveries.append(report.recovery) }
        if case .checkpointSaved(let info) = event { #expect((try? isFinite(info.path)) == true) }
        return []
      }
    }
    #expect(error?.description.contains("diverged") == true)
    switch policy {
    case .stop: #expect(recoveries.isEmpty)
    case .lower, .rollback: #expect(recoveries.count == RecoveryPlan.attempts)
    }
    if policy == .rollback {
      #expect(recoveries.first == .beginAgain, "nothing was saved to go back to")
    }
    let last = project.firstRun + "/checkpoints/last.safetensors"
    if FileManager.default.fileExists(atPath: last) { #expect(try isFinite(last)) }
  }

  @Test(arguments: [DivergencePolicy.rollback, .lower])
  func `unwatched, a run recovers by itself and comes to its end`(policy: DivergencePolicy) throws {
    let settings = project.settings(epochs: 3) { $0.safety.divergence = policy }
    var isBroken = false
    let run = try project.trainReached(settings) { event, loop in
      guard event.isStep(7), !isBroken else { return [] }
      isBroken = true
      let weight = loop.network.parameters.first { $0.name == "fc.weight" }
      weight?.value = Tensor(weight?.value.shape ?? []) { _ in 3e38 }
      return []
    }
    #expect(run.outcome.reason == .completed && run.outcome.epochs == 3)
    // Leaving a batch out does not mend weights: the next one fails too, and then the run goes back as well.
    let last = RecoveryReport(recovery: .rollBack, step: 5, learningRate: 0.05 * 0.1)
    switch policy {
    case .lower:
      #expect(recoveries(run).map(\.recovery) == [.lowerRate, .rollBack])
      #expect(recoveries(run).last?.learningRate == 0.05 * 0.1 * 0.1)
    default: #expect(recoveries(run) == [last])
    }
    #expect(try MetricsLog.read(path: run.run.metricsPath).steps.map(\.step) == Array(1...15))
    #expect(try isFinite(run.run.path(of: .last)))
  }

  /// Settings whose first validation is the best one: the rate is next to nothing.
  private func bestFirst() -> TrainingSettings {
    project.settings(epochs: 4) {
      $0.learningRate = 1e-11 * Recovery.loweredTo
      $0.keep = KeepPolicy(everyEpochs: 1, newest: nil)
    }
  }

  /// Breaks the classifier from outside after the given step, the first time it is passed.
  private func breaking(afterStep step: Int, _ answers: [TrainingCommand])
    -> (TrainingEvent, TrainingLoop) -> [TrainingCommand]
  {
    var isBroken = false
    return { event, loop in
      if event.isStep(step), !isBroken {
        isBroken = true
        let weight = loop.network.parameters.first { $0.name == "fc.weight" }
        weight?.value = Tensor(weight?.value.shape ?? []) { _ in 3e38 }
      }
      if case .diverged = event { return answers }
      return []
    }
  }

  @Test func `back to best, without momentum, and what was saved since is set aside`() throws {
    var weights: [String: [Float]] = [:]
    let answer = breaking(afterStep: 12, [.setLearningRate(1e-3), .recover(.rollBackToBest)])
    let run = try project.trainWatched(bestFirst()) { event, loop in
      if case .recovered = event {
        let best = try? Safetensors.read(path: loop.run.path(of: .best))
        for name in best?.names ?? [] { weights[name] = try? best?.floats(name) }
        for parameter in loop.network.parameters {
          #expect(parameter.fileOrder(parameter.value).elementsEqual(weights[parameter.name] ?? []))
        }
        #expect(loop.learner.optimizer.state[0].tensors.allSatisfy { Ops(loop.pool).sumOfSquares($0) == 0 })
      }
      return answer(event, loop)
    }
    #expect(!weights.isEmpty)
    let report = try #require(reports(run).first)
    #expect(report.savedStep == 10)
    let best = try #require(report.best)
    #expect(best.epoch == 1 && best.step == 5 && best.validationAccuracy != nil)
    #expect(recoveries(run) == [RecoveryReport(recovery: .rollBackToBest, step: 5, learningRate: 1e-3 * 0.1)])
    #expect(run.outcome.reason == .completed && run.outcome.steps == 20)
    let metrics = try MetricsLog.read(path: run.run.metricsPath)
    #expect(metrics.steps.map(\.step) == Array(1...20) && metrics.epochs.map(\.epoch) == [1, 2, 3, 4])
    #expect(metrics.steps[5].learningRate == 1e-3 * 0.1)
    // The second epoch's file is of a way that was left; the one of its name is of the way that was taken.
    let names = run.run.checkpoints().map(\.name)
    #expect(names.contains("abandoned-epoch-0002") && names.contains("epoch-0002") && names.contains("epoch-0001"))
    #expect(!names.contains("abandoned-epoch-0001"))
    let left = try Safetensors.read(path: run.run.path(of: .other("abandoned-epoch-0002")))
    let taken = try Safetensors.read(path: run.run.path(of: .epoch(2)))
    #expect(try left.floats("fc.weight") != taken.floats("fc.weight"))
    let told = run.events.contains {
      if case .checkpointRemoved(let path) = $0 { path == run.run.path(of: .epoch(2)) } else { false }
    }
    #expect(told)
  }

  @Test func `from the first step, the run becomes the one that never left its way, and best is set aside`() throws
  {
    let reference = try project.train(bestFirst())
    let run = try project.trainWatched(
      bestFirst(), reply: breaking(afterStep: 12, [.setLearningRate(1e-11), .recover(.beginAgain)]))
    #expect(recoveries(run).map(\.step) == [0])
    let comparison = try RunComparison(reference.run, run.run)
    #expect(comparison.isSame, "\(comparison.differences)")
    #expect(run.run.checkpoints().map(\.name).contains("abandoned-best"))
    #expect(try isFinite(run.run.path(of: .best)))
  }

  @Test func `a best that is no older than last, or is damaged, is none to go back to`() throws {
    let fresh = try project.trainWatched(
      bestFirst(), reply: breaking(afterStep: 7, [.recover(.rollBackToBest)]))
    #expect(reports(fresh).map(\.best) == [nil])
    #expect(recoveries(fresh).map(\.recovery) == [.rollBack])
    let answer = breaking(afterStep: 12, [.recover(.rollBackToBest)])
    let damaged = try project.trainWatched(bestFirst()) { event, loop in
      if event.isStep(11) {
        let path = loop.run.path(of: .best)
        var bytes = (try? Data(contentsOf: URL(filePath: path))) ?? Data()
        bytes[bytes.count - 1] ^= 1
        #expect((try? bytes.write(to: URL(filePath: path))) != nil)
      }
      return answer(event, loop)
    }
    #expect(reports(damaged).map(\.best) == [nil])
    #expect(recoveries(damaged).map(\.step) == [10])
  }

  @Test func `unwatched, a last that leads to the same again is left for an older best`() throws {
    var settings = bestFirst()
    settings.safety.divergence = .rollback
    let run = try project.trainReached(settings) { event, loop in
      // As if the weights of `last` were finite and beyond use.
      guard event.isStep(12), loop.state.schedule.peak > 2e-15 else { return [] }
      let weight = loop.network.parameters.first { $0.name == "fc.weight" }
      weight?.value = Tensor(weight?.value.shape ?? []) { _ in 3e38 }
      return []
    }
    #expect(recoveries(run).map(\.recovery) == [.rollBack, .rollBack, .rollBackToBest])
    #expect(recoveries(run).map(\.step) == [10, 10, 5])
    #expect(run.outcome.reason == .completed)
    #expect(try MetricsLog.read(path: run.run.metricsPath).steps.map(\.step) == Array(1...20))
  }

  @Test func `weights that overflowed are never gone on from`() throws {
    var wasSet = false
    let run = try project.trainWatched(project.settings(epochs: 3)) { event, _ in
      if event.isStep(9), !wasSet {
        wasSet = true
        return [.setLearningRate(1e39)]
      }
      // Going on behind the batch would go on with infinities.
      if case .diverged = event { return [.setLearningRate(0.5), .recover(.lowerRate)] }
      return []
    }
    #expect(reports(run).map(\.cause) == [.weights])
    #expect(recoveries(run).map(\.step) == [5])
    let comparison = try RunComparison(try project.train(project.settings(epochs: 3)).run, run.run)
    #expect(comparison.isSame, "\(comparison.differences)")
  }

  // MARK: Rules

  @Test func `an unwatched run tries each way in turn, and not for ever`() {
    var plan = RecoveryPlan()
    #expect(plan.next(.lower, step: 10, hasBest: true) == .lowerRate)
    #expect(plan.next(.lower, step: 10, hasBest: true) == .rollBack, "the next batch was no better")
    #expect(plan.next(.lower, step: 8, hasBest: true) == .rollBack, "nor was the way there")
    #expect(plan.next(.lower, step: 12, hasBest: true) == .lowerRate)
    #expect(plan.next(.lower, step: 14, hasBest: true) == .lowerRate)
    #expect(plan.next(.lower, step: 16, hasBest: true) == .stop)
    #expect(
      plan.next(.lower, step: 117, hasBest: true) == .lowerRate, "a hundred good steps later it is another matter")
    var stops = RecoveryPlan()
    #expect(stops.next(.stop, step: 1, hasBest: true) == .stop)
    var back = RecoveryPlan()
    #expect(
      (0..<6).map { back.next(.rollback, step: $0, hasBest: false) } == Array(repeating: .rollBack, count: 5) + [
        .stop
      ])
    var best = RecoveryPlan()
    #expect(
      (0..<4).map { best.next(.rollback, step: $0, hasBest: true) }
        == [.rollBack, .rollBack, .rollBackToBest, .rollBackToBest])
    #expect(best.next(.rollback, step: 104, hasBest: true) == .rollBack, "a hundred good steps later, `last` first")
  }

  @Test func `a loss far above its best is told once, a spike is not`() {
    var watch = LossWatch(classes: 10, stepsPerEpoch: 100)
    var notices = (0..<100).compactMap { watch.add(2.3 - 0.015 * Double($0)) }
    notices += [50.0].compactMap { watch.add($0) }
    #expect(notices.isEmpty)
    #expect(!watch.isDiverging)
    notices += (0..<50).compactMap { watch.add(2 + Double($0)) }
    guard case .diverging(let loss, let best)? = notices.first else {
      Issue.record("\(notices)")
      return
    }
    #expect(notices.count == 1 && loss > 3 * best)
    #expect(watch.isDiverging)
    // A loss that rises from next to nothing to a little is no divergence.
    var fine = LossWatch(classes: 10, stepsPerEpoch: 100)
    #expect((0..<300).compactMap { fine.add($0 < 150 ? 0.001 : 0.5) }.isEmpty)
  }

  @Test func `no better loss for long is told once, unless the loss is low`() {
    var watch = LossWatch(classes: 10, stepsPerEpoch: 300)
    let notices = (0..<3000).compactMap { step in watch.add(2.3).map { (step, $0) } }
    #expect(notices.map(\.0) == [900])
    #expect(
      notices.first?.1 == .stalled(steps: 900, loss: 2.3) || notices.first?.1.text.contains("900 steps") == true)
    var low = LossWatch(classes: 10, stepsPerEpoch: 300)
    #expect((0..<3000).compactMap { _ in low.add(0.1) }.isEmpty)
    var falling = LossWatch(classes: 10, stepsPerEpoch: 1)
    #expect((0..<3000).compactMap { falling.add(2.3 - 0.0003 * Double($0)) }.isEmpty)
  }

  @Test func `one class for every image is told once, from the second epoch on`() {
    var tally = ClassificationMetrics(classes: ["a", "b", "c"])
    tally.add(logits: [0, 1, 0], truths: [1], paths: [""])
    #expect(tally.onlyPrediction == nil, "the images are all of that class")
    tally.add(logits: [0, 1, 0, 0, 2, 0], truths: [0, 2], paths: ["", ""])
    #expect(tally.onlyPrediction == "b")
    var watch = OneClassWatch()
    #expect(watch.notice(only: "b", epoch: 1, of: 9) == nil)
    #expect(watch.notice(only: nil, epoch: 2, of: 9) == nil)
    #expect(watch.notice(only: "b", epoch: 3, of: 9)?.contains("'b'") == true)
    #expect(watch.notice(only: "b", epoch: 4, of: 9) == nil)
    var short = OneClassWatch()
    #expect(short.notice(only: "b", epoch: 1, of: 1) != nil)
    tally.add(logits: [1, 0, 0], truths: [0], paths: [""])
    #expect(tally.onlyPrediction == nil)
  }

  @Test func `a run that learns nothing is told of its one class`() throws {
    let run = try project.train(project.settings(epochs: 3) { $0.learningRate = 1e-12 })
    #expect(run.warnings.filter { $0.contains("to every validation image") }.count == 1)
  }
}

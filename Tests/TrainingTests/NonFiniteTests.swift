// Outputs that are not finite where nothing is learned from them: in validation, evaluation and prediction. They are no
// hits, such an epoch is never the best, and a run treats it as a divergence.

import Foundation
import Messages
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite struct NonFiniteTests {
  private let project: ToyProject

  init() throws { project = try ToyProject(counts: SplitCounts(train: 6, validation: 2, test: 2)) }

  /// Finite statistics of the first batch norm with which every output overflows. Training does not use them.
  private func breakStatistics(_ loop: TrainingLoop, to value: Float = -1e38) {
    guard let mean = loop.network.buffers.first(where: { $0.name.hasSuffix("running_mean") }) else {
      Issue.record("there is a batch norm")
      return
    }
    mean.value = Tensor(mean.value.shape) { _ in value }
  }

  private func reports(_ run: ToyRun) -> [DivergenceReport] {
    run.events.compactMap { if case .diverged(let report) = $0 { report } else { nil } }
  }

  private func recoveries(_ run: ToyRun) -> [RecoveryReport] {
    run.events.compactMap { if case .recovered(let report) = $0 { report } else { nil } }
  }

  /// Breaks the statistics after these steps, the first time each is passed; mends them when the run goes on.
  private func breaking(after steps: [Int], _ answers: [TrainingCommand] = [])
    -> (TrainingEvent, TrainingLoop) -> [TrainingCommand]
  {
    var left = steps
    return { event, loop in
      if let step = left.first, event.isStep(step) {
        left.removeFirst()
        breakStatistics(loop)
      }
      if case .recovered = event { breakStatistics(loop, to: 0) }
      if case .diverged = event { return answers }
      return []
    }
  }

  @Test func `unwatched, the run ends with what was saved before as its best, and resumed it goes on`() throws {
    let settings = project.settings(epochs: 4) { $0.keep = KeepPolicy(everyEpochs: 1, newest: nil) }
    let error = #expect(throws: TrainingError.self) {
      try project.trainReached(settings, reply: breaking(after: [10]))
    }
    let text = error?.description ?? ""
    #expect(text.contains("after epoch 2") && text.contains("6 of the 6 validation images"), "\(text)")
    let run = try RunFolder(existing: project.firstRun)
    let metrics = try MetricsLog.read(path: run.metricsPath)
    #expect(metrics.unreadableLines == 0 && metrics.epochs.count == 2)
    #expect(
      metrics.epochs[1].validation
        == ValidationMetrics(loss: nil, top1: 0, top5: 0, balancedAccuracy: 0, macroF1: 0, nonFinite: 6))
    let rows = try String(contentsOfFile: run.resultsPath, encoding: .utf8)
    #expect(!rows.contains("nan") && !rows.contains("inf"), "\(rows)")
    let second = try #require(rows.split(separator: "\n").last).split(
      separator: ",", omittingEmptySubsequences: false)
    #expect(second[4] == "" && second[5] == "0.0")
    let best = try #require(run.checkpoints().first { $0.name == "best" })
    #expect(best.epoch == 1)
    #expect(run.checkpoints().filter { $0.epoch == 2 }.allSatisfy { $0.validationAccuracy == nil })
    // The next epoch begins. What overflows so far comes back to numbers only slowly.
    #expect(throws: TrainingError.self) { try project.resume(run) }
    #expect(try MetricsLog.read(path: run.metricsPath).steps.map(\.step) == Array(1...15))
  }

  @Test func `a run whose last epoch ended so is not completed, however often it is resumed`() throws {
    #expect(throws: TrainingError.self) {
      try project.trainReached(project.settings(epochs: 1), reply: breaking(after: [5]))
    }
    let run = try RunFolder(existing: project.firstRun)
    #expect(!FileManager.default.fileExists(atPath: run.path(of: .best)))
    let again = #expect(throws: TrainingError.self) { try project.resume(run) }
    #expect(again?.description.contains("after epoch 1") == true)
    #expect(throws: TrainingError.self) { try project.resume(run, ResumeChanges(epochs: 2)) }
    #expect(try MetricsLog.read(path: run.metricsPath).steps.map(\.step) == Array(1...10), "it went on")
  }

  @Test func `whoever watches may go on with a tenth of the rate`() throws {
    let run = try project.trainWatched(
      project.settings(epochs: 3), reply: breaking(after: [5], [.recover(.lowerRate)]))
    let report = try #require(reports(run).first)
    #expect(report.cause == .validation && report.step == 5 && report.epoch == 1)
    #expect(report.images == 6 && report.files.count == 6 && report.files.allSatisfy { $0.hasPrefix("val/") })
    #expect(report.canLeaveOut && report.savedStep == nil && report.best == nil)
    #expect(recoveries(run) == [RecoveryReport(recovery: .lowerRate, step: 5, learningRate: 0.05 * 0.1)])
    #expect(run.outcome.reason == .completed && run.steps.map(\.step) == Array(1...15), "no batch is left out")
    #expect(run.outcome.bestValidationAccuracy != nil)
  }

  @Test func `back to the newest checkpoint before it, not to last, which is as bad`() throws {
    let settings = project.settings(epochs: 3) { $0.keep = KeepPolicy(everyEpochs: 1, newest: nil) }
    let run = try project.trainWatched(settings, reply: breaking(after: [15], [.recover(.rollBack)]))
    let report = try #require(reports(run).first)
    #expect(report.step == 15 && report.savedStep == 10 && !report.canLeaveOut)
    #expect(recoveries(run).map(\.step) == [10])
    #expect(run.outcome.reason == .completed && run.outcome.epochs == 3)
    #expect(
      try MetricsLog.read(path: run.run.metricsPath).epochs.map { $0.validation?.isFinite } == [true, true, true])
  }

  @Test(arguments: [DivergencePolicy.lower, .rollback])
  func `unwatched, a policy recovers, and not for ever`(policy: DivergencePolicy) throws {
    let settings = project.settings(epochs: 3) { $0.safety.divergence = policy }
    let run = try project.trainReached(settings, reply: breaking(after: [5]))
    #expect(run.outcome.reason == .completed && run.outcome.epochs == 3)
    #expect(recoveries(run).map(\.recovery) == [policy == .lower ? .lowerRate : .beginAgain])

    var count = 0
    let error = #expect(throws: TrainingError.self) {
      try project.trainReached(project.settings(epochs: 40) { $0.safety.divergence = policy }) { event, loop in
        if case .step(let step) = event, step.step % 5 == 0 { breakStatistics(loop) }
        if case .recovered = event { count += 1 }
        return []
      }
    }
    #expect(error?.description.contains("NaN or infinite") == true)
    #expect(count == RecoveryPlan.attempts)
  }

  /// Weights of numbers, with which the classifier overflows.
  private func overflowingCheckpoint() throws -> String {
    let run = try project.train(project.settings(epochs: 1))
    let model = try Checkpoint.load(path: run.run.path(of: .last))
    for parameter in model.network.parameters where parameter.name.hasPrefix("fc.") {
      parameter.value = Tensor(parameter.value.shape) { _ in 3e38 }
    }
    let path = project.folder.file("overflowing.safetensors")
    try Checkpoint.save(
      model.network, model.description,
      info: CheckpointInfo(path: path, name: "best", epoch: 1, step: 1, validationAccuracy: nil, savedAt: "now"))
    return path
  }

  @Test func `an evaluation and a prediction of a network that overflows say so, and give no class`() throws {
    let path = try overflowingCheckpoint()
    let report = try #require(
      try EvaluationJob(checkpoint: path, data: project.data.root, split: .test).run(threads: 1))
    #expect(report.images == 6 && report.nonFiniteImages == 6 && report.loss == nil && report.top1 == 0)
    #expect(report.confusion.cells.isEmpty && report.mistakes == 0)
    let json = String(decoding: try RunJSON.document(report), as: UTF8.self)
    #expect(json.contains("\"loss\" : null"), "\(json)")
    let predictor = Predictor(model: try Checkpoint.load(path: path), pool: ThreadPool(threads: 1))
    let prediction = predictor.predict(path: project.data.root + "/test/red/0.png", top: 3)
    #expect(prediction.top.isEmpty && prediction.error?.contains("NaN or infinite") == true)
  }
}

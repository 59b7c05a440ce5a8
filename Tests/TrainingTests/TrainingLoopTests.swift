// What an undisturbed run does: it learns, says so in order, and leaves files that agree with what it said.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct TrainingLoopTests {
  @Test func `a network learns to tell three colors apart`() throws {
    let project = try ToyProject(counts: SplitCounts(train: 12, validation: 4))
    let run = try project.train(
      project.settings(epochs: 6) {
        $0.learningRate = 0.02
        $0.batchSize = 6
      })
    #expect(run.outcome.reason == .completed)
    #expect(run.outcome.bestValidationAccuracy == 1)
    let (first, last) = (try #require(run.epochs.first), try #require(run.epochs.last))
    #expect(last.trainLoss < first.trainLoss / 2, "\(first.trainLoss) fell to \(last.trainLoss) only")
    #expect(last.trainAccuracy > 0.9)
  }

  /// 18 training images in batches of 4 are 5 steps; 6 validation images are 2 batches.
  @Test func `events come in the order of the work`() throws {
    let project = try ToyProject()
    let run = try project.train(project.settings(epochs: 1) { $0.keep = KeepPolicy(everyEpochs: 1) })
    #expect(
      run.events.map(\.label) == [
        "started", "step 1", "step 2", "step 3", "step 4", "step 5", "saved last", "validating 0/6",
        "validating 4/6", "validating 6/6", "epoch 1", "validated 1", "saved best", "saved epoch-0001",
        "saved last",
        "finished completed",
      ])
    guard case .started(let description)? = run.events.first else { return }
    #expect(description.folder == run.run.path)
    #expect(description.classes == ["blue", "green", "red"])
    #expect(description.trainingImages == 18)
    #expect(description.validationImages == 6)
    #expect(description.stepsPerEpoch == 5)
    #expect(description.majorityBaseline == 1.0 / 3)
    #expect(description.history.isEmpty)
  }

  @Test func `metrics.jsonl and results.csv hold what the events said`() throws {
    let project = try ToyProject()
    let run = try project.train(project.settings(epochs: 3))
    let history = try MetricsLog.read(path: run.run.metricsPath)
    #expect(history.steps == run.steps)
    #expect(history.steps.count == 15)
    #expect(history.epochs == run.epochs)
    #expect(history.unreadableLines == 0)

    let rows = try String(contentsOfFile: run.run.resultsPath, encoding: .utf8)
      .split(separator: "\n").dropFirst().map { $0.split(separator: ",").map(String.init) }
    #expect(rows.count == 3)
    for (row, epoch) in zip(rows, run.epochs) {
      #expect(
        Array(row[..<4]) == ["\(epoch.epoch)", "\(epoch.step)", "\(epoch.trainLoss)", "\(epoch.trainAccuracy)"])
      #expect(row[5] == "\(try #require(epoch.validation).top1)")
    }
  }

  @Test func `only every so many steps are logged, all are reported`() throws {
    let project = try ToyProject()
    let run = try project.train(project.settings(epochs: 2) { $0.logEvery = 4 })
    #expect(run.steps.map(\.step) == Array(1...10))
    #expect(try MetricsLog.read(path: run.run.metricsPath).steps.map(\.step) == [4, 8])
  }

  @Test func `an epoch's training figures are the means of its steps`() throws {
    let project = try ToyProject(counts: SplitCounts(train: 4, validation: 1))
    let run = try project.train(project.settings(epochs: 1))
    let epoch = try #require(run.epochs.first)
    // Three full batches of four.
    #expect(abs(epoch.trainLoss - run.steps.map(\.loss).reduce(0, +) / 3) < 1e-12)
    #expect(abs(epoch.trainAccuracy - run.steps.map(\.accuracy).reduce(0, +) / 3) < 1e-12)
  }
}

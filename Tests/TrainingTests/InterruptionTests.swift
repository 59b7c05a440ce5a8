// Pause, stop and resume: wherever a run is interrupted, it ends where the uninterrupted one ends, bit for bit.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct InterruptionTests {
  private let project: ToyProject

  init() throws { project = try ToyProject() }

  /// A plateau and early stopping have a memory of their own, momentum another, the regularized head drops at random.
  private func settings(epochs: Int = 3) -> TrainingSettings {
    project.settings(epochs: epochs) {
      $0.network.head = .regularized
      $0.schedule = .plateau(factor: 0.5, patience: 1)
      $0.earlyStoppingPatience = 10
      $0.optimizer.nesterov = true
    }
  }

  private func expectSame(_ run: ToyRun, _ reference: ToyRun, after interruption: String) throws {
    let (arrays, expected) = (try run.arrays(), try reference.arrays())
    #expect(arrays.keys == expected.keys, "\(interruption)")
    for (name, array) in expected { #expect(arrays[name] == array, "'\(name)' after \(interruption)") }
    #expect(try timelessState(run) == timelessState(reference), "after \(interruption)")

    func timeless(_ run: RunFolder) throws -> [EpochMetrics] {
      try MetricsLog.read(path: run.metricsPath).epochs.map {
        var metrics = $0
        metrics.seconds = 0
        metrics.dataWait = nil
        return metrics
      }
    }
    #expect(try timeless(run.run) == timeless(reference.run), "epochs of metrics.jsonl after \(interruption)")
    let steps = try MetricsLog.read(path: run.run.metricsPath).steps
    #expect(steps.map(\.step) == reference.steps.map(\.step), "steps of metrics.jsonl after \(interruption)")
    #expect(steps.map(\.loss) == reference.steps.map(\.loss), "losses of metrics.jsonl after \(interruption)")
    let rows = try String(contentsOfFile: run.run.resultsPath, encoding: .utf8).split(separator: "\n")
    #expect(rows.count == 1 + reference.epochs.count, "results.csv after \(interruption)")
  }

  private func timelessState(_ run: ToyRun) throws -> TrainingState {
    var state = try Checkpoint.trainingState(path: run.run.path(of: .last))
    state.seconds = 0
    state.epochTotals.seconds = 0
    state.epochTotals.secondsWaiting = nil
    return state
  }

  @Test func `a pause takes effect before the next step and changes nothing`() throws {
    let reference = try project.train(settings())
    let run = try project.train(settings()) { event in
      if event.isStep(7) { return [.pause] }
      if case .paused = event { return [.pause, .resume, .resume] }
      return []
    }
    let labels = run.events.map(\.label)
    let place = try #require(labels.firstIndex(of: "paused"))
    #expect(labels[(place - 1)...(place + 2)] == ["step 7", "paused", "resumed", "step 8"])
    #expect(labels.count { $0 == "paused" } == 1)
    #expect(labels.count { $0 == "resumed" } == 1)
    try expectSame(run, reference, after: "a pause")
  }

  @Test func `a pause in the middle of a validation changes nothing and does not count as time`() throws {
    let reference = try project.train(settings())
    let start = ContinuousClock.now
    let run = try project.train(settings()) { event in
      if case .validating(done: 4, _) = event { return [.pause] }
      guard case .paused = event else { return [] }
      Thread.sleep(forTimeInterval: 0.3)
      return [.resume]
    }
    let wall = (ContinuousClock.now - start) / .seconds(1)
    let labels = run.events.map(\.label)
    let place = try #require(labels.firstIndex(of: "paused"))
    #expect(
      labels[(place - 1)...(place + 3)] == [
        "validating 4/6", "paused", "resumed", "validating 6/6", "epoch 1",
      ])
    try expectSame(run, reference, after: "a pause")
    let paused = Double(run.epochs.count) * 0.3
    #expect(run.outcome.seconds + paused < wall, "\(run.outcome.seconds) s with \(paused) s of pauses")
    #expect(run.epochs.map(\.seconds).reduce(0, +) + paused < wall)
  }

  @Test func `stopped in mid-epoch at every step, a resumed run ends like the uninterrupted one`() throws {
    let reference = try project.train(settings())
    var stop = 1
    var run = try project.train(settings()) { $0.isStep(1) ? [.stop] : [] }
    while run.outcome.reason == .stopped && stop <= 16 {
      #expect(run.outcome.steps == stop)
      stop += 1
      run = try project.resume(run.run) { $0.isStep(stop) ? [.stop] : [] }
    }
    #expect(stop == 16, "15 steps, each followed by a stop")
    try expectSame(run, reference, after: "fifteen stops")
  }

  @Test(arguments: [0, 4, 6])
  func `stopped while it validates, a resumed run validates anew`(done: Int) throws {
    let reference = try project.train(settings())
    let stopped = try project.train(settings()) { event in
      if case .validating(done, _) = event { return [.stop] }
      return []
    }
    #expect(stopped.outcome.reason == .stopped)
    #expect(stopped.outcome.epochs == 0)
    #expect(stopped.outcome.steps == 5)
    #expect(stopped.epochs.isEmpty)
    let run = try project.resume(stopped.run)
    #expect(run.events.map(\.label).prefix(3) == ["started", "saved last", "validating 0/6"])
    try expectSame(run, reference, after: "a stop at \(done) of 6 validation images")
  }

  @Test func `a process that dies goes on from the checkpoint of the last epoch, and its metrics are cut back`()
    throws
  {
    let reference = try project.train(settings())
    // A copy taken at step 8 is what a crash would leave: `last` is of step 5, the metrics are of step 8.
    let copy = project.folder.file("copy")
    _ = try project.train(settings()) { event in
      if event.isStep(8) {
        let run = project.folder.file("runs/cifar8-2")
        #expect(throws: Never.self) { try FileManager.default.copyItem(atPath: run, toPath: copy) }
      }
      return []
    }
    #expect(try MetricsLog.read(path: copy + "/metrics.jsonl").steps.count == 8)
    let leftover = copy + "/checkpoints/.last.safetensors.1-1.partial"
    try Data("half a check".utf8).write(to: URL(fileURLWithPath: leftover))
    let run = try project.resume(try RunFolder(existing: copy))
    #expect(!FileManager.default.fileExists(atPath: leftover))
    #expect(run.steps.first?.step == 6)
    try expectSame(run, reference, after: "a crash at step 8")
  }

  @Test func `a run that died before its first save begins anew, and says so`() throws {
    let reference = try project.train(settings())
    let run = try TrainingJob.new(settings(), commandLine: []).run
    // What its steps would have left.
    try FileManager.default.copyItem(atPath: reference.run.metricsPath, toPath: run.metricsPath)
    try FileManager.default.copyItem(atPath: reference.run.resultsPath, toPath: run.resultsPath)
    let resumed = try project.resume(run)
    #expect(resumed.warnings.contains { $0.contains("starts from its first step") })
    try expectSame(resumed, reference, after: "a crash before the first save")
  }

  @Test func `a resumed run tells the epochs that were done before`() throws {
    let stopped = try project.train(settings()) { $0.isStep(12) ? [.stop] : [] }
    let run = try project.resume(stopped.run)
    guard case .started(let description)? = run.events.first else {
      Issue.record("the first event is not 'started'")
      return
    }
    #expect(description.history == stopped.epochs)
    #expect(description.history.count == 2)
    #expect(run.outcome.epochs == 3)
  }

  @Test func `a new learning rate holds from the next step on, also after a resume`() throws {
    let run = try project.train(settings(epochs: 2)) { event in
      if event.isStep(3) { return [.setLearningRate(0.01)] }
      if event.isStep(4) { return [.setLearningRate(-1), .setLearningRate(.infinity)] }
      return event.isStep(6) ? [.stop] : []
    }
    #expect(run.steps.map(\.learningRate) == [0.05, 0.05, 0.05, 0.01, 0.01, 0.01])
    #expect(run.events.map(\.label).filter { $0.hasPrefix("rate") } == ["rate 0.01"])
    #expect(run.warnings.count == 2)
    let rest = try project.resume(run.run)
    #expect(rest.steps.map(\.learningRate) == [0.01, 0.01, 0.01, 0.01])
  }

  @Test func `a resumed plateau remembers the best loss`() throws {
    let stopped = try project.train(settings()) { $0.isStep(7) ? [.stop] : [] }
    // The command makes the loop write down what its schedule knows.
    let run = try project.resume(stopped.run) { $0.isStep(8) ? [.setLearningRate(0.1), .stop] : [] }
    let schedule = try Checkpoint.trainingState(path: run.run.path(of: .last)).schedule
    #expect(schedule.peak == 0.1)
    #expect(schedule.bestLoss == stopped.epochs.first?.validation?.loss)
  }

  @Test func `a checkpoint asked for is saved at once, and training goes on`() throws {
    let run = try project.train(settings(epochs: 1)) { $0.isStep(2) ? [.saveCheckpoint] : [] }
    #expect(run.events.map(\.label).prefix(5) == ["started", "step 1", "step 2", "saved last", "step 3"])
    #expect(run.outcome.reason == .completed)
  }

  @Test func `a paused run that nobody can wake any more is saved and ended`() throws {
    let run = try project.train(settings()) { $0.isStep(2) ? [.pause] : [] }
    #expect(run.outcome.reason == .stopped)
    #expect(run.outcome.steps == 2)
    #expect(try Checkpoint.trainingState(path: run.run.path(of: .last)).batch == 2)
  }
}

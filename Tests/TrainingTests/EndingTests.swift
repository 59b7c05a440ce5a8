// What ends a run before its last epoch, and that an ended run stays ended.

import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct EndingTests {
  private let project: ToyProject

  init() throws { project = try ToyProject() }

  @Test func `a spent time budget ends the epoch early, but validated and saved`() throws {
    let run = try project.train(project.settings(epochs: 5) { $0.timeBudget = 1e-9 })
    #expect(run.outcome.reason == .timeBudget)
    #expect(run.outcome.steps == 1)
    #expect(run.outcome.epochs == 1)
    #expect(run.epochs.first?.validation != nil)
    #expect(try Checkpoint.trainingState(path: run.run.path(of: .last)).epochsDone == 1)
  }

  @Test func `a time budget that is never spent ends nothing`() throws {
    #expect(try project.train(project.settings(epochs: 2) { $0.timeBudget = 3600 }).outcome.reason == .completed)
  }

  @Test func `out of time while validating is stopped: the resumed run validates and ends`() throws {
    let settings = project.settings(epochs: 5) { $0.timeBudget = 1e-9 }
    let stopped = try project.train(settings) { event in
      if case .validating(done: 4, _) = event { return [.stop] }
      return []
    }
    #expect(stopped.outcome.reason == .stopped)
    let run = try project.resume(stopped.run)
    #expect(run.outcome.reason == .timeBudget)
    #expect(run.outcome.steps == 1)
    #expect(run.outcome.epochs == 1)
  }

  @Test func `epochs without a better accuracy end the run, as many as the patience says`() throws {
    let run = try project.train(
      project.settings(epochs: 60) {
        $0.earlyStoppingPatience = 2
        $0.learningRate = 0.02
      })
    #expect(run.outcome.reason == .earlyStopping)
    let accuracies = run.epochs.compactMap { $0.validation?.top1 }
    #expect(accuracies.count == run.outcome.epochs)
    let best = try #require(accuracies.max())
    #expect(run.outcome.bestValidationAccuracy == best)
    #expect(accuracies.firstIndex(of: best) == accuracies.count - 3)
  }

  @Test func `patience runs out at the same epoch when every epoch is interrupted`() throws {
    let settings = project.settings(epochs: 60) {
      $0.earlyStoppingPatience = 2
      $0.learningRate = 0.02
    }
    let reference = try project.train(settings)
    var epochs = 0
    var run = try project.train(settings) { $0.isStep(2) ? [.stop] : [] }
    while run.outcome.reason == .stopped {
      epochs += 1
      run = try project.resume(run.run) { $0.isStep(5 * epochs + 2) ? [.stop] : [] }
    }
    #expect(run.outcome.reason == .earlyStopping)
    #expect(run.outcome.epochs == reference.outcome.epochs)
    #expect(run.outcome.bestValidationAccuracy == reference.outcome.bestValidationAccuracy)
  }

  @Test func `a run that had ended ends again at once when it is resumed, for the same reason`() throws {
    for change: (inout TrainingSettings) -> Void in [
      { $0.epochs = 1 }, { $0.timeBudget = 1e-9 }, { $0.earlyStoppingPatience = 1 },
    ] {
      let run = try project.train(project.settings(epochs: 60, change: change))
      let again = try project.resume(run.run)
      #expect(again.events.map(\.label) == ["started", "finished \(run.outcome.reason.rawValue)"])
      #expect(try again.arrays() == run.arrays())
    }
  }

  @Test func `a budget that ends within the last epoch is what ended the run, also when it is resumed`() throws {
    let run = try project.train(project.settings(epochs: 1) { $0.timeBudget = 1e-9 })
    #expect(run.outcome.reason == .timeBudget && run.outcome.epochs == 1 && run.outcome.steps == 1)
    let again = try project.resume(run.run)
    #expect(again.outcome.reason == .timeBudget)
    #expect(again.outcome.advice?.contains("--epochs 2 --time 1 ") == true)
    // A whole last epoch is a completed run, however late it is.
    let longer = try project.resume(run.run, ResumeChanges(epochs: 2, timeBudget: 3600))
    #expect(longer.outcome.reason == .completed && longer.outcome.steps == 6)
  }

  @Test func `the time left is never more than the budget leaves`() throws {
    let run = try project.train(project.settings(epochs: 400) { $0.timeBudget = 0.05 })
    #expect(run.steps.allSatisfy { ($0.secondsLeft ?? 0) <= 0.05 })
    let free = try project.train(project.settings(epochs: 400)) { $0.isStep(3) ? [.stop] : [] }
    #expect(free.steps.allSatisfy { $0.secondsLeft != nil })
  }

  @Test func `a run that had ended says what would let it go on, and that does`() throws {
    for change: (inout TrainingSettings) -> Void in [
      { $0.epochs = 1 }, { $0.timeBudget = 1e-9 }, { $0.earlyStoppingPatience = 1 },
      { ($0.epochs, $0.timeBudget) = (1, 1e-9) },
    ] {
      let run = try project.train(project.settings(epochs: 60, change: change))
      #expect((run.outcome.advice == nil) == (run.outcome.reason == .completed))
      let again = try project.resume(run.run)
      let advice = try #require(again.outcome.advice)
      #expect(advice.contains("skipline train --resume \(run.run.path) --"))
      func value(_ option: String) -> String? {
        advice.split(separator: " ").drop { $0 != option }.dropFirst().first.map(String.init)
      }
      let changes = ResumeChanges(
        epochs: value("--epochs").flatMap { Int($0) }, timeBudget: value("--time").flatMap { Double($0) },
        patience: value("--patience").flatMap { Int($0) })
      #expect(changes != ResumeChanges())
      let longer = try project.resume(run.run, changes) { $0.isStep(run.outcome.steps + 1) ? [.stop] : [] }
      #expect(longer.outcome.steps == run.outcome.steps + 1, "\(advice)")
    }
  }

  @Test func `patience can be switched off, from the first step and when a run is resumed`() throws {
    let settings = project.settings(epochs: 60) {
      $0.earlyStoppingPatience = 1
      $0.learningRate = 1e-9
    }
    let run = try project.train(settings)
    #expect(run.outcome.reason == .earlyStopping)
    let longer = try project.resume(run.run, ResumeChanges(epochs: run.outcome.epochs + 5, patience: 0))
    #expect(longer.outcome.reason == .completed && longer.outcome.epochs == run.outcome.epochs + 5)
    #expect(try run.run.record().settings.earlyStoppingPatience == nil)
    var off = settings
    (off.earlyStoppingPatience, off.epochs) = (0, 5)
    #expect(try project.train(off).outcome.reason == .completed)
  }
}

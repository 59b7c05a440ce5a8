// Weights of a moment that are saved while a run goes on: what is saved, and that nothing of the run is another for it.

import Foundation
import Messages
import TestSupport
import Testing
import WeightFiles

@testable import Training

@Suite struct MomentTests {
  private let project: ToyProject

  init() throws { project = try ToyProject() }

  static let methods: [(name: String, change: @Sendable (inout TrainingSettings) -> Void)] = [
    ("plain", { _ in }), ("ema", { $0.ema = 0.9 }), ("accumulate", { $0.accumulate = 2 }),
    ("lookahead", { $0.optimizer.lookahead = LookaheadSettings(steps: 3) }),
  ]

  @Test(arguments: methods.indices)
  func `a run whose moments are saved keeps its bits`(index: Int) throws {
    let settings = project.settings(epochs: 2, change: Self.methods[index].change)
    let reference = try project.train(settings)
    let watched = try project.train(settings) { event in
      switch event {
      case .step(let step) where step.step == 1: [.saveMoment]
      case .step(let step) where step.step == 2: [.pause, .saveMoment, .resume]
      case .validating(let done, _) where done > 0: [.saveMoment]
      default: []
      }
    }
    let comparison = try RunComparison(reference.run, watched.run)
    #expect(comparison.isSame, "\(Self.methods[index].name): \(comparison.differences)")
    #expect(try watched.arrays(.best) == reference.arrays(.best))
    // What is saved is what a checkpoint of that step would have in the network's place.
    let stopped = try project.train(settings) { $0.isStep(2) ? [.stop] : [] }
    let (moment, last) = (try watched.arrays(.step(2)), try stopped.arrays())
    #expect(moment.keys.allSatisfy { !$0.hasPrefix("skipline.") }, "it is exactly a state_dict")
    for (name, array) in moment { #expect(array == last[name], "\(name)") }
    let info = try #require(watched.run.checkpoints().first { $0.name == "step-000002" })
    #expect(info.step == 2 && info.validationAccuracy == nil && info.score == nil)
    let report = try EvaluationJob(checkpoint: info.path, data: nil, split: .validation).run(threads: 1)
    #expect(report?.images == 6)
  }

  @Test func `it counts for nothing, stays whatever is kept, and is told where it cannot be written`() throws {
    let calls = FaultyCalls()
    let settings = project.settings(epochs: 3) { $0.keep = KeepPolicy(everyEpochs: 1, newest: 1) }
    let run = try project.train(settings, calls: calls.calls(spoiling: "step-000003")) { event in
      [1, 3].contains(where: event.isStep) ? [.saveMoment] : []
    }
    #expect(try run.checkpointNames.filter { $0.hasPrefix("step-") } == ["step-000001.safetensors"])
    #expect(run.failures.map { CheckpointName(path: $0.path) } == [.step(3)] && run.failures[0].retrySeconds == 0)
    #expect(run.outcome.reason == .completed && run.outcome.unsaved.isEmpty)
    #expect(run.run.progress(of: run.run.checkpoints().filter { $0.name.hasPrefix("step-") }, nil).step == 0)
    for name in ["step-1", "step-0000012", "step-00000x", "step--00001"] {
      #expect(CheckpointName(path: name) == .other(name))
    }
    #expect(CheckpointName(path: "a/step-1234567.safetensors") == .step(1_234_567))
  }

  @Test func `what lies behind a step that was gone back to is set aside`() throws {
    let run = try project.train(project.settings(epochs: 1)) { $0.isStep(1) ? [.saveMoment] : [] }
    let info = try #require(run.run.checkpoints().first { $0.name == "step-000001" })
    #expect(try run.run.setAside(info)?.name == "abandoned-step-000001")
  }
}

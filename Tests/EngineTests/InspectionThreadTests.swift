// Questions about a model's answers: an evaluation can be asked for once it is kept, also while a run is trained, and
// every question has one answer with it.

import Datasets
import Foundation
import Messages
import TestSupport
import Testing

@testable import Engine
@testable import Training

@Suite struct InspectionThreadTests {
  private let project: ToyProject
  private let run: RunFolder

  init() throws {
    project = try ToyProject(counts: SplitCounts(train: 4, validation: 2, test: 3))
    run = try project.trained(project.settings(epochs: 1))
  }

  private func ask(_ question: InspectionCommand, _ harness: EngineHarness) throws -> InspectionAnswer {
    try #require(harness.engine.send(question))
    return try harness.wait(for: "answer") { event in
      if case .inspection(question, let answer) = event { answer } else { nil }
    }
  }

  @Test func `an evaluation is opened image by image once it was made`() throws {
    let harness = EngineHarness()
    let source = EvaluationSource(checkpoint: run.path(of: .best), split: .test)
    #expect(try ask(.openEvaluation(source), harness) == .missingEvaluation(source, reason: nil))
    harness.engine.send(.evaluate(checkpoint: run.path(of: .best), data: nil, split: .test))
    let report = try harness.wait(for: "report") { if case .evaluation(let report) = $0 { report } else { nil } }
    #expect(
      try harness.wait(for: "kept") { if case .evaluationKept(let kept) = $0 { kept } else { nil } } == source)
    guard case .table(let table) = try ask(.openEvaluation(source), harness) else {
      return #expect(Bool(false), "a table")
    }
    #expect(table.count == report.images && table.confusion() == report.confusion && table.staleness == nil)
    let error = table.reliability().expectedCalibrationError
    #expect(abs((report.calibrationError ?? 9) - (error ?? 0)) < 1e-6)
    // Its nearest neighbor among its own is another image, and of itself it would be the first.
    let file = "\(project.data.root)/\(table.paths[0])"
    guard case .similarImages(let alike) = try ask(.findSimilar(source, file: file, count: 3), harness) else {
      return #expect(Bool(false), "similar images")
    }
    #expect(
      alike.count == 3 && !alike.contains { $0.path == table.paths[0] }
        && alike[0].similarity >= alike[2].similarity)
    guard case .features(let features) = try ask(.computeFeatures(checkpoint: run.path, file: file), harness) else {
      return #expect(Bool(false), "features")
    }
    #expect(features.count == 16)
    guard case .labelErrors(let errors) = try ask(.findLabelErrors([source]), harness) else {
      return #expect(Bool(false), "label errors")
    }
    #expect(errors.heldOut == report.images && errors.classes == project.data.classes)
    guard case .comparison(let comparison) = try ask(.compare(source, source), harness) else {
      return #expect(Bool(false), "a comparison")
    }
    #expect(comparison.fixed.isEmpty && comparison.broken.isEmpty && comparison.images == report.images)
    // Asked for once more it is found, not made, unless it is to be made anew.
    var progress = 0
    for anew in [nil, true] as [Bool?] {
      harness.engine.send(
        .evaluate(checkpoint: run.path(of: .best), data: project.data.root, split: nil, anew: anew))
      let found = try harness.wait(for: "report") { event in
        if case .evaluationProgress = event { progress += 1 }
        return if case .evaluation(let report) = event { report } else { nil }
      }
      #expect(found.isKept == (anew == nil) && found.top1 == report.top1 && (progress > 0) == (anew == true))
      #expect(found.data == project.data.root && found.checkpoint == report.checkpoint)
    }
    // What is shown is written, and what is there is not replaced unasked.
    for format in [EvaluationExport.Format.csv, .json, .svg] {
      let file = project.folder.file("exports/images.\(format.rawValue)")
      var export = EvaluationExport(.images(table), name: "run", format: format, file: file)
      #expect(try ask(.export(export), harness) == .exported(file: file))
      #expect(try ask(.export(export), harness) == .exists(file: file))
      export.replaces = true
      #expect(try ask(.export(export), harness) == .exported(file: file))
      #expect(try Data(contentsOf: URL(fileURLWithPath: file)).count > 100)
    }
    for (file, words) in [("\(project.data.root)/a.csv", "only read"), (project.data.root, "is a folder")] {
      let export = EvaluationExport(.images(table), name: "run", format: .csv, file: file)
      guard case .failure(let reason) = try ask(.export(export), harness) else {
        return #expect(Bool(false), "a refusal of \(file)")
      }
      #expect(reason.contains(words))
    }
    try harness.shutDown()
  }

  @Test func `questions are answered while a run is trained, and bad ones refused`() throws {
    let harness = EngineHarness()
    harness.engine.send(.start(project.endless()))
    try harness.waitForStep()
    let file = "\(project.data.root)/test/red/0.png"
    guard
      case .explanation(let explanation) = try ask(
        .explain(checkpoint: run.path, file: file, classes: [1]), harness)
    else { return #expect(Bool(false), "an explanation") }
    #expect(explanation.heats.contains { $0.label == 1 } && explanation.seen.width == 8)
    guard
      case .failure(let reason) = try ask(.explain(checkpoint: run.path, file: "gone.png", classes: []), harness)
    else { return #expect(Bool(false), "a failure") }
    #expect(reason.contains("gone.png"))
    guard case .failure = try ask(.openEvaluation(EvaluationSource(checkpoint: "no/run")), harness) else {
      return #expect(Bool(false), "a failure")
    }
    try harness.shutDown()
  }

  @Test func `an evaluation that is out of date says so`() throws {
    let decisions = DecisionStore(folder: project.folder.file("decisions"))
    let harness = EngineHarness(decisions: decisions)
    let source = EvaluationSource(checkpoint: run.path(of: .best), split: .test)
    harness.engine.send(.evaluate(checkpoint: run.path(of: .best), data: nil, split: .test))
    try harness.wait(for: "kept") { if case .evaluationKept = $0 { true } else { nil } }
    harness.engine.send(
      .decide(data: project.data.root, split: project.settings().split, changes: [.exclude(path: "test/red/0.png")])
    )
    try harness.wait(for: "decision") { if case .dataset = $0 { true } else { nil } }
    harness.engine.send(.openEvaluation(source))
    let staleness = try harness.wait(for: "staleness") { event in
      if case .inspection(_, .table(let table)) = event { table.staleness } else { nil }
    }
    #expect(staleness == "images were excluded, taken back or given another class since")
    try harness.shutDown()
  }

  /// With room for one event the engine waits at each, so that what is sent now comes while it trains.
  @Test func `the weights of a moment are evaluated while a run goes on to the same bits`() throws {
    let settings = project.settings(epochs: 3) {
      $0.batchSize = 2
      $0.ema = 0.9
      $0.name = "undisturbed"
    }
    let undisturbed = try project.trained(settings)
    let harness = EngineHarness(capacity: 1)
    harness.engine.send(.start(with(settings) { $0.name = "watched" }))
    try harness.waitForStep()
    harness.engine.send(.training(.pause))
    harness.engine.send(.training(.saveMoment))
    let moment = try harness.wait(for: "a moment") { event -> CheckpointInfo? in
      if case .training(.checkpointSaved(let info)) = event, info.name.hasPrefix("step-") { info } else { nil }
    }
    harness.engine.send(.evaluate(checkpoint: moment.path, data: nil, split: .test))
    let report = try harness.wait(for: "a report") { if case .evaluation(let report) = $0 { report } else { nil } }
    let source = try harness.wait(for: "kept") { if case .evaluationKept(let kept) = $0 { kept } else { nil } }
    harness.engine.send(.training(.resume))
    // Once more without a pause, in another epoch.
    try harness.wait(for: "an epoch") { if case .training(.epoch) = $0 { true } else { nil } }
    harness.engine.send(.training(.saveMoment))
    let later = try harness.wait(for: "a moment") { event -> CheckpointInfo? in
      if case .training(.checkpointSaved(let info)) = event, info.name.hasPrefix("step-") { info } else { nil }
    }
    harness.engine.send(.evaluate(checkpoint: later.path, data: nil, split: .validation))
    try harness.wait(for: "a report") { if case .evaluation = $0 { true } else { nil } }
    try harness.wait(for: "the end") { if case .training(.finished) = $0 { true } else { nil } }
    #expect(report.checkpoint == moment.path && report.images == 9 && later.step > moment.step)
    guard case .table(let table) = try ask(.openEvaluation(source), harness) else {
      return #expect(Bool(false), "a table")
    }
    #expect(table.count == 9)
    let watched = try RunFolder(existing: project.folder.file("runs/watched"))
    #expect(
      try project.folder.names(in: "runs/watched/evaluations").contains("\(moment.name)-test.images.safetensors"))
    let comparison = try RunComparison(undisturbed, watched)
    #expect(comparison.isSame, "\(comparison.differences)")
    try harness.shutDown()
  }

  private func with(_ settings: TrainingSettings, _ change: (inout TrainingSettings) -> Void) -> TrainingSettings {
    var settings = settings
    change(&settings)
    return settings
  }
}

// The engine, reached as the screen reaches it: commands in, events out. Ending it is in EngineShutdownTests.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct EngineTests {
  private let project: ToyProject

  init() throws { project = try ToyProject(counts: SplitCounts(train: 6, validation: 2, test: 6)) }

  @Test func `start, pause, evaluate while paused, resume, stop`() throws {
    let harness = EngineHarness()
    harness.engine.send(.start(project.endless()))
    try harness.wait(for: .training)
    try harness.wait(for: "a best checkpoint") { event -> Bool? in
      if case .training(.checkpointSaved(let info)) = event, info.name == "best" { true } else { nil }
    }
    harness.engine.send(.training(.pause))
    try harness.wait(for: .paused)
    harness.engine.send(.evaluate(checkpoint: project.firstRun, data: nil, split: .test))
    let report = try harness.wait(for: "a report") { if case .evaluation(let report) = $0 { report } else { nil } }
    #expect(report.images == 18)
    #expect(report.split == .test)
    try harness.wait(for: .paused)
    #expect(harness.states.suffix(2) == [.evaluating(checkpoint: project.firstRun), .paused])
    harness.engine.send(.training(.resume))
    try harness.waitForStep()
    harness.engine.send(.training(.stop))
    try harness.wait(for: .stopping)
    try harness.wait(for: .idle)
    #expect(harness.outcome?.reason == .stopped)
    #expect(harness.failures.isEmpty)
    try expectResumable(project.firstRun)
    // And the run goes on where it was left.
    harness.engine.send(.resumeRun(folder: project.firstRun))
    let description = try harness.wait(for: "start") {
      if case .training(.started(let description)) = $0 { description } else { nil }
    }
    #expect(description.history.count == harness.outcome?.epochs)
    try harness.shutDown()
    #expect(harness.failures.isEmpty)
  }

  @Test func `browsing is answered while training`() throws {
    let harness = EngineHarness()
    harness.engine.send(.start(project.endless()))
    try harness.waitForStep()
    harness.engine.send(.openDataset(path: project.data.root, split: SplitSettings(), checkingFiles: true))
    let report = try harness.wait(for: "a checked dataset") { event -> DatasetReport? in
      if case .dataset(let report) = event, report.statistics != nil { report } else { nil }
    }
    #expect(report.classes.map(\.name) == project.data.classes)
    harness.engine.send(
      .describeNetwork(NetworkSettings(name: "cifar20"), imageSize: 32, classes: 10, batchSize: 8))
    let summary = try harness.wait(for: "a network") { if case .network(let found) = $0 { found } else { nil } }
    #expect(summary.parameters == 269_722)
    harness.engine.send(.preview(path: project.data.root + "/test/red/0.png", maximumSide: 4))
    let picture = try harness.wait(for: "a picture") { event -> PixelImage? in
      if case .preview(_, let picture, nil) = event { picture } else { nil }
    }
    #expect(picture.width == 4)
    #expect(picture.file?.format == "PNG" && picture.file?.width == 8 && picture.file?.bytes ?? 0 > 0)
    let small = ["0", "1", "none"].map { project.data.root + "/test/red/\($0).png" }
    harness.engine.send(.thumbnails(paths: small, maximumSide: 4))
    for path in small {
      let isThere = try harness.wait(for: "a small picture") { event -> Bool? in
        if case .thumbnail(path, let image, let reason) = event {
          (image != nil) == (reason == nil) ? image != nil : nil
        } else {
          nil
        }
      }
      #expect(isThere == !path.hasSuffix("none.png"))
    }
    harness.engine.send(.listCheckpoints(project: project.folder.file("runs")))
    try harness.wait(for: "a list") { if case .checkpoints(let found) = $0 { found } else { nil } }
    #expect(!harness.states.dropFirst().contains(.idle))
    #expect(harness.outcome == nil, "training goes on")
    try harness.shutDown()
    try expectResumable(project.firstRun)
  }

  @Test func `checkpoints of the dataset that is open are listed before others`() throws {
    let other = try ToyDataset(project.folder.file("other"), counts: SplitCounts(train: 6, validation: 2), side: 8)
    _ = try project.trained(project.settings(epochs: 1) { ($0.name, $0.data) = ("a", other.root) })
    _ = try project.trained(project.settings(epochs: 1) { $0.name = "b" })
    let harness = EngineHarness()
    func runs(_ data: String?) throws -> [String] {
      if let data { harness.engine.send(.openDataset(path: data, split: SplitSettings(), checkingFiles: false)) }
      harness.engine.send(.listCheckpoints(project: project.folder.file("runs")))
      let found = try harness.wait(for: "a list") { if case .checkpoints(let found) = $0 { found } else { nil } }
      return found.map { $0.path.split(separator: "/").suffix(3).first.map(String.init) ?? "" }
    }
    #expect(try runs(nil) == ["a", "a", "b", "b"])
    #expect(try runs(project.data.root) == ["b", "b", "a", "a"])
    #expect(try runs(other.root) == ["a", "a", "b", "b"])
    try harness.shutDown()
  }

  @Test func `a preview of a bad file gives the reason, of a missing one too`() throws {
    try project.data.addBroken("test/red/bad.png")
    let harness = EngineHarness()
    for name in ["bad", "missing"] {
      let path = "\(project.data.root)/test/red/\(name).png"
      harness.engine.send(.preview(path: path, maximumSide: 32))
      let reason = try harness.wait(for: "a reason") { event -> String? in
        if case .preview(path, nil, let reason) = event { reason } else { nil }
      }
      #expect(!reason.isEmpty)
    }
    try harness.shutDown()
  }

  @Test func `a second start is refused while a run is under way, and does not disturb it`() throws {
    let harness = EngineHarness()
    harness.engine.send(.start(project.endless()))
    try harness.waitForStep()
    harness.engine.send(.start(project.endless()))
    harness.engine.send(.resumeRun(folder: project.firstRun))
    for _ in 0..<2 {
      let reason = try harness.wait(for: "a refusal") { if case .failure(let text) = $0 { text } else { nil } }
      #expect(reason.contains("stop it first"))
    }
    try harness.waitForStep()
    try harness.shutDown()
    #expect(try project.folder.names(in: "runs") == ["cifar8-1"])
  }

  @Test func `what cannot be done is a failure, and the engine goes on`() throws {
    let harness = EngineHarness()
    let nowhere = project.folder.file("nowhere")
    func refusesNowhere() throws {
      let reason = try harness.wait(for: "a failure") { if case .failure(let text) = $0 { text } else { nil } }
      #expect(reason.contains(nowhere))
    }
    for command: WorkCommand in [
      .start(project.endless { $0.data = nowhere }), .resumeRun(folder: nowhere),
      .evaluate(checkpoint: nowhere, data: nil, split: .test),
    ] {
      harness.engine.send(command)
      try refusesNowhere()
    }
    harness.engine.send(.openDataset(path: nowhere, split: SplitSettings(), checkingFiles: false))
    try refusesNowhere()
    harness.engine.send(.training(.pause))
    try harness.wait(for: "a warning") { if case .warning(let text) = $0 { text } else { nil } }
    harness.engine.send(.start(project.settings(epochs: 1)))
    try harness.wait(for: "the end") { if case .training(.finished(let outcome)) = $0 { outcome } else { nil } }
    try harness.shutDown()
    #expect(harness.states.last == .idle)
  }

  /// With room for one event the engine waits at each: commands sent now come in the middle of the evaluation.
  @Test func `what is sent during an evaluation is done after it, not after the run`() throws {
    let harness = EngineHarness(capacity: 1)
    harness.engine.send(.start(project.endless { $0.batchSize = 2 }))
    try harness.wait(for: .validating)
    try harness.wait(for: "last") { if case .training(.epoch) = $0 { true } else { nil } }
    harness.engine.send(.evaluate(checkpoint: project.firstRun, data: nil, split: .test))
    try harness.wait(for: .evaluating(checkpoint: project.firstRun))
    harness.engine.send(.training(.setLearningRate(0.001)))
    harness.engine.send(.training(.pause))
    try harness.wait(for: "a report") { if case .evaluation(let report) = $0 { report } else { nil } }
    try harness.wait(for: "another rate") { $0 == .training(.learningRateChanged(0.001)) ? true : nil }
    try harness.wait(for: .paused)
    #expect(harness.outcome == nil)
    try harness.shutDown()
  }

  @Test func `a stop during an evaluation ends the evaluation only`() throws {
    let harness = EngineHarness(capacity: 1)
    harness.engine.send(.start(project.endless { $0.batchSize = 2 }))
    try harness.wait(for: "an epoch") { if case .training(.epoch) = $0 { true } else { nil } }
    harness.engine.send(.evaluate(checkpoint: project.firstRun, data: nil, split: .test))
    try harness.wait(for: .evaluating(checkpoint: project.firstRun))
    harness.engine.send(.training(.stop))
    try harness.wait(for: "a warning") { if case .warning(let text) = $0 { text } else { nil } }
    try harness.waitForStep()
    try harness.shutDown()
    #expect(harness.outcome?.reason == .stopped)
  }

  @Test func `states are told when they change, so that progress can coalesce`() throws {
    let harness = EngineHarness()
    harness.engine.send(.start(project.settings(epochs: 2) { $0.batchSize = 2 }))
    try harness.wait(for: "the end") { if case .training(.finished) = $0 { true } else { nil } }
    try harness.shutDown()
    #expect(
      harness.states == [.idle, .preparing, .training, .validating, .training, .validating, .training, .idle])
  }
}

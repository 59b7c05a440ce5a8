// What an engine tells of a run that does not go as planned: faulty data, a divergence, a folder that is gone, images
// that changed, results that cannot be written.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Engine
@testable import Training

@Suite struct EngineRunTests {
  private let project: ToyProject

  init() throws { project = try ToyProject(counts: SplitCounts(train: 6, validation: 2, test: 2)) }

  @Test func `an engine pauses until it is told how to go on`() throws {
    let harness = EngineHarness()
    harness.engine.send(.start(project.endless { $0.learningRate = 1e25 }))
    let report = try harness.wait(for: "divergence") { event -> DivergenceReport? in
      if case .training(.diverged(let report)) = event { report } else { nil }
    }
    #expect(!report.files.isEmpty)
    try harness.wait(for: .paused)
    harness.engine.send(.training(.recover(.lowerRate)))
    try harness.wait(for: "recovery") { event -> Bool? in
      if case .training(.recovered) = event { true } else { nil }
    }
    try harness.wait(for: .training)
    try harness.shutDown()
    #expect(harness.outcome?.reason == .stopped)
  }

  @Test func `an engine refuses with the errors and the option's name`() throws {
    try project.data.add("test/aqua/1.png", color: "aqua")
    let harness = EngineHarness()
    harness.engine.send(.start(project.settings()))
    let failure = try harness.wait(for: "a refusal") { if case .failure(let text) = $0 { text } else { nil } }
    #expect(
      failure.contains("\"aqua\"") && failure.contains("--accept-errors") && failure.contains("accept errors"))
    try harness.shutDown()
  }

  @Test func `an engine says so and names the failure for its exit status`() throws {
    let harness = EngineHarness()
    harness.engine.send(.start(project.endless()))
    try harness.waitForStep()
    // The engine may write into it meanwhile.
    while FileManager.default.fileExists(atPath: project.firstRun) {
      try? FileManager.default.removeItem(atPath: project.firstRun)
    }
    try harness.wait(for: .idle)
    #expect(harness.failures.contains { $0.contains("was removed while it was trained") })
    guard case TrainingError.folderGone? = harness.engine.failure else {
      Issue.record("\(String(describing: harness.engine.failure))")
      return
    }
    try harness.shutDown()
  }

  @Test func `an engine tells which images changed, and goes on when that is accepted`() throws {
    let folder = try project.trained(project.settings(), stoppedAt: 6).path
    try FileManager.default.removeItem(atPath: project.data.root + "/train/red/3.png")
    try project.data.add("train/blue/new.png", color: "blue")
    let harness = EngineHarness()
    harness.engine.send(.resumeRun(folder: folder))
    let report = try harness.wait(for: "what changed") { event -> DataChangeReport? in
      if case .dataChanged(let report) = event { report } else { nil }
    }
    #expect(
      report
        == DataChangeReport(
          run: folder, data: project.data.root,
          groups: [
            .init(kind: .added, count: 1, paths: ["train/blue/new.png"]),
            .init(kind: .removed, count: 1, paths: ["train/red/3.png"]),
          ], classesChanged: false))
    try harness.wait(for: .idle)
    harness.engine.send(.resumeRun(folder: folder, changes: ResumeChanges(acceptsData: true)))
    try harness.wait(for: "outcome") { event -> Bool? in
      if case .training(.finished) = event { true } else { nil }
    }
    try harness.shutDown()
    #expect(harness.outcome?.reason == .completed)
    #expect(harness.failures.isEmpty)
  }

  @Test func `figures that cannot be kept are told all the same`() throws {
    let run = try project.trained(project.settings(epochs: 1))
    try FileManager.default.removeItem(atPath: run.evaluationsPath)
    try Data().write(to: URL(fileURLWithPath: run.evaluationsPath))
    let harness = EngineHarness()
    harness.engine.send(.evaluate(checkpoint: run.path, data: nil, split: nil))
    let seen = try harness.wait(for: "a report") { if case .evaluation(let report) = $0 { report } else { nil } }
    #expect(seen.images == 6)
    let warning = try harness.wait(for: "a warning") { if case .warning(let text) = $0 { text } else { nil } }
    #expect(warning.contains("not kept"))
    try harness.shutDown()
  }
}

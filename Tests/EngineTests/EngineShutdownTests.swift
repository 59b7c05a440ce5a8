// Shutting the engine down: whatever it is doing, it ends soon, and what was trained can be gone on with.

import Support
@testable import Engine
import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct EngineShutdownTests {
  private let project: ToyProject

  init() throws { project = try ToyProject(counts: SplitCounts(train: 6, validation: 2, test: 6)) }

  @Test func `an idle engine ends, and takes nothing more`() throws {
    let harness = EngineHarness()
    try harness.wait(for: .idle)
    try harness.shutDown()
    #expect(!harness.engine.send(.start(project.endless())))
    #expect(!harness.engine.send(.listCheckpoints(project: "runs")))
    harness.engine.shutDown()
  }

  @Test func `shut down while preparing, no run is left that cannot be resumed`() throws {
    let harness = EngineHarness(capacity: 1)
    harness.engine.send(.start(project.endless()))
    try harness.wait(for: .preparing)
    try harness.shutDown()
    for run in try RunFolder.listRuns(project: project.folder.file("runs")) { try expectResumable(run.path) }
    #expect(harness.failures.isEmpty)
  }

  @Test func `shut down while training, the last step is saved`() throws {
    let harness = EngineHarness()
    harness.engine.send(.start(project.endless()))
    try harness.waitForStep()
    try harness.shutDown()
    #expect(harness.outcome?.reason == .stopped)
    try expectResumable(project.firstRun)
    #expect(harness.states.suffix(2) == [.stopping, .idle])
  }

  @Test func `shut down while paused, the last step is saved`() throws {
    let harness = EngineHarness()
    harness.engine.send(.start(project.endless()))
    try harness.waitForStep()
    harness.engine.send(.training(.pause))
    try harness.wait(for: .paused)
    try harness.shutDown()
    #expect(harness.outcome?.reason == .stopped)
    try expectResumable(project.firstRun)
  }

  @Test func `shut down while validating, the epoch's training is saved`() throws {
    let harness = EngineHarness(capacity: 1)
    harness.engine.send(.start(project.endless { $0.batchSize = 1 }))
    try harness.wait(for: .validating)
    try harness.shutDown()
    #expect(harness.outcome?.reason == .stopped)
    try expectResumable(project.firstRun)
  }

  @Test(arguments: [false, true])
  func `shut down while evaluating, the evaluation is dropped and the run saved`(paused: Bool) throws {
    let harness = EngineHarness(capacity: 1)
    harness.engine.send(.start(project.endless { $0.batchSize = 2 }))
    try harness.wait(for: "an epoch") { if case .training(.epoch) = $0 { true } else { nil } }
    if paused {
      harness.engine.send(.training(.pause))
      try harness.wait(for: .paused)
    }
    harness.engine.send(.evaluate(checkpoint: project.firstRun, data: nil, split: .test))
    try harness.wait(for: .evaluating(checkpoint: project.firstRun))
    try harness.shutDown()
    #expect(harness.outcome?.reason == .stopped)
    #expect(!harness.events.contains { if case .evaluation = $0 { true } else { false } })
    try expectResumable(project.firstRun)
  }

  /// The caller must not wait for room in a line that nobody serves: here the engine itself waits for its reader.
  @Test func `shut down overtakes a full line of commands`() throws {
    let harness = EngineHarness(capacity: 1)
    harness.engine.send(.start(project.endless()))
    try harness.waitForStep()
    var sent = 0
    while harness.engine.send(.training(.setLearningRate(0.01))) && sent < 10_000 { sent += 1 }
    #expect(sent < 10_000)
    try harness.shutDown()
    #expect(harness.outcome?.reason == .stopped)
    try expectResumable(project.firstRun)
  }

  @Test func `shut down with the events closed ends too`() throws {
    let events = Mailbox<Event>(capacity: 1)
    let engine = try LocalEngine(events: events, commandLine: [])
    engine.send(.start(project.endless()))
    while let event = events.receive() {
      if case .training(.step) = event { break }
    }
    events.close()
    engine.shutDown()
    engine.waitUntilEnded()
    try expectResumable(project.firstRun)
  }
}

// The engine, reached as the screen reaches it: commands in, events out.

import Foundation
import Messages
import Testing

@testable import Training

/// An engine and the events read from it so far.
private final class EngineHarness {
  let engine: Engine
  private let mailbox: Mailbox<Event>
  private(set) var events: [Event] = []
  /// Longer than anything here takes on a busy machine.
  private static let patience = Duration.seconds(30)

  /// - Parameter capacity: how many events may wait; of one, the engine waits at each until it is read.
  init(capacity: Int = 256) {
    mailbox = Mailbox(capacity: capacity)
    engine = Engine(events: mailbox, commandLine: ["skipline"])
  }

  /// Reads events until one is as asked.
  @discardableResult
  func wait<Found>(
    for what: String, sourceLocation: SourceLocation = #_sourceLocation, _ found: (Event) -> Found?
  ) throws -> Found {
    let clock = ContinuousClock()
    let deadline = clock.now + Self.patience
    while clock.now < deadline {
      guard let event = mailbox.poll() else {
        Thread.sleep(forTimeInterval: 0.001)
        continue
      }
      events.append(event)
      if let answer = found(event) { return answer }
    }
    try #require(
      Bool(false), "no \(what) in time; the last were \(events.suffix(5))", sourceLocation: sourceLocation)
    preconditionFailure("required")
  }

  func wait(for state: EngineState, sourceLocation: SourceLocation = #_sourceLocation) throws {
    try wait(for: "\(state)", sourceLocation: sourceLocation) { $0 == .state(state) ? true : nil }
  }

  func waitForStep(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try wait(for: "step", sourceLocation: sourceLocation) { event -> Bool? in
      if case .training(.step) = event { true } else { nil }
    }
  }

  /// Sends `shutDown` and reads on until the engine has ended.
  func shutDown(sourceLocation: SourceLocation = #_sourceLocation) throws {
    engine.send(.shutDown)
    let ended = DispatchSemaphore(value: 0)
    DispatchQueue.global().async { [engine] in
      engine.waitUntilEnded()
      ended.signal()
    }
    let clock = ContinuousClock()
    let deadline = clock.now + Self.patience
    while clock.now < deadline {
      if ended.wait(timeout: .now() + 0.001) == .success {
        while let event = mailbox.poll() { events.append(event) }
        return
      }
      while let event = mailbox.poll() { events.append(event) }
    }
    try #require(
      Bool(false), "the engine did not end; the last were \(events.suffix(5))", sourceLocation: sourceLocation)
  }

  var states: [EngineState] { events.compactMap { if case .state(let state) = $0 { state } else { nil } } }
  var failures: [String] { events.compactMap { if case .failure(let text) = $0 { text } else { nil } } }
  var outcome: RunOutcome? {
    events.lazy.compactMap { if case .training(.finished(let outcome)) = $0 { outcome } else { nil } }.first
  }
}

@Suite struct EngineTests {
  private let project: ToyProject

  init() throws { project = try ToyProject(counts: SplitCounts(train: 6, validation: 2, test: 6)) }

  /// A run that does not end by itself.
  private func endless(_ change: (inout TrainingSettings) -> Void = { _ in }) -> TrainingSettings {
    project.settings(epochs: 100_000) {
      $0.logEvery = 1000
      change(&$0)
    }
  }

  private var firstRun: String { project.folder.file("runs/cifar8-1") }

  /// What every way of ending must leave.
  private func expectResumable(_ run: String) throws {
    let path = run + "/checkpoints/last.safetensors"
    #expect(throws: Never.self) { try Checkpoint.load(path: path) }
    #expect(try Checkpoint.trainingState(path: path).step > 0)
  }

  @Test func `start, pause, evaluate while paused, resume, stop`() throws {
    let harness = EngineHarness()
    harness.engine.send(.start(endless()))
    try harness.wait(for: .training)
    try harness.wait(for: "a best checkpoint") { event -> Bool? in
      if case .training(.checkpointSaved(let info)) = event, info.name == "best" { true } else { nil }
    }
    harness.engine.send(.training(.pause))
    try harness.wait(for: .paused)
    harness.engine.send(.evaluate(checkpoint: firstRun, data: nil, split: .test))
    let report = try harness.wait(for: "a report") { if case .evaluation(let report) = $0 { report } else { nil } }
    #expect(report.images == 18)
    #expect(report.split == .test)
    try harness.wait(for: .paused)
    #expect(harness.states.suffix(2) == [.evaluating(checkpoint: firstRun), .paused])
    harness.engine.send(.training(.resume))
    try harness.waitForStep()
    harness.engine.send(.training(.stop))
    try harness.wait(for: .stopping)
    try harness.wait(for: .idle)
    #expect(harness.outcome?.reason == .stopped)
    #expect(harness.failures.isEmpty)
    try expectResumable(firstRun)
    // And the run goes on where it was left.
    harness.engine.send(.resumeRun(folder: firstRun))
    let description = try harness.wait(for: "start") {
      if case .training(.started(let description)) = $0 { description } else { nil }
    }
    #expect(description.history.count == harness.outcome?.epochs)
    try harness.shutDown()
    #expect(harness.failures.isEmpty)
  }

  @Test func `browsing is answered while training`() throws {
    let harness = EngineHarness()
    harness.engine.send(.start(endless()))
    try harness.waitForStep()
    harness.engine.send(.openDataset(path: project.data.root, split: SplitSettings(), checkDecoding: true))
    let report = try harness.wait(for: "a checked dataset") { event -> DatasetReport? in
      if case .dataset(let report) = event, report.decodingChecked { report } else { nil }
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
    harness.engine.send(.listCheckpoints(project: project.folder.file("runs")))
    try harness.wait(for: "a list") { if case .checkpoints(let found) = $0 { found } else { nil } }
    #expect(!harness.states.contains(.idle) || harness.states.first == .idle)
    #expect(harness.outcome == nil, "training goes on")
    try harness.shutDown()
    try expectResumable(firstRun)
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
    harness.engine.send(.start(endless()))
    try harness.waitForStep()
    harness.engine.send(.start(endless()))
    harness.engine.send(.resumeRun(folder: firstRun))
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
    for command: Command in [
      .start(endless { $0.data = nowhere }), .resumeRun(folder: nowhere),
      .evaluate(checkpoint: nowhere, data: nil, split: .test),
      .openDataset(path: nowhere, split: SplitSettings(), checkDecoding: false),
    ] {
      harness.engine.send(command)
      let reason = try harness.wait(for: "a failure") { if case .failure(let text) = $0 { text } else { nil } }
      #expect(reason.contains(nowhere), "\(command)")
    }
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
    harness.engine.send(.start(endless { $0.batchSize = 2 }))
    try harness.wait(for: .validating)
    try harness.wait(for: "last") { if case .training(.epoch) = $0 { true } else { nil } }
    harness.engine.send(.evaluate(checkpoint: firstRun, data: nil, split: .test))
    try harness.wait(for: .evaluating(checkpoint: firstRun))
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
    harness.engine.send(.start(endless { $0.batchSize = 2 }))
    try harness.wait(for: "an epoch") { if case .training(.epoch) = $0 { true } else { nil } }
    harness.engine.send(.evaluate(checkpoint: firstRun, data: nil, split: .test))
    try harness.wait(for: .evaluating(checkpoint: firstRun))
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

  // MARK: Shutting down

  @Test func `an idle engine ends, and takes nothing more`() throws {
    let harness = EngineHarness()
    try harness.wait(for: .idle)
    try harness.shutDown()
    #expect(!harness.engine.send(.start(endless())))
    #expect(!harness.engine.send(.listCheckpoints(project: "runs")))
    harness.engine.send(.shutDown)
  }

  @Test func `shut down while preparing, no run is left that cannot be resumed`() throws {
    let harness = EngineHarness(capacity: 1)
    harness.engine.send(.start(endless()))
    try harness.wait(for: .preparing)
    try harness.shutDown()
    for run in try RunFolder.listRuns(project: project.folder.file("runs")) { try expectResumable(run.path) }
    #expect(harness.failures.isEmpty)
  }

  @Test func `shut down while training, the last step is saved`() throws {
    let harness = EngineHarness()
    harness.engine.send(.start(endless()))
    try harness.waitForStep()
    try harness.shutDown()
    #expect(harness.outcome?.reason == .stopped)
    try expectResumable(firstRun)
    #expect(harness.states.suffix(2) == [.stopping, .idle])
  }

  @Test func `shut down while paused, the last step is saved`() throws {
    let harness = EngineHarness()
    harness.engine.send(.start(endless()))
    try harness.waitForStep()
    harness.engine.send(.training(.pause))
    try harness.wait(for: .paused)
    try harness.shutDown()
    #expect(harness.outcome?.reason == .stopped)
    try expectResumable(firstRun)
  }

  @Test func `shut down while validating, the epoch's training is saved`() throws {
    let harness = EngineHarness(capacity: 1)
    harness.engine.send(.start(endless { $0.batchSize = 1 }))
    try harness.wait(for: .validating)
    try harness.shutDown()
    #expect(harness.outcome?.reason == .stopped)
    try expectResumable(firstRun)
  }

  @Test(arguments: [false, true])
  func `shut down while evaluating, the evaluation is dropped and the run saved`(paused: Bool) throws {
    let harness = EngineHarness(capacity: 1)
    harness.engine.send(.start(endless { $0.batchSize = 2 }))
    try harness.wait(for: "an epoch") { if case .training(.epoch) = $0 { true } else { nil } }
    if paused {
      harness.engine.send(.training(.pause))
      try harness.wait(for: .paused)
    }
    harness.engine.send(.evaluate(checkpoint: firstRun, data: nil, split: .test))
    try harness.wait(for: .evaluating(checkpoint: firstRun))
    try harness.shutDown()
    #expect(harness.outcome?.reason == .stopped)
    #expect(!harness.events.contains { if case .evaluation = $0 { true } else { false } })
    try expectResumable(firstRun)
  }

  /// The caller must not wait for room in a line that nobody serves: here the engine itself waits for its reader.
  @Test func `shut down overtakes a full line of commands`() throws {
    let harness = EngineHarness(capacity: 1)
    harness.engine.send(.start(endless()))
    try harness.waitForStep()
    var sent = 0
    while harness.engine.send(.training(.setLearningRate(0.01))) && sent < 10_000 { sent += 1 }
    #expect(sent < 10_000)
    try harness.shutDown()
    #expect(harness.outcome?.reason == .stopped)
    try expectResumable(firstRun)
  }

  @Test func `shut down with the events closed ends too`() throws {
    let events = Mailbox<Event>(capacity: 1)
    let engine = Engine(events: events, commandLine: [])
    engine.send(.start(endless()))
    while let event = events.receive() {
      if case .training(.step) = event { break }
    }
    events.close()
    engine.send(.shutDown)
    engine.waitUntilEnded()
    try expectResumable(firstRun)
  }
}

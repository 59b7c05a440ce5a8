// An engine to talk to, with time limits: a test of it that hangs is a failure, not a wait.

import Support
@testable import Engine
import Datasets
import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

/// An engine and the events read from it so far.
final class EngineHarness {
  let engine: LocalEngine
  private let mailbox: Mailbox<Event>
  private(set) var events: [Event] = []
  /// Longer than anything here takes on a busy machine.
  private static let timeout = Duration.seconds(30)

  /// - Parameters:
  ///   - capacity: how many events may wait; of one, the engine waits at each until it is read.
  ///   - decisions: where decisions are kept; a test that decides names a folder of its own.
  init(capacity: Int = 256, decisions: DecisionStore = .standard) {
    mailbox = Mailbox(capacity: capacity)
    do {
      engine = try LocalEngine(events: mailbox, commandLine: ["skipline"], decisions: decisions)
    } catch {
      fatalError("\(error)")
    }
  }

  /// Reads events until one is as asked.
  @discardableResult
  func wait<Found>(
    for what: String, sourceLocation: SourceLocation = #_sourceLocation, _ found: (Event) -> Found?
  ) throws -> Found {
    let clock = ContinuousClock()
    let deadline = clock.now + Self.timeout
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
    engine.shutDown()
    let ended = DispatchSemaphore(value: 0)
    DispatchQueue.global().async { [engine] in
      engine.waitUntilEnded()
      ended.signal()
    }
    let clock = ContinuousClock()
    let deadline = clock.now + Self.timeout
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

extension ToyProject {
  /// Trains a run without an engine.
  func trained(_ settings: TrainingSettings, stoppedAt step: Int? = nil) throws -> RunFolder {
    let job = try TrainingJob.new(settings, commandLine: [], caches: nil)
    var stops = false
    var hooks = TrainingLoop.Hooks()
    hooks.report = { if case .step(let metrics) = $0, metrics.step == step { stops = true } }
    hooks.nextCommand = { _ in
      defer { stops = false }
      return stops ? .stop : nil
    }
    _ = try job.loop(hooks: hooks).train()
    return job.run
  }
}

/// What every way of ending a run must leave.
func expectResumable(_ run: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
  let path = run + "/checkpoints/last.safetensors"
  #expect(throws: Never.self, sourceLocation: sourceLocation) { try Checkpoint.load(path: path) }
  #expect(try Checkpoint.trainingState(path: path).step > 0, sourceLocation: sourceLocation)
}

// A run as `skipline runs` shows it from outside, and waiting for it to get somewhere.

import Foundation
import Testing

/// What `skipline runs --json` says of a run, as far as tests ask.
struct ListedRun: Decodable, Equatable {
  var folder: String
  var state: String
  var process: Int32?
  var step: Int
}

extension Workspace {
  /// Options of a run that is ended from outside; where nothing ends it, its own time does.
  static func longRun(_ name: String = "long") -> [String] {
    ["--name", name, "--epochs", "1000000", "--time", "300", "--save-every", "0"]
  }

  /// A long run without a screen, past its first epoch.
  func startLongRun(_ name: String = "long") async throws -> RunningProgram {
    let program = try RunningProgram(
      ["skipline", "train", "data"] + Self.tinyNetwork + Self.longRun(name), in: self)
    try await program.waitForErrors("epoch 1/1000000")
    return program
  }

  func listedRun(_ name: String = "long") async throws -> ListedRun {
    let listing = try await skipline("runs", "--json")
    return try #require(try listing.decoded([ListedRun].self).first { $0.folder == "runs/\(name)" })
  }

  /// Waits until the listed run is as wanted.
  @discardableResult
  func waitForRun(
    _ name: String = "long", until what: String, _ isSo: (ListedRun) -> Bool
  ) async throws -> ListedRun {
    let deadline = ContinuousClock.now + Patience.limit
    while true {
      let run = try await listedRun(name)
      if isSo(run) { return run }
      guard ContinuousClock.now < deadline else { throw OutOfPatience(what: what, lastSeen: "\(run)") }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// The run is being trained, and steps are made.
  func expectTraining(_ name: String = "long", sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let before = try await waitForRun(name, until: "\(name) is being trained") { $0.process != nil && $0.step > 0 }
    let after = try await waitForRun(name, until: "\(name) makes steps") { $0.step > before.step }
    #expect(["training", "validating"].contains(after.state), sourceLocation: sourceLocation)
    #expect(after.process == before.process, sourceLocation: sourceLocation)
  }

  /// Ends the run from a shell; its checkpoint is whole and can be used.
  func stopAndVerify(_ name: String = "long", sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let stopped = try await skipline("stop", "runs/\(name)")
    #expect(stopped.status == 0, "\(stopped.errors)", sourceLocation: sourceLocation)
    try await expectSaved(name, sourceLocation: sourceLocation)
  }

  func expectSaved(_ name: String = "long", sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let evaluation = try await skipline("evaluate", "runs/\(name)/checkpoints/last.safetensors")
    #expect(evaluation.status == 0, "\(evaluation.errors)", sourceLocation: sourceLocation)
    #expect(evaluation.output.contains("16 images"), sourceLocation: sourceLocation)
  }

  /// Waits for the end of a process. One that ended and was not asked after counts.
  static func waitForEnd(of process: Int32) async throws {
    try await Patience.wait(for: "the end of process \(process)", lastSeen: { "process \(process)" }) {
      ((try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)) ?? "").isEmpty
    }
  }
}

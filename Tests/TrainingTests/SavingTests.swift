// Saves that fail: what is on disk after each, what is told, what is made up for, and what is missing at the end.

import Foundation
import Messages
import Testing
import TestSupport
import WeightFiles

@testable import Training

@Suite struct SavingTests {
  private let project: ToyProject

  init() throws { project = try ToyProject(counts: SplitCounts(train: 3, validation: 1)) }

  private func settings(_ name: String? = nil) -> TrainingSettings {
    project.settings(epochs: 3) {
      $0.keep = KeepPolicy(everyEpochs: 1, newest: 1)
      $0.name = name
    }
  }

  /// The checkpoints of a run that cannot be read, and how many can.
  private func readable(_ run: RunFolder) throws -> Int {
    let files = try FileManager.default.contentsOfDirectory(atPath: run.checkpointsPath)
      .filter { $0.hasSuffix(".safetensors") }
    for file in files { _ = try Safetensors.read(path: "\(run.checkpointsPath)/\(file)") }
    return files.count
  }

  @Test func `whichever single call fails, nothing that was saved is lost, and the run ends as if none had`() throws
  {
    let counter = FaultyCalls()
    let reference = try project.train(settings("reference"), calls: counter.calls())
    let turns = counter.turns(ofWrites: 151)
    #expect((10..<40).contains(turns.count) && counter.count > 500)
    for turn in turns {
      let name = "turn\(turn)"
      var saved = false
      let run = try project.train(settings(name), calls: FaultyCalls(failing: turn..<turn + 1).calls()) { event in
        if case .checkpointSaved = event { saved = true }
        if saved, let folder = try? RunFolder(existing: project.folder.file("runs/\(name)")) {
          #expect((try? readable(folder)) ?? 0 > 0, "after \(event.label) with call \(turn) failing")
        }
        return []
      }
      #expect(run.failures.count == 1 && run.outcome.failedSaves == 1, "call \(turn)")
      #expect(run.outcome.unsaved.isEmpty, "call \(turn): \(run.outcome.unsaved)")
      #expect(try run.arrays() == reference.arrays(), "call \(turn)")
      #expect(try run.arrays(.best) == reference.arrays(.best), "call \(turn)")
      #expect(try run.checkpointNames.contains("epoch-0003.safetensors"), "call \(turn)")
      try FileManager.default.removeItem(atPath: run.run.path)
    }
  }

  @Test func `on a disk that stays full the run trains to its end, keeps what it had and ends as not saved`() throws
  {
    let disk = FaultyCalls()
    var failures: [SaveFailure] = []
    let error = #expect(throws: TrainingError.self) {
      try project.train(settings("full"), calls: disk.calls()) { event in
        if case .epoch(let metrics) = event, metrics.epoch == 2 { disk.fail(true) }
        if case .saveFailed(let failure) = event { failures.append(failure) }
        return []
      }
    }
    guard case .notSaved(let run, step: 6, savedStep: 4?, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.description.contains("goes back to step 4") == true)
    #expect(failures.allSatisfy { $0.retrySeconds == 30 || $0.retrySeconds == 60 })
    #expect(failures.first?.retrySeconds == 30 && failures.count > 3)
    let folder = try RunFolder(existing: run)
    #expect(try readable(folder) == 3)
    #expect(try MetricsLog.read(path: folder.metricsPath).epochs.count == 3)
    // And when there is room again it is resumed to the same end.
    let resumed = try project.resume(folder)
    #expect(try resumed.arrays() == project.train(settings("other")).arrays())
  }

  @Test func `a checkpoint that would not fit is not begun, both numbers are told, and later it is made up for`()
    throws
  {
    let disk = FaultyCalls(freeSpace: 10_000)
    var calls = 0
    let run = try project.train(settings("narrow"), calls: disk.calls()) { event in
      if case .epoch(let metrics) = event, metrics.epoch == 2 {
        calls = disk.count
        disk.tell(freeSpace: nil)
      }
      return []
    }
    #expect(calls == 0, "nothing was begun")
    let reason = try #require(run.failures.first?.reason)
    #expect(
      reason.contains("9.8 KiB are free") && reason.contains("it needs ") && reason.contains("last.safetensors"))
    #expect(run.warnings.contains { $0.contains("9.8 KiB are free") && $0.contains("--keep") })
    #expect(run.outcome.unsaved.isEmpty && run.outcome.failedSaves == run.failures.count)
    #expect(try readable(run.run) == 3)
  }

  @Test func `best that never can be written is named at the end, beside a last that is there`() throws {
    let run = try project.train(settings(), calls: FaultyCalls().calls(spoiling: ".best."))
    #expect(run.outcome.unsaved == ["best"])
    #expect(run.outcome.reason == .completed)
    #expect(try Checkpoint.trainingState(path: run.run.path(of: .last)).epochsDone == 3)
  }

  @Test func `numbered checkpoints are deleted for one that is there, never for one that failed`() throws {
    let run = try project.train(settings(), calls: FaultyCalls().calls(spoiling: ".epoch-0003."))
    #expect(try run.checkpointNames == ["best", "epoch-0002", "last"].map { $0 + ".safetensors" })
    #expect(run.outcome.unsaved == ["epoch-0003"])
  }

  @Test func `a best that failed is written later as it was, not as the network is by then`() throws {
    let settings = project.settings(epochs: 6) { $0.learningRate = 0.2 }
    let reference = try project.train(settings)
    let disk = FaultyCalls()
    let best = try #require(reference.run.checkpoints().first { $0.name == "best" }).epoch
    // From the best epoch on, for as long as the run lasts but for its end.
    let run = try project.train(settings, calls: disk.calls()) { event in
      if case .epoch(let metrics) = event { disk.fail(metrics.epoch == best) }
      if event.isStep(best * 2 + 1) { disk.fail(false) }
      return []
    }
    #expect(best < 6)
    #expect(run.failures.contains { $0.path.hasSuffix("best.safetensors") })
    #expect(try run.arrays(.best) == reference.arrays(.best))
  }

  @Test func `last is saved so many minutes apart, also within an epoch`() throws {
    let labels = try project.train(project.settings(epochs: 1) { $0.safety.saveMinutes = 1e-9 }).events.map(\.label)
    #expect(labels.prefix(5) == ["started", "step 1", "saved last", "step 2", "saved last"])
  }

  @Test func `metrics that cannot be written are told once, and training goes on`() throws {
    let job = try TrainingJob.new(settings(), commandLine: [])
    for path in [job.run.metricsPath, job.run.resultsPath] {
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/full")
    }
    let session = Session { _ in [] }
    let outcome = try job.loop(hooks: session.hooks).train()
    #expect(outcome.reason == .completed)
    let told = session.events.filter { if case .warning = $0 { true } else { false } }
    #expect(told.count == 2, "one for each file")
  }

  @Test func `saves come at their interval, sooner after a failure or a change, and a failure is not hurried`() {
    let start = ContinuousClock().now
    var schedule = SaveSchedule(interval: .seconds(300), now: start)
    #expect(schedule.due == start + .seconds(300))
    schedule.changed(at: start)
    #expect(schedule.due == start + .seconds(3))
    #expect(schedule.failed(at: start) == .seconds(30))
    schedule.changed(at: start)
    #expect(schedule.due == start + .seconds(30))
    #expect(schedule.failed(at: start) == .seconds(60))
    #expect(schedule.failed(at: start) == .seconds(60))
    schedule.saved(at: start)
    #expect(schedule.failed(at: start) == .seconds(30))
    #expect(schedule.due == start + .seconds(30))
  }

  @Test func `of checkpoints that waited in vain, those are missing that would have been kept`() throws {
    let contents = CheckpointContents(
      info: CheckpointInfo(path: "", name: "", epoch: 0, step: 0, validationAccuracy: nil, savedAt: ""), arrays: [],
      metadata: [:])
    var unsaved = UnsavedCheckpoints()
    for epoch in [2, 4, 6] { unsaved.keep(contents, as: .epoch(epoch)) }
    unsaved.keep(contents, as: .best)
    #expect(
      unsaved.missing(everyEpochs: 2, newest: nil, epoch: 7) == ["best", "epoch-0002", "epoch-0004", "epoch-0006"])
    #expect(unsaved.missing(everyEpochs: 2, newest: 2, epoch: 7) == ["best", "epoch-0004", "epoch-0006"])
    unsaved.written(.epoch(6))
    unsaved.written(.best)
    #expect(unsaved.isEmpty)
    #expect(unsaved.missing(everyEpochs: 2, newest: 1, epoch: 7) == [])
  }
}

extension FaultyCalls {
  /// Numbers of calls so far: of the many writes every so manieth, of the others every third. A save makes four of
  /// these, so that over the saves each kind has its turn.
  fileprivate func turns(ofWrites stride: Int) -> [Int] {
    let calls = noted
    let others = calls.indices.filter { calls[$0] != .write }.enumerated()
    return others.filter { $0.offset % 3 == 0 }.map(\.element)
      + calls.indices.filter { calls[$0] == .write && $0 % stride == 0 }
  }
}

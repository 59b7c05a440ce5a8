// A crash at any moment: the run's folder is copied at every event, as kill -9 would leave it, and each copy is
// resumed.

import Files
import Foundation
import Messages
import Testing
import TestSupport
import WeightFiles

@testable import Training

@Suite struct CrashTests {
  private let project: ToyProject

  init() throws { project = try ToyProject(counts: SplitCounts(train: 4, validation: 2)) }

  /// A plateau and patience have a memory of their own, momentum another; the regularized head drops at random.
  private func settings(_ name: String, saveMinutes: Double) -> TrainingSettings {
    project.settings(epochs: 3) {
      $0.network.head = .regularized
      $0.schedule = .plateau(factor: 0.5, patience: 1)
      $0.earlyStoppingPatience = 10
      $0.optimizer.nesterov = true
      $0.keep = KeepPolicy(everyEpochs: 1, newest: 2)
      $0.safety.saveMinutes = saveMinutes
      $0.name = name
    }
  }

  @Test(arguments: [5, 1e-9])
  func `killed at any event and resumed with either thread count, a run ends as the uninterrupted one`(
    saveMinutes: Double
  ) throws {
    let runs = project.folder.file("runs")
    var copies: [String] = []
    let reference = try project.train(settings("whole", saveMinutes: saveMinutes)) { event in
      let copy = "\(runs)/at\(copies.count)"
      #expect(throws: Never.self) { try FileManager.default.copyItem(atPath: "\(runs)/whole", toPath: copy) }
      copies.append(copy)
      return []
    }
    #expect(copies.count > 30)
    for (number, copy) in copies.enumerated() {
      let run = try project.resume(
        try RunFolder(existing: copy), ResumeChanges(threads: number % 2 + 1, saveMinutes: saveMinutes))
      let what = "killed at \(reference.events[number].label)"
      let comparison = try RunComparison(reference.run, run.run)
      #expect(comparison.isSame, "\(what): \(comparison.differences)")
      #expect(comparison.steps == 9 && comparison.epochs == 3)
      #expect(try run.arrays(.best) == reference.arrays(.best), "best, \(what)")
      #expect(try run.checkpointNames == reference.checkpointNames, "\(what)")
    }
  }

  @Test func `a comparison finds a single other bit, a missing line and a double one`() throws {
    let one = try project.train(settings("one", saveMinutes: 5))
    let other = try project.train(settings("other", saveMinutes: 5))
    #expect(try RunComparison(one.run, other.run).isSame)

    let metrics = try String(contentsOfFile: other.run.metricsPath, encoding: .utf8)
    let lines = metrics.split(separator: "\n")
    for (changed, what) in [(lines.dropLast(2) + lines.suffix(1), "missing"), (lines + [lines[0]], "double")] {
      try (changed.joined(separator: "\n") + "\n").write(
        toFile: other.run.metricsPath, atomically: false, encoding: .utf8)
      #expect(try !RunComparison(one.run, other.run).isSame, "a \(what) line")
    }
    try metrics.write(toFile: other.run.metricsPath, atomically: false, encoding: .utf8)

    let file = try Safetensors.read(path: other.run.path(of: .last))
    var arrays = try file.names.map { try file.array($0) }
    guard case .float32(var floats) = arrays[0].values else { return }
    floats[0] = Float(bitPattern: floats[0].bitPattern ^ 1)
    arrays[0] = NamedArray(name: arrays[0].name, shape: arrays[0].shape, floats: floats)
    try Safetensors.write(
      arrays, metadata: file.metadata.filter { ![Safetensors.checksumKey, Safetensors.sealKey].contains($0.key) },
      to: other.run.path(of: .last))
    #expect(try RunComparison(one.run, other.run).differences == ["'\(arrays[0].name)' differs"])
  }

  @Test func `a rate changed by hand outlives a crash a few seconds later`() throws {
    var schedule = SaveSchedule(interval: .seconds(300), now: ContinuousClock().now)
    let start = ContinuousClock().now
    schedule.changed(at: start)
    #expect(schedule.due <= start + .seconds(3))
    let run = try project.train(settings("hand", saveMinutes: 1e-9)) { event in
      if event.isStep(4) { return [.setLearningRate(0.01)] }
      return event.isStep(6) ? [.stop] : []
    }
    #expect(try Checkpoint.trainingState(path: run.run.path(of: .last)).schedule.peak == 0.01)
    let rest = try project.resume(run.run)
    #expect(rest.events.map(\.label).prefix(2) == ["started", "rate 0.01"], "a screen learns of it")
  }

  @Test func `a torn last line that reads as a whole one is dropped`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Array("1,2\n3,4\n5,".utf8) + Array("6".utf8), to: "table")
    try LineTail.cut(path) { _ in true }
    #expect(try folder.text("table") == "1,2\n3,4\n")
  }
}

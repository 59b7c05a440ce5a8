// The folder of a run that is renamed, moved, emptied or removed while it is trained.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct RunPlaceTests {
  private let project: ToyProject
  private var folder: String { project.firstRun }

  init() throws { project = try ToyProject() }

  /// Trains, and does something to the folder after the seventh step; `last` is of step 5 then.
  private func train(_ befall: @escaping () throws -> Void) throws -> ToyRun {
    try project.train(project.settings(epochs: 3)) { event in
      if event.isStep(7) {
        do { try befall() } catch { Issue.record(error) }
      }
      return []
    }
  }

  private func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

  /// Removes a folder that another thread may be writing to at the moment.
  private func removeStubbornly(_ path: String) {
    while FileManager.default.fileExists(atPath: path) { try? remove(path) }
  }

  @Test func `a run whose folder was removed ends at once and saves nowhere`() throws {
    let error = #expect(throws: TrainingError.self) { try train { try remove(folder) } }
    #expect(error == .folderGone(run: folder, step: 7))
    #expect(!FileManager.default.fileExists(atPath: folder))
  }

  @Test func `another folder of its name is another run's`() throws {
    let error = #expect(throws: TrainingError.self) {
      try train {
        try remove(folder)
        try FileManager.default.createDirectory(
          atPath: folder + "/checkpoints", withIntermediateDirectories: true)
      }
    }
    #expect(error == .folderGone(run: folder, step: 7))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["checkpoints"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/checkpoints").isEmpty)
  }

  @Test func `an emptied folder is as good as none, noticed at the next save`() throws {
    let error = #expect(throws: TrainingError.self) {
      try train {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) { try remove("\(folder)/\(name)") }
      }
    }
    #expect(error == .folderGone(run: folder, step: 10))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  @Test func `a run follows its folder and ends as if it had been named so from the start`() throws {
    let reference = try project.train(project.settings(epochs: 3))
    let moved = project.folder.file("elsewhere")
    let other = project.folder.file("runs/cifar8-2")
    let run = try train { try FileManager.default.moveItem(atPath: other, toPath: moved) }
    #expect(!FileManager.default.fileExists(atPath: other))
    #expect(run.events.contains { if case .folderMoved(moved) = $0 { true } else { false } })
    #expect(run.outcome.folder == moved)
    let comparison = try RunComparison(reference.run, RunFolder(existing: moved))
    #expect(comparison.isSame, "\(comparison.differences)")
    #expect(try MetricsLog.read(path: moved + "/metrics.jsonl").steps.map(\.step) == Array(1...15))
    let log = try String(contentsOfFile: moved + "/log.txt", encoding: .utf8)
    #expect(log.contains("the run goes on there") && log.contains("finished"))
  }

  @Test func `what could not be written before is written where the folder is now`() throws {
    let moved = project.folder.file("elsewhere")
    let full = project.firstRun + "/checkpoints"
    var wasMoved = false
    let run = try project.train(project.settings(epochs: 3) { $0.keep = KeepPolicy(everyEpochs: 1, newest: nil) }) {
      event in
      // In place of the first numbered checkpoint stands a folder that nothing can be moved onto.
      if event.isStep(2) { mkdir(full + "/epoch-0001.safetensors", 0o700) }
      if event.isStep(7), !wasMoved {
        wasMoved = true
        rmdir(full + "/epoch-0001.safetensors")
        rename(project.firstRun, moved)
      }
      return []
    }
    #expect(run.failures.count == 1)
    #expect(run.outcome.unsaved.isEmpty)
    #expect(FileManager.default.fileExists(atPath: moved + "/checkpoints/epoch-0003.safetensors"))
  }
}

// Which checkpoints a run leaves on disk, and what happens when one cannot be written.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct KeepingTests {
  private let project: ToyProject

  init() throws { project = try ToyProject(counts: SplitCounts(train: 3, validation: 1)) }

  private func files(_ keep: KeepPolicy, epochs: Int = 7) throws -> [String] {
    try project.train(project.settings(epochs: epochs) { $0.keep = keep }).checkpointNames
      .map { String($0.dropLast(".safetensors".count)) }
  }

  @Test func `numbered checkpoints stay as the policy says, beside best and last`() throws {
    #expect(try files(KeepPolicy(everyEpochs: 2, newest: 2)) == ["best", "epoch-0004", "epoch-0006", "last"])
    #expect(try files(KeepPolicy(everyEpochs: 3, newest: nil)) == ["best", "epoch-0003", "epoch-0006", "last"])
    #expect(try files(KeepPolicy(everyEpochs: 0)) == ["best", "last"])
    #expect(try files(KeepPolicy(everyEpochs: 1, newest: 0), epochs: 2) == ["best", "last"])
  }

  @Test func `what the policy removes is reported, and only that`() throws {
    let run = try project.train(project.settings(epochs: 4) { $0.keep = KeepPolicy(everyEpochs: 1, newest: 2) })
    let removed = run.events.map(\.label).filter { $0.hasPrefix("removed ") }
    #expect(removed == ["removed epoch-0001", "removed epoch-0002"])
  }

  @Test func `best is of the first epoch with the best accuracy and holds nothing but the network`() throws {
    let run = try project.train(project.settings(epochs: 5))
    let accuracies = run.epochs.compactMap { $0.validation?.top1 }
    let best = try #require(accuracies.max())
    let info = try #require(run.run.checkpoints().first { $0.name == "best" })
    #expect(info.validationAccuracy == best)
    #expect(accuracies.firstIndex(of: best) == info.epoch - 1)
    #expect(try run.arrays(.best).keys.allSatisfy { !$0.hasPrefix("skipline.") })
  }

  /// The folder of checkpoints is taken away after the first epoch, and put back in the third.
  @Test func `a checkpoint that cannot be written is a warning, and the next one makes up for it`() throws {
    let checkpoints = project.folder.file("runs/cifar8-1/checkpoints")
    let aside = project.folder.file("aside")
    func move(_ from: String, _ to: String) {
      #expect(throws: Never.self) { try FileManager.default.moveItem(atPath: from, toPath: to) }
    }
    let run = try project.train(project.settings(epochs: 4)) { event in
      if event.isStep(4) { move(checkpoints, aside) }
      if event.isStep(8) { move(aside, checkpoints) }
      return []
    }
    #expect(run.outcome.reason == .completed)
    #expect(run.failures.contains { $0.path.hasSuffix("last.safetensors") && $0.reason.contains("No such file") })
    #expect(run.outcome.failedSaves == run.failures.count)
    #expect(try Checkpoint.trainingState(path: run.run.path(of: .last)).epochsDone == 4)
  }

  @Test func `a run whose last state cannot be saved fails, and names the file`() throws {
    let error = #expect(throws: TrainingError.self) {
      try project.train(project.settings(epochs: 1)) { event in
        if event.isStep(2) {
          try? FileManager.default.removeItem(atPath: project.folder.file("runs/cifar8-1/checkpoints"))
        }
        return []
      }
    }
    #expect(error?.description.contains("last.safetensors") == true)
  }
}

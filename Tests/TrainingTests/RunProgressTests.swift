// How far a run is, whatever files lie in its folder.

import Datasets
import Foundation
import Messages
import TestSupport
import Testing
import WeightFiles

@testable import Training

@Suite struct `The progress of a run` {
  private let folder: TemporaryFolder
  private let run: RunFolder
  private let record: RunRecord

  init() throws {
    folder = try TemporaryFolder()
    run = try RunFolder.create(project: folder.path, name: "run", defaultStem: "a")
    record = RunRecord(
      skipline: "1", created: Date(timeIntervalSince1970: 0), commandLine: [],
      settings: TrainingSettings(data: "d", network: NetworkSettings(name: "cifar8")), model: Specimen.cifar,
      splitFingerprint: "")
  }

  private func save(
    _ name: CheckpointName, epoch: Int, accuracy: Double? = nil, model: ModelDescription = Specimen.cifar
  ) throws {
    let info = CheckpointInfo(
      path: run.path(of: name), name: name.stem, epoch: epoch, step: epoch * 10, validationAccuracy: accuracy,
      savedAt: "2026-01-31T12:00:00Z")
    var metadata = info.metadata
    metadata["skipline.format"] = "3"
    metadata["skipline.model"] = String(decoding: try JSONEncoder().encode(model), as: UTF8.self)
    try Safetensors.write([NamedArray(name: "w", shape: [1], floats: [1])], metadata: metadata, to: info.path)
  }

  private var progress: RunProgress { run.progress(of: run.checkpoints(), record) }

  @Test func `is that of its last checkpoint`() throws {
    #expect(progress == RunProgress())
    try save(.epoch(1), epoch: 1, accuracy: 0.5)
    try save(.best, epoch: 1, accuracy: 0.5)
    #expect(progress == RunProgress(epoch: 1, step: 10, best: Score(.top1, 0.5)))
    try save(.last, epoch: 2, accuracy: 0.4)
    #expect(progress == RunProgress(epoch: 2, step: 20, best: Score(.top1, 0.5)))
  }

  @Test func `is not that of what was given up`() throws {
    try save(.last, epoch: 1, accuracy: 0.4)
    try save(.best, epoch: 1, accuracy: 0.4)
    try save(.other("abandoned-epoch-0017"), epoch: 17, accuracy: 0.9)
    try save(.other("abandoned-best"), epoch: 15, accuracy: 0.95)
    // Saved, but `last` was not: validated again when it is resumed.
    try save(.epoch(2), epoch: 2, accuracy: 0.8)
    #expect(progress == RunProgress(epoch: 1, step: 10, best: Score(.top1, 0.4)))
    #expect(run.checkpoints().count == 5, "all can be evaluated")
  }

  @Test func `is not that of files from elsewhere`() throws {
    try save(.epoch(1), epoch: 1, accuracy: 0.4)
    try save(.other("mine"), epoch: 30, accuracy: 0.99)
    // Of another network, for other classes, and renamed.
    try save(.epoch(17), epoch: 17, accuracy: 0.9, model: Specimen.model(NetworkSettings(name: "cifar20"), side: 8))
    try save(
      .epoch(18), epoch: 18, accuracy: 0.9, model: Specimen.model(Specimen.cifar.network, side: 8, classes: 7))
    try save(.epoch(19), epoch: 4, accuracy: 0.9)
    #expect(progress == RunProgress(epoch: 1, step: 10, best: Score(.top1, 0.4)))
    try save(.last, epoch: 3)
    #expect(progress == RunProgress(epoch: 3, step: 30, best: Score(.top1, 0.4)))
  }
}

@Suite struct `The progress of a run with a time budget` {
  @Test(arguments: [1e-9, 1000.0]) func `tells an epoch that was cut short from one that is done`(budget: Double)
    throws
  {
    let project = try ToyProject()
    let run = try project.train(project.settings(epochs: 1) { $0.timeBudget = budget }).run
    let progress = run.progress(of: run.checkpoints(), try run.record())
    #expect(progress.epoch == 1 && progress.wasCutShort == (budget < 1))
  }
}

// Training with an image cache, without one, and with one that vanishes: the same weights. And what a run measures and
// says of its data on the way.

import Datasets
import Foundation
import Messages
import Synchronization
import TestSupport
import Testing

@testable import Training

@Suite struct CachedTrainingTests {
  private let project: ToyProject

  init() throws { project = try ToyProject(side: 20) }

  /// Crops at random out of images larger than needed, so that the cached form is neither the file nor the square.
  private func settings(cached: Bool, workers: Int = 1) -> TrainingSettings {
    project.settings {
      $0.preprocessing.resize = .crop
      $0.preprocessing.imageSize = 14
      $0.augmentation.colorJitter = 0.2
      $0.cache = CacheSettings(isEnabled: cached)
      $0.workers = workers
    }
  }

  private func removeCaches() throws { _ = project.caches.clear() }

  @Test func `weights are the same with an image cache, without, and when it vanishes or changes in mid-run`()
    throws
  {
    let reference = try project.train(settings(cached: false)).arrays()
    #expect(project.caches.list().isEmpty)

    #expect(try project.train(settings(cached: true)).arrays() == reference, "an image cache made for the run")
    let cache = try #require(project.caches.list().first?.path)
    #expect(try project.train(settings(cached: true, workers: 3)).arrays() == reference, "an image cache found")

    // Cut short while the run has it open: read from the files, and told once.
    let cut = try project.train(settings(cached: true)) { event in
      if event.isStep(2) { truncate(cache, 100) }
      return []
    }
    #expect(try cut.arrays() == reference, "an image cache cut short in mid-run")
    #expect(cut.warnings.count == 1 && cut.warnings.first?.contains("damaged") == true)

    let stopped = try project.train(settings(cached: true)) { $0.isStep(7) ? [.stop] : [] }
    try removeCaches()
    let resumed = try project.resume(stopped.run)
    #expect(try resumed.arrays() == reference, "resumed after the image cache was deleted")
    #expect(project.caches.list().count == 1)
    #expect(project.caches.list().first?.content?.images == 24, "training and validation images")
  }

  @Test func `evaluating uses an image cache that is there and makes none`() throws {
    let run = try project.train(settings(cached: false))
    func evaluate() throws -> EvaluationReport {
      var report = try #require(
        try EvaluationJob(checkpoint: run.run.path, data: nil, split: .validation, caches: project.caches).run(
          threads: 1))
      report.imagesPerSecond = 0
      return report
    }
    let direct = try evaluate()
    #expect(project.caches.list().isEmpty)
    let cached = try project.train(settings(cached: true))
    func packedReport() throws -> EvaluationReport {
      var report = try #require(
        try EvaluationJob(checkpoint: cached.run.path, data: nil, split: .validation, caches: project.caches)
          .run(threads: 1))
      (report.imagesPerSecond, report.checkpoint) = (0, direct.checkpoint)
      // Checkpoints say when they were saved.
      report.provenance?.checkpoint = try #require(direct.provenance).checkpoint
      return report
    }
    #expect(try packedReport() == direct)
  }

  @Test func `preparing tells what goes on, and why there is no image cache`() throws {
    let seen = Mutex<[PreparationProgress]>([])
    func prepare(_ limit: Int?) throws -> RunSetup {
      var settings = settings(cached: true)
      settings.cache.limit = limit
      return try RunSetup(
        settings, caches: project.caches, progress: { step in seen.withLock { $0.append(step) } })
    }
    let none = try prepare(10)
    #expect(none.notes.count == 1 && none.notes.first?.contains("--cache-limit") == true)
    let cached = try prepare(nil)
    #expect(cached.notes.isEmpty)
    #expect(none.model == cached.model, "the mean is measured through the image cache")
    let kinds = seen.withLock { $0 }
    #expect(kinds.contains(.scanning(files: 24)))
    #expect(kinds.contains(.measuring(done: 18, total: 18)))
    #expect(kinds.contains { if case .caching(24, 24, _) = $0 { true } else { false } })
    let run = try project.train(settings(cached: true).with { $0.cache.limit = 10 })
    #expect(run.warnings == none.notes)
  }

  @Test func `the share of waiting is measured and written down`() throws {
    let run = try project.train(settings(cached: true))
    let waits = try run.epochs.map { try #require($0.dataWait) }
    #expect(waits.count == 2 && waits.allSatisfy { (0...1).contains($0) })
    #expect(waits.contains { $0 > 0 }, "the first batch of an epoch is always waited for")
    #expect(try MetricsLog.read(path: run.run.metricsPath).epochs.map(\.dataWait) == waits)
    let rows = try String(contentsOfFile: run.run.resultsPath, encoding: .utf8).split(separator: "\n")
    #expect(rows.first?.hasSuffix(",data_wait") == true)
    #expect(rows.dropFirst().compactMap { $0.split(separator: ",").last.flatMap { Double($0) } } == waits)
    #expect(try String(contentsOfFile: run.run.logPath, encoding: .utf8).contains("waiting for images"))
  }

  // Bad images in mid-epoch.

  @Test(arguments: [false, true])
  func `too many bad images end the run, saved, with the command that names them`(cached: Bool) throws {
    // Eleven of twenty-nine are bad; ten are always borne.
    for number in 0..<11 { try project.data.addBroken("train/red/broken\(number).png") }
    let settings = settings(cached: cached).with { $0.batchSize = 2 }
    var message = ""
    do {
      _ = try project.train(settings)
      Issue.record("the run went on")
    } catch let error as TrainingError {
      guard case .tooManyBadImages(_, 11, 29, _, _) = error else { throw error }
      message = error.description
    }
    let folder = project.folder.file("runs/cifar8-1")
    #expect(message.contains("skipline check") && message.contains("train/red/broken"))
    #expect(message.contains("--resume \(folder) --accept-changes"))
    let stopped = try Checkpoint.trainingState(path: folder + "/checkpoints/last.safetensors")
    #expect(stopped.epochTotals.skipped <= 10)

    // Mended, the run goes on where it was, once it is said that the files are meant to be others.
    for number in 0..<11 { try project.data.add("train/red/broken\(number).png", color: "red", side: 20) }
    let run = try project.resume(try RunFolder(existing: folder), ResumeChanges(acceptsData: true))
    #expect(run.outcome.reason == .completed && run.outcome.epochs == 2)
    #expect(run.epochs.map(\.skippedImages) == [stopped.epochTotals.skipped, 0])
  }

  @Test func `ten bad images are borne, whatever their share`() throws {
    for number in 0..<10 { try project.data.addBroken("train/red/broken\(number).png") }
    let run = try project.train(settings(cached: false))
    #expect(run.epochs.map(\.skippedImages) == [10, 10])
    #expect(TrainingLoop.skippedLimit(images: 28) == 10 && TrainingLoop.skippedLimit(images: 5000) == 500)
  }

  // A last batch of one, which batch norm cannot take.

  @Test(arguments: [(17, true), (17, false), (9, true), (6, true)])
  func `a set of one more than whole batches trains, with an image cache and without`(batch: Int, cached: Bool)
    throws
  {
    // Eighteen training images: 17 + 1, 9 + 9, 6 + 6 + 6.
    let run = try project.train(settings(cached: cached).with { $0.batchSize = batch })
    #expect(run.steps.count == 2 * max(1, 18 / batch))
    #expect(run.steps.allSatisfy { $0.loss.isFinite })
  }
}

extension TrainingSettings {
  fileprivate func with(_ change: (inout TrainingSettings) -> Void) -> TrainingSettings {
    var settings = self
    change(&settings)
    return settings
  }
}

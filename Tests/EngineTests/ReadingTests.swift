// Reading datasets through the engine: counts as they come, cancelling, deciding. What reading finds is tested with
// Datasets.

import Datasets
import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct ReadingTests {
  private let project: ToyProject
  private let store: DecisionStore

  init() throws {
    project = try ToyProject(counts: SplitCounts(train: 6, validation: 2, test: 2))
    store = DecisionStore(folder: project.folder.file("configuration/decisions"))
  }

  private func open(_ checkingFiles: Bool = false) -> BrowsingCommand {
    .openDataset(path: project.data.root, split: SplitSettings(), checkingFiles: checkingFiles)
  }

  private func report(_ event: Event) -> DatasetReport? {
    if case .dataset(let report) = event { report } else { nil }
  }

  private func failure(_ event: Event) -> String? { if case .failure(let text) = event { text } else { nil } }

  @Test func `counts come before the dataset`() throws {
    let harness = EngineHarness(decisions: store)
    harness.engine.send(open())
    let last = try harness.wait(for: "all counts") { event -> [DatasetProgress.ClassCount]? in
      if case .datasetProgress(.scanning(30, let classes)) = event { classes } else { nil }
    }
    #expect(last == ["blue", "green", "red"].map { .init(name: $0, images: 10) })
    try harness.wait(for: "a dataset", report)
    try harness.shutDown()
  }

  /// With room for one event the engine waits at each: while nobody reads them the reading does not end.
  @Test func `cancelling ends the reading under way and those that wait, and is answered once`() throws {
    for number in 0..<200 { try project.data.addBroken("train/red/more\(number).png") }
    let harness = EngineHarness(capacity: 1, decisions: store)
    harness.engine.send(open())
    Thread.sleep(forTimeInterval: 0.05)
    for _ in 0..<3 { harness.engine.send(open(true)) }
    harness.engine.send(.cancelReading)
    try harness.wait(for: "the answer") { $0 == .readingCancelled ? true : nil }
    #expect(!harness.events.contains { report($0) != nil }, "nothing is told of what was cancelled")
    // What is asked for afterwards is done.
    harness.engine.send(open())
    try harness.wait(for: "a dataset", report)
    try harness.shutDown()
    #expect(harness.events.filter { $0 == .readingCancelled }.count == 1)
    #expect(harness.events.compactMap(report).count == 1)
    #expect(harness.failures.isEmpty)
  }

  @Test func `cancelling while nothing is read is answered and disturbs nothing`() throws {
    let harness = EngineHarness(decisions: store)
    harness.engine.send(.cancelReading)
    harness.engine.send(open())
    try harness.wait(for: "the answer") { $0 == .readingCancelled ? true : nil }
    try harness.wait(for: "a dataset", report)
    try harness.shutDown()
  }

  @Test(arguments: [true, false]) func `a decision is answered with the dataset`(isRead: Bool) throws {
    let harness = EngineHarness(decisions: store)
    if isRead {
      harness.engine.send(open())
      try harness.wait(for: "a dataset", report)
      // Not read again: what came since is not in the answer.
      try project.data.add("train/red/late.png", color: "red")
    }
    func decide(_ changes: [DecisionChange]) {
      harness.engine.send(.decide(data: project.data.root, split: SplitSettings(), changes: changes))
    }
    decide([.exclude(path: "train/red/0.png"), .relabel(path: "train/red/1.png", to: "blue")])
    let decided = try harness.wait(for: "a dataset", report)
    #expect(decided.classes.map(\.excluded) == [0, 0, 1])
    #expect(decided.classes.map(\.counts.total) == [11, 10, 8])
    #expect(try store.load(dataset: project.data.root).list.count == 2, "kept on disk")

    decide([.exclude(path: "train/red/nothing.png")])
    #expect(try harness.wait(for: "a refusal", failure).contains("train/red/nothing.png is not an image of"))
    decide([.include(path: "train/red/0.png"), .relabel(path: "train/red/1.png", to: "red")])
    #expect(try harness.wait(for: "a dataset", report).counts.total == 30)
    #expect(!FileManager.default.fileExists(atPath: store.file(forDataset: project.data.root)))
    try harness.shutDown()
  }

  @Test func `decisions that cannot be read are a failure that names the line`() throws {
    try store.update(dataset: project.data.root) { $0 = try decisions(excluding: "train/red/0.png") }
    let file = store.file(forDataset: project.data.root)
    try Data("exclude train/red/0.png\nexclud\n".utf8).write(to: URL(fileURLWithPath: file))
    let harness = EngineHarness(decisions: store)
    harness.engine.send(open())
    #expect(try harness.wait(for: "a failure", failure).hasPrefix("\(file), line 2: "))
    harness.engine.send(
      .decide(data: project.data.root, split: SplitSettings(), changes: [.include(path: "train/red/0.png")]))
    #expect(try harness.wait(for: "a failure", failure).hasPrefix("\(file), line 2: "))
    try harness.shutDown()
    #expect(try String(contentsOfFile: file, encoding: .utf8).hasSuffix("exclud\n"), "left as it is")
  }

  private func decisions(excluding path: String) throws -> Decisions {
    var decisions = Decisions.none
    try decisions.apply(
      [.exclude(path: path)], to: ScannedDataset.read(root: project.data.root, split: SplitSettings()))
    return decisions
  }

  @Test func `a stop while the data are read ends the preparation, and leaves no run`() throws {
    let red = project.data.root + "/train/red"
    for number in 0..<400 {
      try FileManager.default.copyItem(atPath: red + "/0.png", toPath: red + "/more\(number).png")
    }
    let harness = EngineHarness(capacity: 1, decisions: store)
    // A stop that comes when the few images are read already ends a run that has begun: so more than one try.
    var isCancelled = false
    for _ in 0..<20 where !isCancelled {
      let runs = try RunFolder.listRuns(project: project.folder.file("runs")).count
      harness.engine.send(.start(project.endless()))
      try harness.wait(for: "counts") { event -> Bool? in
        if case .preparing(.scanning) = event { true } else { nil }
      }
      harness.engine.send(.training(.stop))
      try harness.wait(for: .idle)
      #expect(harness.failures.isEmpty)
      isCancelled = try RunFolder.listRuns(project: project.folder.file("runs")).count == runs
    }
    #expect(isCancelled)
    // The stop was for that start alone.
    harness.engine.send(.start(project.settings(epochs: 1)))
    try harness.wait(for: "the end") { if case .training(.finished) = $0 { true } else { nil } }
    try harness.shutDown()
    #expect(!harness.events.contains { if case .warning = $0 { true } else { false } })
  }

  /// A run of one epoch; its job, and the lock with it, is gone.
  private func trainedRun() throws -> RunFolder {
    let job = try TrainingJob.new(project.settings(epochs: 1), commandLine: [], decisions: store)
    #expect(job.setup.training.items.count == 17)
    #expect(job.setup.training.items.filter { $0.label == 0 }.count == 7)
    _ = try job.loop(hooks: TrainingLoop.Hooks()).train()
    return job.run
  }

  @Test func `training, evaluation and resuming honor decisions`() throws {
    let data = project.data.root
    try store.update(dataset: data) { decisions in
      try decisions.apply(
        [
          .exclude(path: "train/red/0.png"), .exclude(path: "test/red/0.png"),
          .relabel(path: "train/red/1.png", to: "blue"),
        ], to: ScannedDataset.read(root: data, split: SplitSettings()))
    }
    let run = try trainedRun()

    let evaluation = try EvaluationJob(checkpoint: run.path, data: nil, split: .test)
    let report = try #require(try evaluation.run(threads: 1, decisions: store))
    #expect(report.images == 5)

    #expect(throws: Never.self) {
      try TrainingJob.resumed(folder: run.path, decisions: store).loop(hooks: TrainingLoop.Hooks())
    }
    // Other decisions make other data.
    try store.update(dataset: data) { decisions in
      try decisions.apply(
        [.include(path: "train/red/0.png")], to: ScannedDataset.read(root: data, split: SplitSettings()))
    }
    let error = #expect(throws: DataChangedError.self) {
      try TrainingJob.resumed(folder: run.path, decisions: store)
    }
    #expect(error?.changes?.added == ["train/red/0.png"])
  }

  @Test func `many who decide at once lose no decision`() throws {
    let data = project.data.root
    let reading = try ScannedDataset.read(root: data, split: SplitSettings())
    let paths = reading.items.map(\.path)
    DispatchQueue.concurrentPerform(iterations: paths.count) { [store] number in
      do {
        try store.update(dataset: data) { try $0.apply([.exclude(path: paths[number])], to: reading) }
      } catch {
        Issue.record(error)
      }
    }
    #expect(try store.load(dataset: data).list.count == paths.count)
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder).count == 1, "nothing is left over")
  }
}

extension DecisionStore {
  fileprivate func update(dataset root: String, _ change: (inout Decisions) throws -> Void) throws {
    try update(ScannedDataset.read(root: root, split: SplitSettings()), change)
  }

  fileprivate func load(dataset root: String) throws -> Decisions {
    try find(for: ScannedDataset.read(root: root, split: SplitSettings())).decisions
  }
}

// Resuming under other conditions: more epochs, other data, another processor, damaged files, records of old versions.

import Support
import Files
import Foundation
import Messages
import Tensors
import Tensors
import Testing
import TestSupport
import WeightFiles

@testable import Training

@Suite struct ResumeTests {
  private let project: ToyProject

  init() throws { project = try ToyProject() }

  // MARK: More of it

  @Test func `a run whose name is not UTF-8 is trained, listed, resumed and read like any other`() throws {
    let name = String(pathBytes: [0x72, 0xfc, 0x6e])
    let stopped = try project.train(project.settings { $0.name = name }) { $0.isStep(2) ? [.stop] : [] }
    let run = try project.resume(stopped.run)
    #expect(run.outcome.reason == .completed && run.run.name == name)
    #expect(try Folder.names(in: project.folder.file("runs")).map(\.pathBytes) == [[0x72, 0xfc, 0x6e]])
    let listed = try #require(try RunFolder.listRuns(project: project.folder.file("runs")).first)
    #expect(try listed.record().settings.name == name)
    #expect(listed.checkpoints().map(\.name) == ["last", "best"])
    #expect(try CheckpointLocation(listed.path).path == listed.path(of: .best))
    #expect(RunLock.holder(of: listed) == nil)
    let lock = try RunLock(listed)
    #expect(RunLock.holder(of: listed) == getpid())
    withExtendedLifetime(lock) {}
  }

  @Test func `a finished run goes on for more epochs with the schedule of so many`() throws {
    let settings = project.settings(epochs: 2) { $0.schedule = .cosine(warmUp: 0.1) }
    let short = try project.train(settings)
    let long = try project.resume(short.run, ResumeChanges(epochs: 4))
    #expect(long.outcome.epochs == 4 && long.outcome.steps == 20)
    let schedule = LearningRateSchedule(settings: settings.schedule, stepsPerEpoch: 5, epochs: 4)
    #expect(long.steps.map(\.learningRate) == (10..<20).map { schedule.rate(step: $0, .init(peak: 0.05)) })
    #expect(try MetricsLog.read(path: long.run.metricsPath).steps.map(\.step) == Array(1...20))
    // From now on it is a run of four epochs.
    #expect(try project.resume(short.run).outcome.epochs == 4)
    #expect(try short.run.record().settings.epochs == 4)
  }

  @Test func `a run in mixed precision goes on in it to the same bits`() throws {
    let settings = project.settings(epochs: 2) { $0.precision = .bf16 }
    // Slow where the processor lacks the instruction, and the same.
    try OperandPrecision.$hasFastBFloat16.withValue(true) {
      let reference = try project.train(settings)
      let stopped = try project.train(settings) { $0.isStep(3) ? [.stop] : [] }
      let run = try project.resume(stopped.run, ResumeChanges(threads: 2))
      let comparison = try RunComparison(reference.run, run.run)
      #expect(comparison.isSame, "\(comparison.differences)")
      let exact = try project.train(project.settings(epochs: 2))
      #expect(try !RunComparison(reference.run, exact.run).isSame, "another precision gives other weights")
    }
  }

  @Test func `the number of epochs it has anyway changes nothing`() throws {
    let reference = try project.train(project.settings(epochs: 2))
    let stopped = try project.train(project.settings(epochs: 2)) { $0.isStep(3) ? [.stop] : [] }
    let run = try project.resume(stopped.run, ResumeChanges(epochs: 2))
    let comparison = try RunComparison(reference.run, run.run)
    #expect(comparison.isSame, "\(comparison.differences)")
  }

  @Test func `a run goes on with another rate, and that is what it is interrupted with`() throws {
    let stopped = try project.train(project.settings(epochs: 2)) { $0.isStep(3) ? [.stop] : [] }
    let run = try project.resume(stopped.run, ResumeChanges(learningRate: 0.01)) { $0.isStep(6) ? [.stop] : [] }
    #expect(run.steps.map(\.learningRate) == [0.01, 0.01, 0.01])
    #expect(try project.resume(stopped.run).steps.map(\.learningRate) == [0.01, 0.01, 0.01, 0.01])
  }

  @Test func `less than a run has done is refused, and its record stays as it was`() throws {
    let stopped = try project.train(project.settings(epochs: 5) { $0.earlyStoppingPatience = 4 }) {
      $0.isStep(12) ? [.stop] : []
    }
    let before = try Data(contentsOf: URL(fileURLWithPath: stopped.run.recordPath))
    let seconds = try Checkpoint.trainingState(path: stopped.run.path(of: .last)).seconds
    for changes in [
      ResumeChanges(epochs: 1), ResumeChanges(epochs: 2), ResumeChanges(timeBudget: seconds / 2),
      ResumeChanges(epochs: 0), ResumeChanges(timeBudget: .nan), ResumeChanges(patience: -1),
      ResumeChanges(learningRate: .infinity), ResumeChanges(threads: 0), ResumeChanges(workers: .max),
      ResumeChanges(saveMinutes: 1e20),
    ] {
      #expect(throws: SettingsError.self, "\(changes)") { try project.resume(stopped.run, changes) }
      #expect(try Data(contentsOf: URL(fileURLWithPath: stopped.run.recordPath)) == before, "\(changes)")
    }
    let error = #expect(throws: SettingsError.self) { try project.resume(stopped.run, ResumeChanges(epochs: 2)) }
    #expect(error?.description.contains("has begun epoch 3 already") == true)
    #expect(try project.resume(stopped.run, ResumeChanges(epochs: 3)).outcome.reason == .completed)
  }

  @Test func `patience that is used up already is refused`() throws {
    let run = try project.train(
      project.settings(epochs: 60) { ($0.earlyStoppingPatience, $0.learningRate) = (2, 1e-9) })
    let error = #expect(throws: SettingsError.self) { try project.resume(run.run, ResumeChanges(patience: 2)) }
    #expect(error?.description.contains("the last 2 epochs were not better") == true)
  }

  @Test func `other epochs say what becomes of the rate before anything is trained`() throws {
    let run = try project.train(project.settings(epochs: 2) { $0.schedule = .cosine(warmUp: 0.1) })
    let longer = try project.resume(run.run, ResumeChanges(epochs: 4))
    let notice = try #require(longer.warnings.first)
    let schedule = LearningRateSchedule(settings: .cosine(warmUp: 0.1), stepsPerEpoch: 5, epochs: 4)
    let state = LearningRateSchedule.State(peak: 0.05)
    let rates = [
      try #require(run.steps.last?.learningRate), schedule.rate(step: 10, state), schedule.rate(step: 19, state),
    ].map { String(format: "%.3g", $0) }
    #expect(notice.hasPrefix("4 epochs instead of 2: by the schedule cosine:0.1"))
    #expect(notice.contains("goes from \(rates[0]) to \(rates[1]) at once, and then to \(rates[2]) at the end"))
    #expect(longer.events.map(\.label).prefix(2) == ["started", "warning"])
    let constant = try project.train(project.settings(epochs: 1))
    #expect(
      try project.resume(constant.run, ResumeChanges(epochs: 2)).warnings.first?.contains("stays 0.05") == true)
    #expect(
      try project.resume(constant.run, ResumeChanges(epochs: 2)).warnings.isEmpty, "no other number of epochs")
  }

  // MARK: Other data

  @Test func `a refusal says what was added, removed, relabeled, moved and altered`() throws {
    let stopped = try project.train(project.settings()) { $0.isStep(2) ? [.stop] : [] }
    let root = project.data.root
    func move(_ from: String, _ to: String) throws {
      try FileManager.default.moveItem(atPath: "\(root)/\(from)", toPath: "\(root)/\(to)")
    }
    for number in 10..<15 { try project.data.add("train/red/\(number).png", color: "red") }
    try FileManager.default.removeItem(atPath: "\(root)/train/blue/1.png")
    try project.data.add("train/green/2.png", color: "green", side: 9)
    let error = #expect(throws: DataChangedError.self) { try project.resume(stopped.run) }
    let changes = try #require(error?.changes)
    #expect(changes.added == (10..<15).map { "train/red/\($0).png" })
    #expect(changes.removed == ["train/blue/1.png"])
    #expect(changes.altered == ["train/green/2.png"])
    let text = try #require(error?.description)
    #expect(text.contains("5 added (train/red/10.png, train/red/11.png, train/red/12.png and 2 more)"))
    #expect(text.contains("--accept-changes"))

    let run = try project.resume(stopped.run, ResumeChanges(acceptsData: true))
    #expect(run.outcome.reason == .completed)
    #expect(try project.resume(stopped.run).outcome.reason == .completed, "accepted once is accepted")
  }

  @Test func `accepting a change and dying before the next save needs no second acceptance`() throws {
    let stopped = try project.train(project.settings()) { $0.isStep(4) ? [.stop] : [] }
    // Two batches an epoch instead of five: the position lies behind the end.
    for number in 1..<6 {
      for name in project.data.classes {
        try FileManager.default.removeItem(atPath: "\(project.data.root)/train/\(name)/\(number).png")
      }
    }
    _ = try TrainingJob.resumed(folder: stopped.run.path, changes: ResumeChanges(acceptsData: true))
    let run = try project.resume(stopped.run)
    #expect(
      run.events.map(\.label).prefix(2) == ["started", "saved last"], "nothing of the epoch is left to train on")
    #expect(run.outcome.epochs == 2)
  }

  @Test func `other classes are never accepted`() throws {
    let stopped = try project.train(project.settings()) { $0.isStep(2) ? [.stop] : [] }
    try project.data.add("train/aqua/0.png", color: "aqua")
    let error = #expect(throws: DataChangedError.self) {
      try project.resume(stopped.run, ResumeChanges(acceptsData: true))
    }
    #expect(error?.classesChanged == true && error?.description.contains("--weights") == true)
  }

  @Test func `a manifest is read back as it was, whatever the names, and tells labels and splits apart`() throws {
    let folder = try TemporaryFolder()
    let data = try ToyDataset(folder.file("data"), counts: SplitCounts(train: 1, validation: 1))
    try data.add("train/red/a\tb\\n\nc.png", color: "red")
    let project = ToyProject(folder: folder, data: data)
    let index = try RunSetup(project.settings()).index
    let manifest = ImageManifest(of: index)
    let path = folder.file("images.txt")
    try manifest.write(to: path)
    let read = try #require(try ImageManifest(path: path))
    #expect(read == manifest)
    #expect(manifest.entries.count == 7 && manifest.entries.values.allSatisfy { $0.size ?? 0 > 0 })
    #expect(manifest.changes(to: read) == nil)
    let text = try folder.text("images.txt").replacing("val\tblue\t", with: "train\tgreen\t")
    try folder.write(Array(text.utf8), to: "images.txt")
    let altered = try #require(try ImageManifest(path: path))
    let changes = try #require(manifest.changes(to: altered))
    #expect(changes.relabeled == ["val/blue/0.png"] && changes.moved == ["val/blue/0.png"])
    try folder.write(Array("something else".utf8), to: "images.txt")
    #expect(throws: RunFolderError.self) { try ImageManifest(path: path) }
  }

  // MARK: Another machine, another version

  @Test func `a checkpoint names the kernels, and others are warned of`() throws {
    let stopped = try project.train(project.settings()) { $0.isStep(2) ? [.stop] : [] }
    let path = stopped.run.path(of: .last)
    #expect(try Checkpoint.kernels(path: path) == Kernels.description)
    #expect(Kernels.description.contains("OpenBLAS"))
    let file = try Safetensors.read(path: path)
    var metadata = file.metadata.filter { ![Safetensors.checksumKey, Safetensors.sealKey].contains($0.key) }
    metadata["skipline.kernels"] = "abacus"
    try Safetensors.write(try file.names.map { try file.array($0) }, metadata: metadata, to: path)
    let run = try project.resume(stopped.run)
    #expect(run.warnings.count == 1 && run.warnings[0].contains("abacus"))
    #expect(run.warnings[0].contains(Kernels.description))
  }

  // MARK: Damage

  @Test func `a damaged last is refused wherever it is damaged, and the newest whole checkpoint offered`() throws {
    let run = try project.train(project.settings { $0.keep = KeepPolicy(everyEpochs: 1, newest: 2) })
    let path = run.run.path(of: .last)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    let offered = run.run.path(of: .epoch(2))

    func expectRefused(_ data: Data, _ what: String) throws {
      try data.write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: CheckpointError.self, "\(what)") { try project.resume(run.run) }
      #expect(error?.description.contains(path) == true, "\(what)")
      #expect(error?.description.contains("--weights \(offered)") == true, "\(what): \(String(describing: error))")
    }

    for place in stride(from: 0, to: whole.count, by: 4999) {
      var damaged = whole
      damaged[place] ^= 1 << UInt8(place % 8)
      try expectRefused(damaged, "bit \(place % 8) of byte \(place)")
    }
    for length in [0, 7, 8, 9, 100, whole.count / 2, whole.count - 1] {
      try expectRefused(whole.prefix(length), "cut to \(length)")
    }
    try FileManager.default.removeItem(atPath: path)
    let gone = #expect(throws: CheckpointError.self) { try project.resume(run.run) }
    #expect(gone?.description.contains("last.safetensors is not there") == true)

    // A damaged one is not offered.
    try Data("damaged".utf8).write(to: URL(fileURLWithPath: offered))
    let next = #expect(throws: CheckpointError.self) { try project.resume(run.run) }
    guard case .lost(_, _, let alternative?)? = next else {
      Issue.record("\(String(describing: next))")
      return
    }
    #expect(alternative.path != offered)
    try whole.write(to: URL(fileURLWithPath: path))
    #expect(try project.resume(run.run).outcome.reason == .completed)
  }
}

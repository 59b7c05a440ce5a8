// Run folders: their names, what is found in them, what is deleted and what never is.

import Datasets
import Files
import Foundation
import Messages
import Synchronization
import Testing
import TestSupport
import WeightFiles

@testable import Training

@Suite struct RunFolderTests {
  let folder: TemporaryFolder
  var project: String { folder.file("deep/runs") }

  init() throws { folder = try TemporaryFolder() }

  private func makeRun() throws -> RunFolder {
    try RunFolder.create(project: project, name: nil, defaultStem: "cifar20")
  }

  /// Writes a checkpoint as training would.
  @discardableResult
  private func save(_ name: CheckpointName, epoch: Int, accuracy: Double? = nil, in run: RunFolder) throws
    -> CheckpointInfo
  {
    let info = CheckpointInfo(
      path: run.path(of: name), name: name.stem, epoch: epoch, step: epoch * 10, validationAccuracy: accuracy,
      savedAt: "2026-01-31T12:00:00Z")
    try Safetensors.write(
      [NamedArray(name: "w", shape: [1], floats: [1])], metadata: info.metadata, to: info.path)
    return info
  }

  @Test func `a new run takes the lowest number that is free`() throws {
    #expect(try makeRun().path == project + "/cifar20-1")
    #expect(try makeRun().name == "cifar20-2")
    #expect(try RunFolder.create(project: project, name: nil, defaultStem: "vgg19").name == "vgg19-1")
    try FileManager.default.removeItem(atPath: project + "/cifar20-1")
    #expect(try makeRun().name == "cifar20-1")
    #expect(try folder.names(in: "deep/runs/cifar20-1") == ["checkpoints", "evaluations"])
  }

  @Test(.timeLimit(.minutes(2)), arguments: ["pipe", "hole", "link to itself", "folder"])
  func `what lies in a shared folder in a file's place is refused, and never waited for`(kind: String) throws {
    let run = try makeRun()
    try save(.best, epoch: 1, in: run)
    let last = run.path(of: .last)
    for path in [run.recordPath, run.manifestPath, run.lockPath, last, run.evaluationsPath + "/best-test.json"] {
      switch kind {
      case "pipe": #expect(mkfifo(path, 0o600) == 0)
      case "hole":
        try Data().write(to: URL(fileURLWithPath: path))
        #expect(truncate(path, 1 << 40) == 0)
      case "folder": #expect(mkdir(path, 0o700) == 0)
      default: #expect(symlink(path, path) == 0)
      }
    }
    #expect(throws: RunFolderError.self) { try run.record() }
    #expect(throws: RunFolderError.self) { try ImageManifest(path: run.manifestPath) }
    #expect(throws: (any Error).self) { try run.evaluation(of: .best, on: .test) }
    #expect(run.checkpoints().map(\.name) == ["best"])
    #expect(run.checkpointListing().damaged.map(\.path) == [last])
    #expect(RunLock.holder(of: run) == nil)
    if kind != "hole" { #expect(throws: FileOperationError.self) { _ = try RunLock(run) } }
    #expect(try RunFolder.listRuns(project: project) == [run])
  }

  @Test func `twenty runs that start at once get twenty folders`() throws {
    let names = Mutex<[String]>([])
    let project = project
    DispatchQueue.concurrentPerform(iterations: 20) { _ in
      guard let run = try? RunFolder.create(project: project, name: nil, defaultStem: "a") else { return }
      names.withLock { $0.append(run.name) }
    }
    #expect(Set(names.withLock { $0 }) == Set((1...20).map { "a-\($0)" }))
  }

  @Test func `a given name is taken as it is, and refused when it exists`() throws {
    let run = try RunFolder.create(project: project + "/", name: "mine", defaultStem: "cifar20")
    #expect(run.name == "mine")
    let error = #expect(throws: RunFolderError.self) {
      try RunFolder.create(project: project, name: "mine", defaultStem: "cifar20")
    }
    #expect(error == .exists(path: project + "/mine"))
    #expect(error?.description.contains("resume it") == true)
  }

  @Test(arguments: ["", ".", "..", "../a", "a/b", "/", ".hidden", "-x", "a\0b"])
  func `a name that is no folder's name is refused`(name: String) throws {
    #expect(throws: RunFolderError.badName(name)) {
      try RunFolder.create(project: project, name: name, defaultStem: "cifar20")
    }
    #expect(!FileManager.default.fileExists(atPath: project))
  }

  @Test func `a project that is a file is named in the error`() throws {
    let path = try folder.write([], to: "file")
    #expect(throws: FileOperationError(path: path, step: .makeFolder, code: ENOTDIR)) {
      try RunFolder.create(project: path, name: nil, defaultStem: "a")
    }
    #expect(throws: FileOperationError(path: path + "/runs", step: .makeFolder, code: ENOTDIR)) {
      try RunFolder.create(project: path + "/runs", name: nil, defaultStem: "a")
    }
    #expect(throws: FileOperationError(path: path, step: .listFolder, code: ENOTDIR)) {
      try RunFolder.listRuns(project: path)
    }
  }

  @Test func `an existing run is opened, anything else is not`() throws {
    let run = try makeRun()
    #expect(try RunFolder(existing: run.path) == run)
    #expect(try RunFolder(existing: run.path + "//") == run)
    #expect(throws: RunFolderError.missing(path: project + "/none")) { try RunFolder(existing: project + "/none") }
    #expect(throws: RunFolderError.notARun(path: project)) { try RunFolder(existing: project) }
  }

  @Test func `run.json is read back, sorted and readable, and is what makes a folder a run in the list`() throws {
    #expect(try RunFolder.listRuns(project: project) == [])
    let record = RunRecord(
      skipline: "1.2.3", created: Date(timeIntervalSince1970: 0), commandLine: ["skipline", "train", "a b"],
      settings: TrainingSettings(data: "d", network: NetworkSettings(name: "cifar20"), seed: .max),
      model: ModelDescription(
        network: NetworkSettings(name: "cifar20", shortcut: .zeroPadding, version: .v1, stem: .small),
        classes: ["1", "2", "10"],
        preprocessing: Preprocessing(imageSize: 32, resize: .stretch, mean: [0, 0, 0], std: [1, 1, 1])),
      splitFingerprint: "0123abcd")
    var runs: [RunFolder] = []
    for _ in 0..<11 { runs.append(try makeRun()) }
    for run in runs.dropLast() { try run.save(record) }
    #expect(try runs[0].record() == record)
    #expect(try RunFolder.listRuns(project: project) == Array(runs.dropLast()))

    let text = try folder.text("deep/runs/cifar20-1/run.json")
    #expect(text.hasPrefix("{\n  \"commandLine\" : ["))
    #expect(text.hasSuffix("}\n"))
    #expect(text.contains("\"created\" : \"1970-01-01T00:00:00Z\""))
  }

  @Test func `a run.json that is damaged, incomplete or of another version is refused with the reason`() throws {
    let run = try makeRun()
    func reason(_ text: String?) throws -> String {
      if let text { try Data(text.utf8).write(to: URL(fileURLWithPath: run.recordPath)) }
      let error = #expect(throws: RunFolderError.self) { try run.record() }
      guard case .unreadable(let path, let reason)? = error else { return "" }
      #expect(path == run.recordPath)
      return reason
    }
    #expect(try !reason(nil).isEmpty)
    #expect(try !reason("{").isEmpty)
    #expect(try reason("{}") == "\"format\" is missing")
    #expect(try reason("{\"format\":4}").hasPrefix("it has format 4, of a later version of Skipline"))
    #expect(try reason("{\"format\":1}").hasPrefix("it has format 1, of an earlier version of Skipline"))
    #expect(try reason("{\"format\":3}").hasSuffix("is missing"))
    #expect(try reason("{\"format\":3,\"skipline\":3}").hasPrefix("in skipline: "))
  }

  @Test func `the checkpoints' names and files go together`() {
    for (name, stem) in [
      (CheckpointName.last, "last"), (.best, "best"), (.epoch(3), "epoch-0003"), (.epoch(12345), "epoch-12345"),
      (.other("epoch-3"), "epoch-3"), (.other("epoch-00003"), "epoch-00003"), (.other("epoch-"), "epoch-"),
      (.other("mine"), "mine"), (.other("epoch--001"), "epoch--001"),
    ] {
      #expect(name.stem == stem)
      #expect(CheckpointName(path: "runs/a/checkpoints/\(stem).safetensors") == name)
    }
  }

  @Test func `checkpoints are listed from their headers, the damaged ones apart with the reason`() throws {
    let run = try makeRun()
    #expect(run.checkpointListing() == CheckpointListing())
    let old = try save(.epoch(2), epoch: 2, in: run)
    let new = try save(.epoch(10), epoch: 10, accuracy: 0.1 + 0.2, in: run)
    let last = try save(.last, epoch: 11, accuracy: 0.25, in: run)
    let best = try save(.best, epoch: 10, accuracy: 1, in: run)
    let own = try save(.other("mine"), epoch: 1, in: run)
    try Safetensors.write([], metadata: [:], to: run.path(of: .other("foreign")))
    try Data("x".utf8).write(to: URL(fileURLWithPath: run.path(of: .epoch(3))))
    try Data("x".utf8).write(to: URL(fileURLWithPath: run.checkpointsPath + "/.last.safetensors.1-1.partial"))
    try Data("x".utf8).write(to: URL(fileURLWithPath: run.checkpointsPath + "/notes.txt"))

    #expect(run.checkpoints() == [last, best, new, old, own])
    let damaged = run.checkpointListing().damaged
    #expect(damaged.map(\.path) == [run.path(of: .epoch(3)), run.path(of: .other("foreign"))])
    #expect(
      damaged[0].reason == "\(damaged[0].path): not a whole safetensors file, it has only 1 bytes; "
        + "get it again or use another checkpoint")
  }

  @Test(arguments: [
    (KeepPolicy(newest: nil), [1, 2, 3, 10]), (KeepPolicy(newest: 3), [2, 3, 10]), (KeepPolicy(newest: 1), [10]),
    (KeepPolicy(newest: 0), []), (KeepPolicy(newest: 9), [1, 2, 3, 10]), (KeepPolicy(newest: -1), []),
  ])
  func `the newest numbered checkpoints stay, and last, best and others always`(policy: KeepPolicy, kept: [Int])
    throws
  {
    let run = try makeRun()
    for epoch in [1, 10, 2, 3] { try save(.epoch(epoch), epoch: epoch, in: run) }
    for name in [CheckpointName.last, .best, .other("mine")] { try save(name, epoch: 1, in: run) }
    let removed = try run.applyKeepPolicy(policy)
    #expect(removed.count == 4 - kept.count)
    let expected = kept.map { CheckpointName.epoch($0).stem } + ["best", "last", "mine"]
    #expect(Set(run.checkpoints().map(\.name)) == Set(expected))
    #expect(try run.applyKeepPolicy(policy) == [])
  }

  @Test func `the last of all checkpoints is never deleted`() throws {
    let run = try makeRun()
    for epoch in 1...3 { try save(.epoch(epoch), epoch: epoch, in: run) }
    try run.applyKeepPolicy(KeepPolicy(newest: 0))
    #expect(run.checkpoints().map(\.name) == ["epoch-0003"])
  }

  @Test func `numbered checkpoints are due every so many epochs`() {
    let due = { (every: Int) in (1...6).filter { KeepPolicy(everyEpochs: every).savesNumbered(epoch: $0) } }
    #expect(due(1) == [1, 2, 3, 4, 5, 6])
    #expect(due(2) == [2, 4, 6])
    #expect(due(0) == [])
  }

  @Test func `an evaluation is a file a checkpoint and split, and is read back, without a loss too`() throws {
    let run = try makeRun()
    var report = EvaluationReport(
      checkpoint: run.path(of: .epoch(3)), data: "/d", split: .validation, images: 1, loss: nil, top1: 0,
      top5: 1, classes: [], confusion: [[1]], misclassified: [], skipped: [], unknownClasses: [], imagesPerSecond: 1
    )
    let path = try run.save(report)
    #expect(path == run.evaluationsPath + "/epoch-0003-val.json")
    #expect(try run.evaluation(of: .epoch(3), on: .validation) == report)
    #expect(try run.evaluation(of: .epoch(3), on: .test) == nil)
    report.loss = 2
    try run.save(report)
    #expect(try run.evaluation(of: .epoch(3), on: .validation)?.loss == 2)
  }
}

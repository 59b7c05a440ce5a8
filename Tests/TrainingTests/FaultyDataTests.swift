// Data that are known to be faulty before a run: it does not start unless told to. And the division of a run's images,
// which stays what it was whatever is added.

import Datasets
import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct FaultyDataTests {
  private func project() throws -> ToyProject {
    let project = try ToyProject(counts: SplitCounts(train: 4, validation: 2, test: 2))
    try project.data.add("test/aqua/1.png", color: "aqua")
    return project
  }

  @Test func `a run does not start on what check calls an error, unless told to`() throws {
    let project = try project()
    let error = #expect(throws: UnacceptedErrors.self) {
      try TrainingJob.new(project.settings(), commandLine: [], caches: nil)
    }
    let text = "\(try #require(error))"
    #expect(text.contains("\"aqua\" has no training images") && text.contains("--accept-errors"))
    #expect(!FileManager.default.fileExists(atPath: project.folder.file("runs")), "no folder is left behind")

    let run = try project.train(project.settings(epochs: 1) { $0.safety.acceptsErrors = true })
    #expect(try run.run.record().settings.safety.acceptsErrors)
    // The record says so for good.
    #expect(try project.resume(run.run, ResumeChanges(epochs: 2)).outcome.reason == .completed)
  }

  @Test func `errors that came since keep a run from going on, unless accepted`() throws {
    let project = try ToyProject(counts: SplitCounts(train: 4, validation: 2, test: 2))
    let run = try project.train(project.settings(epochs: 1)).run
    // All training images of a class are gone; the class is not.
    try FileManager.default.removeItem(atPath: project.data.root + "/train/red")
    #expect(throws: UnacceptedErrors.self) { try project.resume(run, ResumeChanges(epochs: 2, acceptsData: true)) }
    let resumed = try project.resume(run, ResumeChanges(epochs: 2, acceptsErrors: true, acceptsData: true))
    #expect(resumed.outcome.reason == .completed)
    #expect(try run.record().settings.safety.acceptsErrors)
  }

  /// A dataset that the rule divides, and images that are added to it until the rule would divide others otherwise.
  @Test func `a run's images keep their splits, in resuming and in evaluation`() throws {
    let folder = try ToyProject(counts: SplitCounts())
    func add(_ range: Range<Int>) throws {
      for name in folder.data.classes {
        for number in range {
          // No numbers in the names.
          let letters = String(number, radix: 2).map { $0 == "1" ? "b" : "a" }.joined()
          try folder.data.add("\(name)/\(letters).png", color: name)
        }
      }
    }
    try add(0..<11)
    let settings = folder.settings(epochs: 1) { $0.split = SplitSettings() }
    let run = try folder.train(settings).run
    let before = try #require(try ImageManifest(path: run.manifestPath))
    let tests = before.entries.filter { $0.value.split == "test" }
    try add(11..<40)
    let fresh = try DatasetIndex.scan(root: folder.data.root, split: SplitSettings())
    let now = Dictionary(fresh.items.map { (ByteKey($0.path), $0.split.rawValue) }, uniquingKeysWith: { a, _ in a })
    try #require(before.entries.contains { now[$0.key] != $0.value.split }, "the rule alone moves some")

    #expect(try folder.resume(run, ResumeChanges(epochs: 2, acceptsData: true)).outcome.reason == .completed)
    let after = try #require(try ImageManifest(path: run.manifestPath))
    for (path, entry) in before.entries { #expect(after.entries[path]?.split == entry.split) }

    // Without what was accepted: the manifest of the beginning again.
    try before.write(to: run.manifestPath)
    for data in [nil, folder.data.root] {
      let job = try EvaluationJob(checkpoint: run.path, data: data, split: .train, caches: nil)
      let report = try #require(try job.run(threads: 1))
      let measured = Set(report.misclassified.map { ByteKey($0.path) })
      #expect(measured.isDisjoint(with: tests.keys))
    }
    let recorded = before.recordedSplits()
    let index = try ScannedDataset.read(root: folder.data.root, split: SplitSettings(), recorded: recorded).index()
    #expect(Set(index.items(in: .test).map { ByteKey($0.path) }).isSuperset(of: tests.keys))
  }

  @Test func `two files in two spellings are two images of a run, and one that was spelled anew is itself`() throws
  {
    let project = try ToyProject(counts: SplitCounts(train: 4, validation: 2))
    for name in ["caf\u{e9}.png", "cafe\u{301}.png"] { try project.data.add("train/red/\(name)", color: "red") }
    let index = try DatasetIndex.scan(root: project.data.root, split: SplitSettings())
    let manifest = ImageManifest(of: index)
    #expect(manifest.entries.count == index.items.count)
    let path = project.folder.file("images.txt")
    try manifest.write(to: path)
    #expect(try ImageManifest(path: path) == manifest)
    try FileManager.default.removeItem(atPath: project.data.root + "/train/red/caf\u{e9}.png")
    let removed = ImageManifest(of: try DatasetIndex.scan(root: project.data.root, split: SplitSettings()))
    #expect(manifest.changes(to: removed)?.removed.count == 1)
    try FileManager.default.moveItem(
      atPath: project.data.root + "/train/red/cafe\u{301}.png",
      toPath: project.data.root + "/train/red/caf\u{e9}.png")
    let renamed = ImageManifest(of: try DatasetIndex.scan(root: project.data.root, split: SplitSettings()))
    #expect(removed.changes(to: renamed) == nil)
  }
}

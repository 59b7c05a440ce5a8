// Which images are measured, and under which name the result is kept: the run's own images keep their division wherever
// they are; all others are measured whole, and never take the place of the run's own evaluation.

import Datasets
import Foundation
import Messages
import TestSupport
import Testing
import WeightFiles

@testable import Training

@Suite struct MeasuredDataTests {
  private let project: ToyProject

  init() throws { project = try ToyProject(counts: SplitCounts(train: 6, validation: 2, test: 3)) }

  /// Class folders without split folders, four images a class.
  private func heap(_ name: String, in project: ToyProject, numbers: Range<Int> = 0..<4) throws -> String {
    let data = try ToyDataset(project.folder.file(name), counts: SplitCounts())
    for color in data.classes { for number in numbers { try data.add("\(color)/\(number).png", color: color) } }
    return data.root
  }

  private func report(_ checkpoint: String, _ data: String?, _ split: EvaluationSplit? = nil) throws
    -> EvaluationReport
  {
    try #require(try EvaluationJob(checkpoint: checkpoint, data: data, split: split).run(threads: 1))
  }

  @Test func `class folders that are not the run's own are measured whole`() throws {
    let run = try project.train(project.settings(epochs: 1)).run
    let other = try heap("holdout", in: project)
    for checkpoint in [run.path, run.path(of: .last)] {
      let whole = try report(checkpoint, other)
      #expect(whole.images == 12 && whole.split == .all && whole.provenance?.isRunsOwn == false)
      #expect(try report(checkpoint, other, .all).images == 12)
      for split in [EvaluationSplit.train, .validation, .test] {
        let error = #expect(throws: SettingsError.self) { try report(checkpoint, other, split) }
        #expect(error?.description.contains("--split all") == true)
      }
    }
    // The same of a file that lies in no run.
    let alone = project.folder.file("alone.safetensors")
    try FileManager.default.copyItem(atPath: run.path(of: .best), toPath: alone)
    #expect(try report(alone, other).images == 12)
    // Folders that say what is what are heeded, and a folder for training is whole.
    let divided = try ToyDataset(project.folder.file("divided"), counts: SplitCounts(train: 20, test: 4))
    #expect(try report(run.path, divided.root).images == 12)
    #expect(try report(run.path, divided.root, .train).images == 60)
    #expect(try report(run.path, divided.root, .all).images == 72)
    #expect(try report(run.path, nil).images == 9 && report(run.path, nil, .all).images == 33)
  }

  @Test func `images of one class can be measured`() throws {
    let run = try project.train(project.settings(epochs: 1)).run
    let reds = try ToyDataset(project.folder.file("reds"), classes: ["red"], counts: SplitCounts())
    for number in 0..<5 { try reds.add("red/\(number).png", color: "red") }
    let report = try report(run.path, reds.root)
    #expect(report.images == 5 && report.classes.map(\.support) == [0, 0, 5])
  }

  /// Bitmaps of one size have files of one size.
  @Test func `other pictures with the names and sizes of the run's are others`() throws {
    func write(_ name: String, shade: UInt8) throws -> String {
      let root = project.folder.file(name)
      for (label, color) in ["green", "red"].enumerated() {
        try FileManager.default.createDirectory(atPath: "\(root)/\(color)", withIntermediateDirectories: true)
        for number in 0..<20 {
          let pixels = (0..<192).map { UInt8($0) &* 31 ^ UInt8(number * 7 + label) ^ shade }
          try ToyDataset.writePNG(
            PixelImage(width: 8, height: 8, pixels: pixels), to: "\(root)/\(color)/\(number).png")
          let file = try #require(FileHandle(forWritingAtPath: "\(root)/\(color)/\(number).png"))
          // Behind the picture's end, where no decoder looks.
          try file.truncate(atOffset: 1000)
          try file.close()
        }
      }
      return root
    }
    let data = try write("drawn", shade: 0)
    let run = try project.train(
      project.settings(epochs: 1) {
        $0.data = data
        $0.split = SplitSettings()
      }
    ).run
    let copy = project.folder.file("copy")
    try FileManager.default.copyItem(atPath: data, toPath: copy)
    #expect(try report(run.path, copy).provenance?.isRunsOwn == true)
    #expect(try report(run.path, try write("others", shade: 96)).images == 40)
  }

  @Test func `the run's own images keep their division where they were moved`() throws {
    let data = try heap("data2", in: project, numbers: 0..<30)
    let settings = project.settings(epochs: 1) {
      $0.data = data
      $0.split = SplitSettings()
    }
    let run = try project.train(settings).run
    let before = try report(run.path, nil)
    #expect(before.split == .test && before.images < 30 && before.provenance?.isRunsOwn == true)
    let (moved, link) = (project.folder.file("moved"), project.folder.file("link"))
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: data)
    #expect(try report(run.path, link).images == before.images)
    try FileManager.default.moveItem(atPath: data, toPath: moved)
    let gone = #expect(throws: RunDataGone.self) { try report(run.path, nil) }
    #expect(gone?.description.contains("skipline evaluate") == true && gone?.description.contains("--data") == true)
    // An empty folder is left where a disk was mounted.
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
    #expect(throws: RunDataGone.self) { try report(run.path, nil) }
    let after = try report(run.path, moved)
    #expect(after.images == before.images && after.confusion == before.confusion && after.loss == before.loss)
    #expect(after.provenance == before.provenance)
    // Also with an image more, and of a part of them.
    try ToyDataset.writePNG(PixelImage(width: 1, height: 1, pixels: [0, 0, 0]), to: moved + "/red/more.png")
    #expect(try report(run.path, moved).provenance?.isRunsOwn == true)
    for color in ["red", "green"] { try FileManager.default.removeItem(atPath: "\(moved)/\(color)/3.png") }
    #expect(try report(run.path, moved).split == .test)
  }

  @Test func `a run goes on with its images in another place, and with no others`() throws {
    let reference = try project.train(project.settings(epochs: 2) { $0.name = "reference" })
    let run = try project.train(project.settings(epochs: 1) { $0.name = "moved" }).run
    let moved = project.folder.file("moved")
    try FileManager.default.moveItem(atPath: project.data.root, toPath: moved)
    let gone = #expect(throws: RunDataGone.self) { try project.resume(run, ResumeChanges(epochs: 2)) }
    #expect(gone?.description.contains("skipline train --resume") == true)

    let other = try ToyDataset(
      project.folder.file("other"), counts: SplitCounts(train: 6, validation: 2, test: 3), side: 9)
    let changed = #expect(throws: DataChangedError.self) {
      try project.resume(run, ResumeChanges(data: other.root, epochs: 2))
    }
    #expect(changed?.changes?.altered.isEmpty == false)
    #expect(try run.record().settings.data == project.data.root, "nothing is changed by a refusal")

    let resumed = try project.resume(run, ResumeChanges(data: moved, epochs: 2))
    #expect(resumed.outcome.reason == .completed && resumed.steps.map(\.step) == Array(6...10))
    #expect(try run.record().settings.data == moved)
    let comparison = try RunComparison(reference.run, run)
    #expect(comparison.isSame, "\(comparison.differences)")
    #expect(try report(run.path, nil).images == 9, "and from now on by itself")
  }

  @Test func `lists that lie in the dataset move with it`() throws {
    let lists = project.data.root + "/lists"
    try FileManager.default.createDirectory(atPath: lists, withIntermediateDirectories: true)
    try Data("train/red/0.png\n".utf8).write(to: URL(fileURLWithPath: lists + "/test.txt"))
    let run = try project.train(project.settings(epochs: 1) { $0.split.lists = lists }).run
    let before = try report(run.path, nil).images
    let moved = project.folder.file("moved")
    try FileManager.default.moveItem(atPath: project.data.root, toPath: moved)
    #expect(try report(run.path, moved).images == before)
    let resumed = try project.resume(run, ResumeChanges(data: moved, epochs: 2))
    #expect(resumed.outcome.epochs == 2)
    #expect(try run.record().settings.split.lists == moved + "/lists")
  }

  // MARK: Where it is kept

  private func files(_ run: RunFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: run.evaluationsPath).sorted()
  }

  private func evaluate(_ run: RunFolder, _ data: String? = nil) throws -> EvaluationReport {
    let job = try EvaluationJob(checkpoint: run.path(of: .last), data: data, split: nil)
    let report = try #require(try job.run(threads: 1))
    try job.keep(report)
    return report
  }

  @Test func `an evaluation of other data, an older checkpoint or other images never loses its place`() throws {
    let run = try project.train(project.settings(epochs: 1)).run
    let own = try evaluate(run)
    #expect(try files(run) == ["last-test.json"])
    // Of one name and one set of paths, in two places.
    let others = try ["a/test", "b/test"].map { try heap($0, in: project) }
    for other in others { _ = try evaluate(run, other) }
    #expect(try files(run).count == 3 && files(run).filter { $0.hasPrefix("last-all-test-") }.count == 2)
    #expect(try run.evaluation(of: .last, on: .test) == own)
    _ = try evaluate(run, others[0])
    #expect(try files(run).count == 3, "the same again takes its own place")

    _ = try project.resume(run, ResumeChanges(epochs: 2))
    let later = try evaluate(run)
    #expect(later.provenance?.checkpoint != own.provenance?.checkpoint)
    #expect(try run.evaluation(of: .last, on: .test) == later)
    #expect(try files(run).count == 4)
    try FileManager.default.removeItem(atPath: project.data.root + "/test/red/0.png")
    _ = try evaluate(run)
    #expect(try files(run).count == 5)
    for name in try files(run) {
      let kept = try RunJSON.read(EvaluationReport.self, path: "\(run.evaluationsPath)/\(name)")
      #expect(kept.data.hasPrefix("/") && kept.provenance?.checkpoint.hasPrefix("crc32c:") == true)
    }
  }

  @Test func `a missing folder for evaluations is made, and one that cannot be loses no figures`() throws {
    let run = try project.train(project.settings(epochs: 1)).run
    try FileManager.default.removeItem(atPath: run.evaluationsPath)
    _ = try evaluate(run)
    #expect(try files(run) == ["last-test.json"])
    try FileManager.default.removeItem(atPath: run.evaluationsPath)
    try Data().write(to: URL(fileURLWithPath: run.evaluationsPath))
    let job = try EvaluationJob(checkpoint: run.path, data: nil, split: nil)
    let report = try #require(try job.run(threads: 1))
    #expect(report.images == 9)
    #expect(throws: (any Error).self) { try job.keep(report) }
  }

  @Test(arguments: ["{", "[]", "{\"format\":99}", "{\"name\":\"of another program\"}", nil] as [String?])
  func `a checkpoint is enough by itself, whatever lies beside it`(record: String?) throws {
    let run = try project.train(project.settings(epochs: 1)).run
    if let record {
      try Data(record.utf8).write(to: URL(fileURLWithPath: run.recordPath))
    } else {
      try FileManager.default.removeItem(atPath: run.recordPath)
    }
    let path = run.path(of: .best)
    let report = try report(path, project.data.root)
    #expect(report.images == 9)
    let job = try EvaluationJob(checkpoint: path, data: project.data.root, split: nil)
    #expect(try job.keep(report) == nil)
    #expect(job.notes.isEmpty == (record == nil))
    // A record that says nothing is told as the reason; where there is none, the data were never known.
    let error = #expect(throws: (any Error).self) { try EvaluationJob(checkpoint: path, data: nil, split: nil) }
    #expect(record == nil ? error is SettingsError : error is RecordNotUsable)
    #expect(error.map { "\($0)" }?.contains("--data") == true)
  }

  @Test func `a run of another version is refused for its checkpoint, not for want of data`() throws {
    let run = try project.train(project.settings(epochs: 1)).run
    try Data("{\"format\":1}".utf8).write(to: URL(fileURLWithPath: run.recordPath))
    let path = run.path(of: .best)
    let file = try Safetensors.read(path: path)
    var metadata = file.metadata.filter { ![Safetensors.checksumKey, Safetensors.sealKey].contains($0.key) }
    metadata["skipline.format"] = "1"
    try Safetensors.write(try file.names.map { try file.array($0) }, metadata: metadata, to: path)
    let error = #expect(throws: CheckpointError.self) { try EvaluationJob(checkpoint: path, data: nil, split: nil) }
    #expect(error.map { "\($0)" }?.contains("--data") == false)
  }

  @Test func `a checkpoint beside another model's record stands by itself`() throws {
    let run = try project.train(project.settings(epochs: 1)).run
    var record = try run.record()
    record.model.classes = ["cat", "dog", "owl"]
    try run.save(record)
    let job = try EvaluationJob(checkpoint: run.path(of: .best), data: project.data.root, split: nil)
    #expect(job.notes.count == 1 && job.notes[0].contains("another model"))
    #expect(try job.run(threads: 1)?.images == 9)
  }

  // MARK: As JSON

  @Test(arguments: [2, EvaluationReport.denseClasses, EvaluationReport.denseClasses + 1])
  func `a report that is written as it goes is the report`(classes: Int) throws {
    var tally = ClassificationMetrics(classes: (0..<classes).map { "class \"\($0)\"" })
    for label in 0..<classes {
      let logits = (0..<classes).map { Float(($0 * 7 + label) % 5) }
      tally.add(logits: logits, truths: [label], paths: ["a/\(label)\n.png"])
    }
    let report = try #require(
      tally.report(
        checkpoint: "c", data: "d", split: .all, leftOut: .init(skipped: ["s"], unknownClasses: ["u"]), seconds: 1,
        provenance: EvaluationProvenance(
          checkpoint: "crc32c:0", splitFingerprint: "1", imagesFingerprint: "2", excluded: 3, relabeled: 4,
          isRunsOwn: true)))
    var bytes: [UInt8] = []
    var pieces = 0
    try EvaluationDocument.write(report) {
      bytes += $0
      pieces += 1
    }
    #expect(try JSONDecoder().decode(EvaluationReport.self, from: Data(bytes)) == report)
    let written = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    let encoded = try #require(
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(report)) as? [String: Any])
    #expect(NSDictionary(dictionary: written).isEqual(to: encoded))
    #expect((written["confusion"] != nil) == (classes <= EvaluationReport.denseClasses))
  }
}

// What an evaluation keeps of each image: the same as was measured, in order, in as many bytes as it may take, and never
// believed when it comes back.

import Files
import Foundation
import Messages
import Support
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Inspection
@testable import Training

@Suite struct EvaluationRecordTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Three images of two classes, out of order, one without outputs.
  private static let images: [(path: String, truth: Int, logits: [Float], features: [Float])] = [
    ("b/10.png", 1, [0, 2], [1, 2, 3]), ("b/9.png", 1, [3, 0], [70000, -0.5, .nan]),
    ("a/é.png", 0, [.nan, 1], [0, 0, 0]),
  ]

  @Test func `columns, probabilities and features come back as they were measured, by their paths`() throws {
    let made = try record(Self.images)
    let path = folder.file("r.safetensors")
    let bytes = try made.write(to: path)
    let read = try EvaluationRecord(path: path)
    #expect(read.table.paths == ["a/é.png", "b/9.png", "b/10.png"] && read.table.bytes == bytes)
    #expect(read.table.predictions == [-1, 0, 1] && read.table.truths == [0, 1, 1])
    var table = made.table
    table.bytes = bytes
    #expect(read.table == table)
    let outputs = try #require(Softmax([3, 0] as [Float]))
    #expect(read.table.losses[1] == Float(outputs.loss(1)) && read.table.losses[0] == .greatestFiniteMagnitude)
    #expect(read.table.margins[1] == Float(outputs.probability(0) - outputs.probability(1)))
    let probabilities = try read.probabilities.values(0..<3)
    #expect(
      probabilities == [0, 0] + outputs.probabilities.map { Float($0) } + [probabilities[4], probabilities[5]])
    // Half precision ends at 65504, and has no place for what is no number.
    #expect(try read.features?.all() == [0, 0, 0, 65504, -0.5, 0, 1, 2, 3])
    #expect(read.features?.layer == "fc")
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == again(made))
  }

  private func again(_ record: EvaluationRecord) throws -> Data {
    let path = folder.file("again.safetensors")
    try record.write(to: path)
    return try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test(arguments: [(3, ProbabilityRows.Form.single, 3), (40, .half, 40), (300, .most, 64)])
  func `many classes are kept in fewer bytes, and add up to one`(
    classes: Int, form: ProbabilityRows.Form, kept: Int
  ) throws {
    let logits = (0..<classes).map { Float($0 % 7) + ($0 == 2 ? 6 : 0) }
    let made = try record([("a", 1, logits, [])])
    try made.write(to: folder.file("r.safetensors"))
    let read = try EvaluationRecord(path: folder.file("r.safetensors"))
    #expect(read.probabilities.form == form && read.probabilities.kept == kept && read.features == nil)
    let values = try read.probabilities.values(0..<1)
    let exact = try #require(Softmax(logits)).probabilities
    #expect(values.count == classes && abs(values.reduce(0, +) - 1) < 0.002)
    #expect(abs(Double(values[2]) - exact[2]) < 0.0005 && read.table.top(0)[0].label == 2)
    #expect(read.table.notes.isEmpty == (form != .most))
  }

  @Test func `features are given up first, then all but the most probable classes, and both are said`() throws {
    let images = (0..<50).map {
      (path: "\($0).png", truth: 0, logits: (0..<20).map(Float.init), features: [Float](repeating: 1, count: 100))
    }
    // A row takes some 75 bytes of columns, 80 of probabilities and 200 of features.
    let all = try record(images)
    #expect(all.features != nil && all.table.notes.isEmpty)
    let fewer = try record(images, mostBytes: 10_000)
    #expect(fewer.features == nil && fewer.probabilities.kept == 20)
    #expect(fewer.table.notes == ["the features are not kept: they would take more than 10000 bytes"])
    let least = try record(images, mostBytes: 5000)
    #expect(least.features == nil && least.probabilities.kept == 5 && least.table.notes.count == 2)
    try least.write(to: folder.file("least.safetensors"))
    #expect(try EvaluationRecord(path: folder.file("least.safetensors")).probabilities.values(0..<1).count == 20)
    #expect(try record(images, parts: .probabilities).features == nil)
  }

  @Test func `a record that was changed, cut off or made up is refused and named`() throws {
    let path = folder.file("r.safetensors")
    try record(Self.images).write(to: path)
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    #expect(fuzzEvaluationRecord(whole))
    func expectRefusal(_ bytes: [UInt8], _ what: String) throws {
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      #expect(throws: EvaluationRecordError.self, "\(what)") { try EvaluationRecord(path: path) }
      do { _ = try EvaluationRecord(path: path) } catch {
        #expect("\(error)".contains(path) && "\(error)".contains("evaluate again"), "\(error)")
      }
    }
    try expectRefusal(Array(whole.dropLast(1)), "cut off")
    // The last bytes are of features, whose damage shows when all are read; those before are of columns.
    var changed = whole
    changed[whole.count - 80] ^= 1
    try Data(changed).write(to: URL(fileURLWithPath: path))
    #expect(throws: EvaluationRecordError.self) { try EvaluationRecord(path: path).features?.all() }
    let plain = [NamedArray(name: "truth", shape: [1], values: .int32([0]))]
    for metadata in [[:], ["skipline.evaluation": "{"], ["skipline.evaluation": #"{"version":9}"#]] {
      try Safetensors.write(plain, metadata: metadata, to: path)
      #expect(throws: EvaluationRecordError.self) { try EvaluationRecord(path: path) }
    }
  }

  @Test func `a run's evaluation is kept and found, until its checkpoint or its images change`() throws {
    let project = try ToyProject(counts: SplitCounts(train: 4, validation: 2, test: 3))
    let run = try project.trained(project.settings(epochs: 1))
    let source = EvaluationSource(checkpoint: run.path, split: .test)
    guard case .missing = try KeptRecords.find(source) else { return #expect(Bool(false), "nothing is kept yet") }
    let (report, record, kept) = try project.evaluated(run, .test)
    #expect(kept?.path == "\(run.evaluationsPath)/best-test.images.safetensors" && kept?.bytes ?? 0 > 0)
    guard case .record(let found) = try KeptRecords.find(source) else {
      return #expect(Bool(false), "it is kept")
    }
    #expect(found.table.paths == record.table.paths && found.table.source == source)
    #expect(report.precision == .fp32 && found.precision == .fp32)
    #expect(found.table.confusion() == report.confusion && found.table.count == report.images)
    let wrong = found.table.rows(EvaluationFilter(answers: .wrong)).map { found.table.paths[Int($0)] }
    #expect(Set(wrong) == Set(report.misclassified.map(\.path)))
    // The means of 16 channels, as the classifier reads them.
    #expect(found.features?.width == 16 && found.features?.layer == "fc")
    let now = try #require(
      try EvaluationJob(checkpoint: run.path, data: nil, split: .test, caches: nil).currentProvenance())
    #expect(found.staleness(now) == nil)
    var other = now
    other.edits = DataEdits(excluded: SplitCounts(test: 1))
    #expect(found.staleness(other)?.contains("excluded") == true)
    other = now
    other.imagesFingerprint = "x"
    #expect(found.staleness(other) == "the images have changed since")
    // Another best checkpoint takes its place.
    try FileManager.default.removeItem(atPath: run.path(of: .best))
    try FileManager.default.copyItem(atPath: run.path(of: .last), toPath: run.path(of: .best))
    guard case .unusable(let reason) = try KeptRecords.find(source) else {
      return #expect(Bool(false), "it is of another checkpoint")
    }
    #expect(reason.contains("of an earlier best.safetensors"))
    _ = try project.evaluated(run, .test, parts: .none)
    #expect(try FilePath.kind(of: kept?.path ?? "") == nil, "what is not wanted any more is removed")
  }

  @Test func `features are those that the classifier makes its logits of`() throws {
    let project = try ToyProject(counts: SplitCounts(train: 4, validation: 2, test: 3))
    let run = try project.trained(project.settings(epochs: 1))
    let (_, record, _) = try project.evaluated(run, .test)
    let model = try Checkpoint.load(path: run.path(of: .best))
    let extractor = try FeatureExtractor(model: model, pool: ThreadPool(threads: 1))
    let features = try #require(record.features)
    for (row, path) in record.table.paths.enumerated() {
      let own = try extractor.features(of: "\(project.data.root)/\(path)")
      let kept = try features.values(row..<row + 1)
      #expect(zip(own, kept).allSatisfy { abs($0 - $1) <= 0.001 * max(1, abs($0)) }, "\(path)")
    }
    let blocks = try FeatureExtractor(model: model, layer: "layer1", pool: ThreadPool(threads: 1))
    #expect(blocks.width == 4)
    #expect(throws: (any Error).self) {
      try FeatureExtractor(model: model, layer: "layer9", pool: ThreadPool(threads: 1))
    }
    #expect(throws: (any Error).self, "a norm that is fused with its ReLU is never there") {
      try FeatureExtractor(model: model, layer: "bn1", pool: ThreadPool(threads: 1))
    }
  }
}

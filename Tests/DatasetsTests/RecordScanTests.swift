// Folders of shards as datasets: which files are shards, what their images are called, what is said of damage.

import Support
import Foundation
import Images
import Messages
import TestSupport
import Testing

@testable import Datasets

@Suite struct `Names of shards` {
  @Test func `the split is a word of the name, the number is not`() throws {
    func name(_ text: String) throws -> ShardName { try #require(ShardName(text), "\(text)") }
    let expected: [(String, SplitRole?, String, Int?)] = [
      ("train-00000-of-00004", .train, "train", 4), ("train-00003-of-00004.tfrecord", .train, "train", 4),
      ("validation-00000-of-00001", .validation, "validation", 1),
      ("flowers_train_00000-of-00005.tfrecord", .train, "flowers_train", 5),
      ("mnist-test.tfrecord-00000-of-00001", .test, "mnist-test", 1), ("train.tfrecord", .train, "train", nil),
      ("VAL.TFRecords", .validation, "VAL", nil), ("dev00.tfrec", .validation, "dev00", nil),
      ("my-test-train.tfrecord", .train, "my-test-train", nil), ("contest.tfrecord", nil, "contest", nil),
      ("images.tfrecord", nil, "images", nil), ("eval.tfrecord", .evaluation, "eval", nil),
      ("train-00004-of-00004", .train, "train", nil),
    ]
    for (text, role, stem, count) in expected {
      let parsed = try name(text)
      #expect(parsed.role == role && parsed.stem == stem && parsed.place?.count == count, "\(text)")
    }
    for text in ["train", "train.txt", ".tfrecord", "train-0-of", "image.png", "tfrecord"] {
      #expect(ShardName(text) == nil, "\(text)")
    }
  }

  @Test func `labels come numbered, or a line each`() {
    #expect(LabelsFile(Array("0:daisy\r\n7:a:b\n".utf8)).names == [0: "daisy", 7: "a:b"])
    #expect(LabelsFile(Array("cat\ndog\n".utf8)).names == [0: "cat", 1: "dog"])
    #expect(LabelsFile(Array("cat\ndog\n".utf8)).faultyLine == nil)
    #expect(LabelsFile(Array("0:cat\n\nno number\n1:dog".utf8)).faultyLine == 3)
    #expect(LabelsFile(Array("0:cat\n0:dog".utf8)).faultyLine == 2)
    #expect(LabelsFile(LabelsFile.content(classes: ["a\nb", "c"])).names == [0: "a b", 1: "c"])
    #expect(LabelsFile([]).names.isEmpty)
  }
}

@Suite struct `Folders of shards` {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `images are named by their place, and open by that name`() throws {
    try folder.write(Shard.any(5), to: "train-00000-of-00002")
    try folder.write(Shard.any(3), to: "train-00001-of-00002")
    try folder.write(Shard.any(2), to: "validation-00000-of-00001")
    try folder.write(Shard.any(2), to: "test.tfrecord")
    var progress: [Int] = []
    let index = try DatasetIndex.scan(root: folder.path, split: SplitSettings()) {
      if case .scanning(let files, _) = $0 { progress.append(files) }
    }
    #expect(index.classes == ["cat", "dog"])
    #expect(index.splitSource == .folders)
    #expect(Split.allCases.map { index.items(in: $0).count } == [8, 2, 2])
    #expect(index.shardFindings.isEmpty)
    #expect(progress.last == 12)
    for item in index.items {
      #expect(FileSlice(name: item.path)?.length == PNGFile.any.count)
      #expect(try index.contents(item) == PNGFile.any)
    }
    #expect(index.items.map(\.label) == [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    #expect(
      index.items.map(\.path)
        == zip(index.items, index.items.map(\.path)).sorted {
          ($0.0.label, 0) < ($1.0.label, 0) || $0.0.label == $1.0.label && NaturalOrder.precedes($0.1, $1.1)
        }.map(\.1))
    #expect(index.report(fileCheck: index.checkFiles()).statistics?.undecodable == [])
  }

  @Test func `without a split in the names the hash decides, and later shards move little`() throws {
    try folder.write(Shard.any(60), to: "a.tfrecord")
    let before = try scan(shards: folder.path)
    #expect(before.splitSource == .hash)
    #expect(Split.allCases.allSatisfy { !before.items(in: $0).isEmpty })
    try folder.write(Shard.any(20), to: "b.tfrecord")
    let after = Set(try scan(shards: folder.path).items.map { "\($0.path) \($0.split)" })
    #expect(after.count == 80)
    #expect(before.items.count { !after.contains("\($0.path) \($0.split)") } <= before.items.count / 5)
  }

  @Test func `validation images are taken out of the training shards where there are none`() throws {
    try folder.write(Shard.any(60), to: "train.tfrecord")
    try folder.write(Shard.any(4), to: "test.tfrecord")
    let index = try scan(shards: folder.path)
    #expect(!index.items(in: .validation).isEmpty)
    #expect(index.items(in: .test).count == 4)
  }

  @Test func `shards may lie in folders named for splits`() throws {
    try folder.write(Shard.any(4), to: "train/part-00000-of-00001")
    try folder.write(Shard.any(2), to: "validation/part-00000-of-00001")
    let index = try scan(shards: folder.path)
    #expect(Split.allCases.map { index.items(in: $0).count } == [4, 2, 0])
    #expect(index.items[0].path.hasPrefix("train/part-00000-of-00001@"))
    #expect(try index.contents(index.items[0]) == PNGFile.any)
  }

  @Test func `a class is its text, else its line in labels.txt, else its number`() throws {
    let examples = [
      Shard.example(text: "tulip", label: 2), Shard.example(label: 0), Shard.example(text: "", label: 10),
      Shard.example(text: "\u{e9}"), Shard.example(text: "e\u{301}"),
    ]
    try folder.write(Shard.bytes(examples), to: "train.tfrecord")
    try folder.write(Array("0:daisy\n1:rose\n2:tulip\n".utf8), to: "labels.txt")
    let index = try scan(shards: folder.path)
    // Two spellings of one accented letter are one name.
    let expected = ["10", "daisy", "tulip", "\u{e9}"].map { Array($0.utf8) }
    #expect(index.classes.map { Array($0.utf8) } == expected)
    #expect(
      index.findings.filter { $0.kind == .emptyClass }.map(\.message)
        == ["of the classes in labels.txt, 1 has no images: rose"])
  }

  @Test func `a class text that is not UTF-8 is kept exact`() throws {
    let odd = ImageExample.serialized([
      "image/encoded": .bytes(PNGFile.any), "image/class/text": .bytes([0x61, 0xff, 0x1b]),
    ])
    try folder.write(Shard.bytes([odd, Shard.example(text: "b")]), to: "train.tfrecord")
    let index = try scan(shards: folder.path)
    #expect(index.classes.map(\.pathBytes) == [[0x61, 0xff, 0x1b], [0x62]])
  }

  @Test func `texts and labels that contradict each other are told`() throws {
    let examples = [
      Shard.example(text: "crane", label: 134), Shard.example(text: "crane", label: 517),
      Shard.example(text: "dog", label: 1),
    ]
    try folder.write(Shard.bytes(examples), to: "train.tfrecord")
    try folder.write(Array("1:cat\nnonsense\n".utf8), to: "labels.txt")
    #expect(
      try scan(shards: folder.path).shardFindings.map(\.message) == [
        "labels.txt has a line that makes no sense: line 2",
        "\"crane\" is the class text of 2 labels (134, 517): it is taken as one class",
        "label 1 is \"dog\" in the shards and \"cat\" in labels.txt",
      ])
  }

  @Test func `damage is told with shard, record and byte, and the rest is used`() throws {
    let record = Shard.bytes([Shard.example(text: "cat")])
    var flipped = Shard.any(6)
    flipped[2 * record.count + 30] ^= 4
    try folder.write(flipped, to: "train-00000-of-00003")
    try folder.write(Array(Shard.any(4).dropLast(7)), to: "train-00001-of-00003")
    var badLength = Shard.any(5)
    badLength[3 * record.count + 1] ^= 4
    try folder.write(badLength, to: "train-00002-of-00003")
    let index = try scan(shards: folder.path)
    #expect(index.items.count == 5 + 3 + 3)
    let left = record.count - 12 - 7
    #expect(
      index.shardFindings.map(\.message) == [
        "train-00000-of-00003: record 3 at byte \(2 * record.count) is damaged: the checksum of its data is wrong",
        "train-00001-of-00003: record 4 at byte \(3 * record.count) is cut off: it has \(record.count - 16) bytes, "
          + "the file only \(left) more",
        "train-00002-of-00003: record 4 at byte \(3 * record.count) is damaged: the checksum of its length is wrong",
      ])
    #expect(index.shardFindings.map(\.paths) == (0..<3).map { ["train-0000\($0)-of-00003"] })
    #expect(
      index.shardFindings.map { $0.advice.hasPrefix("nothing from there on is used") } == [false, true, true])
    #expect(index.shardFindings.allSatisfy { $0.severity == .error })
  }

  @Test func `of many damaged records the first are told and the others counted`() throws {
    try folder.write(Shard.any(2) + Shard.bytes(Array(repeating: [10, 5, 1], count: 25)), to: "train.tfrecord")
    let findings = try scan(shards: folder.path).shardFindings
    #expect(findings.count == 11)
    #expect(findings.last?.message == "train.tfrecord: 15 more records cannot be used")
  }

  @Test func `missing shards and sets written at different times are told`() throws {
    for name in ["train-00000-of-00004", "train-00003-of-00004", "train-00001-of-00002"] {
      try folder.write(Shard.any(), to: name)
    }
    #expect(
      try scan(shards: folder.path).shardFindings.map(\.message) == [
        "train-00001-of-00002 and train-00000-of-00004 are of sets that were written at different times",
        "of the 2 shards that train-00001-of-00002 is one of, 1 is missing, the first is number 0",
        "of the 4 shards that train-00000-of-00004 is one of, 2 are missing, the first is number 1",
      ])
  }

  @Test func `a file that is only called a shard is named`() throws {
    try folder.write(Array("not at all a record".utf8), to: "train.tfrecord")
    #expect(
      throws: DatasetError.unreadableRecords(
        path: "\(folder.path)/train.tfrecord",
        reason: "is no TFRecord shard, or one that is damaged at its very beginning")
    ) { try scan(shards: folder.path) }
    // Beside a good one it is a finding.
    try folder.write(Shard.any(), to: "val.tfrecord")
    try folder.write([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], to: "test.tfrecord")
    try folder.write(PNGFile.any, to: "more.tfrecord")
    try folder.write([], to: "nothing.tfrecord")
    try folder.write([1, 2, 3], to: "short.tfrecord")
    let index = try scan(shards: folder.path)
    #expect(index.items.count == 2)
    #expect(
      index.shardFindings.map(\.message) == [
        "more.tfrecord is a single image, not a TFRecord shard",
        "nothing.tfrecord is empty: it holds no records",
        "short.tfrecord is no TFRecord shard, or one that is damaged at its very beginning",
        "test.tfrecord is compressed; unpack it first, only plain TFRecord shards can be read",
        "train.tfrecord is no TFRecord shard, or one that is damaged at its very beginning",
      ])
    #expect(index.shardFindings.map(\.severity) == [.error, .warning, .error, .error, .error])
  }

  @Test func `shards without a usable image are an error that says why`() throws {
    try folder.write(Shard.bytes([ImageExample.serialized(["audio": .bytes([1])])]), to: "train.tfrecord")
    let error = #expect(throws: DatasetError.self) { try scan(shards: folder.path) }
    #expect(error?.description.contains("record 1 at byte 0 has no image/encoded, only audio") == true)
  }

  @Test func `images in class folders are the dataset, whatever shards lie beside them`() throws {
    for name in ["a/1.png", "b/1.png"] { try folder.write(PNGFile.any, to: name) }
    try folder.write(Shard.any(), to: "train.tfrecord")
    #expect(try scan(shards: folder.path).items.map(\.path) == ["a/1.png", "b/1.png"])
  }

  @Test func `folders without images beside shards change nothing, nor do parts of other files`() throws {
    try folder.write(Shard.any(), to: "train.tfrecord")
    try folder.write([1], to: "logs/events.out")
    try folder.write(Array(repeating: 1, count: 20), to: "model.data-00000-of-00001")
    try folder.link("loop", to: folder.path)
    let index = try scan(shards: folder.path)
    #expect(index.items.count == 2)
  }

  @Test func `an index of shards gives batches`() throws {
    try folder.write(Shard.any(8), to: "train.tfrecord")
    let index = try DatasetIndex.scan(root: folder.path, split: SplitSettings(train: 100, validation: 0, test: 0))
    #expect(index.items(in: .train).count == 8)
    let preprocessing = try Preprocessing(
      resolving: PreprocessingSettings(imageSize: 4), items: index.items, root: index.root)
    #expect(abs(preprocessing.mean[0] - 10 / 255) < 0.01)
  }
}

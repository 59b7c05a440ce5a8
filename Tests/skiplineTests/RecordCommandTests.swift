// Shards from the command line: written from class folders, then checked and trained on like them.

import Datasets
import Foundation
import Images
import Messages
import SampleData
import Testing

@Suite(.serialized) struct RecordCommandTests {
  /// Which pixels have which label in which split: what must be the same in folders and in shards.
  private func contents(_ folder: String) throws -> [String] {
    let index = try DatasetIndex.scan(root: folder, split: SplitSettings())
    return try index.items.map { item in
      let image = try ImageDecoder.decode(path: item.absolutePath(root: index.root))
      return "\(item.split) \(index.classes[item.label]) \(image.width)x\(image.height) \(image.pixels)"
    }.sorted()
  }

  @Test func `shards hold the pixels and labels of the folders they were written from, and train`() async throws {
    let workspace = try Workspace()
    // The split by hash goes by the path, which is another in a shard: here the folders give all three.
    for (path, bytes) in try Workspace.validation() { try workspace.write(bytes, to: "data/\(path)") }
    let cache = try await workspace.skipline("cache", "data", "--tfrecord", "shards", "--shards", "3")
    #expect(cache.status == 0, "\(cache.errors)")
    #expect(cache.outputLines.last == "shards: shards")
    #expect(workspace.exists("shards/train-00002-of-00003.tfrecord"))
    #expect(workspace.exists("shards/validation-00000-of-00003.tfrecord"))
    #expect(try workspace.lines("shards/labels.txt").count == 8)
    #expect(try contents("\(workspace.folder)/shards") == contents("\(workspace.folder)/data"))

    let folders = try await workspace.skipline("check", "data", "--json").decoded(DatasetReport.self)
    let check = try await workspace.skipline("check", "shards", "--json")
    let shards = try check.decoded(DatasetReport.self)
    #expect(check.status == 0)
    #expect(shards.classes.map(\.counts) == folders.classes.map(\.counts))
    #expect(shards.classes.map(\.name) == folders.classes.map(\.name))

    let train = try await workspace.skipline(
      ["train", "shards"] + Workspace.tinyNetwork + ["--epochs", "1", "--name", "sharded"])
    #expect(train.status == 0, "\(train.errors)")
    let evaluate = try await workspace.skipline("evaluate", "runs/sharded", "--json")
    #expect(try evaluate.decoded(EvaluationReport.self).images == Workspace.testCount)
  }

  @Test func `check names a damaged record and ends with 65, training does without it where told to`() async throws
  {
    let workspace = try Workspace()
    #expect(try await workspace.skipline("cache", "data", "--tfrecord", "shards", "--shards", "2").status == 0)
    let name = "shards/train-00001-of-00002.tfrecord"
    #expect(
      !(try await workspace.skipline("check", "shards")).output.contains("by a hash"),
      "validation has shards of its own")
    var bytes = try Array(Data(contentsOf: URL(fileURLWithPath: "\(workspace.folder)/\(name)")))
    bytes[100] ^= 1
    try workspace.write(bytes, to: name)
    let check = try await workspace.skipline("check", "shards")
    #expect(check.status == 65)
    #expect(check.output.contains("train-00001-of-00002.tfrecord: record 1 at byte 0 is damaged"))
    let words = ["train", "shards"] + Workspace.tinyNetwork + ["--epochs", "1", "--name", "damaged"]
    let refused = try await workspace.skipline(words)
    #expect(refused.status == 65 && !workspace.exists("runs/damaged"))
    #expect(
      refused.errors.contains("record 1 at byte 0 is damaged") && refused.errors.contains("--accept-errors"),
      "\(refused.errors)")
    let train = try await workspace.skipline(words + ["--accept-errors"])
    #expect(train.status == 0, "\(train.errors)")
    #expect(train.errors.contains("record 1 at byte 0 is damaged"))
  }

  @Test func `cache leaves out what does not decode, and refuses to write where it must not`() async throws {
    let workspace = try Workspace()
    try workspace.truncate("data/train/star/star-0003.png")
    let cache = try await workspace.skipline("cache", "data", "--tfrecord", "shards", "--json")
    #expect(cache.status == 65)
    #expect(cache.errors.contains("left out: cannot decode train/star/star-0003.png"))
    let summary = try cache.decoded(TFRecordExport.Summary.self)
    #expect(summary.images == Workspace.imageCount - 1 && summary.leftOut.count == 1)

    let again = try await workspace.skipline("cache", "data", "--tfrecord", "shards")
    #expect(again.status == 64)
    #expect(again.errors.contains("--overwrite"))
    #expect(try await workspace.skipline("cache", "data", "--tfrecord", "shards", "--overwrite").status == 65)
    let inside = try await workspace.skipline("cache", "data", "--tfrecord", "data/shards")
    #expect(inside.status == 64 && inside.errors.contains("never written to"))
    #expect(!workspace.exists("data/shards"))
    for words in [["--shards", "0"], ["--shard-size", "10X"], ["--shards", "2", "--shard-size", "1M"]] {
      #expect(try await workspace.skipline(["cache", "data", "--tfrecord", "other"] + words).status == 64)
    }
    #expect(!workspace.exists("other"))
  }

  @Test func `a limit on file sizes is told like a full disk, and leaves nothing`() async throws {
    let workspace = try Workspace()
    let command = "ulimit -f 8; exec skipline cache data --tfrecord shards"
    let result = try await RunningProgram(["sh", "-c", command], in: workspace).finish()
    #expect(result.status == 74)
    #expect(result.errors.contains("-of-00001.tfrecord: cannot write: File too large"))
    #expect(!workspace.exists("shards"))
  }

  @Test func `a file that is only called a shard is named`() async throws {
    let workspace = try Workspace(withData: false)
    try workspace.write(Array("something else altogether".utf8), to: "data/train.tfrecord")
    let check = try await workspace.skipline("check", "data")
    #expect(check.status == 65)
    #expect(check.errors.contains("data/train.tfrecord is no TFRecord shard"))
  }

  /// Names in a shard are anybody's.
  @Test func `a class text cannot steer the terminal`() async throws {
    let workspace = try Workspace()
    let hostile = "a\u{1B}]0;owned\u{7}"
    let picture = try Workspace.pictures.picture(of: Workspace.pictures.items[0]).encodedAsPNG()
    for number in 1...4 { try workspace.write(picture, to: "data/train/\(hostile)/\(number).png") }
    #expect(try await workspace.skipline("cache", "data", "--tfrecord", "shards").status == 0)
    let check = try await workspace.skipline("check", "shards")
    #expect(check.output.contains("a␛]0;owned␇"))
    #expect(!(check.output + check.errors).contains { $0 == "\u{1B}" || $0 == "\u{7}" })
  }
}

extension Workspace {
  /// A picture of each class for `val`.
  fileprivate static func validation() throws -> [(path: String, bytes: [UInt8])] {
    let more = SampleSet(seed: 8, side: 16, trainingCount: 0, testCount: 1)
    return try more.items.map { item in
      ("val/" + item.path.dropFirst("test/".count), try more.picture(of: item).encodedAsPNG())
    }
  }
}

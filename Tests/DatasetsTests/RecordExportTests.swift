// Writing shards: what goes where, what is refused, and what is left after every failure.

import Support
import Files
import Foundation
import Images
import Messages
import Synchronization
import TestSupport
import Testing

@testable import Datasets

@Suite struct `Writing shards` {
  let folder: TemporaryFolder
  var data: String { "\(folder.path)/data" }
  var target: String { "\(folder.path)/shards" }

  init() throws {
    folder = try TemporaryFolder()
    for split in ["train", "val", "test"] {
      for number in 0..<(split == "train" ? 20 : 4) {
        let color = UInt8(number * 9)
        let image = PNGFile.plain(red: color, green: UInt8(split.utf8.count), blue: 3)
        try folder.write(image, to: "data/\(split)/\(number.isMultiple(of: 2) ? "cat" : "dog")/\(number).png")
      }
    }
  }

  private func index() throws -> DatasetIndex { try DatasetIndex.scan(root: data, split: SplitSettings()) }

  private func files(_ folder: String) -> [String: [UInt8]] {
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
    return Dictionary(
      names.map { ($0, [UInt8](FileManager.default.contents(atPath: "\(folder)/\($0)") ?? Data())) },
      uniquingKeysWith: { first, _ in first })
  }

  @Test func `the same images and labels come back, in their splits`() throws {
    let original = try index()
    let summary = try TFRecordExport(original, sharding: .count(3)).write(to: target, workers: 2)
    #expect(summary.images == 28 && summary.leftOut.isEmpty)
    #expect(summary.parts.map(\.shards) == [3, 3, 3])
    let written = try scan(shards: target)
    #expect(written.classes == original.classes && written.shardFindings.isEmpty)
    func set(_ index: DatasetIndex) throws -> [String] {
      try index.items.map { "\($0.split) \($0.label) \(stableHash(try index.contents($0)))" }.sorted()
    }
    #expect(try set(written) == set(original))
    // And shards of shards are shards again.
    try TFRecordExport(written).write(to: "\(folder.path)/again")
    #expect(try set(scan(shards: "\(folder.path)/again")) == set(original))
  }

  @Test func `the images of a folder of shards are found without its classes, and damage is told`() throws {
    let original = try index()
    try TFRecordExport(original, sharding: .count(2)).write(to: target)
    let found = try DatasetIndex.imageFiles(below: target)
    #expect(found.paths.count == 28 && found.findings.isEmpty)
    let decoder = ImageDecoder()
    #expect(try found.paths.allSatisfy { try decoder.decode(path: $0).width > 0 })
    #expect(Set(found.paths) == Set(try scan(shards: target).items.map { "\(target)/\($0.path)" }))

    try folder.write([1, 2, 3], to: "shards/test-00001-of-00002.tfrecord")
    let damaged = try DatasetIndex.imageFiles(below: target)
    #expect(damaged.paths.count == 26 && damaged.findings.map(\.severity) == [.error])
    try folder.write([1, 2, 3], to: "other/test.tfrecord")
    #expect(throws: DatasetError.self) { try DatasetIndex.imageFiles(below: "\(folder.path)/other") }
    try folder.write(PNGFile.any, to: "other/a.png")
    #expect(try DatasetIndex.imageFiles(below: "\(folder.path)/other/").paths == ["\(folder.path)/other/a.png"])
  }

  @Test func `the order is shuffled, the same each time, whatever the threads`() throws {
    let original = try index()
    try TFRecordExport(original, sharding: .count(4)).write(to: target, workers: 1)
    try TFRecordExport(original, sharding: .count(4)).write(to: "\(folder.path)/again", workers: 4)
    #expect(files(target) == files("\(folder.path)/again"))
    for shard in TFRecordExport(original, sharding: .count(4)).shards where shard.split == .train {
      #expect(Set(shard.items.map(\.label)).count == 2, "a shard of \(shard.items.count) has both classes")
    }
    let order = TFRecordExport(original).shards[0].items.map(\.path)
    #expect(order != original.items(in: .train).map(\.path))
    #expect(Set(order) == Set(original.items(in: .train).map(\.path)))
  }

  @Test func `shards are as many or as large as asked for`() throws {
    let original = try index()
    func names(_ sharding: TFRecordExport.Sharding) -> [String] {
      TFRecordExport(original, sharding: sharding).shards.map(\.name)
    }
    #expect(
      names(.count(1)) == [
        "train-00000-of-00001.tfrecord", "validation-00000-of-00001.tfrecord", "test-00000-of-00001.tfrecord",
      ])
    #expect(names(.count(100)).count == 28)
    let all = original.items(in: .train).count * PNGFile.any.count
    #expect(names(.bytes(all)).filter { $0.hasPrefix("train") }.count == 1)
    #expect(names(.bytes(all - 1)).filter { $0.hasPrefix("train") }.count == 2)
    #expect(names(.bytes(1)).count == 28)
    #expect(TFRecordExport(original).imageBytes == 28 * PNGFile.any.count)
  }

  @Test func `decisions are honored`() throws {
    let found = try index()
    let relabeled = found.items.enumerated().map { number, item in
      number == 0
        ? DatasetItem(path: item.path, label: 1, split: item.split, relabeledFrom: "cat") : item
    }
    let decided = DatasetIndex(
      root: found.root, classes: found.classes, items: relabeled.dropLast(), excluded: relabeled.suffix(1),
      splitSource: .folders, findings: [])
    try TFRecordExport(decided).write(to: target)
    let written = try scan(shards: target)
    #expect(written.items.count == 27)
    #expect(written.items.filter { $0.label == 0 }.count == 13)
  }

  @Test func `a file that does not decode is left out and named`() throws {
    try folder.write(Array(PNGFile.any.dropLast(30)), to: "data/train/cat/0.png")
    try folder.write([1, 2, 3], to: "data/val/dog/1.png")
    let summary = try TFRecordExport(try index()).write(to: target, workers: 2)
    #expect(summary.leftOut.map(\.path) == ["train/cat/0.png", "val/dog/1.png"])
    #expect(summary.images == 26)
    #expect(try scan(shards: target).items.count == 26)
  }

  /// The dataset is never written to.
  @Test func `a folder within the dataset is refused, by whatever name`() throws {
    let export = TFRecordExport(try index())
    try folder.link("link", to: data)
    try folder.makeFolder("elsewhere")
    let before = files(folder.path)
    for path in [
      data, "\(data)/train", "\(data)/new", "\(folder.path)/link/new", "\(folder.path)/elsewhere/../data/x",
    ] {
      #expect(throws: RecordExportError.insideDataset(folder: path, root: data)) { try export.write(to: path) }
    }
    #expect(files(folder.path) == before)
    // Beside or above it is another matter.
    _ = try export.write(to: "\(folder.path)/elsewhere")
    _ = try export.write(to: folder.path)
    #expect(files(data).count == files(data).keys.filter { !$0.contains("tfrecord") }.count)
  }

  @Test func `old shards never stay beside new ones`() throws {
    let original = try index()
    try TFRecordExport(original, sharding: .count(4)).write(to: target)
    try folder.write(Array("mine".utf8), to: "shards/README")
    try folder.write([1, 2, 3], to: "shards/model.data-00000-of-00001")
    try folder.write(Shard.any(), to: "shards/other-00000-of-00001")
    let before = files(target)
    let error = #expect(throws: RecordExportError.self) {
      try TFRecordExport(original, sharding: .count(2)).write(to: target)
    }
    #expect(error == .occupied(folder: target, file: "labels.txt", count: 14))
    #expect(files(target) == before)

    try TFRecordExport(original, sharding: .count(2)).write(to: target, overwrite: true)
    let names = ["test", "train", "validation"].flatMap { split in
      (0..<2).map { "\(split)-0000\($0)-of-00002.tfrecord" }
    }
    #expect(
      Set(try FileManager.default.contentsOfDirectory(atPath: target))
        == Set(["labels.txt", "README", "model.data-00000-of-00001"] + names))
  }

  /// Every system call of writing and of putting into place fails once: the old set stays whole, nothing else does.
  @Test(arguments: [ENOSPC, EIO])
  func `whatever fails, the old shards are all there and no other`(code: Int32) throws {
    let original = try index()
    try TFRecordExport(original, sharding: .count(2)).write(to: target)
    let before = files(target)
    let export = TFRecordExport(original, sharding: .count(3))
    var failures = 0
    for failing in 0... {
      let disk = FaultyCalls(failing: failing..<failing + 1, code: code)
      do {
        _ = try export.write(to: target, overwrite: true, workers: 1, calls: disk.calls())
        break
      } catch {
        failures += 1
        guard case .system(let error) = error, error.code == code else {
          Issue.record("\(error)")
          break
        }
        #expect(error.path.hasPrefix(target))
        #expect(code != ENOSPC || error.description.contains("free some space"))
      }
      #expect(files(target) == before, "call \(failing)")
    }
    // Ten files created, written and synced, two folders synced, seven old files and ten new ones moved.
    #expect(failures == 3 * 10 + 2 + 7 + 10)
    #expect(files(target).keys.filter { $0.hasSuffix("of-00003.tfrecord") }.count == 9)
    #expect(files(target).count == 10)
  }

  @Test func `a new folder that could not be filled is not left behind`() throws {
    let export = TFRecordExport(try index())
    #expect(throws: RecordExportError.self) {
      try export.write(
        to: target, overwrite: false, workers: 1, calls: FaultyCalls(failing: 3..<3 + 1, code: ENOSPC).calls())
    }
    #expect(!FileManager.default.fileExists(atPath: target))
  }

  @Test func `a full disk is told and leaves nothing`() throws {
    // /dev/full stands for it: it takes no byte.
    var calls = FileCalls.system
    calls.write = { _, bytes, _ in
      let full = open("/dev/full", O_WRONLY)
      defer { close(full) }
      let written = Foundation.write(full, bytes.baseAddress, bytes.count)
      return written >= 0 ? written : -Int(errno)
    }
    let error = #expect(throws: RecordExportError.self) {
      try TFRecordExport(try index()).write(to: target, overwrite: false, workers: 2, calls: calls)
    }
    #expect(error?.description.contains("No space left on device") == true)
    #expect(!FileManager.default.fileExists(atPath: target))
  }

  @Test func `a cancelled export leaves nothing`() throws {
    let asked = Atomic(0)
    #expect(throws: RecordExportError.cancelled) {
      try TFRecordExport(try index()).write(
        to: target, workers: 2, isCancelled: { asked.wrappingAdd(1, ordering: .relaxed).newValue > 9 })
    }
    #expect(!FileManager.default.fileExists(atPath: target))
  }

  @Test func `two exports do not write to one folder, and what a killed one left is swept`() throws {
    let export = TFRecordExport(try index())
    let first = try ShardFolder(path: target, datasetRoot: data, overwrite: false)
    #expect(throws: RecordExportError.busy(folder: target)) { try export.write(to: target) }
    withExtendedLifetime(first) {}

    try folder.write([1], to: "second/.skipline-shards.partial/train-00000-of-00009.tfrecord")
    try folder.write([1], to: "second/.skipline-shards.partial/replaced/labels.txt")
    _ = try export.write(to: "\(folder.path)/second")
    #expect(files("\(folder.path)/second").count == 4)
  }

  @Test func `a file in the folder's place, and a folder that cannot be, are refused`() throws {
    let export = TFRecordExport(try index())
    try folder.write([1], to: "file")
    #expect(throws: RecordExportError.notAFolder(path: "\(folder.path)/file")) {
      try export.write(to: "\(folder.path)/file")
    }
    let missing = FileOperationError(path: "\(folder.path)/a/b", step: .makeFolder, code: ENOENT)
    #expect(throws: RecordExportError.system(missing)) {
      try export.write(to: "\(folder.path)/a/b")
    }
  }
}

// Inspections of real files: damaged, copied, saved again, named for what they are not.

import Foundation
import Images
import Messages
import Synchronization
import TestSupport
import Testing

@testable import Datasets

/// Two classes with training and test images that are all different.
private func soundFolder() throws -> TemporaryFolder {
  let folder = try TemporaryFolder()
  for number in 0..<12 {
    let place = "\(number < 8 ? "train" : "test")/\(number.isMultiple(of: 2) ? "a" : "b")"
    try folder.write(PNGFile.rgb(blotches(UInt64(number))), to: "\(place)/\(number).png")
  }
  return folder
}

private func checked(_ folder: TemporaryFolder, workers: Int = 2) throws -> DatasetReport {
  let index = try DatasetIndex.scan(root: folder.path, split: SplitSettings(train: 100, validation: 0, test: 0))
  let fileCheck: FileCheck = try #require(index.checkFiles(workers: workers))
  return index.report(fileCheck: fileCheck)
}

/// What is found besides that there are few images.
private func findings(_ folder: TemporaryFolder) throws -> [DatasetFinding] {
  try checked(folder).findings.filter { $0.kind != .fewTrainingImages }
}

@Suite struct `A file check` {
  @Test func `finds nothing in a sound set`() throws {
    #expect(try findings(soundFolder()).isEmpty)
  }

  @Test(arguments: [1, 3]) func `finds every damaged file and names it, whatever the number of threads`(
    workers: Int
  ) throws {
    let folder = try soundFolder()
    let sound = PNGFile.rgb(blotches(50))
    try folder.write(Array(sound.dropLast(300)), to: "train/a/cut.png")
    try folder.write([], to: "train/a/empty.jpg")
    try folder.write(Array("not an image".utf8), to: "test/b/text.jpg")
    let report = try checked(folder, workers: workers)
    let broken = ["train/a/cut.png", "train/a/empty.jpg", "test/b/text.jpg"]
    #expect(
      report.findings.filter { $0.kind == .undecodable }.map(\.paths).map { $0[0] }.sorted() == broken.sorted())
    #expect(report.findings.filter { $0.kind == .undecodable }.allSatisfy { $0.message.contains($0.paths[0]) })
    #expect(report.statistics?.images == 12 && report.statistics?.undecodable.count == 3)
    #expect(report.hasErrors)
  }

  @Test func `gives the same for any number of threads`() throws {
    let folder = try soundFolder()
    let index = try DatasetIndex.scan(root: folder.path, split: SplitSettings())
    #expect(index.checkFiles(workers: 1) == index.checkFiles(workers: 4))
  }

  @Test func `finds copies across splits, across classes and within a class`() throws {
    let folder = try soundFolder()
    for (seed, names) in [
      (20, ["train/a/20.png", "test/a/20.png"]), (21, ["train/a/21.png", "train/b/21.png"]),
      (22, ["train/b/22.png", "train/b/deeper/22.png"]),
    ] {
      for name in names { try folder.write(PNGFile.rgb(blotches(UInt64(seed))), to: name) }
    }
    let found = try findings(folder)
    #expect(found.map(\.kind) == [.duplicateAcrossSplits, .labelConflict, .duplicate])
    #expect(found.map(\.paths.count) == [2, 2, 2])
    #expect(found[0].paths.sorted() == ["test/a/20.png", "train/a/20.png"])
  }

  @Test func `finds a picture that was saved again smaller, and a noisy one of another class`() throws {
    let folder = try soundFolder()
    try folder.write(PNGFile.rgb(blotches(0, side: 40)), to: "test/a/smaller.png")
    try folder.write(PNGFile.rgb(blotches(1).withNoise(4, seed: 1)), to: "train/a/noisy.png")
    let found = try findings(folder)
    #expect(found.map(\.kind).sorted { $0.rawValue < $1.rawValue } == [.nearDuplicate, .nearDuplicateAcrossSplits])
    #expect(found.allSatisfy { $0.severity == .warning })
    #expect(
      Set(found.flatMap(\.paths)) == ["test/a/smaller.png", "train/a/0.png", "train/a/noisy.png", "train/b/1.png"])
  }

  @Test func `damaged files of the same bytes are no duplicates`() throws {
    let folder = try soundFolder()
    for name in ["train/a/x.png", "test/a/x.png"] { try folder.write(Array("text".utf8), to: name) }
    #expect(try findings(folder).map(\.kind) == [.undecodable, .undecodable])
  }

  @Test func `goes by content, not by name`() throws {
    let folder = try soundFolder()
    try folder.write(PNGFile.rgb(blotches(60)), to: "train/a/60.jpg")
    try folder.write(JPEGFile.baseline.bytes(), to: "train/a/61.png")
    let formats = try #require(try checked(folder).statistics).formats
    #expect(formats == [.init(name: "PNG", count: 13), .init(name: "JPEG", count: 1)])
  }

  @Test func `tells sizes as shown`() throws {
    let folder = try soundFolder()
    try folder.write(JPEGFile.baseline.bytes(orientation: 6, bigEndian: false), to: "train/a/turned.jpg")
    let sizes = try #require(try checked(folder).statistics).commonSizes
    #expect(sizes.map(\.size) == [.init(width: 64, height: 64), .init(width: 16, height: 32)])
  }

  @Test func `refuses a bomb by its header`() throws {
    let folder = try soundFolder()
    let bomb = PNGFile(width: 60_000, height: 60_000, depth: 1, color: .gray, rows: [[0]])
    try folder.write(bomb.bytes, to: "train/a/bomb.png")
    let found = try findings(folder)
    #expect(found.map(\.kind) == [.undecodable] && found[0].message.contains("60000x60000"))
  }

  @Test func `tells its progress to the end, and ends when it is cancelled`() throws {
    let folder = try soundFolder()
    let index = try DatasetIndex.scan(root: folder.path, split: SplitSettings())
    let told = Mutex<[Int]>([])
    #expect(
      index.checkFiles(workers: 3, progress: { done, total in told.withLock { $0.append(done * 100 + total) } })
        != nil
    )
    #expect(told.withLock { $0 } == (1...12).map { $0 * 100 + 12 })
    let asked = Atomic<Int>(0)
    let done = Atomic<Int>(0)
    let cancelled = index.checkFiles(
      progress: { count, _ in done.store(count, ordering: .relaxed) },
      isCancelled: { asked.add(1, ordering: .relaxed).newValue > 5 })
    #expect(cancelled == nil)
    #expect(done.load(ordering: .relaxed) == 5, "no file is begun after that")
  }

  @Test func `changes nothing`() throws {
    let folder = try soundFolder()
    try folder.write(Array("text".utf8), to: "train/a/x.png")
    func state() throws -> [String] {
      try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted().map { name in
        let path = "\(folder.path)/\(name)"
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        let contents = FileManager.default.contents(atPath: path)
        return "\(name) \(attributes[.modificationDate] ?? "") \(contents?.base64EncodedString() ?? "folder")"
      }
    }
    let before = try state()
    _ = try checked(folder)
    #expect(try state() == before)
  }
}

/// The archive of damaged files: what SKIPLINE_TORTURE names, else one beside the repository or a folder above it; nil
/// for none.
private let torture: String? = {
  if let path = ProcessInfo.processInfo.environment["SKIPLINE_TORTURE"] { return path }
  var folder = URL(fileURLWithPath: #filePath)
  while folder.path != "/" {
    folder.deleteLastPathComponent()
    let archive = folder.appendingPathComponent("shared/data/torture.tgz").path
    if FileManager.default.fileExists(atPath: archive) { return archive }
  }
  return nil
}()

@Suite(.enabled(if: torture != nil, "the torture set is not there; SKIPLINE_TORTURE names its archive"))
struct `The torture set` {
  @Test func `every damaged file is named together with the cause`() throws {
    let folder = try TemporaryFolder()
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tar.arguments = ["tar", "xzf", try #require(torture), "-C", folder.path, "torture/corrupt", "torture/valid"]
    try tar.run()
    tar.waitUntilExit()
    try #require(tar.terminationStatus == 0)

    let index = try DatasetIndex.scan(root: folder.path + "/torture", split: SplitSettings())
    let fileCheck = try #require(index.checkFiles(workers: 2))
    let report = index.report(fileCheck: fileCheck)
    let failed = zip(index.items, fileCheck.facts).compactMap { $1.failure == nil ? nil : $0.path }
    #expect(failed.count { $0.hasPrefix("corrupt/") } >= 90)
    let found = report.findings.filter { $0.kind == .undecodable }
    #expect(found.map { $0.subject ?? "" } == failed)
    #expect(report.statistics?.undecodable == failed)
    for finding in found {
      let name = try #require(finding.paths.first)
      #expect(finding.message.hasPrefix("\(name) cannot be decoded: "))
      #expect(finding.message.count > "\(name) cannot be decoded: ".count + 10, "\(finding.message)")
    }
  }
}

// Folders and files that may not be read are told as that, never as missing, empty or of one class.

import CTestSupport
import Foundation
import Messages
import TestSupport
import Testing

@testable import Datasets

/// Does something as a user who may read nothing that is locked.
private func asNobody<Result>(_ folder: TemporaryFolder, locking names: [String], _ body: () throws -> Result)
  rethrows
  -> Result
{
  for name in names { chmod(folder.file(name), 0) }
  let user = file_user_become(getuid() == 0 ? 65_534 : getuid())
  defer {
    _ = file_user_become(user)
    for name in names { chmod(folder.file(name), 0o755) }
  }
  return try body()
}

/// What is said where something is refused.
private func refusal(_ body: () throws -> Any) -> String {
  do {
    return "not refused: \(try body())"
  } catch {
    return "\(error)"
  }
}

private func folder(_ names: [String]) throws -> TemporaryFolder {
  let folder = try TemporaryFolder()
  for name in names { for number in 1...2 { try folder.write(PNGFile.any, to: "\(name)/\(number).png") } }
  return folder
}

private let splits = ["train/a", "train/b", "test/a", "test/b"]

@Suite struct `What may not be read` {
  @Test(arguments: [
    (["disc", "star"], "disc"), (["disc"], "disc"), (["d/disc", "d/star"], "d"), (["train/a", "train/b"], "train"),
    (["train/a", "train/b"], "train/a"),
  ])
  func `is no want of classes or images`(names: [String], locked: String) throws {
    let folder = try folder(names)
    let text = asNobody(folder, locking: [locked]) {
      refusal { try ScannedDataset.read(root: folder.path, split: SplitSettings()) }
    }
    #expect(text.hasPrefix("\(folder.path)/\(locked) cannot be read (Permission denied"), "\(text)")
  }

  @Test(arguments: [
    (splits, "test/b"), (splits, "test"), (splits, "train"), (splits, "train/a"), (["a", "b", "c"], "c"),
    (splits + ["val/a", "val/b"], "val"), (["a/train", "a/test", "b/train", "b/test", "c/train", "c/test"], "c"),
    (["a", "b", "a/deep"], "a/deep"), (splits + ["extra"], "extra"),
  ])
  func `is one error with the path, and nothing else is said of it`(names: [String], locked: String) throws {
    let folder = try folder(names)
    let index = try asNobody(folder, locking: [locked]) {
      try DatasetIndex.scan(root: folder.path, split: SplitSettings(), minimumClasses: 1)
    }
    let told = index.findings.filter { $0.severity == .error }
    #expect(told.map(\.kind) == [.unreadableFolder] && told.map(\.subject) == [locked], "\(told)")
    #expect(
      told.first?.message.contains("Permission denied") == true && told.first?.advice.contains("chmod") == true)
    let others = index.findings.filter { $0.kind == .layout || $0.kind == .emptyClass }
    #expect(others.allSatisfy { !$0.message.contains("holds no images") && $0.kind != .emptyClass }, "\(others)")
    let error = #expect(throws: UnreadParts.self) { try index.requireWhole() }
    #expect("\(try #require(error))".contains(locked))
  }

  @Test func `is told by name where a split was named`() throws {
    let folder = try folder(["day/a", "day/b", "night/a", "night/b"])
    let named = SplitSettings(folders: SplitFolders(train: "day", test: "night"))
    let text = asNobody(folder, locking: ["night"]) {
      refusal { try ScannedDataset.read(root: folder.path, split: named) }
    }
    #expect(text.contains("may not be read"), "\(text)")
  }

  @Test func `is told for loose images too, and files that might be some`() throws {
    let folder = try folder(["a", "b", "b/deep"])
    try folder.write(PNGFile.any, to: "a/unnamed")
    let (loose, index) = try asNobody(folder, locking: ["b/deep", "a/unnamed"]) {
      (
        try DatasetIndex.imageFiles(below: folder.path),
        try DatasetIndex.scan(root: folder.path, split: SplitSettings())
      )
    }
    #expect(loose.paths.count == 4 && loose.findings.compactMap(\.subject) == ["\(folder.path)/b/deep"])
    #expect(loose.findings.contains { $0.severity == .warning && $0.message.contains("a/unnamed") })
    #expect(index.findings.contains { $0.severity == .warning && $0.paths == ["a/unnamed"] })
    let text = asNobody(folder, locking: ["b"]) { refusal { try DatasetIndex.imageFiles(below: folder.file("b")) } }
    #expect(text.contains("Permission denied"), "\(text)")
    #expect(try DatasetIndex.imageFiles(below: folder.path).paths.count == 7)
  }

  @Test func `is not called gone where something is decided about it`() throws {
    let folder = try folder(["a", "b", "c"])
    var decisions = Decisions()
    decisions.exclude("c/1.png")
    let index = try asNobody(folder, locking: ["c"]) {
      try DatasetIndex.scan(root: folder.path, split: SplitSettings(), decisions: decisions)
    }
    #expect(!index.findings.contains { $0.kind == .staleDecision })
  }

  @Test func `what a file system keeps for itself is none of it`() throws {
    let folder = try folder(["a", "b"])
    for name in ["lost+found", "System Volume Information", "$RECYCLE.BIN"] { try folder.makeFolder(name) }
    let index = try asNobody(folder, locking: ["lost+found", "System Volume Information", "$RECYCLE.BIN"]) {
      try DatasetIndex.scan(root: folder.path, split: SplitSettings())
    }
    #expect(index.unread.isEmpty)
  }
}

@Test func `the names of class folders are those on disk`() throws {
  let folder = try folder(["cafe", "cafe\u{301}", "caff"])
  let index = try DatasetIndex.scan(root: folder.path, split: SplitSettings())
  #expect(index.classes == ["cafe", "caff", "caf\u{e9}"])
  let names = index.folderNames.map { $0[0] }
  #expect(names.map { Array($0.utf8) } == ["cafe", "caff", "cafe\u{301}"].map { Array($0.utf8) })
  #expect(
    ClassOrder.alphabetical.ordered(index.classes, spelled: names) == ["cafe", "cafe\u{301}", "caff"])
  #expect(ClassOrder.alphabetical.ordered(index.classes) == ["cafe", "caff", "caf\u{e9}"])
  let both = try indexOfTwoSpellings()
  #expect(both.folderNames.map(\.count) == [2, 1])
}

private func indexOfTwoSpellings() throws -> DatasetIndex {
  let folder = try folder(["caf\u{e9}", "cafe\u{301}", "tea"])
  return try DatasetIndex.scan(root: folder.path, split: SplitSettings())
}

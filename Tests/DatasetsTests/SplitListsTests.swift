// Lists of paths for each split: written, read, mixed with the rule. Nothing that is added ever moves an image.

import Foundation
import Messages
import Tensors
import TestSupport
import Testing

@testable import Datasets

private func splits(_ index: DatasetIndex) -> [ByteKey: Split] {
  Dictionary(index.items.map { (ByteKey($0.path), $0.split) }, uniquingKeysWith: { first, _ in first })
}

private func write(_ index: DatasetIndex, to folder: TemporaryFolder, _ name: String) throws {
  for list in index.splitLists { try folder.write(Array(list.text.utf8), to: "\(name)/\(list.name)") }
}

@Test func `written lists divide a dataset as it was, by the rule and exactly`() throws {
  let folder = try TemporaryFolder()
  for number in 0..<60 { try folder.write([], to: "data/\(number % 3)/a \"b\"\n\(number)x.png") }
  let root = folder.path + "/data"
  let byRule = try DatasetIndex.scan(root: root, split: SplitSettings(train: 60, validation: 20, test: 20))
  for (name, index) in [("rule", byRule), ("exact", byRule.dividedExactly(SplitSettings()))] {
    try write(index, to: folder, name)
    let read = try DatasetIndex.scan(root: root, split: SplitSettings(lists: "\(folder.path)/\(name)"))
    #expect(splits(read) == splits(index))
    #expect(read.splitSource == .lists)
    #expect(!read.findings.contains { $0.kind == .staleDecision })
  }
}

@Test func `lists win over folders, and images in none of them stay with the rule`() throws {
  let folder = try TemporaryFolder()
  for name in ["train/a/1.png", "train/b/1.png", "val/a/2.png", "val/b/2.png"] {
    try folder.write([], to: "d/\(name)")
  }
  try folder.write(Array("# mine\r\nval/a/2.png\r\n\"train/b/1.png\"\n".utf8), to: "lists/test.txt")
  let index = try DatasetIndex.scan(root: folder.path + "/d", split: SplitSettings(lists: folder.path + "/lists"))
  #expect(index.items(in: .test).map(\.path) == ["val/a/2.png", "train/b/1.png"])
  #expect(index.items(in: .train).map(\.path) == ["train/a/1.png"])
  #expect(index.items(in: .validation).map(\.path) == ["val/b/2.png"])
}

@Test func `lists that cannot be used are errors with file and line`() throws {
  let folder = try TemporaryFolder()
  for name in ["a/1.png", "b/1.png"] { try folder.write([], to: "d/\(name)") }
  func scan(_ name: String) throws(DatasetError) -> DatasetIndex {
    try DatasetIndex.scan(root: folder.path + "/d", split: SplitSettings(lists: "\(folder.path)/\(name)"))
  }
  #expect(throws: DatasetError.noLists(path: folder.path + "/none")) { try scan("none") }
  try folder.write(Array("a/1.png\n\n\"b\n".utf8), to: "quote/val.txt")
  #expect(
    throws: DatasetError.malformedLine(
      file: folder.path + "/quote/val.txt", line: 3, reason: "the closing quote is missing")
  ) { try scan("quote") }
  try folder.write(Array("a/1.png\n".utf8), to: "twice/train.txt")
  try folder.write(Array("b/1.png\na/1.png\n".utf8), to: "twice/test.txt")
  let error = #expect(throws: DatasetError.self) { try scan("twice") }
  #expect(
    "\(try #require(error))".contains("twice/test.txt, line 2: a/1.png is listed before, on line 1 of train.txt"))
  try folder.makeFolder("folder/train.txt")
  #expect(throws: DatasetError.self) { try scan("folder") }
}

@Test func `lines that name no image are a finding, and an error where no line names one`() throws {
  let folder = try TemporaryFolder()
  for name in ["a/1.png", "b/1.png"] { try folder.write([], to: "d/\(name)") }
  func finding() throws -> DatasetFinding? {
    try DatasetIndex.scan(root: folder.path + "/d", split: SplitSettings(lists: "\(folder.path)/l"))
      .findings.first { $0.kind == .staleDecision }
  }
  try folder.write(Array("a/1.png\na/2.png\nb/3.png\n".utf8), to: "l/train.txt")
  let some = try #require(try finding())
  #expect(some.severity == .warning && some.paths == ["a/2.png", "b/3.png"])
  #expect(some.message.contains("/l/train.txt, line 2: a/2.png") && some.message.contains("and 1 more"))
  try folder.write(Array("d/a/1.png\n".utf8), to: "l/train.txt")
  #expect(try finding()?.severity == .error)
}

/// Adding images never moves old ones: whatever is added, in whatever order, with and without lists.
@Test func `adding images never moves another`() throws {
  var generator = RandomGenerator(seed: 21)
  for round in 0..<6 {
    let folder = try TemporaryFolder()
    let hasLists = round % 2 == 1
    var settings = SplitSettings(train: 60, validation: 25, test: 15)
    let isCarved = round % 3 == 2
    func add(_ count: Int) throws {
      for _ in 0..<count {
        let names = [
          "img_\(generator.integer(below: 500)).jpg", "\(generator.next()).png",
          String(pathBytes: [0xe9, UInt8(97 + generator.integer(below: 26)), 0x20])
            + "\(generator.integer(below: 9)).png",
          (0..<5).map { _ in "\(UnicodeScalar(UInt8(97 + generator.integer(below: 26))))" }.joined() + ".jpeg",
        ]
        let place = (isCarved ? "train/" : "") + "\(generator.integer(below: 4))"
        try folder.makeFolder("d/\(place)")
        let path = "\(folder.path)/d/\(place)/\(names[generator.integer(below: names.count)])"
        let descriptor = path.withPathCString { open($0, O_CREAT | O_WRONLY, 0o600) }
        try #require(descriptor >= 0)
        close(descriptor)
      }
    }
    var known: [ByteKey: Split] = [:]
    try add(30)
    for step in 0..<6 {
      let index = try DatasetIndex.scan(root: folder.path + "/d", split: settings)
      let now = splits(index)
      for (path, split) in known { #expect(now[path] == split, "\(path.text)") }
      known = now
      if hasLists && step == 2 {
        try write(index, to: folder, "lists")
        settings.lists = folder.path + "/lists"
      }
      try add(1 + generator.integer(below: 40))
    }
    #expect(known.count > 60)
    try removeOddNames(below: folder.path + "/d")
  }
}

/// Foundation cannot remove files whose names are not UTF-8.
private func removeOddNames(below root: String) throws {
  for item in try DatasetIndex.scan(root: root, split: SplitSettings()).items {
    _ = item.absolutePath(root: root).withPathCString { unlink($0) }
  }
}

@Test func `exact shares are right to the rounding in every class`() {
  for (train, validation) in [(80, 10), (70, 15), (34, 33), (100, 0), (0, 1)] {
    let settings = SplitSettings(train: train, validation: validation, test: 100 - train - validation)
    for count in 0..<150 {
      let shares = settings.shares(of: count)
      #expect(shares.total == count)
      for (split, percent) in zip(Split.allCases, [settings.train, settings.validation, settings.test]) {
        #expect(abs(Double(shares[split]) - Double(count * percent) / 100) < 1)
      }
    }
  }
  // 2.4, 0.3 and 0.3; 4, 0.5 and 0.5; 5.6, 0.7 and 0.7.
  #expect(SplitSettings().shares(of: 3) == SplitCounts(train: 3))
  #expect(SplitSettings().shares(of: 5) == SplitCounts(train: 4, validation: 1))
  #expect(SplitSettings().shares(of: 7) == SplitCounts(train: 5, validation: 1, test: 1))
}

@Test func `a class that chance divides badly is noted, with what to do`() throws {
  // Names without numbers, chosen so that none of the class comes to a test.
  let settings = SplitSettings()
  let letters = (0..<26 * 26).map { "\(UnicodeScalar(UInt8(97 + $0 / 26)))\(UnicodeScalar(UInt8(97 + $0 % 26)))" }
  let bad = letters.map { "bad/\($0).png" }.filter { settings.split(ofPath: $0) != .test }.prefix(100)
  let good = (0..<100).map { "good/\($0).png" }
  let few = letters.map { "few/\($0).png" }.filter { settings.split(ofPath: $0) == .test }.prefix(19)
  let classes = ["bad", "few", "good"]
  let items = (bad + few + good).map { path in
    DatasetItem(
      path: path, label: classes.firstIndex(of: String(path.prefix { $0 != "/" })) ?? 0,
      split: settings.split(ofPath: path))
  }
  let index = DatasetReading(
    root: "/data", split: settings, classes: classes, items: items, splitSource: .hash, findings: []
  ).index()
  let notes = index.findings.filter { $0.kind == .splitRatio }
  #expect(notes.map(\.subject) == ["bad"])
  #expect(notes.first?.severity == .note)
  #expect(notes.first?.advice.contains("skipline split DATA --export FOLDER --exact") == true)
  let exact = index.dividedExactly(settings)
  #expect(exact.report().classes[0].counts == SplitCounts(train: 80, validation: 10, test: 10))
  #expect(Set(exact.items.map(\.path)) == Set(items.map(\.path)))
}

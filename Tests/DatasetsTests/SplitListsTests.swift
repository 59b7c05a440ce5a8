// Lists of paths for each split: written, read, mixed with the rule. What is listed never moves, whatever is added.

import Support
import Foundation
import Messages
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

@Test func `images in no list are left out where lists say what to train on, and told either way`() throws {
  let folder = try TemporaryFolder()
  for number in 0..<90 { try folder.write([], to: "d/\(number % 3)/\(number).png") }
  let list = (0..<72).map { "\($0 % 3)/\($0).png\n" }.joined()
  func read(_ split: String) throws -> (reading: ScannedDataset, told: DatasetFinding?) {
    let reading = try ScannedDataset.read(root: folder.path + "/d", split: SplitSettings(argument: split))
    return (reading, reading.findings.first { $0.kind == .splitList && $0.severity == .warning })
  }
  try folder.write(Array(list.utf8), to: "l/train.txt")
  let alone = try read(folder.path + "/l")
  #expect(alone.reading.items.count == 72 && alone.reading.items.allSatisfy { $0.split == .train })
  #expect(alone.told?.message.contains("18 of the 90 images are in none") == true)
  #expect(alone.told?.advice.contains("--split 80/10/10:\(folder.path)/l") == true)
  #expect(alone.reading.unlisted.count == 18)
  // What is decided about one that is left out is not called gone.
  var decisions = Decisions()
  decisions.exclude(alone.reading.unlisted[0])
  #expect(!alone.reading.index(decisions).findings.contains { $0.kind == .staleDecision })
  for shares in ["80/10/10", "0/50/50"] {
    let divided = try read("\(shares):\(folder.path)/l")
    #expect(divided.reading.items.count == 90)
    #expect(divided.told?.message.contains("18 of the 90 images are in none") == true)
    #expect(
      divided.told?.message.contains(shares.hasPrefix("0") ? "for validation" : "for training") == true,
      "\(divided.told?.message ?? "")")
  }
  // A run's own images stay in it.
  let recorded = RecordedSplits([(path: alone.reading.unlisted[0], split: .test)])
  let resumed = try ScannedDataset.read(
    root: folder.path + "/d", split: SplitSettings(lists: folder.path + "/l"), recorded: recorded)
  #expect(resumed.items.count { $0.split == .test } == 1 && resumed.unlisted.count == 17)
  // Lists without training images take some out of the others.
  try folder.write(Array(list.utf8), to: "t/test.txt")
  let rest = try read(folder.path + "/t")
  #expect(rest.reading.items.count == 90 && rest.reading.items.count { $0.split == .test } >= 72)
  #expect(rest.told?.message.contains("for training") == true)
  // All in lists: nothing to tell.
  try folder.write(Array((72..<90).map { "\($0 % 3)/\($0).png\n" }.joined().utf8), to: "l/val.txt")
  #expect(try read(folder.path + "/l").told == nil)
}

@Test func `lists that cannot be used are errors with file and line`() throws {
  let folder = try TemporaryFolder()
  for name in ["a/1.png", "b/1.png"] { try folder.write([], to: "d/\(name)") }
  func scan(_ name: String) throws(DatasetError) -> DatasetIndex {
    try DatasetIndex.scan(root: folder.path + "/d", split: SplitSettings(lists: "\(folder.path)/\(name)"))
  }
  #expect(throws: DatasetError.noListFolder(path: folder.path + "/none")) { try scan("none") }
  try folder.makeFolder("bare")
  #expect(throws: DatasetError.noLists(path: folder.path + "/bare")) { try scan("bare") }
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
  try folder.write(Array("a/1.png\na/2.png\nb/1.png\nb/3.png\n".utf8), to: "l/train.txt")
  let some = try #require(try finding())
  #expect(some.severity == .warning && some.paths == ["a/2.png", "b/3.png"])
  #expect(some.message.contains("/l/train.txt, line 2: a/2.png") && some.message.contains("and 1 more"))
  try folder.write(Array("a/1.png\na/2.png\nb/3.png\n".utf8), to: "l/train.txt")
  let most = try #require(try finding())
  #expect(most.severity == .error && most.message.contains("most lines of train.txt name none"))
  // Another list is whole: this one is still of something else.
  try folder.write(Array("b/1.png\n".utf8), to: "l/test.txt")
  #expect(try finding()?.severity == .error)
  try folder.write([], to: "l/test.txt")
  for lines in ["c/1.png\n", "", "# nothing\n\n", "d/x/a/1.png\ne/b/1.png\n", "/a/1.jpg\n"] {
    try folder.write(Array(lines.utf8), to: "l/train.txt")
    let error = #expect(throws: DatasetError.self, "\(lines)") { try finding() }
    guard case .foreignLists = error else {
      Issue.record("\(lines): \(String(describing: error))")
      continue
    }
  }
}

/// The ways in which lists that other programs write name an image.
@Test func `lines of other programs are understood where they name one image`() throws {
  let folder = try TemporaryFolder()
  let names = ["cat/my 1.png", "cat/2.png", "caf\u{e9}/3.png", "Dog/4.PNG", "Dog/deep/5.png", "Dog/6,7.png"]
  for name in names { try folder.write([], to: "pets/\(name)") }
  try folder.link("link", to: "pets")
  let root = folder.path + "/pets"
  func resolved(_ line: [UInt8], _ root: String = root) throws -> [String] {
    // Beside one that is understood, so that no match is no error.
    try folder.write(line + Array("\n".utf8), to: "l/test.txt")
    try folder.write(Array("Dog/6,7.png\n".utf8), to: "l/val.txt")
    let index = try DatasetIndex.scan(
      root: root, split: SplitSettings(train: 100, validation: 0, test: 0, lists: folder.path + "/l"))
    return index.items(in: .test).map(\.path)
  }
  func check(_ path: String, _ lines: [String], _ root: String = root) throws {
    for line in lines { #expect(try resolved(Array(line.utf8), root) == [path], "\(line)") }
  }
  try check(
    "cat/2.png",
    [
      "cat/2.png", "./cat/2.png", "\(root)/cat/2.png", "\(folder.path)/link/cat/2.png", "pets/cat/2.png",
      "cat\\2.png",
      ".\\cat\\2.png", "\u{feff}cat/2.png", "cat/2.png\r", "cat/2.png 0", "cat/2.png,cat", "cat/2.png\t1 0 0",
      "cat/2.png;7", "cat/2.png , 3", "\"cat/2.png\",cat", "\"cat\\2.png\"", "0 cat/2.png", "cat,cat/2.png",
      "  cat/2.png  ", "cat//2.png", "cat/../cat/2.png", "../pets/cat/2.png", "CAT/2.png", "cat/2", "2.png",
      "/home/ann/pets/cat/2.png", "/mnt/elsewhere/cat/2.png", "C:\\work\\pets\\cat\\2.png", "data/cat/2.png 5",
    ])
  try check("cat/my 1.png", ["cat/my 1.png", "cat/my 1.png 4", "\"cat/my 1.png\" 4", "\(root)/cat/my 1.png,4,5"])
  try check("caf\u{e9}/3.png", ["cafe\u{301}/3.png", "\(root)/cafe\u{301}/3.png 1", "CAFE\u{301}/3.png"])
  try check("Dog/4.PNG", ["dog/4.png", "Dog/4", "4.PNG"])
  try check("Dog/deep/5.png", ["Dog/deep/5.png,1", "deep/5.png", "5.png"])
  try check(
    "cat/2.png", ["\(root)/cat/2.png", "\(folder.path)/link/cat/2.png", "link/cat/2.png"], folder.path + "/link")
  // Two images have the end of a path, or another file has all of it: nothing is guessed.
  try folder.write([], to: "pets/cat/deep/5.png")
  #expect(try resolved(Array("5.png".utf8)).isEmpty)
  for name in names { try folder.write([], to: "other/pets/\(name)") }
  #expect(try resolved(Array("\(folder.path)/other/pets/cat/2.png".utf8)).isEmpty)
}

@Test func `byte-order marks, UTF-16 and carriage returns are no part of a line`() {
  let text = "cat/2.png\r\n# no\ncaf\u{e9}.png"
  let plain = LineFile.lines(of: Array(text.utf8)[...]).map { Array($0.bytes) }
  #expect(plain == [Array("cat/2.png".utf8), Array("caf\u{e9}.png".utf8)])
  #expect(LineFile.lines(of: Array("\u{feff}\(text)".utf8)[...]).map { Array($0.bytes) } == plain)
  let little = Array("\u{feff}\(text)".utf16).flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
  let big = Array("\u{feff}\(text)".utf16).flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
  // Of Macs of the last century.
  for old in ["cat/2.png\r# no\rcaf\u{e9}.png", "cat/2.png\r\r# no\rcaf\u{e9}.png\r"] {
    #expect(LineFile.lines(of: Array(old.utf8)[...]).map { Array($0.bytes) } == plain)
  }
  for wide in [little, big] { #expect(LineFile.lines(of: wide[...]).map { Array($0.bytes) } == plain) }
}

@Test func `labels that contradict the folders are told, others noted`() throws {
  let folder = try TemporaryFolder()
  for name in ["cat/1.png", "dog/1.png"] { try folder.write([], to: "d/\(name)") }
  func finding(_ lines: String) throws -> DatasetFinding? {
    try folder.write(Array(lines.utf8), to: "l/train.txt")
    return try DatasetIndex.scan(root: folder.path + "/d", split: SplitSettings(lists: folder.path + "/l"))
      .findings.first { $0.kind == .splitList }
  }
  #expect(try finding("cat/1.png\ndog/1.png\n") == nil)
  #expect(try finding("cat/1.png 0\ndog/1.png 1\n")?.severity == .note)
  #expect(try finding("cat/1.png cat\ndog/1.png dog\n")?.severity == .note)
  let other = try #require(try finding("cat/1.png cat\ndog/1.png cat\n"))
  #expect(other.severity == .warning && other.message.contains("dog/1.png is called cat"))
}

/// Whatever is added, in whatever order: an image that is listed, or that a run has recorded, stays.
@Test func `adding images never moves one that is listed or recorded`() throws {
  var generator = RandomGenerator(seed: 21)
  for round in 0..<6 {
    let folder = try TemporaryFolder()
    let hasLists = round % 2 == 1
    var settings = SplitSettings(train: 60, validation: 25, test: 15)
    #expect(settings.takesUnlisted)
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
    var recorded: RecordedSplits?
    try add(30)
    for step in 0..<6 {
      let index = try ScannedDataset.read(root: folder.path + "/d", split: settings, recorded: recorded).index()
      let now = splits(index)
      for (path, split) in known { #expect(now[path] == split, "\(path.text)") }
      if hasLists && step.isMultiple(of: 2) {
        known = now
        try write(index, to: folder, "lists")
        settings.lists = folder.path + "/lists"
      } else if !hasLists {
        known = now
        recorded = RecordedSplits(index.items.map { ($0.path, $0.split) })
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
  let index = ScannedDataset(
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

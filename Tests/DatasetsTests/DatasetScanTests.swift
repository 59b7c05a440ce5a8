// Finding classes and images in folders of every kind.

import Support
import CTestSupport
import Foundation
import Messages
import TestSupport
import Testing

@testable import Datasets

private func scan(
  _ folder: TemporaryFolder, _ split: SplitSettings = SplitSettings()
) throws(DatasetError) -> DatasetIndex {
  try DatasetIndex.scan(root: folder.path, split: split)
}

/// Some splits have no images in such small sets: these tests look at other warnings.
private func warnings(_ index: DatasetIndex, _ kind: DatasetFinding.Kind) -> [DatasetFinding] {
  index.findings.filter { $0.kind == kind }
}

@Test func `classes are in natural order and images may lie deeper`() throws {
  let folder = try TemporaryFolder()
  for name in ["10/b/c/3.png", "10/a.PNG", "2/x.jpeg", "1/y.JPG"] { try folder.write(PNGFile.any, to: name) }
  let index = try scan(folder)
  #expect(index.classes == ["1", "2", "10"])
  #expect(index.items.map(\.path) == ["1/y.JPG", "2/x.jpeg", "10/a.PNG", "10/b/c/3.png"])
  #expect(index.items.map(\.label) == [0, 1, 2, 2])
  #expect(index.items[3].absolutePath(root: index.root) == "\(folder.path)/10/b/c/3.png")
  #expect(index.splitSource == .hash)
}

@Test func `a slash at the end of the root changes nothing`() throws {
  let folder = try TemporaryFolder()
  for name in ["a/1.png", "b/1.png"] { try folder.write(PNGFile.any, to: name) }
  #expect(try DatasetIndex.scan(root: folder.path + "//", split: SplitSettings()) == scan(folder))
}

@Test func `adding files moves hardly any other to another split`() throws {
  let folder = try TemporaryFolder()
  var generator = RandomGenerator(seed: 7)
  func addFiles(_ count: Int) throws {
    for _ in 0..<count {
      let name = (0..<6).map { _ in String(UnicodeScalar(UInt8(97 + generator.integer(below: 26)))) }.joined()
      try folder.write([0x89], to: "\(generator.integer(below: 3))/\(name).png")
    }
  }
  func splits() throws -> [String: Split] {
    Dictionary(try scan(folder).items.map { ($0.path, $0.split) }, uniquingKeysWith: { first, _ in first })
  }
  try addFiles(60)
  let before = try splits()
  try addFiles(60)
  let after = try splits()
  #expect(after.count > before.count)
  // Which and how many is tested with SplitShares.
  #expect(before.count { after[$0.key] != $0.value } <= before.count / 5)
  #expect(Set(before.values) == Set(Split.allCases))
}

@Test(arguments: ["val", "valid", "validation", "Val"])
func `folders named for splits are the splits`(validation: String) throws {
  let folder = try TemporaryFolder()
  for part in ["train", validation, "test"] {
    for name in ["cat/1.png", "dog/1.png"] { try folder.write(PNGFile.any, to: "\(part)/\(name)") }
  }
  let index = try scan(folder)
  #expect(index.splitSource == .folders)
  #expect(index.classes == ["cat", "dog"])
  for split in Split.allCases { #expect(index.items(in: split).map(\.label) == [0, 1]) }
  #expect(index.items(in: .validation).map(\.path) == ["\(validation)/cat/1.png", "\(validation)/dog/1.png"])
}

@Test func `validation images are taken out of train where there are none`() throws {
  let folder = try TemporaryFolder()
  for number in 0..<40 { try folder.write([0xff], to: "train/\(number % 2)/\(number).jpg") }
  for number in 0..<4 { try folder.write([0xff], to: "test/\(number % 2)/\(number).jpg") }
  let settings = SplitSettings(train: 50, validation: 30, test: 20)
  let index = try scan(folder, settings)
  #expect(index.items(in: .test).count == 4)
  #expect(!index.items(in: .validation).isEmpty)
  for item in index.items where item.path.hasPrefix("train/") {
    #expect(item.split == settings.splitWithinTraining(ofPath: item.path))
  }
}

@Test func `labels are given by name where splits have different classes`() throws {
  let folder = try TemporaryFolder()
  for name in [
    "TRAIN/b/1.png", "TRAIN/c/1.png", "TRAIN/10/1.png", "Valid/c/1.png", "Valid/a/1.png", "test/9/1.png",
    "test/c/1.png",
  ] { try folder.write(PNGFile.any, to: name) }
  let index = try scan(folder)
  #expect(index.splitSource == .folders)
  #expect(index.classes == ["9", "10", "a", "b", "c"])
  for split in Split.allCases {
    for item in index.items(in: split) {
      #expect(item.path.split(separator: "/").dropFirst().first.map(String.init) == index.classes[item.label])
    }
  }
  #expect(index.items(in: .validation).map(\.label) == [2, 4])
  let gaps = warnings(index, .missingInSplit)
  #expect(gaps.count { $0.severity == .error } == 2, "classes to measure and none to train on")
  #expect(gaps.count == 6)
}

@Test func `twelve numeric classes have the labels of their order as numbers`() throws {
  let folder = try TemporaryFolder()
  for number in [3, 11, 0, 7, 10, 1, 9, 2, 8, 4, 6, 5] { try folder.write(PNGFile.any, to: "\(number)/x.png") }
  let index = try scan(folder)
  #expect(index.classes == (0..<12).map(String.init))
  #expect(index.items.map(\.path) == (0..<12).map { "\($0)/x.png" })
  #expect(index.report().classes.map(\.name) == index.classes)
}

@Test func `a missing test folder stays empty`() throws {
  let folder = try TemporaryFolder()
  for number in 0..<20 { try folder.write([0xff], to: "train/\(number % 2)/\(number).jpg") }
  let index = try scan(folder)
  #expect(index.splitSource == .folders)
  #expect(index.items(in: .test).isEmpty)
  #expect(index.items.count == 20)
}

@Test func `a class may be called train among others`() throws {
  let folder = try TemporaryFolder()
  for name in ["train/steam/1.png", "car/1.png", "bus/1.png"] { try folder.write(PNGFile.any, to: name) }
  let index = try scan(folder)
  #expect(index.splitSource == .hash)
  #expect(index.classes == ["bus", "car", "train"])
}

@Test func `a class missing in a split keeps its label and is warned of`() throws {
  let folder = try TemporaryFolder()
  for name in ["train/a/1.png", "train/b/1.png", "val/a/1.png", "val/b/1.png", "test/b/1.png"] {
    try folder.write(PNGFile.any, to: name)
  }
  let index = try scan(folder)
  #expect(index.items(in: .test).map(\.label) == [1])
  #expect(warnings(index, .missingInSplit).map(\.subject) == ["a"])
}

@Test func `hidden and system files are ignored in silence`() throws {
  let folder = try TemporaryFolder()
  for name in ["a/1.png", "b/1.png"] { try folder.write(PNGFile.any, to: name) }
  let plain = try scan(folder)
  for name in [
    ".ipynb_checkpoints/1.png", "a/.hidden/1.png", "a/._1.png", "a/.DS_Store", "a/Thumbs.db", "a/desktop.ini",
    "__MACOSX/a/1.png",
  ] { try folder.write(PNGFile.any, to: name) }
  #expect(try scan(folder) == plain)
}

@Test func `content decides for names that say nothing, and other files are counted`() throws {
  let folder = try TemporaryFolder()
  try folder.write(PNGFile.any, to: "a/picture.dat")
  try folder.write(PNGFile.any, to: "a/none")
  try folder.write(Array("hello".utf8), to: "b/text.jpg")
  for number in 1...7 { try folder.write(Array("hello".utf8), to: "b/notes\(number).txt") }
  try folder.write(PNGFile.any, to: "stray.png")
  let index = try scan(folder)
  #expect(index.items.map(\.path) == ["a/none", "a/picture.dat", "b/text.jpg"])
  let ignored = warnings(index, .ignoredFile)
  #expect(ignored.count == 1)
  let message = try #require(ignored.first?.message)
  #expect(message.contains(": 8 entries, "))
  #expect(message.contains("stray.png, b/notes1.txt, b/notes2.txt, b/notes3.txt, b/notes4.txt, ..."))
}

@Test func `a symbolic link in a circle is walked once`() throws {
  let folder = try TemporaryFolder()
  for name in ["a/1.png", "b/deep/1.png", "stray.png"] { try folder.write(PNGFile.any, to: name) }
  try folder.link("b/deep/up", to: "../..")
  try folder.link("b/self", to: ".")
  let index = try scan(folder)
  #expect(index.items.map(\.path) == ["a/1.png", "b/deep/1.png"])
}

@Test func `a link to a folder elsewhere is followed, and never takes the images of a real class`() throws {
  let folder = try TemporaryFolder()
  let elsewhere = try TemporaryFolder()
  try elsewhere.write(PNGFile.any, to: "1.png")
  try folder.write(PNGFile.any, to: "z/1.png")
  try folder.link("a", to: "z")
  try folder.link("b", to: elsewhere.path)
  try folder.link("z/link.png", to: "1.png")
  let index = try scan(folder)
  #expect(index.items.map(\.path) == ["b/1.png", "z/1.png", "z/link.png"])
  #expect(warnings(index, .emptyClass).map(\.subject) == ["a"])
}

@Test(.timeLimit(.minutes(5))) func `pipes and links to nothing are never opened`() throws {
  let folder = try TemporaryFolder()
  for name in ["a/1.png", "b/1.png"] { try folder.write(PNGFile.any, to: name) }
  #expect(mkfifo("\(folder.path)/a/pipe.png", 0o600) == 0)
  try folder.link("a/gone.png", to: "nowhere.png")
  let index = try scan(folder)
  #expect(index.items.map(\.path) == ["a/1.png", "b/1.png"])
  let message = try #require(warnings(index, .ignoredFile).first?.message)
  #expect(message.contains(": 2 entries, ") && message.contains("a/pipe.png") && message.contains("a/gone.png"))
}

@Test func `a folder that cannot be read is reported`() throws {
  let folder = try TemporaryFolder()
  for name in ["a/1.png", "b/1.png", "b/locked/1.png"] { try folder.write(PNGFile.any, to: name) }
  chmod("\(folder.path)/b/locked", 0)
  // Root may read every folder, and nobody may not.
  let user = file_user_become(getuid() == 0 ? 65_534 : getuid())
  defer { _ = file_user_become(user) }
  let index = try scan(folder)
  #expect(index.items.count == 2)
  #expect(warnings(index, .unreadableFolder).map(\.subject) == ["b/locked"])
}

@Test func `two spellings of an accented letter are one class, and two folders`() throws {
  let folder = try TemporaryFolder()
  for name in ["caf\u{e9}/1.png", "cafe\u{301}/1.png", "the/1.png"] { try folder.write(PNGFile.any, to: name) }
  let index = try scan(folder)
  #expect(index.classes.map { $0.unicodeScalars.count } == [4, 3])
  #expect(index.items.map { $0.path.unicodeScalars.count } == [11, 10, 9])
  #expect(index.items.map(\.label) == [0, 0, 1])
}

@Test func `names of any bytes are kept exactly, of classes and of images`() throws {
  let folder = try TemporaryFolder()
  try folder.write(PNGFile.any, to: "a/1.png")
  let name = String(pathBytes: Array("latin1_".utf8) + [0xe9])
  let image = "\(name)/\(String(pathBytes: [0xff, 0x0a, 0x1b])).png"
  let path = "\(folder.path)/\(image)"
  #expect("\(folder.path)/\(name)".withPathCString { mkdir($0, 0o700) } == 0)
  try "\(folder.path)/a/1.png".withCString { from in
    try #require(path.withPathCString { link(from, $0) } == 0)
  }
  let index = try scan(folder)
  #expect(index.classes == ["a", name])
  #expect(index.items.map(\.path) == ["a/1.png", image])
  #expect(index.report(fileCheck: index.checkFiles()).statistics?.undecodable == [], "and they can be opened")
  #expect(warnings(index, .ignoredFile).isEmpty)
  #expect(path.withPathCString { unlink($0) } == 0)
  #expect("\(folder.path)/\(name)".withPathCString { rmdir($0) } == 0)
}

@Test func `images of formats that cannot be decoded are counted by format in one finding`() throws {
  let folder = try TemporaryFolder()
  for name in ["a/1.png", "b/1.png"] { try folder.write(PNGFile.any, to: name) }
  let tiff: [UInt8] = [0x49, 0x49, 0x2a, 0, 8, 0, 0, 0]
  let heic: [UInt8] = [0, 0, 0, 24] + Array("ftypheic".utf8)
  for name in ["a/x.tif", "b/y.tiff", "b/none"] { try folder.write(tiff, to: name) }
  try folder.write(heic, to: "a/phone.HEIC")
  try folder.write(Array("BM is how this text begins".utf8), to: "a/text")
  try folder.write([], to: "a/empty")
  let index = try scan(folder)
  let found = warnings(index, .unsupportedFormat)
  #expect(found.count == 1)
  #expect(found.first?.severity == .warning)
  #expect(found.first?.message == "1 HEIC image, a/phone.HEIC; 3 TIFF images, a/x.tif, b/none, b/y.tiff")
  #expect(warnings(index, .ignoredFile).first?.message.hasSuffix(": 2 entries, a/empty, a/text") == true)
}

@Test func `an empty class is no class`() throws {
  let folder = try TemporaryFolder()
  for name in ["a/1.png", "c/1.png"] { try folder.write(PNGFile.any, to: name) }
  try folder.makeFolder("b")
  let index = try scan(folder)
  #expect(index.classes == ["a", "c"])
  #expect(warnings(index, .emptyClass).map(\.subject) == ["b"])
}

@Test func `what is no dataset is refused by name`() throws {
  let folder = try TemporaryFolder()
  let path = folder.path
  #expect(throws: DatasetError.notFound(path: "\(path)/no")) {
    try DatasetIndex.scan(root: "\(path)/no", split: SplitSettings())
  }
  try folder.write(PNGFile.any, to: "file.png")
  #expect(throws: DatasetError.notAFolder(path: "\(path)/file.png")) {
    try DatasetIndex.scan(root: "\(path)/file.png", split: SplitSettings())
  }
  #expect(throws: DatasetError.noClassFolders(path: path)) { try scan(folder) }
  try folder.makeFolder("b")
  #expect(throws: DatasetError.noImages(path: path)) { try scan(folder) }
  try folder.write(PNGFile.any, to: "a/1.png")
  #expect(throws: DatasetError.tooFewClasses(path: path, only: "a")) { try scan(folder) }
  for error: DatasetError in [.notFound(path: path), .noImages(path: path), .tooFewClasses(path: path, only: "a")] {
    #expect("\(error)".contains(path))
  }
}

@Test func `progress tells the number of images`() throws {
  let folder = try TemporaryFolder()
  for number in 0..<300 { try folder.write([], to: "train/\(number % 3)/\(number).png") }
  for number in 0..<4 { try folder.write([], to: "val/\(number % 2)/\(number).png") }
  var told: [DatasetProgress] = []
  _ = try DatasetIndex.scan(root: folder.path, split: SplitSettings()) { told.append($0) }
  let all = DatasetProgress.scanning(
    files: 304,
    classes: [
      .init(name: "0", images: 102), .init(name: "1", images: 102), .init(name: "2", images: 100),
    ])
  #expect(told.last == all)
  // The first is told at once: it knows the class that was begun, and no other.
  guard case .scanning(let files, let classes) = told.first else {
    Issue.record("no progress")
    return
  }
  #expect(files == 32)
  #expect(classes == [.init(name: "0", images: 32)])
}

@Test func `reading ends when it is cancelled, at any moment`() throws {
  let folder = try TemporaryFolder()
  for number in 0..<200 { try folder.write([], to: "\(number % 4)/\(number).png") }
  var asked = 0
  _ = try DatasetIndex.scan(
    root: folder.path, split: SplitSettings(),
    isCancelled: {
      asked += 1
      return false
    })
  #expect(asked >= 200 / 32)
  for moment in 1...asked {
    var left = moment
    #expect(throws: DatasetError.cancelled(path: folder.path)) {
      try DatasetIndex.scan(
        root: folder.path, split: SplitSettings(),
        isCancelled: {
          left -= 1
          return left == 0
        })
    }
    #expect(left == 0, "nothing is looked at after it")
  }
}

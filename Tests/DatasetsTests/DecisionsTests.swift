// Decisions: their text form, what they change in an index, and that nothing is done by halves.

import Support
import Foundation
import Messages
import TestSupport
import Testing

@testable import Datasets

/// Names of every kind of byte, NUL and slash excepted.
private func randomName(_ generator: inout RandomGenerator) -> String {
  let alphabets: [[UInt8]] = [
    Array("abc0189 .->#\"\\".utf8), Array(1...255).filter { $0 != 0x2f },
    Array("é漢\u{202E}\u{200B}\u{F7E9}❤\u{FE0F}".utf8),
  ]
  let alphabet = alphabets[generator.integer(below: alphabets.count)]
  let count = 1 + generator.integer(below: 12)
  return String(pathBytes: (0..<count).map { _ in alphabet[generator.integer(below: alphabet.count)] })
}

private func lines(_ text: String) -> [(number: Int, bytes: ArraySlice<UInt8>)] {
  LineFile.lines(of: Array(text.utf8)[...])
}

/// A dataset of paths that are nowhere on disk.
private func reading(_ paths: [String], split: SplitSettings = SplitSettings()) -> ScannedDataset {
  let names = Set(paths.map { String($0.prefix { $0 != "/" }) }).sorted()
  let items = paths.map { path in
    DatasetItem(
      path: path, label: names.firstIndex(of: String(path.prefix { $0 != "/" })) ?? 0,
      split: split.split(ofPath: path))
  }
  return ScannedDataset(
    root: "/data", split: split, classes: names, items: items.sorted { ($0.label, $0.path) < ($1.label, $1.path) },
    splitSource: .hash, findings: [])
}

@Test func `the text of decisions is for people`() throws {
  var decisions = Decisions.none
  decisions.exclude("cat/12.png")
  decisions.exclude("cat/my cat.png")
  decisions.relabel("cat/2.png", to: "dog")
  decisions.confirm("cat/2.png", as: "dog")
  decisions.relabel("dog/\(String(pathBytes: [0xe9, 0x0a])).png", to: "日本")
  let text = decisions.text(dataset: "/home/ann/my pets")
  #expect(
    text.split(separator: "\n").filter { !$0.hasPrefix("#") } == [
      "relabel cat/2.png -> dog", "confirm cat/2.png -> dog", "exclude cat/12.png", #"exclude "cat/my cat.png""#,
      #"relabel "dog/\xe9\n.png" -> "日本""#,
    ])
  #expect(text.hasPrefix("# Skipline's decisions about the images in /home/ann/my pets\n"))
}

@Test func `decisions about names of any bytes read back exactly`() throws {
  var generator = RandomGenerator(seed: 5)
  for _ in 0..<200 {
    var decisions = Decisions.none
    for _ in 0..<1 + generator.integer(below: 5) {
      let name = randomName(&generator)
      if generator.integer(below: 2) == 0 { decisions.exclude(name) }
      if generator.integer(below: 2) == 0 { decisions.relabel(name, to: randomName(&generator)) }
      if generator.integer(below: 2) == 0 { decisions.confirm(name, as: randomName(&generator)) }
    }
    let text = decisions.text(dataset: randomName(&generator))
    #expect(try Decisions(lines: lines(text), file: "f") == decisions, "\(text)")
    let visible = text.unicodeScalars.allSatisfy {
      $0 == "\n" || !$0.properties.isDefaultIgnorableCodePoint && $0.value >= 0x20
    }
    #expect(visible)
  }
}

@Test func `a path alone on its line reads back exactly`() throws {
  var generator = RandomGenerator(seed: 6)
  for _ in 0..<1000 {
    let name = randomName(&generator)
    let found = lines(PathQuoting.line(name) + "\n")
    #expect(found.count == 1)
    let path = try PathQuoting.path(ofLine: found.first?.bytes ?? [])
    #expect(path.pathBytes == name.pathBytes)
  }
  #expect(PathQuoting.line("a class/日本 1.png") == "a class/日本 1.png")
}

@Test(arguments: [
  "exclude", "exclude a b", "exclude cat/my cat.png", "Exclude a", "relabel a", "relabel a b", "relabel a -> ",
  "relabel a -> b c", #"relabel a "->" b"#, #"exclude "a"#, #"exclude "a"b"#, #"exclude "\q""#, #"exclude "\x4""#,
  #"exclude "\x+4""#, #"exclude """#, #"exclude "\x00""#, #"exclude a"b"#, #""exclude" a"#, "exclude a\nexclude a",
  "relabel a -> b\nrelabel a -> c", "confirm a", "confirm a b", "confirm a -> b\nconfirm a -> c",
])
func `a line that is no decision is an error with file and line`(text: String) throws {
  let all = "# comment\n\nexclude fine.png\r\n" + text + "\n"
  let error = #expect(throws: DatasetError.self) { try Decisions(lines: lines(all), file: "/f.txt") }
  let line = text.contains("\n") ? 5 : 4
  #expect("\(try #require(error))".hasPrefix("/f.txt, line \(line): "))
}

@Test func `excluded images are in no split and relabeled ones in another class`() throws {
  let reading = reading((0..<20).map { "cat/\($0).png" } + (0..<20).map { "dog/\($0).png" })
  var decisions = Decisions.none
  try decisions.apply(
    [
      .exclude(path: "cat/3.png"), .relabel(path: "cat/4.png", to: "dog"), .exclude(path: "dog/5.png"),
      .relabel(path: "dog/5.png", to: "cat"),
    ], to: reading)
  let index = reading.index(decisions)
  #expect(index.items.count == 38)
  #expect(index.excluded.map(\.path) == ["cat/3.png", "dog/5.png"])
  #expect(index.excluded.map(\.label) == [0, 0])
  let moved = index.items.filter { $0.relabeledFrom != nil }
  #expect(moved.map(\.path) == ["cat/4.png"] && moved.map(\.label) == [1] && moved.first?.relabeledFrom == "cat")
  #expect(index.items.map(\.label) == index.items.map(\.label).sorted(), "in order of the label")
  for item in index.items { #expect(item.split == reading.split.split(ofPath: item.path), "where it was") }

  let report = index.report()
  #expect(report.classes.map(\.excluded) == [2, 0])
  #expect(report.classes.map(\.counts.total) == [18, 20])
  #expect(report.classes.map(\.images.count) == [20, 20])
  let entries = report.classes.flatMap(\.images).filter { $0.decision != nil }
  #expect(entries.map(\.path) == ["cat/3.png", "dog/5.png", "cat/4.png"])
  #expect(entries.map(\.decision) == [.excluded, .excluded, .relabeled(from: "cat")])
}

@Test func `every decision is reversible`() throws {
  let reading = reading(["cat/1.png", "dog/1.png"])
  var decisions = Decisions.none
  let changes: [DecisionChange] = [.exclude(path: "cat/1.png"), .relabel(path: "cat/1.png", to: "dog")]
  #expect(try decisions.apply(changes + changes, to: reading) == [true, true, false, false])
  #expect(try decisions.apply([.include(path: "cat/1.png")], to: reading) == [true])
  #expect(decisions["cat/1.png"]?.className == "dog", "the relabeling stays")
  #expect(try decisions.apply([.relabel(path: "cat/1.png", to: "cat")], to: reading) == [true])
  #expect(decisions == .none)
  #expect(try decisions.apply([.include(path: "cat/1.png")], to: reading) == [false])
}

@Test func `a confirmed label is no part of the data, and holds for the class that it confirms`() throws {
  let reading = reading(["cat/1.png", "cat/2.png", "dog/1.png"])
  var decisions = Decisions.none
  #expect(try decisions.apply([.confirm(path: "cat/1.png", as: "cat")], to: reading) == [true])
  let index = reading.index(decisions)
  #expect(index.confirmed == [ConfirmedLabel(path: "cat/1.png", className: "cat")])
  #expect(index.report().confirmed == index.confirmed && index.fingerprint == reading.index().fingerprint)
  #expect(index.edits == DataEdits())
  // Of another class it is judged anew; back in its own it is still confirmed.
  try decisions.apply([.relabel(path: "cat/1.png", to: "dog")], to: reading)
  #expect(reading.index(decisions).confirmed.isEmpty)
  try decisions.apply([.relabel(path: "cat/1.png", to: "cat")], to: reading)
  #expect(reading.index(decisions).confirmed.count == 1)
  #expect(
    try decisions.apply([.doubt(path: "cat/1.png"), .doubt(path: "cat/1.png")], to: reading) == [true, false])
  #expect(decisions == .none)
}

@Test func `of changes that cannot all be made none is`() throws {
  let reading = reading(["cat/1.png", "dog/1.png"])
  var decisions = Decisions.none
  for bad: (DecisionChange, DatasetError) in [
    (.exclude(path: "cat/9.png"), .unknownImage(path: "cat/9.png", root: "/data")),
    (.include(path: "cat/9.png"), .unknownImage(path: "cat/9.png", root: "/data")),
    (.relabel(path: "cat/1.png", to: "bird"), .unknownClass(name: "bird", known: ["cat", "dog"])),
    (.confirm(path: "cat/1.png", as: "bird"), .unknownClass(name: "bird", known: ["cat", "dog"])),
    (.confirm(path: "cat/9.png", as: "cat"), .unknownImage(path: "cat/9.png", root: "/data")),
    (.doubt(path: "cat/9.png"), .unknownImage(path: "cat/9.png", root: "/data")),
  ] {
    #expect(throws: bad.1) { try decisions.apply([.exclude(path: "cat/1.png"), bad.0], to: reading) }
    #expect(decisions == .none)
  }
}

@Test func `decisions that the folder has outlived are told, and can be dropped`() throws {
  let before = reading(["cat/1.png", "dog/1.png", "dog/2.png", "fox/1.png"])
  var decisions = Decisions.none
  try decisions.apply(
    [.exclude(path: "dog/2.png"), .relabel(path: "dog/2.png", to: "cat"), .relabel(path: "cat/1.png", to: "fox")],
    to: before)
  let after = reading(["cat/1.png", "dog/1.png"])
  let stale = after.index(decisions).findings.filter { $0.kind == .staleDecision }
  #expect(stale.map(\.paths) == [["dog/2.png"], ["cat/1.png"]])
  #expect(stale.allSatisfy { $0.severity == .warning })
  #expect(stale.first?.advice.contains("skipline include DATA FILE") == true)
  #expect(stale.last?.advice.contains("skipline relabel DATA FILE --to cat") == true)
  #expect(after.index(decisions).items.map(\.relabeledFrom) == [nil, nil])
  try decisions.apply([.include(path: "dog/2.png"), .relabel(path: "cat/1.png", to: "cat")], to: after)
  #expect(decisions == .none)
}

@Test func `decisions change the fingerprint, and none leave it as it was`() throws {
  let items = [
    DatasetItem(path: "a/1.png", label: 0, split: .train),
    DatasetItem(path: "b/2.png", label: 1, split: .validation),
    DatasetItem(path: "b/3.png", label: 1, split: .train),
  ]
  let reading = ScannedDataset(
    root: "/data", split: SplitSettings(), classes: ["a", "b", "c"], items: Array(items.prefix(2)),
    splitSource: .hash, findings: [])
  // Computed outside Swift, before there were decisions.
  #expect(reading.index().fingerprint == "5c6ef0b973671842")
  var prints: Set<String> = []
  for (path, name) in [("a/1.png", "b"), ("a/1.png", "c"), ("b/2.png", "a")] {
    var decisions = Decisions.none
    decisions.relabel(path, to: name)
    prints.insert(reading.index(decisions).fingerprint)
  }
  for path in ["a/1.png", "b/2.png"] {
    var decisions = Decisions.none
    decisions.exclude(path)
    prints.insert(reading.index(decisions).fingerprint)
  }
  #expect(prints.count == 5 && !prints.contains("5c6ef0b973671842"))
}

@Test func `a class all of whose images are excluded is a warning that says so, and one that is broken an error`()
  throws
{
  let folder = try TemporaryFolder()
  for number in 0..<4 {
    try folder.write(PNGFile.any, to: "data/cat/\(number).png")
    try folder.write(PNGFile.any, to: "data/dog/\(number).png")
    try folder.write([1], to: "data/fox/\(number).png")
  }
  let reading = try ScannedDataset.read(root: folder.path + "/data", split: SplitSettings())
  func findings(excluding names: [String]) throws -> [DatasetFinding] {
    var decisions = Decisions.none
    for name in names { decisions.exclude(name) }
    let index = reading.index(decisions)
    let fileCheck = try #require(index.checkFiles(workers: 1))
    let fromNames = index.report().findings.filter { $0.kind == .emptyClass }
    let all = index.report(fileCheck: fileCheck).findings.filter { $0.kind == .emptyClass }
    #expect(fromNames.allSatisfy { $0.severity == .warning && $0.message.contains("but 4 excluded ones") })
    return all
  }
  let dogs = (0..<4).map { "dog/\($0).png" }
  let both = try findings(excluding: dogs)
  #expect(both.map(\.subject) == ["fox", "dog"] && both.map(\.severity) == [.error, .warning])
  #expect(
    try findings(excluding: ["fox/1.png", "dog/1.png"]).map(\.message) == [
      "no image of the class \"fox\" can be used"
    ])
}

@Test func `decisions are found whichever way leads to the dataset`() throws {
  let folder = try TemporaryFolder()
  for name in ["my pets/cat/1.png", "my pets/cat/2.png", "my pets/dog/1.png"] {
    try folder.write(PNGFile.any, to: name)
  }
  try folder.link("link", to: "my pets")
  let store = DecisionStore(folder: folder.path + "/decisions")
  let file = store.file(forDataset: folder.path + "/my pets")
  #expect(file.hasPrefix(folder.path + "/decisions/my_pets-") && file.hasSuffix(".txt"))
  #expect(file == store.file(forDataset: folder.path + "/link/"))
  #expect(file != store.file(forDataset: folder.path + "/my pets/cat"))
  func open(_ name: String) throws -> DatasetIndex {
    try DatasetIndex.open(root: "\(folder.path)/\(name)", split: SplitSettings(), decisions: store)
  }
  #expect(try open("link").excluded.isEmpty, "no file, no decisions")
  try folder.write(Array("exclude cat/2.png\n".utf8), to: String(file.dropFirst(folder.path.count + 1)))
  #expect(try open("link").excluded.map(\.path) == ["cat/2.png"])
  #expect(try open("my pets/").excluded.map(\.path) == ["cat/2.png"])
  try folder.write(Array("exclude cat/2.png\nexclude\n".utf8), to: String(file.dropFirst(folder.path.count + 1)))
  #expect(throws: DatasetError.self) { try open("my pets") }
}

@Test func `images are found by paths below the dataset and by paths into it`() throws {
  let folder = try TemporaryFolder()
  for name in ["pets/cat/1.png", "pets/dog/1.png", "elsewhere/cat/1.png"] {
    try folder.write(PNGFile.any, to: name)
  }
  try folder.link("link", to: "pets")
  let reading = try ScannedDataset.read(root: folder.path + "/link", split: SplitSettings())
  var decisions = Decisions.none
  decisions.exclude("cat/gone.png")
  var paths = ImagePaths(reading, decisions)
  for name in ["cat/1.png", "\(folder.path)/link/cat/1.png", "\(folder.path)/pets/./cat//1.png"] {
    #expect(paths.path(of: name) == "cat/1.png")
  }
  #expect(paths.path(of: "\(folder.path)/pets/cat/gone.png") == "cat/gone.png")
  let elsewhere = "\(folder.path)/elsewhere/cat/1.png"
  #expect(paths.path(of: elsewhere) == elsewhere)
  #expect(paths.ownClass(of: "dog/1.png") == "dog" && paths.ownClass(of: "cat/gone.png") == nil)
}

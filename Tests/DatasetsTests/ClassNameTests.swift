// One class in two Unicode spellings: in folders, shards, labels, decisions and lists it is one, and paths keep their
// bytes.

import Support
import Foundation
import Messages
import TestSupport
import Testing

@testable import Datasets

private let composed = "caf\u{e9}"
private let decomposed = "cafe\u{301}"

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Test func `names are equal by their canonical form, and names that are no UTF-8 by their bytes`() {
  #expect(ClassName(composed) == ClassName(decomposed))
  #expect(bytes(ClassName(decomposed).text) == bytes(composed))
  // Hangul, a letter with two accents in another order, and a sign that stands for a letter.
  for (one, other) in [
    ("\u{ac00}", "\u{1100}\u{1161}"), ("q\u{307}\u{323}", "q\u{323}\u{307}"), ("\u{212b}", "\u{c5}"),
  ] {
    #expect(ClassName(one) == ClassName(other))
    #expect(Set([ClassName(one), ClassName(other)]).count == 1)
  }
  // Compatible is not the same.
  #expect(ClassName("\u{fb01}") != ClassName("fi") && ClassName("Cat") != ClassName("cat"))
  let odd = String(pathBytes: [0xe9] + bytes(decomposed))
  #expect(bytes(ClassName(odd).text) == bytes(odd))
  #expect(ClassName(odd) != ClassName(String(pathBytes: [0xe9] + bytes(composed))))
  let labels = ClassLabels([composed, "eau", decomposed])
  #expect(labels[decomposed] == 0 && labels["eau"] == 1 && labels["the"] == nil)
  #expect(labels.ambiguous == [ClassName(composed)])
}

@Test func `two spellings in two splits are one class without a word, side by side with a note`() throws {
  let folder = try TemporaryFolder()
  for (part, name) in [("train", composed), ("test", decomposed)] {
    for number in 0..<3 {
      try folder.write([], to: "d/\(part)/\(name)/\(number).png")
      try folder.write([], to: "d/\(part)/eau/\(number).png")
    }
  }
  func scan() throws -> DatasetIndex { try DatasetIndex.scan(root: folder.path + "/d", split: SplitSettings()) }
  let apart = try scan()
  #expect(apart.classes.map(bytes) == [bytes(composed), bytes("eau")])
  #expect(
    apart.items(in: .test).filter { $0.label == 0 }.map { bytes($0.path) }.first
      == bytes("test/\(decomposed)/0.png"))
  #expect(
    !apart.findings.contains { [.mergedClass, .missingInSplit].contains($0.kind) && $0.severity != .warning })

  try folder.write([], to: "d/train/\(decomposed)/9.png")
  let beside = try scan()
  #expect(beside.classes.count == 2 && beside.items.count == 13)
  let note = try #require(beside.findings.first { $0.kind == .mergedClass })
  #expect(note.severity == .note && note.paths.count == 2)
}

@Test func `progress counts a class once`() throws {
  let folder = try TemporaryFolder()
  for name in [composed, decomposed, "eau"] { try folder.write([], to: "d/\(name)/1.png") }
  var last: [DatasetProgress.ClassCount] = []
  _ = try ScannedDataset.read(
    root: folder.path + "/d", split: SplitSettings(),
    progress: { if case .scanning(_, let classes) = $0 { last = classes } })
  #expect(last.count == 2 && last.map(\.images).reduce(0, +) == 3)
}

@Test func `decisions name a class and an image in either spelling`() throws {
  let folder = try TemporaryFolder()
  for name in ["\(decomposed)/\(decomposed) 1.png", "\(decomposed)/2.png", "eau/1.png", "eau/2.png"] {
    try folder.write([1], to: "d/\(name)")
  }
  let reading = try ScannedDataset.read(root: folder.path + "/d", split: SplitSettings())
  for name in [composed, decomposed] {
    var decisions = Decisions.none
    try decisions.apply([.relabel(path: "eau/1.png", to: name)], to: reading)
    let item = try #require(reading.index(decisions).items.first { $0.path == "eau/1.png" })
    #expect(item.label == 0 && item.relabeledFrom == "eau")
    // Back to its own class, in the other spelling.
    try decisions.apply([.relabel(path: "\(decomposed)/2.png", to: name)], to: reading)
    #expect(decisions.list.count == 1)
  }
  var paths = ImagePaths(reading, .none)
  for name in ["\(composed)/\(composed) 1.png", "\(folder.path)/d/\(composed)/\(decomposed) 1.png"] {
    #expect(bytes(paths.path(of: name)) == bytes("\(decomposed)/\(decomposed) 1.png"))
  }
}

@Test func `shards and labels in two spellings are one class`() throws {
  func example(_ text: String?, _ label: Int64) throws -> ImageExample {
    var features = ["image/class/label": ImageExample.Feature.integer(label)]
    if let text { features["image/class/text"] = .bytes(bytes(text)) }
    return try ImageExample.serialized(features).withUnsafeBytes { bytes in try ImageExample(bytes) }
  }
  var names = ClassNames(labels: LabelsFile(bytes("0:\(composed)\n1:eau\n")))
  #expect(LabelsFile(bytes("0:\(composed)\n0:\(decomposed)\n")).faultyLine == nil)
  #expect(names.index(of: try example(composed, 0)) == 0)
  #expect(names.index(of: try example(decomposed, 0)) == 0)
  #expect(names.index(of: try example(nil, 0)) == 0)
  #expect(names.index(of: try example("eau", 1)) == 1)
  #expect(names.names.map(bytes) == [bytes(composed), bytes("eau")] && names.findings.isEmpty)
}

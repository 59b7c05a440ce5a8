// Decisions follow their data: moved, renamed, linked, copied, exchanged, and taken over by hand. Nothing is lost, and
// nothing is used without a word.

import Support
import Files
import Foundation
import Messages
import TestSupport
import Testing

@testable import Datasets

struct Pets {
  let folder: TemporaryFolder
  let store: DecisionStore

  init() throws {
    folder = try TemporaryFolder()
    store = DecisionStore(folder: folder.path + "/decisions")
    try make("pets", seed: 1)
  }

  func path(_ name: String) -> String { folder.path + "/" + name }

  /// Twelve images whose content depends on the seed.
  func make(_ name: String, seed: UInt8) throws {
    for number in 0..<6 {
      for kind in ["cat", "dog"] {
        try folder.write(Array("\(kind)\(number)".utf8) + [seed], to: "\(name)/\(kind)/\(number).png")
      }
    }
  }

  func move(_ from: String, _ to: String) throws {
    try FileManager.default.moveItem(atPath: path(from), toPath: path(to))
  }

  func copy(_ from: String, _ to: String) throws {
    try FileManager.default.copyItem(atPath: path(from), toPath: path(to))
  }

  func reading(_ name: String) throws -> ScannedDataset {
    try ScannedDataset.read(root: path(name), split: SplitSettings())
  }

  func decide(_ name: String, _ changes: DecisionChange...) throws {
    let reading = try reading(name)
    try store.update(reading) { try $0.apply(changes, to: reading) }
  }

  func index(_ name: String) throws -> DatasetIndex {
    try DatasetIndex.open(root: path(name), split: SplitSettings(), decisions: store)
  }

  func excluded(_ name: String) throws -> [String] { try index(name).excluded.map(\.path) }

  func notices(_ name: String) throws -> [DatasetFinding] {
    try index(name).findings.filter { $0.kind == .decisionsMoved }
  }

  /// The files of decisions, without their hashes.
  func files() throws -> [String] {
    try folder.names(in: "decisions").map { String($0.prefix { $0 != "-" }) }
  }
}

@Test func `decisions follow a dataset that was moved, and a link to it`() throws {
  let pets = try Pets()
  try pets.decide("pets", .exclude(path: "cat/1.png"), .relabel(path: "dog/2.png", to: "cat"))
  #expect(try pets.notices("pets").isEmpty)
  try pets.move("pets", "animals")
  #expect(try pets.excluded("animals") == ["cat/1.png"])
  #expect(try pets.index("animals").items.first { $0.path == "dog/2.png" }?.relabeledFrom == "dog")
  let notice = try #require(try pets.notices("animals").first)
  #expect(
    notice.severity == .note && notice.message.contains("2 decisions") && notice.message.contains(pets.path("pets"))
  )
  #expect(notice.advice.contains("--adopt"))
  // The old name leads to the new place.
  try pets.folder.link("pets", to: "animals")
  #expect(try pets.excluded("pets") == ["cat/1.png"])
  #expect(try pets.notices("pets").count == 1)
  // Reading moved nothing; deciding does, and then there is nothing left to say.
  #expect(try pets.files() == ["pets"])
  try pets.decide("animals", .exclude(path: "cat/3.png"))
  #expect(try pets.files() == ["animals"])
  #expect(try pets.excluded("pets") == ["cat/1.png", "cat/3.png"])
  #expect(try pets.notices("animals").isEmpty)
}

@Test func `a dataset that grew and changed a little is known again`() throws {
  let pets = try Pets()
  try pets.decide("pets", .exclude(path: "cat/1.png"), .exclude(path: "dog/5.png"))
  try pets.move("pets", "animals")
  for number in 10..<40 { try pets.folder.write([UInt8(number)], to: "animals/cat/\(number).png") }
  try FileManager.default.removeItem(atPath: pets.path("animals/dog/0.png"))
  try pets.folder.write([9, 9], to: "animals/dog/5.png")
  #expect(try pets.excluded("animals") == ["cat/1.png", "dog/5.png"])
  let changed = try #require(try pets.index("animals").findings.first { $0.kind == .staleDecision })
  #expect(changed.severity == .warning && changed.paths == ["dog/5.png"])
}

@Test func `a copy shares decisions with a word until something is decided in it`() throws {
  let pets = try Pets()
  try pets.decide("pets", .exclude(path: "cat/1.png"))
  try pets.copy("pets", "copy")
  #expect(try pets.excluded("copy") == ["cat/1.png"])
  #expect(try pets.notices("copy").first?.message.contains("which holds the same images") == true)
  try pets.decide("copy", .include(path: "cat/1.png"))
  #expect(try pets.excluded("copy").isEmpty, "not given the original's again")
  #expect(try pets.excluded("pets") == ["cat/1.png"])
  #expect(try pets.files() == ["copy", "pets"])
  try pets.decide("copy", .exclude(path: "dog/1.png"))
  #expect(try pets.excluded("pets") == ["cat/1.png"])
  #expect(try pets.excluded("copy") == ["dog/1.png"])
}

@Test func `other data in the place of the old take nothing away`() throws {
  let pets = try Pets()
  try pets.decide("pets", .exclude(path: "cat/1.png"))
  try pets.move("pets", "old")
  try pets.make("pets", seed: 2)
  // The names are the same: what was decided by name is said to be about other content.
  #expect(try pets.index("pets").findings.contains { $0.kind == .staleDecision && $0.paths == ["cat/1.png"] })
  try pets.decide("pets", .exclude(path: "dog/4.png"))
  #expect(try pets.excluded("old") == ["cat/1.png"], "still found by what it is about")
  try pets.decide("old", .exclude(path: "cat/2.png"))
  #expect(try pets.excluded("old") == ["cat/1.png", "cat/2.png"])
  #expect(try pets.excluded("pets") == ["cat/1.png", "dog/4.png"])
}

@Test func `two datasets that change places keep their own`() throws {
  let pets = try Pets()
  try pets.make("wild", seed: 3)
  try pets.decide("pets", .exclude(path: "cat/1.png"))
  try pets.decide("wild", .exclude(path: "dog/2.png"))
  try pets.move("pets", "third")
  try pets.move("wild", "pets")
  try pets.move("third", "wild")
  #expect(try pets.excluded("wild") == ["cat/1.png"])
  #expect(try pets.excluded("pets") == ["dog/2.png"])
  try pets.decide("wild", .exclude(path: "cat/5.png"))
  #expect(try pets.excluded("pets") == ["dog/2.png"])
  try pets.decide("pets", .exclude(path: "dog/5.png"))
  #expect(try pets.excluded("wild") == ["cat/1.png", "cat/5.png"])
  #expect(try pets.excluded("pets") == ["dog/2.png", "dog/5.png"])
}

@Test func `what is only similar is offered, and taken over when told`() throws {
  let pets = try Pets()
  try pets.decide("pets", .exclude(path: "cat/1.png"), .exclude(path: "dog/0.png"))
  try pets.move("pets", "half")
  for number in 0..<6 { try pets.folder.write([7, UInt8(number)], to: "half/dog/\(number).png") }
  #expect(try pets.excluded("half").isEmpty)
  let offer = try #require(try pets.notices("half").first)
  #expect(offer.severity == .warning && offer.message.contains("are not used") && offer.advice.contains("--adopt"))
  let adopted = try pets.store.adopt(pets.path("pets"), for: try pets.reading("half"))
  #expect(adopted.adopted == 2 && adopted.from == FilePath.real(pets.folder.path) + "/pets")
  #expect(try pets.excluded("half") == ["cat/1.png", "dog/0.png"])
  #expect(try pets.notices("half").isEmpty && pets.files() == ["half"])
  #expect(throws: DatasetError.noDecisions(path: pets.path("never"), folder: pets.store.folder)) {
    try pets.store.adopt(pets.path("never"), for: try pets.reading("half"))
  }
}

@Test func `adopting keeps what was decided here already`() throws {
  let pets = try Pets()
  try pets.decide("pets", .exclude(path: "cat/1.png"), .relabel(path: "dog/0.png", to: "cat"))
  try pets.make("other", seed: 5)
  try pets.decide("other", .exclude(path: "dog/0.png"))
  let file = pets.store.file(forDataset: pets.path("pets"))
  #expect(try pets.store.adopt(file, for: try pets.reading("other")).adopted == 1)
  let index = try pets.index("other")
  #expect(index.excluded.map(\.path) == ["cat/1.png", "dog/0.png"] && index.excluded[1].relabeledFrom == nil)
  #expect(try pets.excluded("pets") == ["cat/1.png"], "its dataset is still there")
  // Once more changes nothing, nor does a file of its own.
  #expect(try pets.store.adopt(file, for: try pets.reading("other")).adopted == 0)
  let own = pets.store.file(forDataset: pets.path("other"))
  #expect(try pets.store.adopt(own, for: try pets.reading("other")).adopted == 0)
  #expect(try pets.excluded("other").count == 2)
}

@Test func `files of earlier versions are offered, and used where the old name leads here`() throws {
  let pets = try Pets()
  let root = FilePath.real(pets.path("pets"))
  let file = pets.store.file(forDataset: root)
  let text = "# Skipline's decisions about the images in \(root)\nexclude cat/1.png\n"
  try pets.folder.write(Array(text.utf8), to: String(file.dropFirst(pets.folder.path.count + 1)))
  #expect(try pets.excluded("pets") == ["cat/1.png"])
  try pets.move("pets", "animals")
  #expect(try pets.excluded("animals").isEmpty)
  #expect(try pets.notices("animals").first?.severity == .warning)
  try pets.folder.link("pets", to: "animals")
  #expect(try pets.excluded("animals") == ["cat/1.png"])
}

@Test func `other datasets are left alone, and named where all their images have the same names`() throws {
  let pets = try Pets()
  try pets.decide("pets", .exclude(path: "cat/1.png"))
  try pets.make("others", seed: 4)
  #expect(try pets.excluded("others").isEmpty)
  #expect(try pets.notices("others").map(\.severity) == [.warning])
  #expect(try pets.notices("others").first?.message.contains("by the names of its images") == true)
  try pets.move("others/dog", "others/wolf")
  #expect(try pets.excluded("others").isEmpty && pets.notices("others").isEmpty)
  // Nor is it any matter that another file of decisions is damaged.
  try pets.folder.write(Array("nonsense\n#= folder\n#= image x\n".utf8), to: "decisions/broken-1.txt")
  #expect(try pets.excluded("others").isEmpty)
  #expect(try pets.excluded("pets") == ["cat/1.png"])
}

@Test func `names that a Mac's archive spelled anew are known again`() throws {
  let folder = try TemporaryFolder()
  let store = DecisionStore(folder: folder.path + "/decisions")
  func make(_ root: String, _ name: String) throws -> ScannedDataset {
    for number in 0..<5 {
      try folder.write(Array("a\(number)".utf8), to: "\(root)/\(name)/\(number).png")
      try folder.write(Array("b\(number)".utf8), to: "\(root)/eau/\(number).png")
    }
    return try ScannedDataset.read(root: "\(folder.path)/\(root)", split: SplitSettings())
  }
  let before = try make("before", "caf\u{e9}")
  try store.update(before) { try $0.apply([.exclude(path: "caf\u{e9}/1.png")], to: before) }
  try FileManager.default.removeItem(atPath: folder.path + "/before")
  let after = try make("after", "cafe\u{301}")
  let index = after.index(try store.find(for: after))
  #expect(index.excluded.map { Array($0.path.utf8) } == [Array("cafe\u{301}/1.png".utf8)])
}

@Test func `an identity survives its text form`() throws {
  let odd = String(pathBytes: [0xff, 0x0a, 0x22, 0x20])
  let identity = DatasetIdentity(
    folder: "/data/my \(odd)",
    samples: [.init(path: "cat/1.png", size: 12, hash: 0xfe), .init(path: odd, size: 0, hash: .max)])
  let text = "exclude a\n" + identity.text
  #expect(DatasetIdentity(content: Array(text.utf8)) == identity)
  #expect(Decisions.areReadable(Array(text.utf8)))
  #expect(DatasetIdentity(content: Array("exclude a\n".utf8)) == nil)
}

@Test func `decisions that may not be looked for are a warning, and writing them an error`() throws {
  let pets = try Pets()
  try pets.decide("pets", .exclude(path: "cat/1.png"))
  // Root may read everything.
  guard geteuid() != 0 else { return }
  chmod(pets.store.folder, 0o000)
  defer { chmod(pets.store.folder, 0o700) }
  let notice = try #require(try pets.notices("pets").first)
  #expect(notice.severity == .warning && notice.advice.contains("XDG_CONFIG_HOME"))
  let error = #expect(throws: DecisionsNotKept.self) { try pets.decide("pets", .exclude(path: "cat/2.png")) }
  #expect("\(try #require(error))".contains("XDG_CONFIG_HOME"))
}

// Decisions about the same images reached at another level, by copies of what was moved, or saved again; and how not to
// hear of them any more.

import Files
import Foundation
import Messages
import TestSupport
import Testing

@testable import Datasets

extension Pets {
  fileprivate func moveInto(_ name: String, _ folder: String) throws {
    try self.folder.makeFolder(FilePath.split(folder).folder)
    try move(name, folder)
  }
}

@Test(arguments: [
  ("d", "archive/", "d/archive", ""), ("d/archive", "", "d", "archive/"), ("d", "a/b/", "d/a/b", ""),
  ("d/a", "b/", "d/a/b", ""), ("d/a/b", "", "d", "a/b/"),
])
func `decisions hold at the levels above and below, with a word`(
  decided: String, there: String, used: String, here: String
) throws {
  let pets = try Pets()
  try pets.moveInto("pets", used.count > decided.count ? used : decided)
  try pets.decide(decided, .exclude(path: "\(there)cat/1.png"), .relabel(path: "\(there)dog/2.png", to: "cat"))
  #expect(try pets.excluded(used) == ["\(here)cat/1.png"])
  #expect(try pets.index(used).items.contains { $0.path == "\(here)dog/2.png" && $0.relabeledFrom == "dog" })
  let notice = try #require(try pets.notices(used).first)
  #expect(notice.severity == .note && notice.message.contains("2 decisions") && notice.message.contains("level"))
  // Deciding there takes nothing away; what then differs is told at both.
  try pets.decide(used, .exclude(path: "\(here)cat/3.png"))
  #expect(try pets.excluded(used) == ["\(here)cat/1.png", "\(here)cat/3.png"])
  #expect(try pets.excluded(decided) == ["\(there)cat/1.png"])
  #expect(try pets.notices(decided).map(\.severity) == [.warning])
  #expect(try pets.store.adopt(pets.path(used), for: try pets.reading(decided)).adopted == 1)
  #expect(try pets.excluded(decided) == ["\(there)cat/1.png", "\(there)cat/3.png"])
  #expect(try pets.notices(decided).isEmpty && pets.notices(used).isEmpty)
}

@Test(arguments: ["other/wrapper", "e", "e/archive/archive"])
func `decisions are found below another wrapper, after a move`(place: String) throws {
  let pets = try Pets()
  try pets.moveInto("pets", "d/archive")
  try pets.decide("d", .exclude(path: "archive/cat/1.png"))
  try pets.moveInto("d/archive", place)
  #expect(try pets.excluded(place) == ["cat/1.png"])
  let top = String(place.prefix { $0 != "/" })
  let inner = place == top ? "" : place.dropFirst(top.count + 1) + "/"
  #expect(try pets.excluded(top) == [inner + "cat/1.png"])
  #expect(try pets.notices(top).count == 1)
}

@Test func `a split that is used by itself keeps what is decided about its images, and all of it what is in each`()
  throws
{
  let pets = try Pets()
  try pets.moveInto("pets", "g/train")
  try pets.make("g/test", seed: 9)
  try pets.decide("g", .exclude(path: "train/cat/1.png"), .exclude(path: "test/dog/2.png"))
  #expect(try pets.excluded("g/test") == ["dog/2.png"])
  #expect(try pets.excluded("g/train") == ["cat/1.png"])
  // And from both at once, where nothing was decided above.
  let other = try Pets()
  try other.moveInto("pets", "g/train")
  try other.make("g/test", seed: 9)
  try other.decide("g/train", .exclude(path: "cat/1.png"))
  try other.decide("g/test", .exclude(path: "dog/2.png"))
  #expect(Set(try other.excluded("g")) == ["train/cat/1.png", "test/dog/2.png"])
  #expect(try other.notices("g").count == 2)
}

@Test(arguments: [false, true])
func `files that were saved again are told to look like those decided about`(isDeeper: Bool) throws {
  let pets = try Pets()
  try pets.decide("pets", .exclude(path: "cat/1.png"))
  let place = isDeeper ? "again/archive" : "again"
  try pets.make(place, seed: 7)
  let notice = try #require(try pets.notices("again").first)
  #expect(try pets.excluded("again").isEmpty)
  #expect(notice.severity == .warning && notice.message.contains("contents are others"))
  #expect(notice.advice.contains("--adopt") && notice.advice.contains("--ignore"))
  #expect(try pets.store.adopt(pets.path("pets"), for: try pets.reading("again")).adopted == 1)
  #expect(try pets.excluded("again") == [isDeeper ? "archive/cat/1.png" : "cat/1.png"])
  #expect(try pets.excluded("pets") == ["cat/1.png"])
}

@Test func `what looks alike is spoken of no more when it is ignored, and others still are`() throws {
  let pets = try Pets()
  try pets.decide("pets", .exclude(path: "cat/1.png"))
  try pets.make("again", seed: 7)
  #expect(try pets.notices("again").count == 1)
  _ = try pets.store.ignore(pets.path("pets"), for: try pets.reading("again"))
  #expect(try pets.notices("again").isEmpty)
  try pets.make("third", seed: 8)
  _ = try pets.store.ignore(pets.store.file(forDataset: pets.path("pets")), for: try pets.reading("third"))
  try pets.decide("third", .exclude(path: "dog/1.png"))
  #expect(try pets.notices("again").count == 1 && pets.notices("third").isEmpty)
  // Deciding forgets nothing.
  try pets.decide("again", .exclude(path: "dog/3.png"))
  try pets.decide("again", .include(path: "dog/3.png"))
  #expect(try pets.notices("again").allSatisfy { $0.message.contains("third") })
  #expect(throws: DatasetError.ownDecisions(path: pets.path("third"))) {
    try pets.store.ignore(pets.path("third"), for: try pets.reading("third"))
  }
  #expect(throws: DatasetError.self) { try pets.store.ignore("/nowhere", for: try pets.reading("third")) }
}

@Test func `a copy that decides takes nothing from what was moved and copied`() throws {
  let pets = try Pets()
  try pets.decide("pets", .exclude(path: "cat/1.png"))
  try pets.copy("pets", "copy")
  try pets.move("pets", "animals")
  try pets.decide("copy", .exclude(path: "dog/1.png"))
  #expect(try pets.excluded("copy") == ["cat/1.png", "dog/1.png"])
  #expect(try pets.excluded("animals") == ["cat/1.png"])
  try pets.decide("animals", .include(path: "cat/1.png"))
  #expect(try pets.excluded("animals").isEmpty && pets.excluded("copy") == ["cat/1.png", "dog/1.png"])
}

@Test func `decisions are adopted from a folder that uses those of another place`() throws {
  let pets = try Pets()
  try pets.decide("pets", .exclude(path: "cat/1.png"))
  try pets.moveInto("pets", "new/deeper")
  #expect(try pets.excluded("new/deeper") == ["cat/1.png"])
  try pets.make("again", seed: 7)
  #expect(try pets.store.adopt(pets.path("new/deeper"), for: try pets.reading("again")).adopted == 1)
  #expect(try pets.excluded("again") == ["cat/1.png"])
  #expect(try pets.excluded("new/deeper") == ["cat/1.png"], "which still needs them")
}

@Test func `paths shift only between folders of which one lies in the other`() {
  #expect(LevelShift(between: "/a/d", and: "/a/d/x/y")?.here("x/y/1.png") == "1.png")
  #expect(LevelShift(between: "/a/d", and: "/a/d/x")?.here("xy/1.png") == nil)
  #expect(LevelShift(between: "/a/d/x", and: "/a/d")?.here("1.png") == "x/1.png")
  #expect(LevelShift(between: "/", and: "/d")?.here("d/1.png") == "1.png")
  for other in ["/a/d", "/a/dx", "/b"] { #expect(LevelShift(between: "/a/d", and: other) == nil) }
}

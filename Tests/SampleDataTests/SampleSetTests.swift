// The committed sample data against its generator: the same pixels, the counts and sizes that are promised, and
// no class that color, brightness or file size would give away.

import Foundation
import Testing

@testable import SampleData

@Suite struct SampleSetTests {
  let set = SampleSet.standard
  let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("sample-data")

  @Test func `the committed pictures are those that the generator draws`() throws {
    // Pixels, not bytes: another zlib may compress the same pixels otherwise.
    let drawn = Dictionary(uniqueKeysWithValues: set.items.map { ($0.path, set.picture(of: $0)) })
    let different = try set.items.map(\.path).filter { path in
      let committed = try decodedPNG(Data(contentsOf: folder.appendingPathComponent(path)))
      return committed != drawn[path]
    }
    // The count, not the list: the list may have every picture in it.
    let count = different.count
    #expect(count == 0, "\(different.count) pictures, as \(different.prefix(3)): run 'make sample'")
  }

  @Test func `the class folders hold the set's pictures and nothing else`() throws {
    var found: Set<String> = []
    for split in ["train", "test"] {
      let root = folder.appendingPathComponent(split)
      for path in try FileManager.default.subpathsOfDirectory(atPath: root.path) where path.contains("/") {
        found.insert("\(split)/\(path)")
      }
    }
    #expect(found == Set(set.items.map(\.path)))
    #expect(Shape.allCases.count == 8)
    for shape in Shape.allCases {
      let paths = set.items(of: shape).map(\.path)
      #expect(paths.count { $0.hasPrefix("train/\(shape.rawValue)/\(shape.rawValue)-") } == 120)
      #expect(paths.count { $0.hasPrefix("test/\(shape.rawValue)/\(shape.rawValue)-") } == 40)
    }
  }

  @Test func `the whole set is below 5 MB`() throws {
    var total = 0
    for item in set.items {
      let size = try folder.appendingPathComponent(item.path).resourceValues(forKeys: [.fileSizeKey]).fileSize
      total += try #require(size)
    }
    #expect(total > 1_000_000 && total < 5_000_000, "\(total) bytes")
  }

  @Test func `no two pictures are alike`() {
    #expect(Set(set.items.map { set.picture(of: $0).pixels }).count == set.items.count)
  }

  @Test func `writing gives the same files each time and leaves other files alone`() throws {
    let small = SampleSet(seed: 7, side: 32, trainingCount: 2, testCount: 1)
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("sample-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let written = try small.write(to: root.path)
    #expect(written.files == 3 * Shape.allCases.count)
    let first = try contents(of: small, in: root)
    #expect(first.values.reduce(0) { $0 + $1.count } == written.bytes)

    let other = root.appendingPathComponent("train/disc/of-the-user.png")
    try Data("mine".utf8).write(to: other)
    try Data().write(to: root.appendingPathComponent("train/disc/disc-0001.png"))
    try small.write(to: root.path)
    #expect(try contents(of: small, in: root) == first)
    #expect(try Data(contentsOf: other) == Data("mine".utf8))
  }

  @Test func `a folder that cannot be written is named`() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("sample-\(UUID().uuidString)")
    try Data().write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let error = #expect(throws: SampleDataError.self) { try set.write(to: file.path) }
    #expect(error?.description.contains(file.path + "/train/crescent/crescent-0001.png") == true)
  }

  @Test func `a picture depends on the seed and on its path alone`() {
    let item = set.items(of: .star)[3]
    var longer = set
    longer.trainingCount = 200
    #expect(longer.picture(of: longer.items(of: .star)[3]) == set.picture(of: item))
    var other = set
    other.seed += 1
    #expect(other.picture(of: item) != set.picture(of: item))
  }

  private func contents(of set: SampleSet, in root: URL) throws -> [String: Data] {
    try set.items.reduce(into: [:]) { result, item in
      result[item.path] = try Data(contentsOf: root.appendingPathComponent(item.path))
    }
  }
}

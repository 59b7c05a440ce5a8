// `skipline cache`, and what the other commands do with caches.

import Foundation
import Messages
import Testing

@Suite(.serialized) struct CacheCommandTests {
  private struct Packed: Decodable {
    var path: String
    var entries: Int
    var bytes: Int
    var images: Int
    var decoded: Int
    var kept: Int
  }

  private let cache = ".cache/skipline/caches"

  private func caches(_ workspace: Workspace) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(workspace.folder)/\(cache)")) ?? [])
      .filter { $0.hasSuffix(".cache") }
  }

  @Test func `cache makes an image cache once, lists it and clears it`() async throws {
    let workspace = try Workspace()
    let first = try await workspace.skipline("cache", "data", "--imgsz", "16", "--json").decoded(Packed.self)
    #expect(first.decoded == Workspace.imageCount && first.entries == Workspace.imageCount)
    #expect(first.bytes > Workspace.imageCount * 16 * 16 * 3)
    #expect(first.path.hasPrefix("\(workspace.folder)/\(cache)/data-"))
    let again = try await workspace.skipline("cache", "data", "--imgsz", "16")
    #expect(again.status == 0 && again.output.contains("64 images") && again.output.contains("up to date"))

    let list = try await workspace.skipline("cache", "--list")
    #expect(list.output.contains("/data") && list.output.contains("16 stretch"))
    let cleared = try await workspace.skipline("cache", "--clear")
    #expect(cleared.output.hasPrefix("removed 1 cache"))
    #expect(caches(workspace).isEmpty)
    #expect(try await workspace.skipline("cache", "--list").output.contains("no image caches"))
  }

  @Test func `cache says what cannot be, with the exit status that fits`() async throws {
    let workspace = try Workspace()
    #expect(try await workspace.skipline("cache").status == 64)
    #expect(try await workspace.skipline("cache", "data", "--list").status == 64)
    #expect(try await workspace.skipline("cache", "data", "--cache-limit", "many").status == 64)
    #expect(try await workspace.skipline("cache", "nowhere").status == 66)
    let small = try await workspace.skipline("cache", "data", "--cache-limit", "4K")
    #expect(small.status == 74 && small.errors.contains("4.0 KiB are allowed"))
    let blocked = try Workspace()
    try blocked.write([], to: ".cache/skipline")
    let refused = try await blocked.skipline("cache", "data")
    #expect(refused.status == 74 && refused.errors.contains(cache))
  }

  @Test func `train caches by itself, or not, and the run is the same`() async throws {
    let workspace = try Workspace()
    let without = try await workspace.train("without", epochs: 1, "--no-cache")
    #expect(without.status == 0)
    #expect(caches(workspace).isEmpty)
    let with = try await workspace.train("with", epochs: 1)
    #expect(with.errors.contains("of the steps waiting for images"))
    #expect(caches(workspace).count == 1)
    let small = try await workspace.train("small", epochs: 1, "--cache-limit", "1k")
    #expect(small.status == 0 && small.errors.contains("without an image cache"))
    func result(_ name: String) throws -> [String] {
      // All but the seconds and the waiting.
      try workspace.lines("runs/\(name)/results.csv").map { line in
        let cells = line.split(separator: ",", omittingEmptySubsequences: false)
        return (cells[..<8] + [cells[9]]).joined(separator: ",")
      }
    }
    #expect(try result("with") == result("without"))
    #expect(try result("small") == result("without"))
    for flag in ["--cache", "--no-cache"] {
      #expect(try await workspace.skipline("evaluate", "runs/with", flag).status == 0)
    }
  }

  // The user's images are never altered, nor is anything put beside them.
  @Test func `caching and training leave the dataset as it was`() async throws {
    let workspace = try Workspace()
    func tree() throws -> [String: Data] {
      let root = "\(workspace.folder)/data"
      let names = try FileManager.default.subpathsOfDirectory(atPath: root)
      return try Dictionary(
        uniqueKeysWithValues: names.map { name in
          let attributes = try FileManager.default.attributesOfItem(atPath: "\(root)/\(name)")
          let isFolder = attributes[.type] as? FileAttributeType == .typeDirectory
          return (
            "\(name) \(attributes[.modificationDate] ?? "")",
            isFolder ? Data() : try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(name)"))
          )
        })
    }
    let before = try tree()
    _ = try await workspace.skipline("cache", "data", "--imgsz", "16")
    _ = try await workspace.train(epochs: 1)
    _ = try await workspace.skipline("evaluate", "runs/tiny")
    #expect(try tree() == before)
  }
}

// `skipline check`: what it prints of a sound and of a spoilt dataset, and how it ends.

import Foundation
import Messages
import SampleData
import Testing

extension Workspace {
  /// A picture of the dataset as it is on disk, put elsewhere too.
  fileprivate func copy(_ name: String, to other: String) throws {
    try write(Array(Data(contentsOf: URL(fileURLWithPath: "\(folder)/data/\(name)"))), to: "data/\(other)")
  }
}

@Suite(.serialized) struct CheckCommandTests {
  @Test func `a sound dataset is counted and measured, and ends with 0`() async throws {
    let workspace = try Workspace()
    let text = try await workspace.skipline("check", "data")
    #expect(text.status == 0)
    #expect(text.errors.isEmpty)
    let words = text.outputLines.map { $0.split(separator: " ").map(String.init) }
    #expect(words[0] == ["class", "train", "val", "test", "all"])
    #expect(words.contains { $0.prefix(2) == ["8", "classes"] && $0.suffix(2) == ["16", "64"] })
    for line in ["every image decodes", "PNG 64", "rgb 64", "16x16 64", "difference hash"] {
      #expect(text.output.contains(line), "\(line)")
    }
    // Eight classes of six or fewer training images, of which five are shown.
    #expect(text.output.contains("... and 3 more of this kind"))
    #expect(text.outputLines.last?.hasPrefix("no errors, ") == true)
    #expect(!text.output.contains("\u{1B}"))
    let all = try await workspace.skipline("check", "data", "--all")
    #expect(!all.output.contains("more of this kind"))
    #expect(all.outputLines.count { $0.contains("training image") } >= 8)
  }

  @Test func `JSON has the whole report under stable keys`() async throws {
    let workspace = try Workspace()
    let result = try await workspace.skipline("check", "data", "--json")
    let report = try result.decoded(DatasetReport.self)
    #expect(report.counts.total == Workspace.imageCount && report.counts.test == Workspace.testCount)
    #expect(report.classes.map(\.name).contains("pentagon"))
    #expect(report.classes.allSatisfy { $0.images.count == 8 })
    #expect(report.statistics?.images == Workspace.imageCount && report.statistics?.mean.count == 3)
    let value = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    let keys = try #require(value as? [String: Any])
    #expect(keys.keys.sorted() == ["classes", "confirmed", "findings", "root", "splitSource", "statistics"])
    let finding = try #require((keys["findings"] as? [[String: Any]])?.first)
    #expect(Set(finding.keys).isSuperset(of: ["kind", "severity", "paths", "message", "advice"]))
  }

  @Test func `without decoding only names are read`() async throws {
    let workspace = try Workspace()
    try workspace.truncate("data/train/star/star-0003.png")
    let text = try await workspace.skipline("check", "data", "--no-decode")
    #expect(text.status == 0)
    #expect(text.output.contains("not checked") && !text.output.contains("mean"))
    let report = try await workspace.skipline("check", "data", "--no-decode", "--json").decoded(DatasetReport.self)
    #expect(report.statistics == nil && report.counts.total == Workspace.imageCount)
  }

  @Test func `a truncated file is named with what to do, and ends with 65`() async throws {
    let workspace = try Workspace()
    let broken = "train/star/star-0003.png"
    try workspace.truncate("data/\(broken)")
    let text = try await workspace.skipline("check", "data")
    #expect(text.status == 65)
    #expect(text.output.contains("x \(broken) cannot be decoded: "))
    #expect(text.output.contains("skipline exclude data \(broken)"))
    #expect(text.output.contains("63 decode, 1 does not"))
    #expect(text.outputLines.last?.hasPrefix("1 error, ") == true)
    #expect(text.outputLines.last?.hasSuffix(": training would be wrong") == true)
    let json = try await workspace.skipline("check", "data", "--json")
    #expect(json.status == 65)
    let report = try json.decoded(DatasetReport.self)
    #expect(report.findings.filter { $0.kind == .undecodable }.map(\.subject) == [broken])
  }

  @Test func `copies are told apart by what they spoil`() async throws {
    let workspace = try Workspace()
    try workspace.copy("test/disc/disc-0007.png", to: "train/disc/copy.png")
    try workspace.copy("train/star/star-0003.png", to: "train/ring/copy.png")
    for number in 1...4 { try workspace.copy("test/cross/cross-0007.png", to: "test/cross/copy\(number).png") }
    let text = try await workspace.skipline("check", "data")
    #expect(text.status == 65)
    for line in [
      "2 errors",
      "x test/disc/disc-0007.png and train/disc/copy.png are the same image, in train and test",
      "skipline exclude data train/disc/copy.png",
      "x train/ring/copy.png and train/star/star-0003.png are the same image in the classes \"ring\" and \"star\"",
      "- test/cross/copy1.png, test/cross/copy2.png and 3 others are the same image, in test of the class \"cross\"",
    ] {
      #expect(text.output.contains(line), "\(line)")
    }
    #expect(!text.output.contains("      test/cross/copy4.png"))
    let all = try await workspace.skipline("check", "data", "--all")
    #expect(all.output.contains("      test/cross/copy4.png\n"))
  }

  @Test func `a class that a split lacks is said`() async throws {
    let workspace = try Workspace()
    try FileManager.default.removeItem(atPath: "\(workspace.folder)/data/test/ring")
    let warned = try await workspace.skipline("check", "data")
    #expect(warned.status == 0)
    #expect(warned.output.contains("! the class \"ring\" has no images in test, which has 14 of others"))
    try FileManager.default.removeItem(atPath: "\(workspace.folder)/data/train/star")
    let refused = try await workspace.skipline("check", "data")
    #expect(refused.status == 65)
    #expect(refused.output.contains("x the class \"star\" has no training images, but 3 in val and test"))
  }

  @Test func `an image is read for what it is, whatever its name says`() async throws {
    let workspace = try Workspace()
    let folder = "\(workspace.folder)/data/train/star"
    try FileManager.default.moveItem(atPath: "\(folder)/star-0003.png", toPath: "\(folder)/star-0003.jpg")
    let text = try await workspace.skipline("check", "data")
    #expect(text.status == 0)
    #expect(text.output.contains("PNG 64"))
  }
}

extension Journeys {
  @Suite struct Checking {
    /// Each file takes a twentieth of a second or more.
    private static let large = Result {
      let side = 3000
      let picture = Drawing(side: side, pixels: [UInt8](repeating: 90, count: side * side * 3))
      return try picture.encodedAsPNG()
    }

    @Test func `progress stands on one line, and ctrl-c ends with 130`() async throws {
      let workspace = try Workspace(withData: false)
      for name in ["a", "b"] { try workspace.write(try Self.large.get(), to: "data/\(name)/0.png") }
      for number in 1...150 {
        try FileManager.default.linkItem(
          atPath: "\(workspace.folder)/data/a/0.png", toPath: "\(workspace.folder)/data/a/\(number).png")
      }
      let terminal = try await TerminalJourney(in: workspace)
      try terminal.startSkipline(["check", "data"])
      try await terminal.sees("checking files: ", " of 152")
      try terminal.press("C-c")
      let screen = try await terminal.sees("ended with 130")
      #expect(!screen.contains("looking into files"), "the line is cleared")
      #expect(!screen.contains("class"), "there is no report")
    }
  }
}

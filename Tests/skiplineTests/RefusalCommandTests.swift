// What was refused once is not refused for good, and what the commands say of images that nobody sees.

import Foundation
import Messages
import SampleData
import TestSupport
import Testing

@testable import skipline

@Suite(.serialized) struct RefusalCommandTests {
  private struct Packed: Decodable {
    var images: Int
    var undecodable: Int
    var leftOut: Int
    var decoded: Int
    var kept: Int
  }

  private func capped(_ workspace: Workspace, _ words: String...) async throws -> FinishedProgram {
    try await RunningProgram(["env", "SKIPLINE_MAX_PIXELS=100", "skipline"] + words, in: workspace).finish()
  }

  @Test func `a cap on pixels is forgotten when it is gone`() async throws {
    let workspace = try Workspace()
    for number in 1...9 { try workspace.write(PNGFile.any, to: "data/train/disc/small\(number).png") }
    try workspace.write([1, 2, 3], to: "data/train/disc/broken.png")
    let refused = try await capped(workspace, "cache", "data", "--imgsz", "16", "--json")
    let first = try refused.decoded(Packed.self)
    #expect(first.images == 9 && first.undecodable == 1 && first.leftOut == Workspace.imageCount)
    #expect(first.decoded == 9 && first.kept == 0)
    #expect(
      refused.errors.contains("64 files have more pixels") && refused.errors.contains("1 file does not decode"))
    let text = try await capped(workspace, "cache", "data", "--imgsz", "16")
    #expect(text.output.contains("9 images,") && text.output.contains("up to date"))
    #expect(try await capped(workspace, "check", "data").status == 65)

    let trained = try await workspace.train(epochs: 1)
    #expect(trained.status == 0 && !trained.errors.contains("allowed"))
    let second = try await workspace.skipline("cache", "data", "--imgsz", "16", "--json").decoded(Packed.self)
    #expect(second.images == Workspace.imageCount + 9 && second.undecodable == 1 && second.leftOut == 0)
  }

  @Test func `wide images say what a crop cuts away, before training and in check`() async throws {
    let workspace = try Workspace(withData: false)
    for name in ["left", "right"] {
      for number in 0..<10 {
        let shade = UInt8(20 * number + (name == "left" ? 0 : 7))
        let place = "data/\(number < 8 ? "train" : "val")/\(name)/\(number).png"
        try workspace.write(PNGFile.plain(width: 64, height: 16, red: shade, green: 0, blue: 90), to: place)
      }
    }
    let check = try await workspace.skipline("check", "data")
    #expect(check.output.contains("81% of the area") && check.output.contains("--resize stretch"))
    func train(_ more: String...) async throws -> String {
      let run = try await workspace.skipline(
        ["train", "data"] + Workspace.tinyNetwork + ["--epochs", "1", "--lr", "0.001"] + more)
      #expect(run.status == 0, "\(run.errors)")
      return run.output + run.errors
    }
    for cache in ["--cache", "--no-cache"] {
      #expect(try await train("--resize", "crop", cache).contains("cuts away 81% of the area"))
    }
    #expect(try await !train("--resize", "stretch").contains("cuts away"))
  }

  /// The same shape, cut out of what follows the class.
  private func cutOut(_ hidden: [UInt8], shade: UInt8) -> [UInt8] {
    let row: [UInt8] = (0..<8).reduce(into: [0]) { row, column in
      row += column < 4 ? [shade, shade, shade, 255] : hidden + [0]
    }
    return PNGFile(width: 8, height: 8, color: .rgba, rows: Array(repeating: row, count: 8)).bytes
  }

  @Test func `colors that transparent pixels hide are never learned`() async throws {
    let workspace = try Workspace(withData: false)
    for (name, hidden) in [("one", [250, 0, 0] as [UInt8]), ("two", [0, 0, 250])] {
      for number in 0..<20 {
        try workspace.write(
          cutOut(hidden, shade: UInt8(10 * number)),
          to: "data/\(number < 16 ? "train" : "test")/\(name)/\(number).png")
      }
    }
    let check = try await workspace.skipline("check", "data")
    #expect(check.output.contains("40 images are transparent in places; 40 of them have colors there"))
    func accuracy(_ name: String, _ more: String...) async throws -> Double {
      let run = try await workspace.skipline(
        ["train", "data"] + Workspace.tinyNetwork
          + ["--epochs", "8", "--lr", "0.05", "--split", "100/0/0", "--name", name] + more)
      #expect(run.status == 0, "\(run.errors)")
      return try await workspace.skipline("evaluate", "runs/\(name)", "--json").decoded(EvaluationReport.self).top1
    }
    // Without them nothing tells the classes apart; with them everything does.
    #expect(try await accuracy("white") == 0.5)
    #expect(try await accuracy("black", "--background", "black") == 0.5)
    #expect(try await accuracy("dropped", "--background", "none") == 1)
    #expect(try workspace.text("runs/black/run.json").contains("\"background\" : \"black\""))
    let refused = try await workspace.skipline("train", "data", "--background", "pink")
    #expect(refused.status == 64)
  }

  @Test func `very long names are shortened in tables, and whole in JSON`() async throws {
    let workspace = try Workspace()
    let long = "first-" + String(repeating: "long ", count: 30) + "last"
    for number in 1...4 {
      let picture = try Workspace.pictures.picture(of: Workspace.pictures.items[number]).encodedAsPNG()
      try workspace.write(picture, to: "data/train/\(long)/\(number).png")
    }
    let check = try await workspace.skipline("check", "data", "--no-decode")
    let line = try #require(check.outputLines.first { $0.hasPrefix("first-") })
    #expect(line.contains("…") && line.contains("last") && line.count < 100)
    #expect(check.outputLines.first { $0.hasPrefix("disc") }.map { $0.count < 100 } == true)
    #expect(
      try await workspace.skipline("check", "data", "--no-decode", "--json").decoded(DatasetReport.self)
        .classes.map(\.name).contains(long))
  }

  @Test func `tables fit the terminal, as far as names can be shortened`() {
    let rows = [["class", "train"], [String(repeating: "猫", count: 40), "12"], ["b", "1,234"]]
    let table = Console.table(rows, width: 40)
    #expect(table[1].contains("…") && table[2].hasSuffix("1,234"))
    #expect(Console.table(rows, width: 200)[1].hasPrefix(String(repeating: "猫", count: 40)))
    let paths = [[String(repeating: "p/", count: 50), String(repeating: "q", count: 90)]]
    #expect(Console.table(paths, width: nil, hasPaths: true)[0].count == 192)
    #expect(Console.table(paths, width: nil)[0].count == 122)
    for width in [30, 80, 100] {
      let cells = Console.table(paths, width: width)[0].split(separator: "  ").map(\.count)
      #expect(cells.allSatisfy { $0 >= 20 } && cells.reduce(2, +) <= max(width, 42), "\(width): \(cells)")
    }
  }
}

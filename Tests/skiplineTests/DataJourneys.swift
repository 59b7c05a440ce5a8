// Mending a dataset at a terminal: what is wrong with it, the files concerned, images excluded, relabeled and taken in
// again, and what the commands say of it afterwards.

import Foundation
import Messages
import Testing

extension Journeys {
  @Suite struct Mending {
    /// The classes are narrowed to one and it is opened, whatever their number and order.
    private func openStars(_ terminal: TerminalJourney) async throws {
      try terminal.type("/star")
      try terminal.press("Enter", "Enter")
      try await terminal.sees("← star", "1 of 8")
    }

    @Test(arguments: [(80, 24), (160, 50)])
    func `an image is excluded by a key, the counts change, and u takes it back`(
      columns: Int, rows: Int
    ) async throws {
      let terminal = try await TerminalJourney(in: Workspace(), columns: columns, rows: rows)
      try await terminal.open()
      try await openStars(terminal)
      try terminal.press("x")
      try await terminal.sees("1 excluded", "$ skipline exclude data")
      try terminal.press("Escape", "Escape")
      try await terminal.sees("63 images", "excl.")
      try terminal.press("u")
      let screen = try await terminal.sees("64 images")
      #expect(!screen.contains("excl."))
    }

    @Test func `what was decided holds for the next opening and for the commands`() async throws {
      let workspace = try Workspace()
      let terminal = try await TerminalJourney(in: workspace)
      try await terminal.open()
      try await openStars(terminal)
      try terminal.press("x")
      try await terminal.sees("1 excluded")
      try terminal.press("q")
      try await terminal.sees("ended with 0")
      let checked = try await workspace.skipline("check", "data", "--json").decoded(DatasetReport.self)
      #expect(checked.excluded == 1)
      #expect(checked.counts.total == Workspace.imageCount - 1)
      try terminal.startSkipline(["data"] + Workspace.tinyNetwork)
      try await terminal.sees("63 images", "1 excluded")
    }

    @Test func `an image is given another class from the chooser, and is listed there with what it was`()
      async throws
    {
      let terminal = try await TerminalJourney(in: Workspace())
      try await terminal.open()
      try await openStars(terminal)
      try terminal.press("m")
      try await terminal.sees("(star) as", "crescent")
      try terminal.type("hexa")
      try await terminal.sees("skipline relabel data --to hexagon")
      try terminal.press("Enter")
      try await terminal.sees("← star", "1 of 7")
      try terminal.press("Escape", "Escape")
      try terminal.type("/hexagon")
      try terminal.press("Enter", "Enter")
      try await terminal.sees("← hexagon", "of 9", "was star")
    }

    @Test func `a file that does not decode is found, opened from the findings, and excluded`() async throws {
      let workspace = try Workspace()
      let broken = try #require(Workspace.pictures.items.first).path
      try workspace.truncate("data/\(broken)")
      let name = String(broken.split(separator: "/").last ?? "")
      let terminal = try await TerminalJourney(in: workspace)
      try await terminal.open()
      try terminal.press("c")
      try await terminal.sees("files checked: ")
      try terminal.press("w")
      try terminal.type("/does not decode")
      try terminal.press("Enter")
      try await terminal.sees("error: does not decode", name)
      try terminal.press("Enter")
      try await terminal.sees("1 of 1", name)
      try terminal.press("x")
      try await terminal.sees("excluded", "settled")
      try terminal.press("Escape")
      try terminal.press("f")
      try await terminal.sees("← statistics of", "median", "std", "PNG")
    }

    @Test func `nothing below the dataset's folder changes by deciding`() async throws {
      let workspace = try Workspace()
      let before = try workspace.files(below: "data")
      let terminal = try await TerminalJourney(in: workspace)
      try await terminal.open()
      try await openStars(terminal)
      try terminal.press("x")
      try await terminal.sees("1 excluded")
      try terminal.press("Down", "m", "Enter")
      try await terminal.sees("of 7")
      #expect(try workspace.files(below: "data") == before)
    }
  }
}

extension Workspace {
  /// Every file below a folder, by its path, with its bytes.
  fileprivate func files(below folder: String) throws -> [String: Data] {
    let root = "\(self.folder)/\(folder)"
    var files: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: root) {
      files[path] = FileManager.default.contents(atPath: "\(root)/\(path)")
    }
    return files
  }
}

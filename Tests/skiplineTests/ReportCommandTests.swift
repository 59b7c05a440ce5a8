// `plot` and `report` as programs: what they draw of a run, that a page needs nothing else, and what they refuse.

import Foundation
import Messages
import Testing

@Suite struct ReportCommandTests {
  @Test func `curves of several runs, a matrix and a sheet of mistakes are drawn as SVG`() async throws {
    let workspace = try Workspace()
    try await workspace.train("one")
    try await workspace.train("two", epochs: 3)
    let curves = try await workspace.skipline("plot", "runs/one", "two", "--out", "curves.svg")
    #expect(curves.status == 0 && curves.output == "curves.svg\n", "\(curves.errors)")
    let drawn = try workspace.text("curves.svg")
    for part in ["<svg", ">one<", ">two<", "Loss", "Accuracy", "Learning rate"] {
      #expect(drawn.contains(part), "\(part)")
    }
    let early = try await workspace.skipline("plot", "runs/one", "--kind", "confusion", "--out", "m.svg")
    #expect(early.status == 66 && early.errors.contains("skipline evaluate runs/one"), "\(early.errors)")
    #expect(!workspace.exists("m.svg"))
    _ = try await workspace.skipline("evaluate", "runs/one")
    for (kind, part) in [("confusion", "predicted class"), ("mistakes", "data:image/")] {
      let result = try await workspace.skipline("plot", "runs/one", "--kind", kind, "--out", "\(kind).svg")
      #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
      #expect(try workspace.text("\(kind).svg").contains(part))
    }
  }

  @Test func `what cannot be drawn is refused by name`() async throws {
    let workspace = try Workspace()
    try await workspace.train("one", epochs: 1)
    for (words, status, complaint) in [
      ("runs/one --out x.pdf", 64, "ends in .svg or .png"), ("runs/none --out x.svg", 66, "runs/none"),
      ("runs/one runs/one --kind mistakes --out x.svg", 64, "of one run"),
      ("runs/one --split val --out x.svg", 64, "--kind"), ("runs/one --out none/x.svg", 74, "none/x.svg"),
      (String(repeating: "runs/one ", count: 15) + "--out x.svg", 64, "more than 14"),
    ] as [(String, Int32, String)] {
      let result = try await workspace.skipline(["plot"] + words.split(separator: " ").map(String.init))
      #expect(result.status == status && result.errors.contains(complaint), "\(words): \(result.errors)")
    }
    // Without what draws it, PNG is an error that says what to install.
    let program = try RunningProgram(
      ["sh", "-c", "mkdir bin; p=$(command -v skipline); PATH=$PWD/bin exec \"$p\" plot runs/one --out x.png"],
      in: workspace)
    let result = try await program.finish()
    #expect(result.status == 1 && result.errors.contains("apt install librsvg2-bin"), "\(result.errors)")
    #expect(!workspace.exists("x.png"))
  }

  @Test func `PNG is drawn where there is what draws it`() async throws {
    let workspace = try Workspace()
    try await workspace.train("one", epochs: 1)
    let found = try await RunningProgram(["sh", "-c", "command -v rsvg-convert"], in: workspace).finish()
    guard found.status == 0 else { return }
    let result = try await workspace.skipline("plot", "runs/one", "--out", "x.PNG")
    #expect(result.status == 0, "\(result.errors)")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(workspace.folder)/x.PNG"))
    #expect(bytes.prefix(4).elementsEqual([0x89, 0x50, 0x4e, 0x47]) && bytes.count > 10_000)
    let left = try FileManager.default.contentsOfDirectory(atPath: workspace.folder).filter { $0.hasPrefix(".x") }
    #expect(left.isEmpty, "\(left)")
  }

  @Test func `a report holds all that it shows, whatever the classes are called`() async throws {
    let workspace = try Workspace()
    let hostile = "<img src=x onerror=alert(1)>"
    for split in ["train", "val", "test"] {
      try FileManager.default.moveItem(
        atPath: "\(workspace.folder)/data/\(split)/disc", toPath: "\(workspace.folder)/data/\(split)/\(hostile)")
    }
    try await workspace.train("one")
    let result = try await workspace.skipline("report", "runs/one")
    #expect(result.status == 0 && result.output == "runs/one/report.html\n", "\(result.errors)")
    #expect(workspace.exists("runs/one/evaluations/best-test.json"))
    let page = try workspace.text("runs/one/report.html")
    #expect(page.contains("&lt;img src=x") && !page.contains("<img"))
    for part in [
      "id=\"curves\"", "id=\"matrix\"", "id=\"mistakes\"", "id=\"classes\"", "id=\"settings\"", "data:image/",
    ] {
      #expect(page.contains(part), "\(part)")
    }
    // Nothing is fetched: the only addresses are names of formats.
    let addresses = page.matches(of: /(src|href)="(?<to>[^"#][^"]*)"/).map { String($0.output.to) }
    #expect(addresses.allSatisfy { $0.hasPrefix("data:") }, "\(addresses.prefix(3))")
    #expect(page.matches(of: /https?:/).count == page.matches(of: /http:\/\/www\.w3\.org/).count)
    // Every cell that opens something has it.
    let links = Set(page.matches(of: /href="#(?<id>c[0-9]+-[0-9]+)" data-cell/).map { String($0.output.id) })
    let targets = Set(page.matches(of: /class="cell" id="(?<id>[^"]+)"/).map { String($0.output.id) })
    #expect(links == targets && !links.isEmpty)
    // Again, elsewhere, without evaluating anew.
    let again = try await workspace.skipline("report", "runs/one", "--out", "r.html")
    #expect(again.status == 0 && !again.errors.contains("evaluating") && workspace.exists("r.html"))
  }

  @Test func `a report of a run whose images are gone says so, and has the rest`() async throws {
    let workspace = try Workspace()
    try await workspace.train("one", epochs: 1)
    _ = try await workspace.skipline("evaluate", "runs/one")
    try FileManager.default.removeItem(atPath: "\(workspace.folder)/data")
    let kept = try await workspace.skipline("report", "runs/one")
    let page = try workspace.text("runs/one/report.html")
    #expect(kept.status == 0 && page.contains("images could not be shown") && page.contains("no picture"))
    try FileManager.default.removeItem(atPath: "\(workspace.folder)/runs/one/evaluations/best-test.json")
    let bare = try await workspace.skipline("report", "runs/one", "--out", "bare.html")
    #expect(bare.status == 0 && bare.errors.contains("without an evaluation"), "\(bare.errors)")
    #expect(try workspace.text("bare.html").contains("There is no evaluation"))
    let asked = try await workspace.skipline("report", "runs/one", "--split", "val")
    #expect(asked.status == 66, "\(asked.errors)")
    let other = try await workspace.skipline("report", "runs/one", "--out", "x.txt")
    #expect(other.status == 64 && other.errors.contains(".html"))
  }
}

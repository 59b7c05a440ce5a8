// `predict` and `evaluate` into tables and JSON lines, as programs: the same figures in every form, lists on standard
// input, and what becomes of a bad image and of a table that cannot be written.

import Foundation
import Messages
import Testing

@Suite struct TableCommandTests {
  /// Cells without quotes and commas, as all of these are.
  private func rows(_ workspace: Workspace, _ name: String) throws -> [[String]] {
    try workspace.lines(name).map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  }

  private func predictions(_ result: FinishedProgram) throws -> [Prediction] {
    try result.outputLines.map { try JSONDecoder().decode(Prediction.self, from: Data($0.utf8)) }
  }

  @Test func `an evaluation's table has every image, and its figures are the report's`() async throws {
    let workspace = try Workspace()
    try await workspace.train()
    let result = try await workspace.skipline(
      "evaluate", "runs/tiny", "--json", "--csv", "all.csv", "--csv-mistakes", "wrong.csv", "--csv-confusion",
      "matrix.csv")
    #expect(result.status == 0, "\(result.errors)")
    let report = try result.decoded(EvaluationReport.self)
    let names = report.classes.map(\.name)
    let images = try rows(workspace, "all.csv")
    #expect(images[0] == ["path", "true", "predicted", "probability", "loss"] + names)
    #expect(images.count == 1 + Workspace.testCount)
    var loss = 0.0
    for row in images.dropFirst() {
      let probabilities = try row.dropFirst(5).map { try #require(Double($0)) }
      #expect(abs(probabilities.reduce(0, +) - 1) < 1e-9)
      let truth = try #require(names.firstIndex(of: row[1]))
      #expect(names[try #require(probabilities.firstIndex(of: probabilities.max() ?? 0))] == row[2])
      let own = try #require(Double(row[4]))
      #expect(abs(own + log(probabilities[truth])) < 1e-9)
      loss += own
    }
    #expect(abs(loss / Double(Workspace.testCount) - (report.loss ?? .nan)) < 1e-9)
    #expect(images.dropFirst().count { $0[1] == $0[2] } == Int((report.top1 * 16).rounded()))
    let wrong = try rows(workspace, "wrong.csv").dropFirst()
    #expect(wrong.count == report.mistakes)
    #expect(wrong.compactMap { Double($0[2]) } == report.misclassified.map(\.truthProbability).sorted())
    let matrix = try rows(workspace, "matrix.csv")
    #expect(matrix.dropFirst().map { $0.dropFirst().compactMap { Int($0) } } == report.confusion.rows)
  }

  @Test func `predictions are the same as text, JSON lines and tables, and as what evaluate measures`() async throws
  {
    let workspace = try Workspace()
    try await workspace.train()
    _ = try await workspace.skipline("evaluate", "runs/tiny", "--csv", "measured.csv")
    let json = try await workspace.skipline(
      "predict", "runs/tiny", "data/test", "--all", "--json", "--csv", "p.csv")
    #expect(json.status == 0, "\(json.errors)")
    let printed = try predictions(json)
    let table = try rows(workspace, "p.csv")
    #expect(table.count == 1 + Workspace.testCount && printed.count == Workspace.testCount)
    let measured = Dictionary(
      uniqueKeysWithValues: try rows(workspace, "measured.csv").dropFirst().map { ("data/" + $0[0], $0) })
    for (row, prediction) in zip(table.dropFirst(), printed) {
      let other = try #require(measured[row[0]])
      #expect(row[0] == prediction.path && row[2] == prediction.top.first?.name && row[2] == other[2])
      #expect(prediction.top.count == 8)
      for (name, value) in zip(table[0], row).dropFirst(4) {
        #expect(Double(value) == prediction.top.first { $0.name == name }?.probability)
      }
      #expect(
        zip(row.dropFirst(4), other.dropFirst(5)).allSatisfy { abs((Double($0) ?? 9) - (Double($1) ?? 0)) < 1e-5 })
    }
    let text = try await workspace.skipline("predict", "runs/tiny", "data/test", "--batch", "3")
    #expect(text.outputLines.count == 16 && text.outputLines[0].contains(table[1][2]))
    let standard = try await workspace.skipline("predict", "runs/tiny", "data/test", "--csv", "-", "--top", "1")
    #expect(standard.outputLines[0] == "path,error,predicted,probability" && standard.outputLines.count == 17)
  }

  @Test func `a list comes on standard input, and a bad image is named, counted and told by the status`()
    async throws
  {
    let workspace = try Workspace()
    try await workspace.train()
    try workspace.truncate("data/test/disc/disc-0007.png")
    let list = ["data/test/disc/disc-0008.png", "data/test/disc/disc-0007.png", "none.png", "data/test/ring"]
    try workspace.write(Array(list.joined(separator: "\n").utf8), to: "list")
    try workspace.write(Array(list.joined(separator: "\0").utf8), to: "list0")
    for command in ["- --json <list", "- -0 --json --batch 1 <list0", "- --null --json --threads 2 <list0"] {
      let result = try await RunningProgram(
        ["sh", "-c", "skipline predict runs/tiny " + command + " --csv t.csv"], in: workspace
      ).finish()
      #expect(result.status == 65, "\(result.errors)")
      let found = try predictions(result)
      #expect(
        found.map(\.path) == list.dropLast() + ["data/test/ring/ring-0007.png", "data/test/ring/ring-0008.png"])
      #expect(found.map { $0.error == nil } == [true, false, false, true, true])
      #expect(found.map { $0.top.count } == [3, 0, 0, 3, 3])
      for path in list[1...2] { #expect(result.errors.contains("! \(path): ")) }
      #expect(result.errors.contains("2 of 5 images could not be predicted"))
      #expect(try rows(workspace, "t.csv").map { $0[1].isEmpty } == [false, true, false, false, true, true])
    }
  }

  /// An endless list: the answer to its first path comes while it goes on.
  @Test func `an image is answered while the list goes on`() async throws {
    let workspace = try Workspace()
    try await workspace.train()
    _ = try await RunningProgram(["mkfifo", "list"], in: workspace).finish()
    let program = try RunningProgram(
      ["sh", "-c", "skipline predict runs/tiny - <list 2>&1 >seen"], in: workspace)
    let list = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(workspace.folder)/list"))
    try list.write(contentsOf: Data("data/test/disc/disc-0008.png\n".utf8))
    try await Patience.wait(for: "an answer", lastSeen: { (try? workspace.text("seen")) ?? "" }) {
      (try? workspace.text("seen"))?.contains("disc-0008.png") == true
    }
    try list.close()
    #expect(try await program.finish().status == 0)
  }

  @Test func `a table that cannot be is refused before anything is done, and a full disk is told`() async throws {
    let workspace = try Workspace()
    try await workspace.train()
    for (words, complaint) in [
      (["evaluate", "runs/tiny", "--csv", "data/x.csv"], "data/x.csv lies in the dataset's folder"),
      (["evaluate", "runs/tiny", "--csv", "-"], "name a file"),
      (["evaluate", "runs/tiny", "--csv", "a.csv", "--csv-mistakes", "a.csv"], "a file of its own"),
      (["predict", "runs/tiny", "data", "--csv", "data/test/disc/disc-0008.png"], "ends in .csv"),
      (["predict", "runs/tiny", "data", "--csv", "-", "--json"], "choose one"),
      (["predict", "runs/tiny", "data", "--all", "--top", "2"], "leave out --top"),
      (["predict", "runs/tiny", "data", "-0"], "name it, with -"), (["predict", "runs/tiny", "-", "-"], "once"),
    ] {
      let result = try await workspace.skipline(words)
      #expect(result.status == 64 && result.errors.contains(complaint), "\(words): \(result.errors)")
      #expect(result.output.isEmpty)
    }
    for words in [["predict", "runs/tiny", "data/test"], ["evaluate", "runs/tiny"]] {
      let full = try await workspace.skipline(words + ["--csv", "/dev/full"])
      #expect(full.status == 74 && full.errors.contains("/dev/full: cannot write"), "\(full.errors)")
      let nowhere = try await workspace.skipline(words + ["--csv", "none/x.csv"])
      #expect(nowhere.status == 74 && nowhere.errors.contains("none/x.csv"), "\(nowhere.errors)")
    }
  }
}

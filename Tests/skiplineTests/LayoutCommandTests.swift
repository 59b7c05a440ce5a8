// Datasets whose folders are called or placed otherwise, and runs started in a dataset's own folder: what the commands
// make of them from the first to the last.

import Foundation
import Messages
import Testing

extension Workspace {
  /// Moves a folder of the dataset.
  fileprivate func move(_ name: String, to other: String) throws {
    let target = URL(fileURLWithPath: "\(folder)/\(other)")
    try FileManager.default.createDirectory(
      at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: "\(folder)/\(name)", toPath: target.path)
  }

  /// Runs the program in a folder of the dataset.
  fileprivate func skipline(in folder: String, _ words: [String]) async throws -> FinishedProgram {
    try await RunningProgram(["env", "-C", folder, "skipline"] + words, in: self).finish()
  }
}

@Suite(.serialized) struct LayoutCommandTests {
  @Test func `splits under other names are trained, resumed and evaluated as such`() async throws {
    let workspace = try Workspace()
    try workspace.move("data/train", to: "data/archive/Training_2017")
    try workspace.move("data/val", to: "data/archive/dev-2017")
    try workspace.move("data/test", to: "data/archive/holdout_2017/holdout")
    let report = try await workspace.skipline("check", "data", "--json").decoded(DatasetReport.self)
    #expect(report.classes.count == 8 && report.counts == SplitCounts(train: 40, validation: 8, test: 16))
    #expect(report.findings.contains { $0.kind == .layout && $0.severity == .note })
    let trained = try await workspace.skipline(["train", "data"] + Workspace.tinyNetwork + ["--epochs", "1"])
    #expect(trained.status == 0)
    #expect(try await workspace.skipline("evaluate", "runs/cifar8-1").status == 0)
    #expect(try workspace.evaluation("runs/cifar8-1").images == Workspace.testCount)
  }

  @Test func `splits that are named hold for the run, its resuming, its evaluation and decisions`() async throws {
    let workspace = try Workspace()
    for (old, new) in [("train", "day"), ("val", "dusk"), ("test", "night")] {
      try workspace.move("data/\(old)", to: "data/\(new)")
    }
    // Without a word they would be three classes: that much cannot be told from names.
    let names = ["--train", "day", "--val", "\(workspace.folder)/data/dusk", "--test", "night"]
    let trained = try await workspace.skipline(
      ["train", "data"] + names + Workspace.tinyNetwork + ["--epochs", "1"])
    #expect(trained.status == 0)
    let run = try JSONSerialization.jsonObject(with: Data(workspace.text("runs/cifar8-1/run.json").utf8))
    let settings = try #require((run as? [String: Any])?["settings"] as? [String: Any])
    let folders = try #require((settings["split"] as? [String: Any])?["folders"] as? [String: String])
    #expect(folders == ["train": "day", "validation": "dusk", "test": "night"])
    let resumed = try await workspace.skipline("train", "--resume", "runs/cifar8-1", "--epochs", "2")
    #expect(resumed.status == 0)
    #expect(try await workspace.skipline("evaluate", "runs/cifar8-1").status == 0)
    #expect(try workspace.evaluation("runs/cifar8-1").images == Workspace.testCount)
    let image = "day/star/star-0001.png"
    let excluded = try await workspace.skipline(["exclude", "data", image] + names)
    #expect(excluded.status == 0)
    #expect(excluded.output.contains("skipline include data --train day --val dusk --test night \(image)"))
    for words in [
      ["check", "data"], ["split", "data"], ["decisions", "data"], ["cache", "data", "--imgsz", "16"],
      ["evaluate", "runs/cifar8-1", "--data", "data"],
    ] {
      let result = try await workspace.skipline(words + names)
      #expect(result.status == 0, "\(words): \(result.errors)")
    }
    let wrong = try await workspace.skipline("check", "data", "--test", "knight")
    #expect(wrong.status == 64 && wrong.errors.contains("--test knight: there is no folder data/knight"))
    let empty = try await workspace.skipline("check", "data", "--test", "")
    #expect(empty.status == 64)
    let late = try await workspace.skipline("train", "--resume", "runs/cifar8-1", "--train", "dusk")
    #expect(late.status == 64)
  }

  @Test func `two folders of test images are refused with the way out`() async throws {
    let workspace = try Workspace()
    try workspace.move("data/val", to: "data/testing")
    for command in [["check", "data"], ["train", "data"] + Workspace.tinyNetwork, ["split", "data"]] {
      let result = try await workspace.skipline(command)
      #expect(result.status == 65)
      #expect(result.errors.contains("test/ and testing/ both mean test images"))
      #expect(result.errors.contains("--test test or --test testing"))
    }
    #expect(!workspace.exists("runs"))
  }

  @Test func `a run that is started in the dataset's folder is made beside it, and found from there`() async throws
  {
    let workspace = try Workspace()
    // With a lone train folder anything beside it once turned the layout over.
    for name in ["val", "test"] { try workspace.move("data/\(name)", to: "elsewhere/\(name)") }
    for number in 1...2 {
      let result = try await workspace.skipline(
        in: "data", ["train", "."] + Workspace.tinyNetwork + ["--epochs", "1", "--no-cache"])
      #expect(result.status == 0)
      #expect(result.errors.contains("the run is made in \(workspace.folder)/runs"))
      #expect(workspace.exists("runs/cifar8-\(number)/run.json"))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(workspace.folder)/data") == ["train"])
    for words in [
      ["train", "--resume", "runs/cifar8-1", "--epochs", "2"], ["evaluate", "runs/cifar8-1", "--split", "val"],
      ["evaluate", "runs/cifar8-1/checkpoints/last.safetensors", "--split", "val"], ["check", "."], ["runs"],
    ] {
      let result = try await workspace.skipline(in: "data", words)
      #expect(result.status == 0, "\(words): \(result.errors)")
    }
    #expect(try await workspace.skipline(in: "data", ["runs"]).output.contains("cifar8-2"))
    // Elsewhere the name means nothing.
    #expect(try await workspace.skipline(in: "elsewhere", ["evaluate", "runs/cifar8-1"]).status == 66)
  }

  @Test func `nothing is written into the dataset, and runs that are there are no data`() async throws {
    let workspace = try Workspace()
    for place in ["data", "data/runs", "data/train/star/runs", "./data/../data/x"] {
      let result = try await workspace.skipline(
        ["train", "data", "--project", place] + Workspace.tinyNetwork)
      #expect(
        result.status == 64 && result.errors.contains("--project") && result.errors.contains("lies in the dataset"))
    }
    #expect(try await workspace.skipline("split", "data", "--export", "data/lists").status == 64)
    #expect(try await workspace.skipline("cache", "data", "--tfrecord", "data/shards").status == 64)
    #expect(
      try await workspace.skipline(
        ["train", "data"] + Workspace.tinyNetwork + ["--epochs", "1"]
      ).status == 0)
    // As an earlier version left it.
    try workspace.move("runs", to: "data/runs")
    let report = try await workspace.skipline("check", "data", "--json", "--no-decode").decoded(DatasetReport.self)
    #expect(report.classes.count == 8 && report.counts.total == Workspace.imageCount)
    #expect(report.findings.contains { $0.message.contains("runs/ (a run of Skipline)") })
    let resumed = try await workspace.skipline("train", "--resume", "data/runs/cifar8-1", "--epochs", "2")
    #expect(resumed.status == 0)
    #expect(try await workspace.skipline("evaluate", "data/runs/cifar8-1").status == 0)
  }
}

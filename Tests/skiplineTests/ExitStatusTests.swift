// How the program ends: the status for each kind of mistake with a message that helps, and the signals.

import Foundation
import Testing

@Suite(.serialized) struct ExitStatusTests {
  /// What is typed after `skipline`, how it must end, and what standard error must say.
  struct Mistake: CustomTestStringConvertible {
    var arguments: [String]
    var status: Int32
    var complaint: String

    init(_ arguments: String, _ status: Int32, _ complaint: String) {
      self.arguments = arguments.split(separator: " ").map(String.init)
      self.status = status
      self.complaint = complaint
    }

    var testDescription: String { "skipline " + arguments.joined(separator: " ") }
  }

  static let mistakes = [
    Mistake("", 64, "USAGE: skipline"),
    Mistake("data --no-such-option", 64, "--no-such-option"),
    Mistake("train", 64, "name a dataset's folder"),
    Mistake("train data --epochs many", 64, "--epochs"),
    Mistake("train data --epochs 0", 64, "The value '0' is invalid for '--epochs"),
    Mistake("train data --batch 0", 64, "it must be a whole number from 1 to 65,536"),
    Mistake("train data --lr -1", 64, "The value '-1' is invalid for '--lr"),
    Mistake("train data --mean 0.5,x,0.5 --std 1,1,1", 64, "0.5,x,0.5"),
    Mistake("train data --name=", 64, "--name: its value is empty"),
    Mistake("train data --schedule cosine:2", 64, "cosine:2"),
    Mistake("train data --schedule sometimes", 64, "write constant, cosine:0.05"),
    Mistake("train data --net resnet19", 64, "resnet18"),
    Mistake("train data --split 50/10", 64, "--split 50/10"),
    Mistake("train data --split 50/10/10", 64, "100"),
    Mistake("train data --name a/b", 64, "cannot name a run"),
    Mistake("summary resnet18 --block v3", 64, "v1.5"),
    Mistake("evaluate runs/tiny --split exam", 64, "--split"),
    Mistake("predict runs/tiny data --top 0", 64, "The value '0' is invalid for '--top"),
    Mistake("data --theme plaid", 1, "needs a terminal"),
    Mistake("data", 1, "skipline train data"),
    Mistake("check empty", 65, "empty"),
    Mistake("train empty", 65, "empty"),
    Mistake("evaluate notes.txt", 64, "--data"),
    Mistake("evaluate notes.txt --data data", 65, "notes.txt"),
    Mistake("predict notes.txt data", 65, "notes.txt"),
    Mistake("nosuchfolder", 66, "nosuchfolder is not a folder"),
    Mistake("check nosuchfolder", 66, "nosuchfolder: there is no such folder"),
    Mistake("train nosuchfolder", 66, "nosuchfolder: there is no such folder"),
    Mistake("train --resume runs/none", 66, "runs/none: there is no such run"),
    Mistake("train data --weights none.safetensors", 66, "none.safetensors"),
    Mistake("evaluate runs/none", 66, "runs/none: there is no such run"),
    Mistake("predict runs/tiny none.png", 66, "none.png: there is no such image or folder"),
    Mistake("features runs/tiny none.png --out f.npy", 66, "none.png: there is no such image or folder"),
    Mistake("predict runs/none data", 66, "runs/none: there is no such run"),
    Mistake("train data --project /dev/null/runs", 74, "/dev/null/runs"),
  ]

  @Test(arguments: mistakes)
  func `a mistake has its status and a message that names it`(mistake: Mistake) async throws {
    let workspace = try Workspace()
    try FileManager.default.createDirectory(
      atPath: "\(workspace.folder)/empty", withIntermediateDirectories: true)
    try workspace.write(Array("not a checkpoint".utf8), to: "notes.txt")
    let result = try await workspace.skipline(mistake.arguments)
    #expect(result.status == mistake.status)
    #expect(result.errors.contains(mistake.complaint))
    #expect(result.output.isEmpty)
    #expect(!result.errors.contains("\u{1B}"))
    // A mistake leaves nothing behind.
    #expect(!workspace.exists("runs"))
  }

  @Test func `a run cannot be named as one that exists`() async throws {
    let workspace = try Workspace()
    try await workspace.train("mine", epochs: 1)
    let again = try await workspace.train("mine", epochs: 1)
    #expect(again.status == 64)
    #expect(again.errors.contains("runs/mine: this run exists already"))
  }

  @Test func `a damaged checkpoint is refused by name`() async throws {
    let workspace = try Workspace()
    try await workspace.train("mine", epochs: 1)
    try workspace.truncate("runs/mine/checkpoints/best.safetensors")
    let result = try await workspace.skipline("evaluate", "runs/mine")
    #expect(result.status == 65)
    #expect(result.errors.contains("best.safetensors"))
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)] as [(Int32, Int32)])
  func `a signal ends a run saved, and it resumes to its last epoch`(signal: Int32, status: Int32) async throws {
    let workspace = try Workspace()
    let epochs = 60
    let arguments =
      ["skipline", "train", "data"] + Workspace.tinyNetwork
      + ["--epochs", "\(epochs)", "--name", "long", "--save-every", "0"]
    let program = try RunningProgram(arguments, in: workspace)
    try await program.waitForErrors("epoch 3/\(epochs)")
    program.send(signal)
    let interrupted = try await program.finish()
    #expect(interrupted.status == status)
    #expect(workspace.exists("runs/long/checkpoints/last.safetensors"))
    let done = try workspace.lines("runs/long/results.csv").count - 1
    #expect((3..<epochs).contains(done))

    let resumed = try await workspace.skipline("train", "--resume", "runs/long")
    #expect(resumed.status == 0)
    #expect(resumed.output.contains("completed after \(epochs) epochs"))
    let rows = try workspace.lines("runs/long/results.csv").dropFirst().compactMap {
      $0.split(separator: ",").first
    }
    #expect(rows.map(String.init) == (1...epochs).map { "\($0)" })
  }

  @Test func `an interrupted run and one in one go end with the same weights`() async throws {
    let workspace = try Workspace()
    let whole = try await workspace.train("whole", epochs: 30)
    #expect(whole.status == 0)
    let program = try RunningProgram(
      ["skipline", "train", "data"] + Workspace.tinyNetwork + ["--epochs", "30", "--name", "parts"], in: workspace)
    try await program.waitForErrors("epoch 2/30")
    program.send(SIGINT)
    _ = try await program.finish()
    _ = try await workspace.skipline("train", "--resume", "runs/parts")
    let losses = try ["whole", "parts"].map { name in
      try workspace.lines("runs/\(name)/results.csv").map {
        $0.split(separator: ",").prefix(7).joined(separator: ",")
      }
    }
    #expect(losses[0] == losses[1])
  }
}

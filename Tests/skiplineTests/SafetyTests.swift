// What a person meets when something goes wrong with a run: limits of the shell, a rate that is far too high, data that
// changed, and the proof that resuming is exact.

import Foundation
import Messages
import Testing
import WeightFiles

@testable import Training

@Suite(.serialized) struct SafetyTests {
  /// Runs words of a shell; a hang is a failure, not a wait.
  private func shell(_ words: String, in workspace: Workspace) async throws -> FinishedProgram {
    try await RunningProgram(["timeout", "-s", "KILL", "120", "sh", "-c", words], in: workspace).finish()
  }

  private static let tiny = "skipline train data " + Workspace.tinyNetwork.joined(separator: " ")

  @Test func `verify-resume proves on the data at hand that killing changes nothing, and leaves nothing`()
    async throws
  {
    let workspace = try Workspace()
    let before = try FileManager.default.contentsOfDirectory(atPath: workspace.folder)
    let result = try await workspace.skipline(
      ["verify-resume", "data"] + Workspace.tinyNetwork.dropLast(2)
        + ["--epochs", "12", "--steps", "50", "--interruptions", "4"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.hasPrefix("the same, bit for bit: "))
    #expect(result.output.contains("50 steps"))
    let after = try FileManager.default.contentsOfDirectory(atPath: workspace.folder)
    #expect(Set(after.filter { !$0.hasSuffix(".output") && !$0.hasSuffix(".errors") }) == Set(before))
  }

  @Test func `a limit on file sizes is a full disk: the run trains to its end and says what is not saved`()
    async throws
  {
    let workspace = try Workspace()
    let result = try await shell("ulimit -f 16; \(Self.tiny) --epochs 2 --name limited", in: workspace)
    #expect(result.status == 74)
    #expect(result.errors.contains("epoch 2/2"))
    #expect(result.errors.contains("ulimit -f"))
    #expect(result.errors.contains("could not be saved"))
    // With room it goes on.
    let resumed = try await workspace.skipline("train", "--resume", "runs/limited")
    #expect(resumed.status == 0)
    #expect(resumed.errors.contains("starts from its first step"))
  }

  @Test func `too little memory is refused with a batch that fits, and that one does`() async throws {
    let workspace = try Workspace()
    let words = "skipline train data --recipe none --net cifar20 --imgsz 32 --epochs 1 --threads 1 --project"
    let limit = "ulimit -v 1250000; exec"
    let refused = try await shell("\(limit) \(words) refused --batch 4096", in: workspace)
    #expect(refused.status == 1)
    #expect(refused.errors.contains("(ulimit -v) leaves"))
    #expect(!workspace.exists("refused"))
    let batch = try #require(refused.errors.firstMatch(of: /--batch ([0-9]+) fits/)?.1)
    let fits = try await shell("\(limit) \(words) fits --batch \(batch)", in: workspace)
    #expect(fits.status == 0, "--batch \(batch): \(fits.errors)")
    let insisted = try await shell("\(limit) \(words) insisted --batch 4096 --ignore-memory", in: workspace)
    #expect(insisted.status == 0, "48 images are all there are: \(insisted.errors)")
  }

  @Test func `a run that diverges unwatched fails by default, and its checkpoint holds numbers`() async throws {
    let workspace = try Workspace()
    let result = try await shell("\(Self.tiny) --epochs 9 --lr 1e25 --schedule constant --name wild", in: workspace)
    #expect(result.status == 1)
    #expect(result.errors.contains("diverged at step") && result.errors.contains("train/"))
    #expect(result.errors.contains("--on-divergence lower"))
    let last = "\(workspace.folder)/runs/wild/checkpoints/last.safetensors"
    guard FileManager.default.fileExists(atPath: last) else { return }
    let file = try Safetensors.read(path: last)
    for name in file.names {
      if case .float32(let values) = try file.array(name).values { #expect(!values.contains { !$0.isFinite }) }
    }
  }

  @Test func `changed data are refused with what changed, and accepted when told`() async throws {
    let workspace = try Workspace()
    try await workspace.train("mine", epochs: 1)
    let gone = "data/train/star/star-0003.png"
    try FileManager.default.removeItem(atPath: "\(workspace.folder)/\(gone)")
    let refused = try await workspace.skipline("train", "--resume", "runs/mine", "--epochs", "2")
    #expect(refused.status == 65)
    #expect(refused.errors.contains("1 removed (train/star/star-0003.png)"))
    let accepted = try await workspace.skipline(
      "train", "--resume", "runs/mine", "--epochs", "2", "--accept-changes")
    #expect(accepted.status == 0)
    #expect(accepted.output.contains("completed after 2 epochs"))
  }

  @Test func `what a run cannot change is refused when it is resumed`() async throws {
    let workspace = try Workspace()
    try await workspace.train("mine", epochs: 1)
    for words in [["--net", "resnet18"], ["--batch", "9"], ["--seed", "4"], ["--momentum", "0.5"]] {
      let result = try await workspace.skipline(["train", "--resume", "runs/mine"] + words)
      #expect(result.status == 64)
      #expect(result.errors.contains("only --epochs"))
    }
  }

  @Test func `a damaged last names the checkpoint to go on from, and that works`() async throws {
    let workspace = try Workspace()
    try await workspace.train("mine", epochs: 2)
    try workspace.truncate("runs/mine/checkpoints/last.safetensors")
    let refused = try await workspace.skipline("train", "--resume", "runs/mine")
    #expect(refused.status == 65)
    let offered = try #require(refused.errors.firstMatch(of: /--weights ([^ \n]+)/)?.1)
    let other = try await workspace.train("other", epochs: 1, "--weights", String(offered))
    #expect(other.status == 0)
  }
}

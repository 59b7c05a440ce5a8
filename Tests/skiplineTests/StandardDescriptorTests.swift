// Standard input, output and errors that are closed, or cannot be written to: nothing else gets their numbers, and the
// exit status does not lie.

import Foundation
import Testing

@Suite struct StandardDescriptorTests {
  private func shell(_ words: String, in workspace: Workspace) async throws -> FinishedProgram {
    try await RunningProgram(["timeout", "-s", "KILL", "120", "sh", "-c", words], in: workspace).finish()
  }

  private static let tiny = "skipline train data " + Workspace.tinyNetwork.joined(separator: " ") + " --epochs 1"

  @Test(arguments: ["<&-", ">&-", "2>&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
  func `a run with closed descriptors trains to its end, and nothing is written into its files`(closed: String)
    async throws
  {
    let workspace = try Workspace()
    let result = try await shell("\(Self.tiny) --name closed \(closed)", in: workspace)
    // Where standard output is closed the results have no reader, which the status says.
    #expect(result.status == (closed.contains(">&- ") || closed.hasPrefix(">") ? 74 : 0), "\(result.errors)")
    let folder = workspace.folder + "/runs/closed"
    #expect(FileManager.default.fileExists(atPath: folder + "/checkpoints/last.safetensors"))
    for name in ["run.lock", "run.json", "metrics.jsonl", "images.txt"] {
      let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
      #expect(!text.contains("epoch 1/1") && !text.contains("! "), "\(name): \(text.prefix(200))")
    }
  }

  @Test(
    arguments: [
      "check data", "runs", "summary cifar20", "summary cifar20 --json", "doctor", "--version", "--help",
      "decisions data",
      "split data",
    ], [">/dev/full", ">&-"])
  func `results that cannot be written are an error`(command: String, output: String) async throws {
    let workspace = try Workspace()
    try FileManager.default.createDirectory(atPath: workspace.folder + "/runs", withIntermediateDirectories: true)
    let good = try await shell("skipline \(command)", in: workspace)
    let result = try await shell("skipline \(command) \(output)", in: workspace)
    #expect(good.status == 0, "\(good.errors)")
    #expect(result.status == 74, "\(result.errors)")
    #expect(result.errors.contains("could not be written to standard output"))
  }

  @Test func `who closes a pipe has read enough`() async throws {
    let workspace = try Workspace()
    let result = try await shell(
      "{ skipline summary resnet50 --json; echo status $? >&2; } | head -c 1 >/dev/null", in: workspace)
    #expect(result.errors.contains("status 0"), "\(result.errors)")
  }
}

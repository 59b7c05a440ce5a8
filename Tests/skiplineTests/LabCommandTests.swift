// `skipline lab` as it is typed.

import Testing

@testable import skipline

@Suite struct LabCommandTests {
  @Test func `a lab trains four networks, prints their errors and the answer, and is not trained again`()
    async throws
  {
    let workspace = try Workspace()
    let words =
      [
        "lab", "data", "--nets", "8,14", "--epochs", "1", "--width", "0.25", "--imgsz", "8", "--threads", "1",
        "--json",
      ]
    let first = try await workspace.skipline(words)
    #expect(first.status == 0, "\(first.errors)")
    let document = try first.decoded(LabCommand.Document.self)
    #expect(document.report.rows.map(\.network.name) == ["plain8", "plain14", "cifar8", "cifar14"])
    #expect(document.report.rows.allSatisfy { $0.testError != nil && $0.run.hasPrefix("runs/lab-1-") })
    #expect(document.plain != nil && document.residual != nil && document.answer != nil)
    let again = try await workspace.skipline("lab", "--resume", "lab-1")
    #expect(again.errors.contains("runs/lab-1-cifar14 is finished") && !again.errors.contains("epoch 1/1"))
    #expect(again.outputLines.count >= 9 && again.output.contains("Does the deeper plain net"))
  }

  @Test(arguments: [
    [], ["data", "--resume", "lab-1"], ["data", "--nets", "20"], ["data", "--net", "cifar20"],
    ["data", "--weights", "w"], ["--resume", "lab-1", "--seed", "1"], ["data", "--patience", "3"],
  ])
  func `what makes no lab is a mistake in the command`(words: [String]) {
    #expect(throws: (any Error).self) { try LabCommand.parse(words) }
  }
}

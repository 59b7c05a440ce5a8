// Balance, best, groups and views from the command line.

import Foundation
import Messages
import Testing
import Training

@testable import skipline

@Suite struct JudgingCommandTests {
  @Test func `best is called by its metric where it is said`() async throws {
    let workspace = try Workspace()
    let train = try await workspace.skipline(
      ["train", "data"] + Workspace.tinyNetwork + [
        "--epochs", "2", "--best", "macro-f1", "--balance", "loss", "--name", "r",
      ])
    #expect(train.status == 0 && train.output.contains(", best macro F1 "))
    #expect(train.errors.contains(", balanced ") && train.errors.contains(", macro F1 "))
    #expect(try await workspace.skipline("runs").output.contains("F1 "))
    let runs = try await workspace.skipline("runs", "--json").decoded([RunListing].self)
    #expect(runs.first?.best?.metric == .macroF1 && runs.first?.bestValidationAccuracy == nil)
    let evaluate = try await workspace.skipline("evaluate", "runs/r", "--tta", "auto")
    #expect(evaluate.output.contains("image and mirror image") && evaluate.output.contains("macro F1"))
    let predict = try await workspace.skipline("predict", "runs/r", "data/test/disc", "--tta", "shift")
    #expect(predict.status == 0 && predict.errors.contains("four shifts"))
  }

  @Test func `groups are told alike by split, check and train, and a pattern that finds nothing is an error`()
    async throws
  {
    let workspace = try Workspace()
    try FileManager.default.moveItem(
      atPath: "\(workspace.folder)/data/train", toPath: "\(workspace.folder)/plain")
    let rule = ["--group-by", "-00(0\\d)"]
    var counts: [SplitCounts] = []
    for command in ["split", "check"] {
      let result = try await workspace.skipline([command, "plain", "--json"] + rule)
      let report = try result.decoded(DatasetReport.self)
      counts.append(report.counts)
      #expect(
        report.findings.contains {
          $0.kind == .groups && $0.message.contains("40 of the 40 images are in 5 groups")
        })
      let refused = try await workspace.skipline(command, "plain", "--group-by", "clip_(\\d+)")
      #expect(refused.status == 64 && refused.errors.contains("clip_"))
      #expect(try await workspace.skipline(command, "plain", "--group-by", "(").status == 64)
    }
    #expect(counts[0] == counts[1])
    let train = try await workspace.skipline(
      ["train", "plain", "--epochs", "1", "--accept-errors"] + Workspace.tinyNetwork + rule)
    #expect(train.errors.contains("\(counts[0].train) training and \(counts[0].validation) validation images"))
    #expect(try await workspace.skipline(["split", "plain", "--exact"] + rule).status == 64)
  }
}

// `skipline cross-validate` as it is typed.

import Testing

@testable import skipline

@Suite struct CrossValidateCommandTests {
  @Test func `a cross-validation prints its folds and goes on where it was`() async throws {
    let workspace = try Workspace()
    let words = ["cross-validate", "data", "--folds", "2", "--epochs", "1", "--name", "cv"] + Workspace.tinyNetwork
    let first = try await workspace.skipline(words)
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.outputLines.map { $0.split(separator: " ").first } == ["fold", "1", "2", "mean", "std"])
    #expect(first.errors.contains("16 test images left out"))
    let again = try await workspace.skipline(words + ["--json"])
    #expect(again.errors.contains("cv-fold2 is finished") && !again.errors.contains("epoch 1/1"))
    let document = try again.decoded(CrossValidateCommand.Document.self)
    #expect(document.folds.count == 2 && document.top1 != nil && document.balancedAccuracy != nil)
    #expect(try await workspace.skipline(words + ["--lr", "0.5"]).status == 64)
    #expect(try await workspace.skipline("cross-validate", "data", "--folds", "1").status == 64)
  }
}

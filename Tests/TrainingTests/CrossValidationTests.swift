// Cross-validation: its runs, what is kept of them and what goes on.

import Datasets
import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct CrossValidationTests {
  private func validation(_ toy: ToyProject, folds: Int = 3, _ change: (inout TrainingSettings) -> Void = { _ in })
    throws -> CrossValidation
  {
    try CrossValidation(
      toy.settings(epochs: 2) {
        $0.name = "cv"
        $0.split = SplitSettings()
        change(&$0)
      }, folds: folds, isDivided: false)
  }

  private func train(_ validation: CrossValidation, _ fold: Int, stopAt step: Int? = nil) throws -> RunOutcome {
    let session = Session { event in step.map { event.isStep($0) } == true ? [.stop] : [] }
    return try validation.job(fold, commandLine: [], caches: nil).train(hooks: session.hooks)
  }

  @Test func `folds are trained, resumed and kept, and their figures put together`() throws {
    let toy = try ToyProject(counts: SplitCounts(train: 6, validation: 3, test: 2))
    let first = try validation(toy)
    #expect(first.images == 27 && first.testImages == 6)
    #expect(try (1...3).map { try first.state($0) } == [.missing, .missing, .missing])
    _ = try train(first, 1)
    _ = try train(first, 2, stopAt: 2)
    let again = try validation(toy)
    #expect(try (1...3).map { try again.state($0) } == [.finished, .unfinished, .missing])
    let resumed = try train(again, 2)
    #expect(resumed.reason == .completed)
    _ = try train(again, 3)
    // The resumed fold is what it would have been.
    let other = ToyProject(folder: toy.folder, data: toy.data)
    let whole = try validation(other) { $0.name = "whole" }
    _ = try train(whole, 2)
    let comparison = try RunComparison(RunFolder(existing: whole.path(2)), RunFolder(existing: again.path(2)))
    #expect(comparison.isSame, "\(comparison.differences)")
    // Each image is held out once, and no test image is.
    var held: [String] = []
    for fold in 1...3 {
      let manifest = try #require(try ImageManifest(path: RunFolder(existing: again.path(fold)).manifestPath))
      held += manifest.entries.filter { $0.value.split == Split.validation.rawValue }.map(\.key.text)
      #expect(manifest.entries.count { $0.value.split == Split.test.rawValue } == 6)
    }
    #expect(held.count == 27 && Set(held).count == 27 && !held.contains { $0.hasPrefix("test/") })
    let results = try (1...3).map { try again.result($0) }
    #expect(
      results.allSatisfy { $0.epoch == 2 && $0.top1 != nil && $0.balancedAccuracy != nil && $0.macroF1 != nil })
    let best = try again.result(1, at: .best)
    #expect(try #require(best.top1) >= (try #require(results[0].top1)))
  }

  @Test func `runs of other settings, images or folds are not continued`() throws {
    let toy = try ToyProject(counts: SplitCounts(train: 4, validation: 0, test: 1))
    _ = try train(try validation(toy), 1)
    let error = #expect(throws: SettingsError.self) { try validation(toy) { $0.learningRate = 0.01 } }
    #expect(error?.description.contains("--lr") == true)
    #expect(throws: SettingsError.self) { try validation(toy, folds: 2) }
    #expect(throws: Never.self) { try validation(toy) { $0.threads = 2 } }
    try toy.data.add("train/red/77.png", color: "red")
    #expect(throws: SettingsError.self) { try validation(toy) }
    #expect(throws: Never.self) { try validation(toy) { $0.name = "other" } }
  }

  @Test func `mean and standard deviation of a sample`() {
    let statistics = FoldStatistics([0.5, 0.75, 1])
    #expect(statistics?.mean == 0.75 && statistics?.std == 0.25)
    #expect(FoldStatistics([0.5, nil]) == nil)
  }
}

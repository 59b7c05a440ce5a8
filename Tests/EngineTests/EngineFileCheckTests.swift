// What the engine tells of a dataset whose files are to be checked, and in which order.

import Messages
import Testing
import TestSupport

@testable import Training

@Suite struct EngineInspectionTests {
  @Test func `a file check tells the names first, then its progress, then what it found`() throws {
    let folder = try TemporaryFolder()
    let data = try ToyDataset(folder.file("data"), counts: SplitCounts(train: 3, validation: 1, test: 1))
    try data.addBroken("train/red/broken.png")
    let harness = EngineHarness()
    harness.engine.send(.openDataset(path: data.root, split: SplitSettings(), checkingFiles: true))
    let report = try harness.wait(for: "the checked dataset") { event -> DatasetReport? in
      if case .dataset(let report) = event, report.statistics != nil { report } else { nil }
    }
    #expect(report.findings.filter { $0.kind == .undecodable }.map(\.subject) == ["train/red/broken.png"])
    #expect(report.statistics?.images == 15)

    let names = try #require(harness.events.firstIndex { if case .dataset = $0 { true } else { false } })
    guard case .dataset(let first) = harness.events[names] else { return }
    #expect(first.statistics == nil && first.counts == report.counts)
    var done: [Int] = []
    for event in harness.events[names...] {
      if case .datasetProgress(.checking(let count, total: 16)) = event { done.append(count) }
    }
    #expect(done.last == 16 && done == done.sorted())
    try harness.shutDown()
  }
}

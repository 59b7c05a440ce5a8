// What is said about a dataset: counts, warnings with numbers, the fingerprint. What file checks find is in
// Check/.

import Messages
import Testing

@testable import Datasets

private func items(_ counts: [Int], split: Split = .train) -> [DatasetItem] {
  counts.enumerated().flatMap { label, count in
    (0..<count).map { DatasetItem(path: "\(label)/\(split.rawValue)\($0).png", label: label, split: split) }
  }
}

private func index(_ items: [DatasetItem], classes: Int) -> DatasetIndex {
  let names = (0..<classes).map { "class \($0)" }
  return DatasetIndex(
    root: "/data", classes: names, items: items, splitSource: .hash,
    findings: DatasetIndex.balanceFindings(classes: names, items: items))
}

@Test func `a class with fewer than 80 training images is warned of`() {
  let warnings = index(items([79, 80, 100]), classes: 3).findings
  #expect(warnings.map(\.kind) == [.fewTrainingImages])
  #expect(warnings.first?.subject == "class 0")
  #expect(warnings.first?.message.contains("79") == true)
}

@Test func `more than three times as many images is an imbalance`() {
  #expect(index(items([100, 300, 200]), classes: 3).findings.isEmpty)
  let warnings = index(items([100, 301, 200]), classes: 3).findings
  #expect(warnings.map(\.kind) == [.imbalance])
  #expect(warnings.first?.message.contains("301") == true && warnings.first?.message.contains("100") == true)
}

@Test func `the report counts each class and split`() {
  let all = items([2, 1]) + items([0, 3], split: .test)
  let report = index(all, classes: 2).report()
  #expect(report.root == "/data" && report.statistics == nil)
  #expect(report.classes.map(\.name) == ["class 0", "class 1"])
  #expect(report.classes[0].counts == SplitCounts(train: 2))
  #expect(report.classes[1].counts == SplitCounts(train: 1, test: 3))
  #expect(report.classes[0].images.map(\.path) == ["0/train0.png", "0/train1.png"])
  #expect(report.counts.total == 6)
}

@Test func `the fingerprint stands for paths and splits, not for their order`() {
  let both = [
    DatasetItem(path: "b/2.png", label: 1, split: .validation),
    DatasetItem(path: "a/1.png", label: 0, split: .train),
  ]
  // Computed outside Swift.
  #expect(index(both, classes: 2).fingerprint == "5c6ef0b973671842")
  #expect(index(both.reversed(), classes: 2).fingerprint == "5c6ef0b973671842")
  var other = both
  other[0].split = .test
  #expect(index(other, classes: 2).fingerprint != "5c6ef0b973671842")
  #expect(index([both[0]], classes: 2).fingerprint != "5c6ef0b973671842")
}

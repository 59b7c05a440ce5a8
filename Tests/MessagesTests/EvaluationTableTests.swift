// Choosing, sorting and counting the rows of an evaluation, and comparing two: small tables whose answers are visible
// beside them.

import Foundation
import Messages
import Testing

/// Six images of two classes, a (0) and b (1), and one whose outputs are not finite.
///
///     row  path    split  true  predicted  confidence  margin  probability of the true class
///     0    a/1     train  a     a          0.9         0.8     0.9
///     1    a/2     test   a     b          0.8         0.6     0.2
///     2    a/10    test   a     a          0.6         0.2     0.6
///     3    b/Cat   val    b     b          0.7         0.4     0.7
///     4    b/dog   test   b     a          0.55        0.1     0.45
///     5    b/e     test   b     none       0           0       -
enum TableFixture {
  static let table = EvaluationTable(
    source: EvaluationSource(checkpoint: "runs/r", split: .all), root: "d", classes: ["a", "b"],
    paths: ["a/1", "a/2", "a/10", "b/Cat", "b/dog", "b/e"],
    splits: [.train, .test, .test, .validation, .test, .test],
    truths: [0, 0, 0, 1, 1, 1], predictions: [0, 1, 0, 1, 0, EvaluationTable.noPrediction],
    confidences: [0.9, 0.8, 0.6, 0.7, 0.55, 0], margins: [0.8, 0.6, 0.2, 0.4, 0.1, 0],
    losses: [0.9, 0.2, 0.6, 0.7, 0.45].map { -Float(log($0)) } + [.greatestFiniteMagnitude], ranks: 2,
    topLabels: [0, 1, 1, 0, 0, 1, 1, 0, 0, 1, -1, -1],
    topProbabilities: [0.9, 0.1, 0.8, 0.2, 0.6, 0.4, 0.7, 0.3, 0.55, 0.45, 0, 0])
}

@Suite struct EvaluationTableTests {
  private let table = TableFixture.table

  @Test(arguments: [
    (EvaluationSort.loss, [5, 1, 4, 2, 3, 0] as [Int32]), (.confidence, [5, 4, 2, 3, 1, 0]),
    (.margin, [5, 4, 2, 3, 1, 0]), (.disagreement, [1, 4, 0, 2, 3, 5]), (.name, [0, 1, 2, 3, 4, 5]),
  ])
  func `rows are sorted by a column, the most interesting first`(sort: EvaluationSort, rows: [Int32]) {
    #expect(table.rows(sortedBy: sort) == rows)
    // Ties stay in the table's order, reversed or not: rows 0, 2, 3 and 5 contradict no label.
    let reversed = sort == .disagreement ? [0, 2, 3, 5, 4, 1] : Array(rows.reversed())
    #expect(table.rows(sortedBy: sort, isReversed: true) == reversed)
  }

  @Test(arguments: [
    (EvaluationFilter(), [0, 1, 2, 3, 4, 5] as [Int32]), (EvaluationFilter(truth: 0), [0, 1, 2]),
    (EvaluationFilter(predicted: 0), [0, 2, 4]), (EvaluationFilter(truth: 1, predicted: 0), [4]),
    (EvaluationFilter(split: .validation), [3]), (EvaluationFilter(leastConfidence: 0.7), [0, 1, 3]),
    (EvaluationFilter(leastConfidence: 0.6, greatestConfidence: 0.7), [2, 3]),
    (EvaluationFilter(answers: .right), [0, 2, 3]), (EvaluationFilter(answers: .wrong), [1, 4, 5]),
    (EvaluationFilter(text: "CAT"), [3]), (EvaluationFilter(text: "a/1"), [0, 2]),
    (EvaluationFilter(text: "longer than any path"), []), (EvaluationFilter(truth: 7), []),
  ])
  func `a filter keeps the rows that meet all of it`(filter: EvaluationFilter, rows: [Int32]) {
    #expect(table.rows(filter) == rows)
  }

  @Test func `a row knows its answer, its probabilities and its place`() throws {
    #expect(
      table.top(4) == [
        .init(label: 0, probability: Double(Float(0.55))), .init(label: 1, probability: Double(Float(0.45))),
      ])
    #expect(table.top(5).isEmpty && table.row(of: "b/Cat") == 3 && table.row(of: "b/cat") == nil)
    #expect(abs(table.disagreement(1) - 0.6) < 1e-6 && table.disagreement(0) == 0 && table.disagreement(5) == 0)
    #expect(table.confusion().rows == [[2, 1], [1, 1]] && table.confusion([1, 4]).rows == [[0, 1], [1, 0]])
    #expect(try JSONDecoder().decode(EvaluationTable.self, from: JSONEncoder().encode(table)) == table)
  }

  @Test func `reliability counts an image in the part of its confidence`() throws {
    // Confidences 0.9, 0.6 and 0.7 right, 0.8 and 0.55 wrong: (0.5, 0.75] has 0.6, 0.7 and 0.55, accuracy 2/3 and
    // confidence 37/60; (0.75, 1] has 0.8 and 0.9, accuracy 1/2 and confidence 0.85.
    let reliability = table.reliability(bins: 4)
    #expect(reliability.bins.map(\.images) == [0, 0, 3, 2])
    #expect(reliability.bins.map(\.right) == [0, 0, 2, 1])
    let error = try #require(reliability.expectedCalibrationError)
    #expect(abs(error - (0.6 * 0.05 + 0.4 * 0.35)) < 1e-6)
    #expect(Reliability().expectedCalibrationError == nil)
    var edges = Reliability(bins: 4)
    for confidence in [0, 0.25, 0.5, 1] { edges.add(confidence: confidence, isRight: true) }
    edges.add(confidence: .nan, isRight: true)
    #expect(edges.bins.map(\.images) == [2, 1, 0, 1])
  }

  @Test(arguments: [(0.0, 5, 3), (0.6, 4, 3), (0.75, 2, 1), (1.0, 0, 0)])
  func `a threshold keeps what is at least as confident`(threshold: Double, kept: Int, right: Int) {
    // Float's 0.6 is a little above Double's.
    let coverage = table.coverage(atLeast: threshold)
    #expect((coverage.images, coverage.kept, coverage.right) == (6, kept, right))
    #expect(coverage.accuracy == (kept > 0 ? Double(right) / Double(kept) : nil))
  }

  @Test func `two evaluations are compared image by image, by path and class`() {
    var other = table
    // Fixes a/2, breaks a/10; of b/dog the class is another now, and b/new is new.
    other.predictions[1] = 0
    other.predictions[2] = 1
    other.truths[4] = 0
    other.paths[3] = "b/new"
    let comparison = EvaluationComparison(table, other)
    #expect(comparison.fixed.map(\.path) == ["a/2"] && comparison.broken.map(\.path) == ["a/10"])
    #expect(comparison.stillWrong.map(\.path) == ["b/e"] && comparison.stillWrong[0].second == nil)
    #expect((comparison.images, comparison.leftOut, comparison.rightInBoth) == (4, 4, 1))
    #expect((comparison.firstAccuracy, comparison.secondAccuracy) == (0.5, 0.5))
    #expect(comparison.fixed[0].truth == "a" && comparison.fixed[0].first?.name == "b")
  }

  /// Probabilities of scipy.stats.binomtest(min, n, 0.5).pvalue.
  @Test(arguments: [
    (22, 2, 3.5881996154785156e-05, "better: 22 to 2, very unlikely to be chance"),
    (2, 22, 3.5881996154785156e-05, "worse: 22 to 2, very unlikely to be chance"),
    (10, 2, 0.03857421875, "better: 10 to 2, unlikely to be chance"),
    (3, 1, 0.625, "better: 3 to 1, may be chance"), (5, 5, 1, "no better and no worse: 5 to 5, may be chance"),
    (0, 0, 1, "the same answers: nothing fixed, nothing broken"),
    (6000, 5800, 0.0669552984369856, "better: 6000 to 5800, may be chance"),
    (100_000, 0, 0, "better: 100000 to 0, very unlikely to be chance"),
  ])
  func `McNemar's test is exact, and says so in words`(fixed: Int, broken: Int, p: Double, text: String) {
    let test = PairedTest(fixed: fixed, broken: broken)
    #expect(abs(test.pValue - p) <= 1e-4 * p + 1e-12 && test.text == text)
  }

  @Test func `what was decided about the measured images is said of them alone`() {
    var report = EvaluationReport(
      checkpoint: "c", data: "d", split: .test, images: 1, loss: 0, top1: 1, top5: 1, classes: [], confusion: [],
      misclassified: [], skipped: [], unknownClasses: [], imagesPerSecond: 1,
      provenance: EvaluationProvenance(
        checkpoint: "c", splitFingerprint: "s", imagesFingerprint: "i", excluded: 3, relabeled: 1, isRunsOwn: true,
        edits: DataEdits(excluded: SplitCounts(train: 1, test: 2), relabeled: SplitCounts(validation: 1))))
    #expect(
      report.edits == "test images were edited: 2 left out; the figures are not those of the data as they came")
    report.split = .all
    #expect(
      report.edits?.hasPrefix("images were edited: 3 left out, 1 of another class than their folder's;") == true)
    report.provenance?.edits = DataEdits(excluded: SplitCounts(train: 1))
    report.split = .test
    #expect(report.edits == nil)
  }
}

// The values of an evaluation: the matrix of what was counted, JSON that is complete, and what a screen is told.

import Foundation
import Messages
import Testing

@Suite struct EvaluationReportTests {
  private func report(
    classes: [ClassMetrics] = [], confusion: ConfusionMatrix = [], misclassified: [Misclassification] = [],
    loss: Double? = 0.5, skipped: [String] = []
  ) -> EvaluationReport {
    EvaluationReport(
      checkpoint: "c", data: "d", split: .test, images: 1, loss: loss, top1: 0, top5: 0, classes: classes,
      confusion: confusion, misclassified: misclassified, skipped: skipped, unknownClasses: [], imagesPerSecond: 1)
  }

  @Test func `a matrix knows its cells, rows and totals, and nothing outside`() {
    let matrix: ConfusionMatrix = [[0, 2, 0], [0, 0, 0], [1, 0, 3]]
    #expect(matrix.cells.map { [$0.truth, $0.predicted, $0.count] } == [[0, 1, 2], [2, 0, 1], [2, 2, 3]])
    #expect(matrix.rows == [[0, 2, 0], [0, 0, 0], [1, 0, 3]])
    #expect((0..<3).map(matrix.total(ofRow:)) == [2, 0, 4])
    #expect(matrix[2, 0] == 1 && matrix[1, 1] == 0 && matrix[0, 2] == 0)
    #expect(matrix[-1, 0] == 0 && matrix[3, 0] == 0 && matrix[0, 9] == 0 && matrix.row(3).isEmpty)
    let cells = [(2, 2, 1), (0, 1, 2), (2, 2, 2), (2, 0, 1), (5, 0, 9), (0, -1, 9), (1, 1, 0)]
    let same = ConfusionMatrix(
      classes: 3, cells: cells.map { ConfusionMatrix.Cell(truth: $0.0, predicted: $0.1, count: $0.2) })
    #expect(same == matrix)
  }

  @Test func `what is not defined is null in JSON, not left out`() throws {
    let text = String(
      decoding: try JSONEncoder().encode(
        report(classes: [ClassMetrics(name: "a", support: 0, precision: nil, recall: nil, f1: nil)], loss: nil)),
      as: UTF8.self)
    for key in ["precision", "recall", "f1", "loss"] {
      #expect(text.contains("\"\(key)\":null"), "\(key): \(text)")
    }
    let validation = String(
      decoding: try JSONEncoder().encode(ValidationMetrics(loss: nil, top1: 0, top5: 0, nonFinite: 2)),
      as: UTF8.self)
    #expect(validation.contains("\"loss\":null") && validation.contains("\"nonFinite\":2"))
  }

  @Test func `a report of version 0.1 is read`() throws {
    let text = """
      {"checkpoint":"c","data":"d","split":"test","images":3,"loss":1,"top1":0.5,"top5":1,"confusion":[[1,2],[0,0]],
      "classes":[{"name":"a","support":3},{"name":"b","support":0}],"misclassified":[],"skipped":["s"],
      "unknownClasses":[],"imagesPerSecond":1}
      """
    let report = try JSONDecoder().decode(EvaluationReport.self, from: Data(text.utf8))
    #expect(report.confusion == [[1, 2], [0, 0]] && report.skippedImages == 1 && report.provenance == nil)
    #expect(report.precision == nil && report.comparison == nil)
    let metrics = try JSONDecoder().decode(
      ValidationMetrics.self, from: Data(#"{"loss":1,"top1":0,"top5":0}"#.utf8))
    #expect(metrics == ValidationMetrics(loss: 1, top1: 0, top5: 0))
  }

  @Test(arguments: [1 << 10, 1 << 16, 1 << 20])
  func `a screen is told no more than fits, with the counts of all`(limit: Int) throws {
    // Names that take six bytes of JSON for each of their own.
    let name = String(repeating: "\u{1}", count: 50)
    let mistakes = (0..<5000).map {
      Misclassification(
        path: "\(name)\($0)", truth: 0, top: [ClassProbability(label: 1, probability: 1 / 3)],
        truthProbability: 1 / 3)
    }
    let classes = (0..<1000).map {
      ClassMetrics(name: "\(name)\($0)", support: 1, precision: 1 / 3, recall: 1 / 3, f1: 1 / 3)
    }
    let confusion = ConfusionMatrix(
      classes: 1000, cells: (0..<1000).map { ConfusionMatrix.Cell(truth: $0, predicted: 1, count: 1) })
    let whole = report(
      classes: classes, confusion: confusion, misclassified: mistakes,
      skipped: (0..<3000).map { "\(name)\($0)" })
    let cut = whole.limited(toBytes: limit)
    #expect(try JSONEncoder().encode(cut).count <= limit + 1024)
    #expect(cut.mistakes == 5000 && cut.skippedImages == 3000)
    #expect(cut.misclassified.count < 5000 && cut.misclassified == Array(mistakes.prefix(cut.misclassified.count)))
    #expect(limit < 1 << 20 || !cut.misclassified.isEmpty && !cut.skipped.isEmpty && cut.classes.count == 1000)
    #expect(whole.limited(toBytes: 1 << 26) == whole)
  }
}

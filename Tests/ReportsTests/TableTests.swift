// Tables as CSV: whatever stands in a cell comes back, and the figures are those of the evaluation.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Reports
@testable import Training

/// RFC 4180, read by the letter.
func parsedCSV(_ text: String) -> [[String]] {
  var (rows, row, cell): ([[String]], [String], String) = ([], [], "")
  var isQuoted = false
  var scalars = Array(text.unicodeScalars)[...]
  while let scalar = scalars.popFirst() {
    if isQuoted {
      if scalar != "\"" {
        cell.unicodeScalars.append(scalar)
      } else if scalars.first == "\"" {
        cell.unicodeScalars.append(scalars.removeFirst())
      } else {
        isQuoted = false
      }
    } else if scalar == "\"" {
      isQuoted = true
    } else if scalar == "," {
      row.append(cell)
      cell = ""
    } else if scalar == "\n" {
      rows.append(row + [cell])
      (row, cell) = ([], "")
    } else {
      cell.unicodeScalars.append(scalar)
    }
  }
  return rows
}

/// What a table writes.
final class WrittenTable {
  private(set) var bytes: [UInt8] = []
  func append(_ more: [UInt8]) { bytes += more }
  var rows: [[String]] { parsedCSV(String(decoding: bytes, as: UTF8.self)) }
}

@Suite struct TableTests {
  @Test(arguments: [
    "plain", "", "a,b", "\"quoted\"", "\"", "two\nlines", "a\r\nb", " space", "space ", "\u{301}e", ",", "\",\"",
    "=1+1",
  ])
  func `whatever stands in a cell comes back as it was`(cell: String) throws {
    let written = WrittenTable()
    let table = try CSVTable(header: ["x", "y"], write: written.append)
    try table.append([cell, "end"])
    let rows = written.rows
    #expect(rows.count == 2)
    #expect(rows[1].map { Array($0.unicodeScalars) } == [cell, "end"].map { Array($0.unicodeScalars) })
  }

  @Test func `numbers are written in full, and those that are none as empty cells`() {
    for value in [0.1 + 0.2, 1e-300, 1.0 / 3, 0, 1] {
      #expect(Double(CSVTable.cell(value)) == value)
    }
    for value in [nil, Double.nan, .infinity, -.infinity] { #expect(CSVTable.cell(value).isEmpty) }
  }

  @Test func `what is exported has the same rows in CSV and JSON, with nothing for what is unknown`() throws {
    let names = ["cat, or so", "a\"b\\c\n\u{1}"]
    let table = EvaluationTable(
      source: EvaluationSource(checkpoint: "c"), root: "/d", classes: names, paths: ["x\n.png", "y", "z"],
      splits: [.train, .test, .validation], truths: [0, 1, 1], predictions: [1, 1, -1],
      confidences: [0.5, 0.25, 0],
      margins: [0.125, 0.5, 0], losses: [1, 0, .greatestFiniteMagnitude], ranks: 0, topLabels: [],
      topProbabilities: [])
    let report = try FigureTests.report(names, [(0, 1), (0, 0), (1, 1)])
    var reliability = Reliability(bins: 2)
    reliability.add(confidence: 0.75, isRight: true)
    let comparison = EvaluationComparison(table, table)
    let contents: [(EvaluationExport.Content, rows: Int)] = [
      (.images(table), 3), (.confusion(report), 2), (.pairs(report), 1), (.metrics(report), 2),
      (.reliability(reliability), 2), (.comparison(comparison), comparison.stillWrong.count),
    ]
    for (content, count) in contents {
      func written(_ format: EvaluationExport.Format) throws -> WrittenTable {
        let written = WrittenTable()
        try EvaluationExport(content, name: "n", format: format, file: "f").writeTable(written.append)
        return written
      }
      let rows = try written(.csv).rows
      let json = try JSONSerialization.jsonObject(with: Data(try written(.json).bytes)) as? [String: Any]
      let objects = try #require(json?["rows"] as? [[String: Any]])
      #expect(rows.count == count + 1 && objects.count == count)
      guard case .confusion = content else {
        #expect(objects.allSatisfy { Set($0.keys) == Set(rows[0]) })
        continue
      }
      #expect(json?["classes"] as? [String] == names && objects[0]["predicted"] as? [Int] == [1, 1])
    }
    let images = WrittenTable()
    try EvaluationExport(.images(table), name: "n", format: .csv, file: "f").writeTable(images.append)
    #expect(images.rows[1] == ["x\n.png", "train", names[0], names[1], "0.5", images.rows[1][5], "0.125", "1.0"])
    #expect(images.rows[3] == ["z", "val", names[1], "", "", "", "", ""])
  }

  private let classes = ["cat, or so", "dog", "\"cow\""]
  private func outcome(_ logits: [Float]) throws -> Predictor.Outcome { .classes(try #require(Softmax(logits))) }

  @Test func `a row of predictions has the best classes, or all in the order of the labels`() throws {
    for (top, header) in [
      (1, ["path", "error", "predicted", "probability"]),
      (2, ["path", "error", "predicted", "probability", "predicted_2", "probability_2"]),
      // No more than there are.
      (
        9,
        [
          "path", "error", "predicted", "probability", "predicted_2", "probability_2", "predicted_3",
          "probability_3",
        ]
      ),
    ] {
      let written = WrittenTable()
      let table = try PredictionTable(classes: classes, top: top, write: written.append)
      try table.append("a.png", try outcome([0, 2, 1]))
      try table.append("b.png", .failure("it is cut off, at byte 7"))
      let rows = written.rows
      #expect(rows[0] == header)
      #expect(rows[1][2] == "dog" && rows.allSatisfy { $0.count == header.count })
      #expect(rows[2][1] == "it is cut off, at byte 7" && rows[2].dropFirst(2).allSatisfy(\.isEmpty))
    }
    let written = WrittenTable()
    let table = try PredictionTable(classes: classes, top: nil, write: written.append)
    try table.append("a.png", try outcome([0, 2, 1]))
    try table.append("b.png", .failure("gone"))
    let rows = written.rows
    #expect(rows[0] == ["path", "error", "predicted", "probability"] + classes)
    let probabilities = rows[1].dropFirst(4).compactMap(Double.init)
    #expect(probabilities.count == 3 && abs(probabilities.reduce(0, +) - 1) < 1e-12)
    #expect(probabilities[1] == Double(rows[1][3]) && abs(probabilities[0] - 1 / (1 + exp(1) + exp(2))) < 1e-12)
    #expect(rows[2].count == rows[0].count)
  }

  @Test func `a row of a measured image has loss and probabilities, and none where the outputs are no numbers`()
    throws
  {
    let written = WrittenTable()
    let table = try MeasuredImagesTable(classes: classes, write: written.append)
    try table.append(MeasuredImage(path: "x/1.png", truth: 0, outputs: Softmax([1, 3, 2] as [Float])))
    try table.append(MeasuredImage(path: "x/2.png", truth: 2, outputs: Softmax([1, .nan, 2] as [Float])))
    let rows = written.rows
    #expect(rows[0] == ["path", "true", "predicted", "probability", "loss"] + classes)
    let numbers = rows[1].dropFirst(3).compactMap(Double.init)
    #expect(Array(rows[1].prefix(3)) == ["x/1.png", "cat, or so", "dog"])
    #expect(numbers.count == 5 && abs(numbers[1] + log(numbers[2])) < 1e-12 && numbers[0] == numbers[3])
    #expect(rows[2] == ["x/2.png", "\"cow\"", "", "", "", "", "", ""])
  }

  @Test func `mistakes come worst first, and the matrix has a row a true class`() throws {
    var tally = ClassificationMetrics(classes: classes)
    tally.add(logits: [0, 1, 0, 0, 0, 9, 0, 5, 0], truths: [0, 1, 1], paths: ["mild", "bad", "right"])
    let report = try #require(tally.report(checkpoint: "c", data: "d", split: .test, leftOut: .init(), seconds: 1))
    let mistakes = WrittenTable()
    try report.writeMistakes(mistakes.append)
    let rows = mistakes.rows
    #expect(rows.map { $0[0] } == ["path", "bad", "mild"])
    #expect(rows[0].count == 9 && rows.allSatisfy { $0.count == 9 })
    #expect(
      rows[1][1] == "dog" && rows[1][3] == "\"cow\""
        && Double(rows[1][2]) == report.misclassified[1].truthProbability)
    let matrix = WrittenTable()
    try report.writeConfusion(matrix.append)
    #expect(
      matrix.rows == [
        ["true"] + classes, [classes[0], "0", "1", "0"], [classes[1], "0", "1", "1"], [classes[2], "0", "0", "0"],
      ])
  }

  @Test func `a table takes no picture's place, and none in a dataset's folder`() throws {
    let folder = try TemporaryFolder()
    try Data("picture".utf8).write(to: URL(fileURLWithPath: folder.path + "/a.png"))
    for path in [folder.path, folder.path + "/a.png", folder.path + "/new", folder.path + "/.csv"] {
      #expect(throws: TableRefusal.self, "\(path)") { try TableTarget.check(path, option: "--csv") }
    }
    try TableTarget.check(folder.path + "/a.CSV", option: "--csv")
    try TableTarget.check("/dev/null", option: "--csv")
    #expect(throws: TableRefusal.self) {
      try TableTarget.check(folder.path + "/new/a.csv", option: "--csv", data: folder.path)
    }
  }
}

// What an inspector shows as a table, for people's programs: the same rows as comma-separated values or as JSON. What is
// not known is an empty cell, or null.

import FoundationEssentials
import Messages

/// Rows under named columns.
struct ExportedTable {
  enum Cell {
    case text(String)
    case number(Double)
    /// With the digits that a number of single precision has.
    case single(Float)
    case count(Int)
    case flag(Bool)
    case list([Cell])
    case absent
  }

  /// What all rows have in common; in JSON alone.
  var about: [(name: String, cell: Cell)] = []
  var columns: [String]
  /// `rows` in JSON.
  var rows: [[Cell]]

  /// - Throws: what `write` throws.
  func writeCSV(_ write: @escaping ([UInt8]) throws -> Void) throws {
    let table = try CSVTable(header: columns, write: write)
    for row in rows { try table.append(row.map(\.text)) }
  }

  /// An object of what is common and a list of objects, a line for each row.
  /// - Throws: what `write` throws.
  func writeJSON(_ write: ([UInt8]) throws -> Void) throws {
    func line(_ text: String) throws { try write(Array(text.utf8)) }
    try line("{\n")
    for entry in about { try line("  \(Cell.quoted(entry.name)): \(entry.cell.json),\n") }
    try line("  \"rows\": [")
    let names = columns.map(Cell.quoted)
    for (place, row) in rows.enumerated() {
      let cells = zip(names, row).map { "\($0): \($1.json)" }.joined(separator: ", ")
      try line((place == 0 ? "\n" : ",\n") + "    {" + cells + "}")
    }
    try line(rows.isEmpty ? "]\n}\n" : "\n  ]\n}\n")
  }
}

extension ExportedTable.Cell {
  /// As it stands in a table.
  var text: String {
    switch self {
    case .text(let text): text
    case .number(let value): CSVTable.cell(value)
    case .single(let value): value.isFinite ? "\(value)" : ""
    case .count(let count): "\(count)"
    case .flag(let flag): "\(flag)"
    case .list(let cells): cells.map(\.text).joined(separator: " ")
    case .absent: ""
    }
  }

  var json: String {
    switch self {
    case .text(let text): Self.quoted(text)
    case .number(let value): value.isFinite ? "\(value)" : "null"
    case .single(let value): value.isFinite ? "\(value)" : "null"
    case .count(let count): "\(count)"
    case .flag(let flag): "\(flag)"
    case .list(let cells): "[" + cells.map(\.json).joined(separator: ", ") + "]"
    case .absent: "null"
    }
  }

  /// A string of JSON (RFC 8259, section 7).
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  static func optional(_ value: Double?) -> Self { value.map { .number($0) } ?? .absent }
}

extension EvaluationExport {
  /// The rows of it; nil for what is a picture alone.
  var table: ExportedTable? {
    switch content {
    case .images(let table): .images(table)
    case .confusion(let report): .confusion(report)
    case .pairs(let report): .pairs(report)
    case .metrics(let report): .metrics(report)
    case .reliability(let reliability): .reliability(reliability, name: name)
    case .suspects(let report): .suspects(report)
    case .comparison(let comparison): .comparison(comparison)
    case .explanation: nil
    }
  }
}

extension ExportedTable {
  private static func about(_ report: EvaluationReport) -> [(name: String, cell: Cell)] {
    [
      ("checkpoint", .text(report.checkpoint)), ("data", .text(report.data)),
      ("split", .text(report.split.rawValue)),
      ("images", .count(report.images)), ("top1", .number(report.top1)),
    ]
  }

  static func images(_ table: EvaluationTable) -> ExportedTable {
    func name(_ label: Int32) -> Cell {
      table.classes.indices.contains(Int(label)) ? .text(table.classes[Int(label)]) : .absent
    }
    return ExportedTable(
      about: [
        ("checkpoint", .text(table.source.checkpoint)), ("data", .text(table.root)),
        ("split", .text(table.source.split.rawValue)),
      ],
      columns: ["path", "split", "true", "predicted", "probability", "true_probability", "margin", "loss"],
      rows: (0..<table.count).map { row in
        let isKnown = table.predictions[row] >= 0
        return [
          .text(table.paths[row]), .text(table.splits[row].rawValue), name(table.truths[row]),
          name(table.predictions[row]), isKnown ? .single(table.confidences[row]) : .absent,
          isKnown ? .single(table.truthProbability(row)) : .absent, isKnown ? .single(table.margins[row]) : .absent,
          table.losses[row] < .greatestFiniteMagnitude ? .single(table.losses[row]) : .absent,
        ]
      })
  }

  /// A row a true class; its counts under the predicted classes, in JSON as a list in the order of the labels.
  /// Of very many classes a row for each count above 0.
  static func confusion(_ report: EvaluationReport) -> ExportedTable {
    guard report.classes.count <= EvaluationReport.denseClasses else {
      return ExportedTable(
        about: about(report), columns: ["true", "predicted", "images"],
        rows: report.confusion.cells.map {
          [.text(report.classes[$0.truth].name), .text(report.classes[$0.predicted].name), .count($0.count)]
        })
    }
    let rows = report.classes.indices.map { truth in
      var counts = [Int](repeating: 0, count: report.classes.count)
      for cell in report.confusion.row(truth) { counts[cell.predicted] = cell.count }
      return [Cell.text(report.classes[truth].name), .list(counts.map { .count($0) })]
    }
    return ExportedTable(
      about: about(report) + [("classes", .list(report.classes.map { .text($0.name) }))],
      columns: ["true", "predicted"], rows: rows)
  }

  static func pairs(_ report: EvaluationReport) -> ExportedTable {
    ExportedTable(
      about: about(report), columns: ["true", "predicted", "images", "of_class"],
      rows: report.confusedPairs(limit: .max).map { pair in
        let total = max(1, report.confusion.total(ofRow: pair.truth))
        return [
          .text(report.classes[pair.truth].name), .text(report.classes[pair.predicted].name), .count(pair.count),
          .number(Double(pair.count) / Double(total)),
        ]
      })
  }

  static func metrics(_ report: EvaluationReport) -> ExportedTable {
    ExportedTable(
      about: about(report), columns: ["class", "images", "precision", "recall", "f1"],
      rows: report.classes.map {
        [.text($0.name), .count($0.support), .optional($0.precision), .optional($0.recall), .optional($0.f1)]
      })
  }

  static func reliability(_ reliability: Reliability, name: String) -> ExportedTable {
    ExportedTable(
      about: [
        ("checkpoint", .text(name)),
        ("expected_calibration_error", .optional(reliability.expectedCalibrationError)),
      ],
      columns: ["from", "to", "right", "wrong", "confidence", "accuracy"],
      rows: reliability.bins.map {
        [
          .number($0.lower), .number($0.upper), .count($0.right), .count($0.wrong), .optional($0.confidence),
          .optional($0.accuracy),
        ]
      })
  }

  static func suspects(_ report: LabelErrorReport) -> ExportedTable {
    ExportedTable(
      about: [
        ("data", .text(report.data)), ("checkpoints", .list(report.checkpoints.map { .text($0) })),
        ("estimated_errors", .count(report.estimatedErrors)), ("confirmed", .count(report.confirmed)),
      ],
      columns: [
        "path", "split", "label", "suggested", "score", "label_probability", "suggested_probability", "neighbors",
        "label_neighbors", "suggested_neighbors", "in_sample",
      ],
      rows: report.suspects.map { suspect in
        [
          .text(suspect.path), .text(suspect.split.rawValue), .text(report.classes[suspect.label]),
          .text(report.classes[suspect.suggested]), .number(suspect.score), .number(suspect.labelProbability),
          .number(suspect.suggestedProbability), .count(suspect.neighbors), .count(suspect.labelNeighbors),
          .count(suspect.suggestedNeighbors), .flag(suspect.isInSample),
        ]
      })
  }

  static func comparison(_ comparison: EvaluationComparison) -> ExportedTable {
    func rows(_ images: [ComparedImage], _ list: String) -> [[Cell]] {
      images.map { image in
        func name(_ answer: Prediction.NamedProbability?) -> Cell { answer.map { .text($0.name) } ?? .absent }
        return [
          .text(list), .text(image.path), .text(image.truth), name(image.first),
          .optional(image.first?.probability), .number(image.firstTruthProbability), name(image.second),
          .optional(image.second?.probability), .number(image.secondTruthProbability),
        ]
      }
    }
    return ExportedTable(
      about: [
        ("first", .text(comparison.first.checkpoint)), ("second", .text(comparison.second.checkpoint)),
        ("split", .text(comparison.second.split.rawValue)), ("images", .count(comparison.images)),
        ("first_accuracy", .number(comparison.firstAccuracy)),
        ("second_accuracy", .number(comparison.secondAccuracy)), ("p_value", .number(comparison.test.pValue)),
        ("verdict", .text(comparison.test.text)),
      ],
      columns: [
        "list", "path", "true", "first", "first_probability", "first_true_probability", "second",
        "second_probability", "second_true_probability",
      ],
      rows: rows(comparison.fixed, "fixed") + rows(comparison.broken, "broken")
        + rows(comparison.stillWrong, "still wrong"))
  }
}

extension EvaluationExport {
  /// Writes it as rows.
  /// - Parameter write: takes bytes, in order.
  /// - Throws: what `write` throws.
  public func writeTable(_ write: @escaping ([UInt8]) throws -> Void) throws {
    if case .confusion(let report) = content, format == .csv { return try report.writeConfusion(write) }
    guard let table else { return }
    if format == .csv { try table.writeCSV(write) } else { try table.writeJSON(write) }
  }
}

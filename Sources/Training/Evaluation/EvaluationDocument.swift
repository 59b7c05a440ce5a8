// An evaluation's report as a JSON document, element by element: a report of a million mistakes is never in memory as
// text. What stands in it is `EvaluationReport`'s own coding.

import FoundationEssentials
import Messages

/// Writing reports.
public enum EvaluationDocument {
  /// Writes a report as `EvaluationReport` encodes itself, keys sorted, an element of a list a line, with a line feed
  /// at the end.
  /// - Parameter append: takes the document's bytes, piece by piece.
  /// - Throws: what `append` throws.
  public static func write(_ report: EvaluationReport, append: @escaping ([UInt8]) throws -> Void) throws {
    var pieces = Pieces(append: append)
    for key in EvaluationReport.Key.allCases.sorted(by: { $0.rawValue < $1.rawValue }) {
      switch key {
      case .augmentation: if let augmentation = report.augmentation { try pieces.add(key, augmentation) }
      case .balancedAccuracy: try pieces.add(key, report.balancedAccuracy)
      case .calibrationError: if let error = report.calibrationError { try pieces.add(key, error) }
      case .checkpoint: try pieces.add(key, report.checkpoint)
      case .classes: try pieces.add(key, list: report.classes)
      case .comparison: if let comparison = report.comparison { try pieces.add(key, comparison) }
      case .confusion: if report.hasDenseConfusion { try pieces.add(key, list: report.confusion.rows) }
      case .confusionCells: try pieces.add(key, list: report.confusion.cells)
      case .data: try pieces.add(key, report.data)
      case .images: try pieces.add(key, report.images)
      case .imagesPerSecond: try pieces.add(key, report.imagesPerSecond)
      case .loss: try pieces.add(key, report.loss)
      case .macroF1: try pieces.add(key, report.macroF1)
      case .misclassified: try pieces.add(key, list: report.misclassified)
      case .mistakes: try pieces.add(key, report.mistakes)
      case .nonFinite: try pieces.add(key, list: report.nonFinite)
      case .nonFiniteImages: try pieces.add(key, report.nonFiniteImages)
      case .precision: if let precision = report.precision { try pieces.add(key, precision) }
      case .provenance: if let provenance = report.provenance { try pieces.add(key, provenance) }
      case .skipped: try pieces.add(key, list: report.skipped)
      case .skippedImages: try pieces.add(key, report.skippedImages)
      case .split: try pieces.add(key, report.split)
      case .top1: try pieces.add(key, report.top1)
      case .top5: try pieces.add(key, report.top5)
      case .unknownClasses: try pieces.add(key, list: report.unknownClasses)
      case .unknownImages: try pieces.add(key, report.unknownImages)
      }
    }
    try pieces.finish()
  }
}

/// The object under way.
private struct Pieces {
  private let append: ([UInt8]) throws -> Void
  private let encoder = JSONEncoder()
  private var waiting = Array("{".utf8)
  private var isFirst = true

  private static let size = 1 << 16

  init(append: @escaping ([UInt8]) throws -> Void) {
    self.append = append
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  }

  mutating func add(_ key: EvaluationReport.Key, _ value: some Encodable) throws {
    begin(key)
    waiting += try encoder.encode(value)
  }

  mutating func add(_ key: EvaluationReport.Key, list: some Collection<some Encodable>) throws {
    begin(key)
    waiting.append(UInt8(ascii: "["))
    for (place, element) in list.enumerated() {
      waiting += (place == 0 ? "\n    " : ",\n    ").utf8
      waiting += try encoder.encode(element)
      try flush(above: Self.size)
    }
    waiting += (list.isEmpty ? "]" : "\n  ]").utf8
  }

  mutating func finish() throws {
    waiting += "\n}\n".utf8
    try flush(above: 0)
  }

  private mutating func begin(_ key: EvaluationReport.Key) {
    waiting += "\(isFirst ? "" : ",")\n  \"\(key.rawValue)\" : ".utf8
    isFirst = false
  }

  private mutating func flush(above size: Int) throws {
    guard waiting.count > size else { return }
    try append(waiting)
    waiting.removeAll(keepingCapacity: true)
  }
}

// What is written for other programs of an evaluation: what, in which form, to which file. The writing is in Reports and
// Engine.

/// A file of something that an inspector shows.
public struct EvaluationExport: Codable, Sendable, Equatable {
  public enum Content: Codable, Sendable, Equatable {
    /// Images in the order of the rows; as a picture a contact sheet of the first of them.
    case images(EvaluationTable)
    case confusion(EvaluationReport)
    /// The most confused pairs first.
    case pairs(EvaluationReport)
    /// Precision, recall and F1 of each class.
    case metrics(EvaluationReport)
    case reliability(Reliability)
    case suspects(LabelErrorReport)
    case comparison(EvaluationComparison)
    /// Where the network looked, for some classes by their labels, side by side.
    case explanation(Explanation, labels: [Int])
  }

  public enum Format: String, Codable, Sendable, CaseIterable {
    case csv, json, png, svg

    /// By the ending of a file's name; nil for another one.
    public init?(ofFile name: String) {
      guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex,
        !name[dot...].contains("/"), name[..<dot].last != "/",
        let format = Format(rawValue: String(name[name.index(after: dot)...]).lowercased())
      else { return nil }
      self = format
    }
  }

  public var content: Content
  /// What it is of, for the heading of a picture: the run and its checkpoint.
  public var name: String
  public var format: Format
  public var file: String
  /// Whether a file that is there already may be replaced.
  public var replaces: Bool

  public init(_ content: Content, name: String, format: Format, file: String, replaces: Bool = false) {
    self.content = content
    self.name = name
    self.format = format
    self.file = file
    self.replaces = replaces
  }

  /// The dataset's folder, which is only read.
  public var data: String? {
    switch content {
    case .images(let table): table.root
    case .confusion(let report), .pairs(let report), .metrics(let report): report.data
    case .suspects(let report): report.data
    case .reliability, .comparison, .explanation: nil
    }
  }
}

extension EvaluationExport.Content {
  /// The forms that it can be written in.
  public var formats: [EvaluationExport.Format] {
    switch self {
    case .images, .confusion, .reliability, .suspects: EvaluationExport.Format.allCases
    case .pairs, .metrics, .comparison: [.csv, .json]
    case .explanation: [.png]
    }
  }
}

extension EvaluationTable {
  /// Some rows of it, in their order.
  public func selecting(_ rows: [Int32]) -> EvaluationTable {
    func column<Value>(_ values: [Value]) -> [Value] { rows.map { values[Int($0)] } }
    func ranked<Value>(_ values: [Value]) -> [Value] {
      rows.flatMap { values[Int($0) * ranks..<(Int($0) + 1) * ranks] }
    }
    return EvaluationTable(
      source: source, root: root, classes: classes, paths: column(paths), splits: column(splits),
      truths: column(truths), predictions: column(predictions), confidences: column(confidences),
      margins: column(margins), losses: column(losses), ranks: ranks, topLabels: ranked(topLabels),
      topProbabilities: ranked(topProbabilities), provenance: provenance, staleness: staleness, notes: notes)
  }
}

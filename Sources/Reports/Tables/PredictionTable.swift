// Predictions as a table, a row an image as soon as it is predicted.

import Training

/// Writes predictions:
///
///     path,error,predicted,probability,predicted_2,probability_2,...     the most probable classes
///     path,error,predicted,probability,cat,dog,...                       with the probability of every class
///
/// An image without a prediction has its `error` and empty cells. Where answers may be rejected, `rejected` follows
/// `error`: `true` or `false`.
public struct PredictionTable {
  private let table: CSVTable
  private let classes: [String]
  /// How many of the most probable classes a row has; nil for the probability of every class.
  private let top: Int?
  private let rejectsBelow: Double?

  /// - Parameters:
  ///   - classes: the checkpoint's, in the order of the labels.
  ///   - top: at least 1; nil for a column a class.
  ///   - rejectsBelow: the least probability of an answer; nil where none is rejected.
  ///   - write: takes a row's bytes.
  /// - Throws: what `write` throws.
  public init(
    classes: [String], top: Int?, rejectsBelow: Double? = nil, write: @escaping ([UInt8]) throws -> Void
  ) throws {
    self.rejectsBelow = rejectsBelow
    self.classes = classes
    self.top = top.map { min($0, classes.count) }
    let more =
      (self.top ?? 1) < 2 ? [] : (2...(self.top ?? 2)).flatMap { ["predicted_\($0)", "probability_\($0)"] }
    table = try CSVTable(
      header: ["path", "error"] + (rejectsBelow == nil ? [] : ["rejected"]) + ["predicted", "probability"]
        + (top == nil ? classes : more), write: write)
  }

  /// - Throws: what the table's `write` throws.
  public func append(_ path: String, _ outcome: Predictor.Outcome) throws {
    switch outcome {
    case .failure(let reason):
      let empty = (rejectsBelow == nil ? 2 : 3) + (top.map { ($0 - 1) * 2 } ?? classes.count)
      try table.append([path, reason] + Array(repeating: "", count: empty))
    case .classes(let outputs):
      var cells = [path, ""]
      if let rejectsBelow, let best = outputs.mostProbable(1).first {
        cells.append("\(outputs.probability(best) < rejectsBelow)")
      }
      for label in outputs.mostProbable(top ?? 1) {
        cells += [classes[label], CSVTable.cell(outputs.probability(label))]
      }
      if top == nil { cells += outputs.probabilities.map { CSVTable.cell($0) } }
      try table.append(cells)
    }
  }
}

// An evaluation as tables: every image with all its probabilities, the mistakes, the confusion matrix.

import Messages
import Training

/// Writes every image of an evaluation, as it is measured:
///
///     path,true,predicted,probability,loss,cat,dog,...
///
/// `probability` is that of the predicted class, `loss` the cross-entropy in nats; the columns behind it have the
/// probability of each class in the order of the checkpoint's labels. An image whose outputs are not finite has
/// empty cells.
public struct MeasuredImagesTable {
  private let table: CSVTable
  private let classes: [String]

  /// - Parameters:
  ///   - classes: the checkpoint's, in the order of the labels.
  ///   - write: takes a row's bytes.
  /// - Throws: what `write` throws.
  public init(classes: [String], write: @escaping ([UInt8]) throws -> Void) throws {
    self.classes = classes
    table = try CSVTable(header: ["path", "true", "predicted", "probability", "loss"] + classes, write: write)
  }

  /// - Throws: what the table's `write` throws.
  public func append(_ image: MeasuredImage) throws {
    let known = [image.path, classes[image.truth]]
    guard let outputs = image.outputs, let predicted = outputs.mostProbable(1).first else {
      return try table.append(known + Array(repeating: "", count: 3 + classes.count))
    }
    try table.append(
      known + [
        classes[predicted], CSVTable.cell(outputs.probability(predicted)), CSVTable.cell(outputs.loss(image.truth)),
      ] + outputs.probabilities.map { CSVTable.cell($0) })
  }
}

extension MeasuredImagesTable {
  /// The same of a row of an evaluation that was kept.
  /// - Parameter probabilities: of each class.
  /// - Throws: what the table's `write` throws.
  public func append(_ images: EvaluationTable, _ row: Int, probabilities: [Float]) throws {
    let known = [images.paths[row], classes[Int(images.truths[row])]]
    let predicted = Int(images.predictions[row])
    guard predicted >= 0 else { return try table.append(known + Array(repeating: "", count: 3 + classes.count)) }
    func cell(_ value: Float) -> String { value.isFinite ? "\(value)" : "" }
    try table.append(
      known + [classes[predicted], cell(images.confidences[row]), cell(images.losses[row])]
        + probabilities.map(cell))
  }
}

extension EvaluationReport {
  /// The mistakes that are listed, the one whose true class got the least probability first.
  public var worstMistakes: [Misclassification] {
    misclassified.indices.sorted {
      (misclassified[$0].truthProbability, $0) < (misclassified[$1].truthProbability, $1)
    }.map { misclassified[$0] }
  }

  /// Writes the mistakes, the worst first:
  ///
  ///     path,true,true_probability,predicted,probability,predicted_2,probability_2,...
  ///
  /// with the five most probable classes, or as many as there are.
  /// - Throws: what `write` throws.
  public func writeMistakes(_ write: @escaping ([UInt8]) throws -> Void) throws {
    let best = min(5, classes.count)
    let more = best < 2 ? [] : (2...best).flatMap { ["predicted_\($0)", "probability_\($0)"] }
    let table = try CSVTable(
      header: ["path", "true", "true_probability", "predicted", "probability"] + more, write: write)
    for mistake in worstMistakes {
      var cells = [mistake.path, classes[mistake.truth].name, CSVTable.cell(mistake.truthProbability)]
      for entry in mistake.top.prefix(best) {
        cells += [classes[entry.label].name, CSVTable.cell(entry.probability)]
      }
      try table.append(cells + Array(repeating: "", count: max(0, 3 + best * 2 - cells.count)))
    }
  }

  /// Writes the confusion matrix: a row a true class, a column a predicted one, counts of images.
  ///
  ///     true,cat,dog,...
  ///
  /// - Throws: what `write` throws.
  public func writeConfusion(_ write: @escaping ([UInt8]) throws -> Void) throws {
    let table = try CSVTable(header: ["true"] + classes.map(\.name), write: write)
    for (truth, metrics) in classes.enumerated() {
      var cells = Array(repeating: "0", count: classes.count)
      for cell in confusion.row(truth) { cells[cell.predicted] = "\(cell.count)" }
      try table.append([metrics.name] + cells)
    }
  }
}

// Gathers what an evaluation keeps while it measures image after image, in as many bytes as it may take: features are
// given up first, then all but the five most probable classes.

import Datasets
import Messages
import Networks
import Support
import Training
import WeightFiles

/// Gathers the columns of a record.
public struct EvaluationRecorder {
  /// Bytes that a record takes at most.
  public static let usualBytes = 512 << 20
  /// How many of the most probable classes the table has.
  static let ranks = 5

  private let classes: [String]
  private let parts: RecordedParts
  private let mostBytes: Int
  private let form: ProbabilityRows.Form
  private let kept: Int

  private var paths: [String] = []
  private var pathBytes = 0
  private var splits: [Split] = []
  private var truths: [Int32] = []
  private var predictions: [Int32] = []
  private var confidences: [Float] = []
  private var margins: [Float] = []
  private var losses: [Float] = []
  private var topLabels: [Int32] = []
  private var topProbabilities: [Float] = []
  private var single: [Float] = []
  private var half: [Float16] = []
  private var labels: [Int32] = []
  private var features: [Float16] = []
  private var width = 0
  private var keepsFeatures: Bool
  private var keepsProbabilities = true
  private var notes: [String] = []

  /// - Parameter classes: the checkpoint's, in the order of the labels.
  public init(classes: [String], parts: RecordedParts = .all, mostBytes: Int = usualBytes) {
    self.classes = classes
    self.parts = parts
    self.mostBytes = mostBytes
    (form, kept) = ProbabilityRows.form(classes: classes.count)
    keepsFeatures = parts == .all
    if form == .most {
      notes.append("the probabilities of the \(kept) most probable classes of each image are kept")
    }
  }

  private var ranks: Int { min(Self.ranks, classes.count) }

  private var columnBytes: Int { pathBytes + paths.count * (8 + 4 + 1 + 4 + 12 + 8 * ranks) }
  private var probabilityBytes: Int { single.count * 4 + half.count * 2 + labels.count * 4 }

  public mutating func add(_ image: MeasuredImage) {
    paths.append(image.path)
    pathBytes += image.path.utf8.count
    splits.append(image.split)
    truths.append(Int32(image.truth))
    if let outputs = image.outputs {
      add(outputs, truth: image.truth)
    } else {
      addNone()
    }
    if keepsFeatures, let values = image.features {
      width = values.count
      features.append(contentsOf: values.lazy.map(HalfPrecision.rounded))
    }
    giveUpWhatIsTooMuch()
  }

  private mutating func add(_ outputs: Softmax, truth: Int) {
    let order = outputs.mostProbable(max(ranks, form == .most && keepsProbabilities ? kept : ranks))
    let first = outputs.probability(order[0])
    predictions.append(Int32(order[0]))
    confidences.append(Float(first))
    margins.append(Float(first - (order.count > 1 ? outputs.probability(order[1]) : 0)))
    losses.append(Float(min(outputs.loss(truth), Double(Float.greatestFiniteMagnitude))))
    for label in order.prefix(ranks) {
      topLabels.append(Int32(label))
      topProbabilities.append(Float(outputs.probability(label)))
    }
    guard keepsProbabilities else { return }
    switch form {
    case .single: single.append(contentsOf: outputs.probabilities.lazy.map { Float($0) })
    case .half: half.append(contentsOf: outputs.probabilities.lazy.map { Float16($0) })
    case .most:
      labels.append(contentsOf: order.prefix(kept).lazy.map { Int32($0) })
      half.append(contentsOf: order.prefix(kept).lazy.map { Float16(outputs.probability($0)) })
    }
  }

  /// An image whose outputs are not finite.
  private mutating func addNone() {
    predictions.append(EvaluationTable.noPrediction)
    confidences.append(0)
    margins.append(0)
    losses.append(.greatestFiniteMagnitude)
    topLabels += Array(repeating: EvaluationTable.noPrediction, count: ranks)
    topProbabilities += Array(repeating: 0, count: ranks)
    guard keepsProbabilities else { return }
    switch form {
    case .single: single += Array(repeating: 0, count: kept)
    case .half: half += Array(repeating: 0, count: kept)
    case .most:
      half += Array(repeating: 0, count: kept)
      labels += (0..<Int32(kept))
    }
  }

  private mutating func giveUpWhatIsTooMuch() {
    let needed = columnBytes + probabilityBytes
    if keepsFeatures, needed + features.count * 2 > mostBytes {
      keepsFeatures = false
      features = []
      notes.append("the features are not kept: they would take more than \(Self.size(mostBytes))")
    }
    if keepsProbabilities, needed > mostBytes {
      keepsProbabilities = false
      (single, half, labels) = ([], [], [])
      notes.removeAll { $0.hasPrefix("the probabilities of") }
      notes.append(
        "the probabilities of the \(ranks) most probable classes of each image are kept: all would take more than "
          + Self.size(mostBytes))
    }
  }

  private static func size(_ bytes: Int) -> String {
    bytes >= 1 << 20 ? "\(bytes >> 20) MiB" : "\(bytes) bytes"
  }

  /// The record of all images so far, by their paths.
  /// - Parameters:
  ///   - report: of the same images.
  ///   - checkpoint: as it was asked for.
  ///   - layer: what read the features.
  public func record(_ report: EvaluationReport, checkpoint: String, layer: String) -> EvaluationRecord {
    let order = paths.indices.sorted { NaturalOrder.precedes(paths[$0], paths[$1]) }
    let table = EvaluationTable(
      source: EvaluationSource(
        checkpoint: checkpoint, data: report.provenance?.isRunsOwn == true ? nil : report.data, split: report.split),
      root: report.data, classes: classes, paths: Self.rows(order, paths), splits: Self.rows(order, splits),
      truths: Self.rows(order, truths), predictions: Self.rows(order, predictions),
      confidences: Self.rows(order, confidences), margins: Self.rows(order, margins),
      losses: Self.rows(order, losses), ranks: ranks, topLabels: Self.rows(order, topLabels, width: ranks),
      topProbabilities: Self.rows(order, topProbabilities, width: ranks), provenance: report.provenance,
      notes: notes)
    return EvaluationRecord(
      table: table, probabilities: probabilityRows(order, table),
      features: keepsFeatures && width > 0
        ? FeatureRows(
          rows: order.count, width: width, layer: layer,
          numbers: StoredNumbers(
            NamedArray(
              name: "features", shape: [order.count, width],
              values: .float16(Self.rows(order, features, width: width)))))
        : nil,
      augmentation: report.augmentation, precision: report.precision)
  }

  private func probabilityRows(_ order: [Int], _ table: EvaluationTable) -> ProbabilityRows {
    func array(_ name: String, _ width: Int, _ values: NamedArray.Values) -> StoredNumbers {
      StoredNumbers(NamedArray(name: name, shape: [order.count, width], values: values))
    }
    guard keepsProbabilities else {
      return ProbabilityRows(
        form: .most, rows: order.count, classes: classes.count, kept: ranks,
        numbers: array("probabilities", ranks, .float16(table.topProbabilities.map { Float16($0) })),
        labels: array("probability_labels", ranks, .int32(table.topLabels)))
    }
    let numbers: NamedArray.Values =
      form == .single
      ? .float32(Self.rows(order, single, width: kept)) : .float16(Self.rows(order, half, width: kept))
    return ProbabilityRows(
      form: form, rows: order.count, classes: classes.count, kept: kept,
      numbers: array("probabilities", kept, numbers),
      labels: form == .most
        ? array("probability_labels", kept, .int32(Self.rows(order, labels, width: kept))) : nil)
  }

  private static func rows<Element>(_ order: [Int], _ values: [Element], width: Int = 1) -> [Element] {
    if zip(order, order.indices).allSatisfy({ $0 == $1 }) { return values }
    var ordered: [Element] = []
    ordered.reserveCapacity(values.count)
    for row in order { ordered.append(contentsOf: values[row * width..<(row + 1) * width]) }
    return ordered
  }
}

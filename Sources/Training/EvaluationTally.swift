// Counting what a network says about images whose class is known: one image at a time goes in, the report's totals,
// ratios, confusion matrix and list of mistakes come out. It neither runs the network nor reads images.

import Foundation
import Messages

/// Adds up the network's outputs over a split.
public struct EvaluationTally: Sendable {
  /// How many of the most probable classes count for `top5`, and are listed for a mistake.
  static let best = 5

  private let classes: [String]
  private var images = 0
  private var lossSum = 0.0
  private var top1Hits = 0
  private var top5Hits = 0
  /// [truth, predicted], row-major.
  private var confusion: [Int]
  private var misclassified: [Misclassification] = []

  /// - Parameter classes: the checkpoint's classes in the order of its labels; at least one.
  public init(classes: [String]) {
    precondition(!classes.isEmpty, "an evaluation needs at least one class")
    self.classes = classes
    confusion = Array(repeating: 0, count: classes.count * classes.count)
  }

  /// Counts a batch.
  /// - Parameters:
  ///   - logits: [N, classes], row-major, before the softmax. Log-probabilities give the same.
  ///   - truths: [N], labels.
  ///   - paths: [N], below the dataset's folder.
  public mutating func add(logits: [Float], truths: [Int], paths: [String]) {
    precondition(
      logits.count == truths.count * classes.count && paths.count == truths.count,
      "\(truths.count) images and \(paths.count) paths do not go with \(logits.count) logits of \(classes.count)")
    for (row, truth) in truths.enumerated() {
      add(row: logits[row * classes.count..<(row + 1) * classes.count], truth: truth, path: paths[row])
    }
  }

  private mutating func add(row: ArraySlice<Float>, truth: Int, path: String) {
    precondition(classes.indices.contains(truth), "label \(truth) is none of the \(classes.count) classes")
    // Softmax and its logarithm in Double, shifted by the largest logit, so that no exponential overflows.
    let values = row.map(Double.init)
    let largest = values.max() ?? 0
    let sum = values.reduce(0) { $0 + exp($1 - largest) }
    // Not (largest + log(sum)) - value: next to a large logit the logarithm would be rounded away.
    lossSum += log(sum) + (largest - values[truth])
    images += 1

    let order = Self.mostProbable(values)
    let predicted = order[0]
    confusion[truth * classes.count + predicted] += 1
    if order.contains(truth) { top5Hits += 1 }
    guard predicted != truth else {
      top1Hits += 1
      return
    }
    func probability(_ label: Int) -> Double { exp(values[label] - largest) / sum }
    misclassified.append(
      Misclassification(
        path: path, truth: truth,
        top: order.map { ClassProbability(label: $0, probability: probability($0)) },
        truthProbability: probability(truth)))
  }

  /// The labels of the five largest values, the largest first; of equal ones the smaller label first. NaN ranks
  /// below everything, so that a diverged network still has one prediction for each image.
  private static func mostProbable(_ values: [Double]) -> [Int] {
    var labels: [Int] = []
    func value(_ label: Int) -> Double { values[label].isNaN ? -.infinity : values[label] }
    for label in values.indices {
      let place = labels.firstIndex { value(label) > value($0) } ?? labels.count
      guard place < best else { continue }
      labels.insert(label, at: place)
      if labels.count > best { labels.removeLast() }
    }
    return labels
  }

  /// The means so far; nil before the first image. The loss is the mean cross-entropy in nats, without label
  /// smoothing. Of equal logits the smaller label ranks first.
  public var metrics: ValidationMetrics? {
    guard images > 0 else { return nil }
    return ValidationMetrics(
      loss: lossSum / Double(images), top1: Double(top1Hits) / Double(images),
      top5: Double(top5Hits) / Double(images))
  }

  /// The class that every image so far was given; nil where there were several, or the images are all of one class.
  var onlyPrediction: String? {
    let all = classes.indices
    let predicted = all.filter { label in all.contains { confusion[$0 * classes.count + label] > 0 } }
    let truths = all.count { truth in all.contains { confusion[truth * classes.count + $0] > 0 } }
    return predicted.count == 1 && truths > 1 ? classes[predicted[0]] : nil
  }

  /// The whole report; nil where no image was counted. Mistakes stand in the order in which the images came.
  /// - Parameters:
  ///   - skipped: paths of images that do not decode.
  ///   - unknownClasses: classes of the dataset that the checkpoint does not know.
  ///   - seconds: wall time the evaluation took.
  public func report(
    checkpoint: String, data: String, split: Split, skipped: [String], unknownClasses: [String], seconds: Double
  ) -> EvaluationReport? {
    guard let metrics else { return nil }
    let rows = classes.indices.map { Array(confusion[$0 * classes.count..<($0 + 1) * classes.count]) }
    return EvaluationReport(
      checkpoint: checkpoint, data: data, split: split, images: images, loss: metrics.loss, top1: metrics.top1,
      top5: metrics.top5, classes: classMetrics(rows), confusion: rows, misclassified: misclassified,
      skipped: skipped, unknownClasses: unknownClasses,
      imagesPerSecond: seconds > 0 ? Double(images) / seconds : 0)
  }

  /// Precision = hits / predicted, recall = hits / support, F1 = 2 · hits / (predicted + support); nil where that
  /// would divide by zero.
  private func classMetrics(_ rows: [[Int]]) -> [ClassMetrics] {
    func ratio(_ part: Int, _ whole: Int) -> Double? { whole > 0 ? Double(part) / Double(whole) : nil }
    return classes.enumerated().map { label, name in
      let hits = rows[label][label]
      let support = rows[label].reduce(0, +)
      let predicted = rows.reduce(0) { $0 + $1[label] }
      return ClassMetrics(
        name: name, support: support, precision: ratio(hits, predicted), recall: ratio(hits, support),
        f1: ratio(2 * hits, predicted + support))
    }
  }
}

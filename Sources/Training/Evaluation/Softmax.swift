// What a network's outputs for one image say: the probabilities of the classes, which one is the most probable, and the
// loss. Metrics, predictions and tables of all images take them from here, so that they agree.

import Glibc
import Messages

/// The softmax of one image's logits, in Double, shifted by the largest logit so that no exponential overflows.
public struct Softmax: Sendable {
  /// [classes], before the softmax.
  private let logits: [Double]
  private let largest: Double
  private let sum: Double

  /// - Parameter row: [classes]; log-probabilities give the same.
  /// - Returns: nil where one of them is NaN or infinite: then no class is more probable than another.
  public init?(_ row: some Collection<Float>) {
    guard row.allSatisfy({ $0.isFinite }) else { return nil }
    let values = row.map { Double($0) }
    let top = values.max() ?? 0
    logits = values
    largest = top
    sum = values.reduce(0) { $0 + exp($1 - top) }
  }

  public var classes: Int { logits.count }

  /// 0...1.
  public func probability(_ label: Int) -> Double { exp(logits[label] - largest) / sum }

  /// [classes], in the order of the labels; they add up to 1.
  public var probabilities: [Double] { logits.indices.map(probability) }

  /// Cross-entropy for an image of this class, nats.
  public func loss(_ label: Int) -> Double {
    // Not (largest + log(sum)) - logit: next to a large logit the logarithm would be rounded away.
    log(sum) + (largest - logits[label])
  }

  /// The labels of the largest outputs, the largest first; of equal ones the smaller label first.
  /// - Parameter count: how many at most.
  public func mostProbable(_ count: Int) -> [Int] {
    if count > Self.inserted {
      return Array(logits.indices.sorted { (logits[$1], $0) < (logits[$0], $1) }.prefix(count))
    }
    var labels: [Int] = []
    for label in logits.indices {
      let place = labels.firstIndex { logits[label] > logits[$0] } ?? labels.count
      guard place < count else { continue }
      labels.insert(label, at: place)
      if labels.count > count { labels.removeLast() }
    }
    return labels
  }

  /// Up to so many are found by insertion, more by sorting.
  private static let inserted = 8
}

/// An image of an evaluation, as it was measured.
public struct MeasuredImage: Sendable {
  /// Below the dataset's folder.
  public let path: String
  /// The label of its class.
  public let truth: Int
  /// nil where the network's outputs for it are NaN or infinite.
  public let outputs: Softmax?
  public var split = Split.test
  /// What the classifier read (`NetworkPlan.penultimate`), where that was asked for.
  public var features: ArraySlice<Float>?

  package init(
    path: String, truth: Int, outputs: Softmax?, split: Split = .test, features: ArraySlice<Float>? = nil
  ) {
    self.path = path
    self.truth = truth
    self.outputs = outputs
    self.split = split
    self.features = features
  }
}

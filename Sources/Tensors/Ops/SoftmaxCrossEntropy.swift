// The loss: softmax and cross-entropy in one, with optional label smoothing and class weights, and its
// gradient. On the calling thread: a batch has few logits.

import Glibc

/// The loss of one batch and what follows from it.
public struct SoftmaxCrossEntropy {
  /// Mean over the batch, nats.
  public let loss: Double
  /// Images whose largest logit is the true class's (the first of equal ones counts). Of a mixed image, the share of
  /// the class that it is.
  public let correct: Double
  /// The gradient of the mean loss by the logits, [N, classes].
  public let gradient: Tensor
}

/// Labels of images that are each made of two.
public struct MixedLabels: Sendable {
  /// The two classes of each image.
  public var first: [Int]
  public var second: [Int]
  /// How much of each image is of its first class, 0...1; the rest is of the second.
  public var shares: [Double]

  public init(first: [Int], second: [Int], shares: [Double]) {
    precondition(first.count == second.count && first.count == shares.count, "an image has two labels and a share")
    precondition(shares.allSatisfy { (0...1).contains($0) }, "a share lies in 0...1")
    (self.first, self.second, self.shares) = (first, second, shares)
  }

  /// Of images that are each of one class.
  public init(_ labels: [Int]) {
    (first, second, shares) = (labels, labels, Array(repeating: 1, count: labels.count))
  }
}

extension Ops {
  /// loss = -sum over k of q[k] * log softmax(logits)[k], with q = (1 - smoothing) * onehot + smoothing / classes
  /// (Szegedy et al. 2015, arXiv:1512.00567, section 7). With weights it is -sum over k of w[k] * q[k] * log
  /// softmax(logits)[k], still divided by N: PyTorch's mean divides by the sum of the batch's weights instead, which
  /// makes an image's weight depend on those beside it.
  /// - Parameters:
  ///   - logits: [N, classes].
  ///   - labels: N class indices.
  ///   - weights: [classes]; nil for 1 each.
  public func softmaxCrossEntropy(
    logits: Tensor, labels: [Int], smoothing: Double = 0, weights: [Double]? = nil
  ) -> SoftmaxCrossEntropy {
    softmaxCrossEntropy(logits: logits, labels: MixedLabels(labels), smoothing: smoothing, weights: weights)
  }

  /// The same for images made of two (mixup, arXiv:1710.09412; CutMix, arXiv:1905.04899): in q, onehot is share *
  /// onehot(first) + (1 - share) * onehot(second), so that the loss is the shares' mean of the losses by either label.
  /// - Parameter labels: of N images.
  public func softmaxCrossEntropy(
    logits: Tensor, labels: MixedLabels, smoothing: Double = 0, weights: [Double]? = nil
  ) -> SoftmaxCrossEntropy {
    let images = labels.first.count
    let classes = logits.count / max(1, images)
    precondition(logits.shape == [images, classes], "\(images) labels for logits \(logits.shape)")
    precondition(
      (labels.first + labels.second).allSatisfy { (0..<classes).contains($0) }, "a label outside 0 ..< \(classes)")
    precondition(weights.map { $0.count == classes } ?? true, "a weight for each of \(classes) classes")
    var total = 0.0
    var correct = 0.0
    var gradient = Tensor(uninitialized: logits.shape)
    let even = smoothing / Double(classes)
    logits.read { logits in
      gradient.write { gradient in
        for image in 0..<images {
          let (first, second, share) = (labels.first[image], labels.second[image], labels.shares[image])
          let (ofFirst, ofSecond) = ((1 - smoothing) * share, (1 - smoothing) * (1 - share))
          let row = UnsafeBufferPointer(start: logits + image * classes, count: classes)
          let normalizer = logSumExp(row)
          var best = 0
          // The sum of the weighted targets.
          let mass = weights.map { $0.reduce(0, +) * even + $0[first] * ofFirst + $0[second] * ofSecond } ?? 1
          for k in 0..<classes {
            let logProbability = Double(row[k]) - normalizer
            let target = (even + (k == first ? ofFirst : 0) + (k == second ? ofSecond : 0)) * (weights?[k] ?? 1)
            if target > 0 { total -= target * logProbability }
            gradient[image * classes + k] = Float((exp(logProbability) * mass - target) / Double(images))
            if row[k] > row[best] { best = k }
          }
          if best == first {
            correct += first == second ? 1 : share
          } else if best == second {
            correct += 1 - share
          }
        }
      }
    }
    return SoftmaxCrossEntropy(loss: total / Double(max(1, images)), correct: correct, gradient: gradient)
  }
}

/// log(sum of exp(x)), without overflow.
private func logSumExp(_ x: UnsafeBufferPointer<Float>) -> Double {
  let largest = Double(x.max() ?? 0)
  return largest + log(x.reduce(0.0) { $0 + exp(Double($1) - largest) })
}

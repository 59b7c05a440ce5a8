// The loss: softmax and cross-entropy in one, with optional label smoothing and class weights, and its
// gradient. On the calling thread: a batch has few logits.

import Glibc

/// The loss of one batch and what follows from it.
public struct SoftmaxCrossEntropy {
  /// Mean over the batch, nats.
  public let loss: Double
  /// Images whose largest logit is the true class's (the first of equal ones counts).
  public let correct: Int
  /// The gradient of the mean loss by the logits, [N, classes].
  public let gradient: Tensor
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
    let images = labels.count
    let classes = logits.count / max(1, images)
    precondition(logits.shape == [images, classes], "\(images) labels for logits \(logits.shape)")
    precondition(labels.allSatisfy { (0..<classes).contains($0) }, "a label outside 0 ..< \(classes)")
    precondition(weights.map { $0.count == classes } ?? true, "a weight for each of \(classes) classes")
    var total = 0.0
    var correct = 0
    var gradient = Tensor(uninitialized: logits.shape)
    let even = smoothing / Double(classes)
    logits.read { logits in
      gradient.write { gradient in
        for (image, label) in labels.enumerated() {
          let row = UnsafeBufferPointer(start: logits + image * classes, count: classes)
          let normalizer = logSumExp(row)
          var best = 0
          // The sum of the weighted targets.
          let mass = weights.map { $0.reduce(0, +) * even + $0[label] * (1 - smoothing) } ?? 1
          for k in 0..<classes {
            let logProbability = Double(row[k]) - normalizer
            let target = (even + (k == label ? 1 - smoothing : 0)) * (weights?[k] ?? 1)
            if target > 0 { total -= target * logProbability }
            gradient[image * classes + k] = Float((exp(logProbability) * mass - target) / Double(images))
            if row[k] > row[best] { best = k }
          }
          if best == label { correct += 1 }
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

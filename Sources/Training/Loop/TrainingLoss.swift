// What a step of training minimizes: the loss of the classifier, and where a network has auxiliary heads, theirs with a
// weight.

import Tensors

/// The loss of a batch, and its gradients.
struct TrainingLoss {
  /// What an auxiliary head's loss is multiplied by (Szegedy et al. 2014, arXiv:1409.4842, section 5).
  static let headWeight: Float = 0.3

  /// Of the classifier alone, so that it can be compared with that of validation: mean over the batch, nats.
  let loss: Double
  /// Images that the classifier predicted rightly.
  let correct: Double
  /// By the logits, [N, classes].
  let gradient: Tensor
  /// By the logits of each auxiliary head, weighted.
  let heads: [Tensor]

  /// - Parameters:
  ///   - logits: [N, classes].
  ///   - heads: the logits of each auxiliary head, of the same shape.
  ///   - weights: [classes]; nil for 1 each.
  init(
    _ logits: Tensor, heads: [Tensor], labels: MixedLabels, smoothing: Double = 0, weights: [Double]? = nil,
    _ ops: Ops
  ) {
    func loss(_ logits: Tensor) -> SoftmaxCrossEntropy {
      ops.softmaxCrossEntropy(logits: logits, labels: labels, smoothing: smoothing, weights: weights)
    }
    let own = loss(logits)
    (self.loss, correct, gradient) = (own.loss, own.correct, own.gradient)
    self.heads = heads.map { head in
      var gradient = loss(head).gradient
      ops.scale(&gradient, by: Self.headWeight)
      return gradient
    }
  }
}

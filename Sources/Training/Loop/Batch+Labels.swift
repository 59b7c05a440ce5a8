// The labels of a batch as the loss takes them.

import Datasets
import Tensors

extension Batch {
  /// Where images were mixed, each has two.
  var mixedLabels: MixedLabels {
    guard let mixture else { return MixedLabels(labels) }
    return MixedLabels(
      first: labels, second: mixture.labels, shares: Array(repeating: mixture.share, count: labels.count))
  }
}

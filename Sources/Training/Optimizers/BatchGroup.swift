// The batches that one step is taken for: their gradients added up, and what is counted of them. Without accumulation a
// group is one batch, and its gradient is left as it is.

import Datasets
import Networks
import Tensors

/// Gradient accumulation: a step by the mean gradient over all images of several batches, with the memory of one batch
/// and one more gradient.
///
/// Batch norm sees each batch by itself. A batch counts by its images, so a group with a smaller one, or one of fewer
/// batches at an epoch's end, has the mean over its images too.
struct BatchGroup {
  /// Batches of a whole group.
  let size: Int
  /// Images of a full batch.
  private let batchSize: Int

  private(set) var batches = 0
  private(set) var images = 0
  private(set) var correct = 0.0
  private(set) var skipped = 0
  /// Of its images, by their places among the training images.
  private(set) var items: [Int] = []
  /// The last batch's number in the epoch.
  private(set) var lastBatch = 0
  /// Seconds in which its batches were waited for.
  private(set) var waiting = 0.0
  /// When its first batch was asked for.
  private(set) var start: ContinuousClock.Instant?
  private var lossSum = 0.0
  private var lastLoss = 0.0
  /// The running statistics before its first batch.
  private var statistics: RunningStatistics?
  /// The gradients of the batches so far; their memory takes turns with the parameters'.
  private var sums: [Tensor] = []

  init(size: Int, batchSize: Int) { (self.size, self.batchSize) = (size, batchSize) }

  var isEmpty: Bool { batches == 0 }
  var isWhole: Bool { batches == size }

  /// The mean over its images, nats.
  var loss: Double { batches == 1 ? lastLoss : lossSum / Double(max(1, images)) }

  /// What its gradient is to be multiplied by: batches were weighted by a full one.
  var gradientScale: Double { size == 1 ? 1 : Double(batchSize) / Double(max(1, images)) }

  /// Called before a batch goes forwards.
  mutating func begin(_ batch: Batch, of network: Network, startedAt start: ContinuousClock.Instant) {
    if isEmpty {
      self.start = start
      statistics = RunningStatistics(of: network)
    }
    items += batch.items
    lastBatch = batch.index
  }

  /// Weights the gradient of a batch's mean loss by its images.
  func weighted(_ lossGradient: consuming Tensor, images: Int, _ ops: Ops) -> Tensor {
    if size > 1, images != batchSize { ops.scale(&lossGradient, by: Float(images) / Float(batchSize)) }
    return lossGradient
  }

  /// Takes the gradients that the batch left in the network.
  mutating func add(
    _ network: Network, images: Int, loss: Double, correct: Double, skipped: Int, waiting: Double, _ ops: Ops
  ) {
    batches += 1
    self.images += images
    self.correct += correct
    self.skipped += skipped
    self.waiting += waiting
    lossSum += loss * Double(images)
    lastLoss = loss
    guard size > 1 else { return }
    if sums.isEmpty { sums = network.trainedParameters.map { Tensor(uninitialized: $0.gradient.shape) } }
    for (index, parameter) in network.trainedParameters.enumerated() {
      if batches == 1 {
        swap(&sums[index], &parameter.gradient)
      } else {
        ops.add(parameter.gradient, to: &sums[index])
      }
    }
  }

  /// Leaves the sum in the network, for the step.
  mutating func putGradient(into network: Network) {
    guard size > 1 else { return }
    for (index, parameter) in network.trainedParameters.enumerated() { swap(&sums[index], &parameter.gradient) }
  }

  /// Ends it without a step: the network is as it was before.
  mutating func abandon(_ network: Network) {
    statistics?.restore(to: network)
    clear()
  }

  /// Ends it; the memory stays for the next.
  mutating func clear() {
    (batches, images, correct, skipped, lastBatch) = (0, 0, 0, 0, 0)
    (waiting, lossSum, lastLoss) = (0, 0, 0)
    items.removeAll(keepingCapacity: true)
    (start, statistics) = (nil, nil)
  }
}

// Batches of features in the place of batches of images: the same images in the same order as an epoch of the loader
// would have, so that the loop cannot tell the difference.

import Datasets
import Images
import Resources
import Support

/// The batches of one epoch, in order.
protocol TrainingBatches {
  /// The next batch that has an image in it; nil at the end of the epoch.
  func next() -> Batch?
  /// Every image met so far that does not decode.
  var skipped: [DecodingFailure] { get }
  /// Why there are fewer threads than were asked for.
  var shortage: ResourceShortage? { get }
}

extension BatchStream: TrainingBatches {}

/// Batches whose `images` are features, [labels.count, width].
final class FeatureStream: TrainingBatches {
  private(set) var skipped: [DecodingFailure] = []
  var shortage: ResourceShortage? { nil }

  private let features: FeatureSet
  private let items: [DatasetItem]
  private let batches: [[(position: Int, repeats: Int)]]
  private let epoch: Int
  private let seed: UInt64
  private var nextBatch: Int

  /// - Parameters:
  ///   - loader: of training images, the features' own.
  ///   - epoch: from 0. Each image goes through its views from epoch to epoch, beginning anywhere.
  init(_ features: FeatureSet, of loader: BatchLoader, seed: UInt64, epoch: Int, fromBatch: Int) {
    self.features = features
    items = loader.items
    batches = loader.batches(epoch: epoch)
    self.epoch = epoch
    self.seed = seed
    nextBatch = fromBatch
  }

  private static let purpose = stableHash("feature views")

  func next() -> Batch? {
    var passedOver: [DecodingFailure] = []
    while nextBatch < batches.count {
      defer { nextBatch += 1 }
      var batch = Batch(index: nextBatch)
      for (place, repeats) in batches[nextBatch] {
        if let failure = features.failures[place] {
          batch.skipped.append(failure)
          continue
        }
        let item = items[place]
        var generator = RandomGenerator(seed, stableHash(item.path), Self.purpose)
        // An epoch that draws an image again has the next view of it.
        let view = (generator.integer(below: features.views.count) + epoch + repeats) % features.views.count
        batch.images += features.views[view][(place * features.width)..<((place + 1) * features.width)]
        batch.labels.append(item.label)
        batch.items.append(place)
      }
      skipped += batch.skipped
      if batch.items.isEmpty {
        passedOver += batch.skipped
        continue
      }
      batch.skipped = passedOver + batch.skipped
      return batch
    }
    return nil
  }
}

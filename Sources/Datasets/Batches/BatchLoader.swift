// Which images make which batch, and how one batch is prepared. What it gives is a function of the items, the mode
// and the epoch: the number of workers, their speed and where one starts have no part in it. Threads are in
// BatchStream.swift.

import Images
import Messages
import Support

/// Images ready for the network.
public struct Batch: Sendable, Equatable {
  /// Position in the epoch, from 0. Positions are missing where no image of a batch decoded.
  public var index: Int
  /// [labels.count, size, size, 3], normalized.
  public var images: [Float]
  /// The class of each image.
  public var labels: [Int]
  /// The position of each image among the loader's items.
  public var items: [Int]
  /// Images left out because they do not decode, of this batch and of batches passed over just before it.
  public var skipped: [DecodingFailure]

  public init(
    index: Int, images: [Float] = [], labels: [Int] = [], items: [Int] = [], skipped: [DecodingFailure] = []
  ) {
    self.index = index
    self.images = images
    self.labels = labels
    self.items = items
    self.skipped = skipped
  }
}

/// Cuts a split into batches and prepares them on threads of their own.
///
///     let loader = BatchLoader(
///       items: index.items(in: .validation), root: index.root, preprocessing: preprocessing, batchSize: 64,
///       mode: .evaluation, workers: 2)
///     for batch in loader.epoch() { ... }    // batch.images is [N, size, size, 3], batch.labels has N classes
public struct BatchLoader: Sendable {
  public enum Mode: Sendable, Equatable {
    /// A new order and new random changes each epoch; a last batch of a single image joins the one before, because
    /// batch norm cannot learn from one.
    case training(augmentation: Augmentation, seed: UInt64)
    /// Every image once, in order.
    case evaluation
  }

  public let items: [DatasetItem]
  public let source: ImageSource
  public let preprocessing: Preprocessing
  public let batchSize: Int
  public let mode: Mode
  /// Threads that prepare batches; the result does not depend on it.
  public let workers: Int
  /// How many batches may be prepared or in preparation beyond those taken.
  public let ahead: Int

  /// - Parameters:
  ///   - root: the dataset's folder.
  ///   - cache: where the images are read from as far as it has them; the batches do not depend on it.
  public init(
    items: [DatasetItem], root: String, cache: ImageCache? = nil, preprocessing: Preprocessing, batchSize: Int,
    mode: Mode, workers: Int = 1, ahead: Int = 4
  ) {
    precondition(batchSize > 0, "a batch has at least one image")
    self.items = items
    source = ImageSource(root: root, cache: cache)
    self.preprocessing = preprocessing
    self.batchSize = batchSize
    self.mode = mode
    self.workers = max(1, workers)
    self.ahead = max(1, ahead)
  }

  /// Batches of an epoch.
  public var batchCount: Int {
    let (full, rest) = items.count.quotientAndRemainder(dividingBy: batchSize)
    switch mode {
    case .training where rest == 1 && full > 0: return full
    case .training, .evaluation: return rest > 0 ? full + 1 : full
    }
  }

  /// The same images, each once, in order and as they are.
  public var evaluating: BatchLoader {
    BatchLoader(
      items: items, root: source.root, cache: source.cache, preprocessing: preprocessing, batchSize: batchSize,
      mode: .evaluation, workers: workers, ahead: ahead)
  }

  /// The places among the items of each batch's images.
  public func batches(epoch: Int) -> [[Int]] {
    let plan = plan(epoch: epoch)
    return (0..<batchCount).map { Array(positions($0, of: plan)) }
  }

  private func positions(_ index: Int, of plan: EpochPlan) -> ArraySlice<Int> {
    plan.order[(index * batchSize)..<(index == batchCount - 1 ? items.count : (index + 1) * batchSize)]
  }

  /// Starts preparing the batches of an epoch.
  /// - Parameters:
  ///   - epoch: counted from 0; evaluation gives the same for each.
  ///   - fromBatch: the first batch to prepare, for going on in the middle of an epoch.
  public func epoch(_ epoch: Int = 0, fromBatch: Int = 0) -> BatchStream {
    BatchStream(loader: self, plan: plan(epoch: epoch), first: fromBatch)
  }

  /// The order of one epoch.
  func plan(epoch: Int) -> EpochPlan {
    switch mode {
    case .evaluation:
      return EpochPlan(epoch: epoch, order: Array(items.indices))
    case .training(_, let seed):
      var generator = RandomGenerator(seed, UInt64(epoch), Self.orderPurpose)
      return EpochPlan(epoch: epoch, order: generator.permutation(items.count))
    }
  }

  struct EpochPlan: Sendable {
    var epoch: Int
    /// Positions in `items`.
    var order: [Int]
  }

  /// Tell the generators for order and for augmentation apart, and from any other of the same seed.
  private static let orderPurpose = stableHash("batch order")
  private static let augmentationPurpose = stableHash("augmentation")

  /// Decodes and writes the images of one batch.
  func prepare(_ index: Int, of plan: EpochPlan, decoder: ImageDecoder, table: NormalizationTable) -> Batch {
    let positions = positions(index, of: plan)
    let size = preprocessing.imageSize
    let length = size * size * 3
    var batch = Batch(index: index, images: [], labels: [], items: [], skipped: [])
    batch.images = [Float](unsafeUninitializedCapacity: positions.count * length) { buffer, count in
      for position in positions {
        let item = items[position]
        do throws(DecodingFailure) {
          let input = try input(item, epoch: plan.epoch, decoder: decoder)
          table.write(input, into: UnsafeMutableBufferPointer(rebasing: buffer[count..<(count + length)]))
          count += length
          batch.labels.append(item.label)
          batch.items.append(position)
        } catch {
          batch.skipped.append(error)
        }
      }
    }
    return batch
  }

  /// What becomes of one image in one epoch.
  private func input(
    _ item: DatasetItem, epoch: Int, decoder: ImageDecoder
  ) throws(DecodingFailure) -> AugmentedImage {
    switch mode {
    case .evaluation:
      let image = try source.evaluationInput(of: item, preprocessing: preprocessing, decoder: decoder)
      return AugmentedImage(image: image, size: preprocessing.imageSize)
    case .training(let augmentation, let seed):
      let image = try source.cachedForm(of: item, preprocessing: preprocessing, decoder: decoder)
      var generator = RandomGenerator(seed, UInt64(epoch), item.stableHash, Self.augmentationPurpose)
      return augmentation.trainingInput(image, preprocessing: preprocessing, generator: &generator)
    }
  }
}

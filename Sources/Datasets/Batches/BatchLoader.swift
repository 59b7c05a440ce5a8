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
  /// The side of its images, pixels: the preprocessing's image size, or less where smaller ones were asked for.
  public var side: Int
  /// [labels.count, side, side, 3], normalized.
  public var images: [Float]
  /// The class of each image.
  public var labels: [Int]
  /// The position of each image among the loader's items.
  public var items: [Int]
  /// What was mixed into the images; nil where each is its own.
  public var mixture: BatchMixture?
  /// Images left out because they do not decode, of this batch and of batches passed over just before it.
  public var skipped: [DecodingFailure]

  public init(
    index: Int, side: Int = 0, images: [Float] = [], labels: [Int] = [], items: [Int] = [],
    mixture: BatchMixture? = nil, skipped: [DecodingFailure] = []
  ) {
    self.index = index
    self.side = side
    self.images = images
    self.labels = labels
    self.items = items
    self.mixture = mixture
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
    /// - Parameter mixing: makes images of two; nil for none.
    case training(augmentation: Augmentation, seed: UInt64, mixing: BatchMixing? = nil)
    /// Every image once, in order.
    case evaluation
  }

  public let items: [DatasetItem]
  public let source: ImageSource
  public let preprocessing: Preprocessing
  public let batchSize: Int
  public let mode: Mode
  /// Whether each class is drawn equally often in training, instead of each image once.
  public let balancesClasses: Bool
  /// Threads that prepare batches; the result does not depend on it.
  public let workers: Int
  /// How many batches may be prepared or in preparation beyond those taken.
  public let ahead: Int

  /// - Parameters:
  ///   - root: the dataset's folder.
  ///   - cache: where the images are read from as far as it has them; the batches do not depend on it.
  public init(
    items: [DatasetItem], root: String, cache: ImageCache? = nil, preprocessing: Preprocessing, batchSize: Int,
    mode: Mode, balancesClasses: Bool = false, workers: Int = 1, ahead: Int = 4
  ) {
    precondition(batchSize > 0, "a batch has at least one image")
    self.items = items
    source = ImageSource(root: root, cache: cache)
    self.preprocessing = preprocessing
    self.batchSize = batchSize
    self.mode = mode
    self.balancesClasses = balancesClasses
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

  /// The same images, each once and by itself, changed as in this loader's mode: no class is drawn more often, and none
  /// is mixed with another.
  public var takingEachOnce: BatchLoader {
    var mode = mode
    if case .training(let augmentation, let seed, _) = mode {
      mode = .training(augmentation: augmentation, seed: seed)
    }
    return BatchLoader(
      items: items, root: source.root, cache: source.cache, preprocessing: preprocessing, batchSize: batchSize,
      mode: mode, workers: workers, ahead: ahead)
  }

  /// The positions among the items of each batch's images.
  /// - Returns: with each, how often the epoch had the image before.
  public func batches(epoch: Int) -> [[(position: Int, repeats: Int)]] {
    let plan = plan(epoch: epoch)
    return (0..<batchCount).map { places($0).map { (plan.order[$0], plan.repeats?[$0] ?? 0) } }
  }

  /// The places of a batch's images in the order of an epoch.
  private func places(_ index: Int) -> Range<Int> {
    (index * batchSize)..<(index == batchCount - 1 ? items.count : (index + 1) * batchSize)
  }

  /// Starts preparing the batches of an epoch.
  /// - Parameters:
  ///   - epoch: counted from 0; evaluation gives the same for each.
  ///   - fromBatch: the first batch to prepare, for going on in the middle of an epoch.
  ///   - side: what the images are shrunk to, pixels, after all that else is done with them; nil for the image size.
  public func epoch(_ epoch: Int = 0, fromBatch: Int = 0, side: Int? = nil) -> BatchStream {
    var plan = plan(epoch: epoch)
    plan.side = side
    return BatchStream(loader: self, plan: plan, batches: Array(fromBatch..<max(fromBatch, batchCount)))
  }

  /// Starts preparing some batches of an epoch, by their places in it, in the order in which they are wanted.
  public func epoch(_ epoch: Int = 0, batches: [Int], side: Int? = nil) -> BatchStream {
    var plan = plan(epoch: epoch)
    plan.side = side
    return BatchStream(loader: self, plan: plan, batches: batches)
  }

  /// The order of one epoch.
  func plan(epoch: Int) -> EpochPlan {
    switch mode {
    case .evaluation:
      return EpochPlan(epoch: epoch, order: Array(items.indices))
    case .training(_, let seed, _):
      var generator = RandomGenerator(seed, UInt64(epoch), Self.orderPurpose)
      if balancesClasses { return EpochPlan(epoch: epoch, drawing: items.map(\.label), generator: &generator) }
      return EpochPlan(epoch: epoch, order: generator.permutation(items.count))
    }
  }

  struct EpochPlan: Sendable {
    var epoch: Int
    /// Positions in `items`.
    var order: [Int]
    /// Of the images; nil for the image size.
    var side: Int?
    /// For each place in the order, how often the epoch had the image before; nil where it has each once.
    var repeats: [Int]?
  }

  /// Tell the generators for order and for mixing apart, and from any other of the same seed.
  private static let orderPurpose = stableHash("batch order")
  private static let mixingPurpose = stableHash("mixing")

  /// Decodes and writes the images of one batch.
  func prepare(_ index: Int, of plan: EpochPlan, decoder: ImageDecoder, table: NormalizationTable) -> Batch {
    let places = places(index)
    let size = preprocessing.imageSize
    let shrinking = plan.side.flatMap { $0 < size ? MapShrinking(from: size, to: $0) : nil }
    let side = shrinking?.to ?? size
    let length = side * side * 3
    var whole = [Float](repeating: 0, count: shrinking == nil ? 0 : size * size * 3)
    var batch = Batch(index: index, side: side, images: [], labels: [], items: [], skipped: [])
    batch.images = [Float](unsafeUninitializedCapacity: places.count * length) { buffer, count in
      for place in places {
        let position = plan.order[place]
        let item = items[position]
        do throws(DecodingFailure) {
          let input = try input(item, epoch: plan.epoch, repeats: plan.repeats?[place] ?? 0, decoder: decoder)
          let room = UnsafeMutableBufferPointer(rebasing: buffer[count..<(count + length)])
          if let shrinking {
            whole.withUnsafeMutableBufferPointer {
              table.write(input, into: $0)
              shrinking.apply(UnsafeBufferPointer($0), into: room)
            }
          } else {
            table.write(input, into: room)
          }
          count += length
          batch.labels.append(item.label)
          batch.items.append(position)
        } catch {
          batch.skipped.append(error)
        }
      }
    }
    if case .training(_, let seed, let mixing?) = mode {
      let generator = RandomGenerator(seed, UInt64(plan.epoch), UInt64(index), Self.mixingPurpose)
      mixing.mix(&batch, size: batch.side, generator: generator)
    }
    return batch
  }

  /// What becomes of one image in one epoch.
  /// - Parameter repeats: how often the epoch had it before: it is changed in another way each time.
  private func input(
    _ item: DatasetItem, epoch: Int, repeats: Int, decoder: ImageDecoder
  ) throws(DecodingFailure) -> AugmentedImage {
    switch mode {
    case .evaluation:
      let image = try source.evaluationInput(of: item, preprocessing: preprocessing, decoder: decoder)
      return AugmentedImage(image: image, size: preprocessing.imageSize)
    case .training(let augmentation, let seed, _):
      let image = try source.cachedForm(of: item, preprocessing: preprocessing, decoder: decoder)
      let chance = AugmentationChance(seed: seed, epoch: epoch, image: item.stableHash, repeats: repeats)
      return augmentation.trainingInput(image, preprocessing: preprocessing, chance: chance)
    }
  }
}

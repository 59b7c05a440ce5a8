// What the frozen layers make of a run's images, computed once by fast inference: numbers that a classifier is trained
// on in seconds. They are a function of the weights, the images and the seed, so a run that is resumed computes the same
// ones. They are kept in memory only.

import Datasets
import Images
import Messages
import Networks
import Support
import Tensors

/// The features of the training images, in several views of each, and of the validation images.
struct FeatureSet {
  /// More bytes of features are not kept: the frozen layers are then run in every step.
  static let mostBytes = 1 << 30

  /// Numbers an image.
  let width: Int
  /// Of each view, [items, width]; view 0 is the image as validation sees it.
  private(set) var views: [[Float]]
  /// Training images that do not decode, by their place among the items.
  private(set) var failures: [Int: DecodingFailure] = [:]
  /// [items, width], and the same of the validation images.
  private(set) var validation: [Float]
  private(set) var validationFailures: [Int: DecodingFailure] = [:]

  /// How many views of each image there are: fewer than asked for where they would not fit, or nothing of an image is
  /// changed by chance; 0 where none fits.
  static func viewCount(
    asked: Int, augmentation: Augmentation, items: Int, validation: Int, width: Int, mostBytes: Int = mostBytes
  ) -> Int {
    let bytes = width * MemoryLayout<Float>.stride
    let room = mostBytes / max(1, bytes) - validation
    let fitting = room / max(1, items)
    return min(augmentation.changesImages ? asked : min(1, asked), max(0, fitting))
  }

  /// Bytes that so many views take, or as many of them as are kept.
  static func bytes(views: Int, items: Int, validation: Int, width: Int) -> Int {
    let rows = width * MemoryLayout<Float>.stride
    return min(rows * (views * items + validation), max(mostBytes, rows * validation))
  }

  /// Computes them: the images as they are, their mirror images where mirroring is asked for, and then as in the epochs
  /// of a training that computes every one.
  /// - Parameters:
  ///   - network: with frozen layers.
  ///   - views: at least 1.
  ///   - goesOn: told how many images are done, of how many; false ends it.
  /// - Returns: nil where it was ended.
  init?(
    _ network: Network, training: BatchLoader, validation: BatchLoader, augmentation: Augmentation, views: Int,
    pool: ThreadPool, goesOn: (_ done: Int, _ total: Int) -> Bool
  ) {
    let width = network.plan.features.count
    let items = training.items.count
    self.width = width
    self.views = [[Float]](repeating: [Float](repeating: 0, count: items * width), count: views)
    self.validation = [Float](repeating: 0, count: validation.items.count * width)
    var done = 0
    let total = views * items + validation.items.count
    let size = training.preprocessing.imageSize
    let pass = Pass(.inference, pool)
    func features(of images: [Float], _ count: Int) -> [Float] {
      network.features(Tensor([count, size, size, 3], images), pass).values
    }
    func put(_ features: [Float], of batch: Batch, into target: inout [Float]) {
      for (row, item) in batch.items.enumerated() {
        target.replaceSubrange(
          (item * width)..<((item + 1) * width), with: features[(row * width)..<((row + 1) * width)])
      }
      done += batch.items.count + batch.skipped.count
    }
    func places(_ skipped: [DecodingFailure], among items: [DatasetItem]) -> [Int: DecodingFailure] {
      guard !skipped.isEmpty else { return [:] }
      let places = Dictionary(items.enumerated().map { ($1.path, $0) }, uniquingKeysWith: { first, _ in first })
      return Dictionary(skipped.compactMap { failure in places[failure.path].map { ($0, failure) } }) { first, _ in
        first
      }
    }

    let mirrored = views > 1 && augmentation.mirrors
    guard goesOn(0, total) else { return nil }
    let plain = training.evaluating.epoch()
    while let batch = plain.next() {
      put(features(of: batch.images, batch.labels.count), of: batch, into: &self.views[0])
      if mirrored {
        put(features(of: batch.mirrored(size: size), batch.labels.count), of: batch, into: &self.views[1])
      }
      guard goesOn(done, total) else { return nil }
    }
    var skipped = plain.skipped
    let each = training.takingEachOnce
    for view in (mirrored ? 2 : 1)..<max(views, mirrored ? 2 : 1) {
      let stream = each.epoch(view)
      while let batch = stream.next() {
        put(features(of: batch.images, batch.labels.count), of: batch, into: &self.views[view])
        guard goesOn(done, total) else { return nil }
      }
      skipped += stream.skipped
    }
    failures = places(skipped, among: training.items)
    let stream = validation.epoch()
    while let batch = stream.next() {
      put(features(of: batch.images, batch.labels.count), of: batch, into: &self.validation)
      guard goesOn(done, total) else { return nil }
    }
    validationFailures = places(stream.skipped, among: validation.items)
  }

  /// The logits of the validation images, as `BatchEvaluator` would have them.
  /// - Parameter loader: of the validation images.
  /// - Returns: the images that do not decode.
  func evaluate(
    _ network: Network, _ pool: ThreadPool, _ loader: BatchLoader,
    _ body: (_ batch: Batch, _ logits: [Float]) throws -> Bool
  ) rethrows -> [DecodingFailure] {
    var skipped: [DecodingFailure] = []
    for (index, places) in loader.batches(epoch: 0).enumerated() {
      var batch = Batch(index: index)
      for (place, _) in places {
        if let failure = validationFailures[place] {
          batch.skipped.append(failure)
          continue
        }
        batch.images += validation[(place * width)..<((place + 1) * width)]
        batch.labels.append(loader.items[place].label)
        batch.items.append(place)
      }
      skipped += batch.skipped
      guard !batch.items.isEmpty else { continue }
      let features = Tensor([batch.items.count, width], batch.images)
      guard try body(batch, network.forward(features: features, Pass(.inference, pool)).values) else { break }
    }
    return skipped
  }

  /// Calls `body` with a number of features of every view of each training image that decodes, [width].
  func forEachRow(_ body: (UnsafeBufferPointer<Float>) -> Void) {
    for view in views {
      view.withUnsafeBufferPointer { values in
        for item in 0..<(width > 0 ? values.count / width : 0) where failures[item] == nil {
          body(UnsafeBufferPointer(rebasing: values[(item * width)..<((item + 1) * width)]))
        }
      }
    }
  }
}

extension Batch {
  /// The images seen from behind.
  fileprivate func mirrored(size: Int) -> [Float] {
    var mirror = images
    for line in 0..<(images.count / max(1, size * 3)) {
      for x in 0..<size {
        let (from, to) = ((line * size + x) * 3, (line * size + size - 1 - x) * 3)
        (mirror[to], mirror[to + 1], mirror[to + 2]) = (images[from], images[from + 1], images[from + 2])
      }
    }
    return mirror
  }
}

// Giving classes to images that need not belong to any dataset: by the same batches, prepared on the same threads, as an
// evaluation, so that it is as fast.

import Datasets
import Files
import Images
import Messages
import Networks
import Tensors

/// Gives classes to images.
public struct Predictor {
  public let model: LoadedModel
  private let pool: ThreadPool
  private let augmentation: TestTimeAugmentation?

  /// - Parameter augmentation: what the probabilities are averaged over.
  public init(model: LoadedModel, pool: ThreadPool, augmentation: TestTimeAugmentation? = nil) {
    self.model = model
    self.pool = pool
    self.augmentation = augmentation
  }

  /// What became of one image.
  public enum Outcome: Sendable {
    case classes(Softmax)
    /// Why it was given none.
    case failure(String)
  }

  /// Gives classes to the images in files, batch by batch.
  /// - Parameters:
  ///   - paths: of files, or the names of places in them (`FileSlice`).
  ///   - batchSize: images that go through the network at once; the result does not depend on it but for rounding.
  ///   - body: called for each path, in order, as soon as its batch is done.
  /// - Throws: what `body` throws.
  public func predict(
    _ paths: [String], batchSize: Int, _ body: (_ path: String, _ outcome: Outcome) throws -> Void
  ) rethrows {
    // Any file is one below the root. In bytes: a name may begin with what a character before it would swallow.
    let items = paths.map {
      DatasetItem(path: String(Substring(FilePath.absolute($0).utf8.dropFirst())), label: 0, split: .test)
    }
    let loader = BatchLoader(
      items: items, root: "/", preprocessing: model.description.preprocessing, batchSize: batchSize,
      mode: .evaluation, workers: pool.threads)
    let stream = loader.epoch()
    let classes = model.description.classes.count
    var (next, failures) = (0, 0)
    while let batch = stream.next() {
      let logits = model.network.outputs(
        batch.images, count: batch.items.count, size: loader.preprocessing.imageSize, augmentation, pool)
      var row = 0
      let end = min(paths.count, (batch.index + 1) * batchSize)
      // What is in no batch does not decode; both lists are in the order of the paths.
      for place in next..<end {
        if row < batch.items.count, batch.items[row] == place {
          let outputs = Softmax(logits[row * classes..<(row + 1) * classes])
          row += 1
          // Overflow is no answer: of NaN every class would be as probable as any other.
          try body(paths[place], outputs.map(Outcome.classes) ?? .failure(Self.nonFiniteOutputs))
        } else {
          try body(paths[place], .failure(stream.skipped[failures].reason))
          failures += 1
        }
      }
      next = end
    }
    for place in next..<paths.count {
      try body(paths[place], .failure(stream.skipped[failures].reason))
      failures += 1
    }
  }

  /// The `count` most probable classes of the image in a file, or why there are none.
  public func predict(path: String, top count: Int) -> Prediction {
    var prediction = Prediction(path: path, top: [])
    predict([path], batchSize: 1) { prediction = self.prediction($0, $1, top: count) }
    return prediction
  }

  /// An outcome in the names of the classes, the most probable first.
  public func prediction(_ path: String, _ outcome: Outcome, top count: Int) -> Prediction {
    switch outcome {
    case .failure(let reason): Prediction(path: path, top: [], error: reason)
    case .classes(let outputs):
      Prediction(
        path: path,
        top: outputs.mostProbable(count).map {
          Prediction.NamedProbability(name: model.description.classes[$0], probability: outputs.probability($0))
        })
    }
  }

  static let nonFiniteOutputs =
    "the network's outputs for it are NaN or infinite: this checkpoint has overflowed, use another or train again with a lower "
    + "rate"
}

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
  private let network: InferenceNetwork
  private let pool: ThreadPool
  private let augmentation: TestTimeAugmentation?
  /// What the logits are divided by; 1 for as they are.
  private let temperature: Double

  /// - Parameters:
  ///   - augmentation: what the probabilities are averaged over.
  ///   - temperature: above 0.
  ///   - precision: one that `InferencePrecision.resolved` gave; nil for what the model's weights are of.
  ///   - isForOneBatch: as `InferenceNetwork` has it.
  public init(
    model: LoadedModel, pool: ThreadPool, augmentation: TestTimeAugmentation? = nil, temperature: Double = 1,
    precision: InferencePrecision? = nil, isForOneBatch: Bool = false
  ) {
    self.model = model
    network = model.inference(in: precision, isForOneBatch: isForOneBatch)
    self.pool = pool
    self.augmentation = augmentation
    self.temperature = temperature
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
    try Self.forEach(
      paths, model, batchSize: batchSize, pool: pool,
      compute: { network.outputs($0.images, count: $0.items.count, size: $0.side, augmentation, pool) }
    ) { path, values in
      switch values {
      case .failure(let failure): try body(path, .failure(failure.reason))
      case .success(let logits):
        let outputs = temperature == 1 ? Softmax(logits) : Softmax(logits.map { Float(Double($0) / temperature) })
        // Overflow is no answer: of NaN every class would be as probable as any other.
        try body(path, outputs.map(Outcome.classes) ?? .failure(Self.nonFiniteOutputs))
      }
    }
  }

  /// Puts images in files through a network, batch by batch.
  /// - Parameters:
  ///   - compute: makes as many numbers of each image of a batch.
  ///   - body: called for each path, in order, with its numbers or with why there are none.
  package static func forEach(
    _ paths: [String], _ model: LoadedModel, batchSize: Int, pool: ThreadPool, compute: (Batch) -> [Float],
    _ body: (_ path: String, _ values: Result<ArraySlice<Float>, DecodingFailure>) throws -> Void
  ) rethrows {
    // Any file is one below the root. In bytes: a name may begin with what a character before it would swallow.
    let items = paths.map {
      DatasetItem(path: String(Substring(FilePath.absolute($0).utf8.dropFirst())), label: 0, split: .test)
    }
    let loader = BatchLoader(
      items: items, root: "/", preprocessing: model.description.preprocessing, batchSize: batchSize,
      mode: .evaluation, workers: pool.threads)
    let stream = loader.epoch()
    var (next, failures) = (0, 0)
    while let batch = stream.next() {
      let values = compute(batch)
      let width = values.count / max(1, batch.items.count)
      var row = 0
      let end = min(paths.count, (batch.index + 1) * batchSize)
      // What is in no batch does not decode; both lists are in the order of the paths.
      for place in next..<end {
        if row < batch.items.count, batch.items[row] == place {
          row += 1
          try body(paths[place], .success(values[(row - 1) * width..<row * width]))
        } else {
          try body(paths[place], .failure(stream.skipped[failures]))
          failures += 1
        }
      }
      next = end
    }
    for place in next..<paths.count {
      try body(paths[place], .failure(stream.skipped[failures]))
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

// Running a network over images whose class is known, or unknown. Preprocessing and classes come from the checkpoint,
// so that training, evaluation, prediction and the inspector all see the same pixels and names.

import Images
import Datasets
import Foundation
import Messages
import Networks
import Tensors

/// Forward passes over batches.
struct BatchEvaluator {
  let network: Network
  let workers: WorkerPool

  /// Calls `body` with each batch's logits [N, classes]; ends early when it returns false.
  func run(_ loader: BatchLoader, _ body: (_ batch: Batch, _ logits: [Float]) throws -> Bool) rethrows
    -> [DecodingFailure]
  {
    let stream = loader.epoch()
    let size = loader.preprocessing.imageSize
    while let batch = stream.next() {
      let images = Tensor([batch.labels.count, size, size, 3], batch.images)
      let logits = network.forward(images, Pass(.inference, workers))
      guard try body(batch, logits.values) else { break }
    }
    return stream.skipped
  }
}

/// Measures a model on a split of a dataset.
public struct Evaluation {
  public var model: LoadedModel
  public var data: String
  public var split: Split
  public var splitSettings: SplitSettings
  public var batchSize: Int
  public var workers: WorkerPool
  public var loaders: Int
  /// Where the user's decisions about the images are kept.
  public var decisions: DecisionStore
  /// Where a pack of the data may be; nil for none.
  public var packs: PackFolder?

  public init(
    model: LoadedModel, data: String, split: Split, splitSettings: SplitSettings = SplitSettings(),
    batchSize: Int = 64, workers: WorkerPool, loaders: Int = 1, decisions: DecisionStore = .standard,
    packs: PackFolder? = nil
  ) {
    self.model = model
    self.data = data
    self.split = split
    self.splitSettings = splitSettings
    self.batchSize = batchSize
    self.workers = workers
    self.loaders = loaders
    self.decisions = decisions
    self.packs = packs
  }

  /// Counts every image of the split once. The dataset's classes are matched to the model's by name; images of classes
  /// that the model does not know are left out, and the report names those classes.
  /// - Parameters:
  ///   - progress: called after each batch; returning false ends the evaluation.
  ///   - preparation: told while the dataset is read; returning false ends the evaluation.
  /// - Returns: nil when it was ended.
  /// - Throws: `DatasetError`, or `SettingsError` where the split has no image to count.
  public func run(
    progress: (_ done: Int, _ total: Int) -> Bool = { _, _ in true },
    preparation: (PreparationProgress) -> Bool = { _ in true }
  ) throws -> EvaluationReport? {
    guard let index = try openDataset(preparation) else { return nil }
    let classes = model.description.classes
    let labels = index.classes.map { classes.firstIndex(of: $0) }
    let all = index.items(in: split)
    let items = all.compactMap { item in
      labels[item.label].map { DatasetItem(path: item.path, label: $0, split: item.split) }
    }
    let unknown = Set(all.filter { labels[$0.label] == nil }.map { index.classes[$0.label] })
    guard !items.isEmpty else {
      throw SettingsError(
        all.isEmpty
          ? "\(data) has no images in its '\(split.rawValue)' split; choose another with --split, or add some"
          : "none of the classes in \(data) (\(unknown.sorted().joined(separator: ", "))) is known to "
            + "\(model.path); it knows \(classes.joined(separator: ", "))")
    }

    let loader = BatchLoader(
      items: items, root: index.root,
      pack: packs?.existing(index: index, preprocessing: model.description.preprocessing, workers: workers.threads),
      preprocessing: model.description.preprocessing, batchSize: batchSize, mode: .evaluation, workers: loaders)
    var tally = EvaluationTally(classes: classes)
    var done = 0
    var ended = false
    let clock = ContinuousClock()
    let start = clock.now
    let skipped = BatchEvaluator(network: model.network, workers: workers).run(loader) { batch, logits in
      tally.add(logits: logits, truths: batch.labels, paths: batch.items.map { items[$0].path })
      done += batch.labels.count + batch.skipped.count
      ended = !progress(done, items.count)
      return !ended
    }
    if ended { return nil }
    guard
      let report = tally.report(
        checkpoint: model.path, data: index.root, split: split, skipped: skipped.map(\.path),
        unknownClasses: unknown.sorted(), seconds: (clock.now - start).seconds)
    else {
      throw SettingsError("none of the \(items.count) images of '\(split.rawValue)' in \(data) decodes")
    }
    return report
  }
}

extension Evaluation {
  /// nil when `preparation` ended it.
  private func openDataset(_ preparation: (PreparationProgress) -> Bool) throws -> DatasetIndex? {
    var goesOn = true
    do {
      return try DatasetIndex.open(
        root: data, split: splitSettings, decisions: decisions,
        progress: { if case .scanning(let files, _) = $0 { goesOn = preparation(.scanning(files: files)) } },
        isCancelled: { !goesOn })
    } catch DatasetError.cancelled {
      return nil
    }
  }
}

/// Gives classes to images.
public struct Predictor {
  public let model: LoadedModel
  private let workers: WorkerPool
  private let decoder = ImageDecoder()

  public init(model: LoadedModel, workers: WorkerPool) {
    self.model = model
    self.workers = workers
  }

  /// The `count` most probable classes of the image in a file, or why there are none.
  public func predict(path: String, top count: Int) -> Prediction {
    let preprocessing = model.description.preprocessing
    let side = preprocessing.imageSize
    do throws(DecodingFailure) {
      let image = try preprocessing.evaluationInput(contentsOf: path, decoder: decoder)
      var input = [Float](repeating: 0, count: side * side * 3)
      input.withUnsafeMutableBufferPointer { preprocessing.normalise(image, into: $0) }
      let logits = model.network.forward(Tensor([1, side, side, 3], input), Pass(.inference, workers)).values
      let probabilities = softmax(logits)
      let best = probabilities.indices.sorted {
        (probabilities[$1], $0) < (probabilities[$0], $1)
      }
      return Prediction(
        path: path,
        top: best.prefix(count).map {
          Prediction.NamedProbability(name: model.description.classes[$0], probability: probabilities[$0])
        })
    } catch {
      return Prediction(path: path, top: [], error: error.reason)
    }
  }

  private func softmax(_ logits: [Float]) -> [Double] {
    let largest = Double(logits.max() ?? 0)
    let weights = logits.map { exp(Double($0) - largest) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }
}

extension Duration {
  /// In seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

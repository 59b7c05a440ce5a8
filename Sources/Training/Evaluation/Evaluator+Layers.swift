// The layers of a model at work, for one batch of images: what a training run tells of its layers now and then, for any
// checkpoint. Batch norms and dropout are as in inference.

import Datasets
import Messages
import Networks
import Tensors

extension Evaluator {
  /// Runs a batch of the split's images, taken evenly from all of them so that every class is among them.
  /// - Returns: nil when `preparation` ended it.
  /// - Throws: as `run`.
  func layers(
    preparation: (PreparationProgress) -> Bool, notice: (DatasetFinding) -> Void
  ) throws -> LayerReport? {
    guard let (index, isRunsOwn) = try openDataset(preparation) else { return nil }
    if !acceptsErrors { try index.requireWhole() }
    for finding in index.unread { notice(finding) }
    let split =
      try self.split == nil
      ? usualSplit(of: index, isRunsOwn: isRunsOwn) : chosenSplit(of: index, isRunsOwn: isRunsOwn)
    let (all, _) = try itemsToCount(index, split)
    let count = min(batchSize, all.count)
    let items = (0..<count).map { all[$0 * all.count / count] }
    let loader = BatchLoader(
      items: items, root: index.root,
      cache: caches?.existing(index: index, preprocessing: model.description.preprocessing, workers: pool.threads),
      preprocessing: model.description.preprocessing, batchSize: count, mode: .evaluation, workers: loaders)
    guard let batch = loader.epoch().next(), !batch.labels.isEmpty else {
      throw SettingsError("none of \(count) \(Self.images(split)) in \(data) decodes")
    }
    return LayerReport(
      checkpoint: model.path, data: index.root, split: split, images: batch.labels.count,
      network: model.network.plan.summary(batchSize: batch.labels.count),
      layers: model.network.layers(batch.images, count: batch.labels.count, pool))
  }

  /// The validation images, where there are any; all of data that are not divided.
  private func usualSplit(of index: DatasetIndex, isRunsOwn: Bool) -> EvaluationSplit {
    guard isRunsOwn || index.splitSource != .hash else { return .all }
    let splits: [EvaluationSplit] = [.validation, .test, .train]
    return splits.first { $0.split.map { !index.items(in: $0).isEmpty } ?? false } ?? .all
  }
}

extension Network {
  /// What the layers are like for images, in inference.
  /// - Parameter images: [count, H, W, 3], normalized.
  func layers(_ images: [Float], count: Int, _ pool: ThreadPool) -> [LayerMeasure] {
    let probe = LayerProbe()
    let size = plan.input.height
    let tensor = Tensor([count, size, size, 3], images)
    _ = probed(by: probe) { forward(tensor, Pass(.inference, pool)) }
    var layers = measures(probe, pool)
    LayerHealth.assess(&layers, learns: false)
    return layers
  }
}

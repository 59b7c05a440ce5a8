// Quantizing a model: the formats of its maps are measured on training images, taken evenly from all of them.

import Datasets
import Files
import Messages
import Networks
import Tensors

/// A model in bytes that is not written yet.
public struct QuantizedModel {
  public let model: LoadedModel
  public let quantization: Quantization
  public let record: QuantizationRecord
}

extension Evaluator {
  /// - Parameters:
  ///   - images: so many are looked at, or all where there are fewer.
  ///   - keeping: the layers that stay in float.
  /// - Returns: nil when `preparation` or `progress` ended it.
  /// - Throws: as `run`; `SettingsError` for a layer that there is not, a network without convolutions that can be in
  ///   bytes, and maps that are not finite.
  func quantize(
    images: Int, keeping: [String], progress: (_ done: Int, _ total: Int) -> Bool,
    preparation: (PreparationProgress) -> Bool, notice: (DatasetFinding) -> Void
  ) throws -> QuantizedModel? {
    let plan = model.network.plan
    let layers = plan.productLayers
    if let unknown = keeping.first(where: { !layers.contains($0) }) {
      throw SettingsError(
        "--keep \(unknown): \(plan.settings.name) has no such layer with weights; it has \(layers.joined(separator: ", "))"
      )
    }
    let convolutions = plan.quantizableConvolutions.filter { !keeping.contains($0) }
    guard !convolutions.isEmpty else {
      throw SettingsError("\(plan.settings.name) has no convolution left that can be computed in int8")
    }
    guard let (index, isRunsOwn) = try openDataset(preparation) else { return nil }
    if !acceptsErrors { try index.requireWhole() }
    for finding in index.unread { notice(finding) }
    let isDivided = isRunsOwn || index.splitSource != .hash
    let (all, _) = try itemsToCount(index, split ?? (isDivided ? .train : .all))
    let count = min(images, all.count)
    let items = (0..<count).map { all[$0 * all.count / count] }
    let loader = BatchLoader(
      items: items, root: index.root,
      cache: caches?.existing(index: index, preprocessing: model.description.preprocessing, workers: pool.threads),
      preprocessing: model.description.preprocessing, batchSize: min(batchSize, count), mode: .evaluation,
      workers: loaders)
    let calibration = QuantizationCalibration(model.network, convolutions: convolutions)
    let size = model.description.preprocessing.imageSize
    var (seen, done) = (0, 0)
    let stream = loader.epoch()
    while let batch = stream.next() {
      if !batch.items.isEmpty {
        calibration.look(at: Tensor([batch.items.count, size, size, 3], batch.images), pool)
      }
      seen += batch.items.count
      done += batch.items.count + batch.skipped.count
      guard progress(done, count) else { return nil }
    }
    guard seen > 0 else { throw SettingsError("none of the \(count) training images in \(data) decodes") }
    guard let quantization = calibration.quantization() else {
      throw SettingsError(
        "\(model.path): the network's maps for some training image are NaN or infinite; use another checkpoint")
    }
    let record = QuantizationRecord(
      source: FilePath.absolute(model.path), sourceChecksum: model.checksum, images: seen,
      quantization: quantization,
      floatLayers: layers.filter { quantization.inputs[$0] == nil })
    return QuantizedModel(model: model, quantization: quantization, record: record)
  }
}

extension EvaluationJob {
  /// The checkpoint in bytes, of its run's training images, or those of the data that were named.
  /// - Returns: nil when `preparation` or `progress` ended it.
  /// - Throws: as `run`; `SettingsError`; `CheckpointError` for a checkpoint that is quantized.
  public func quantize(
    images: Int, keeping: [String], threads: Int?, ignoringMemory: Bool = false,
    decisions: DecisionStore = .standard,
    progress: (_ done: Int, _ total: Int) -> Bool = { _, _ in true },
    preparation: (PreparationProgress) -> Bool = { _ in true }, notice: (DatasetFinding) -> Void = { _ in }
  ) throws -> QuantizedModel? {
    if let record = try Checkpoint.quantization(path: checkpoint) {
      throw CheckpointError.quantized(path: checkpoint, record, purpose: "quantizing again")
    }
    let model = try loadedModel()
    return try withEvaluator(model, threads: threads, ignoringMemory: ignoringMemory, decisions: decisions) {
      try $0.quantize(
        images: images, keeping: keeping, progress: progress, preparation: preparation, notice: notice)
    }
  }
}

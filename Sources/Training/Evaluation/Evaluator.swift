// Running a network over images whose class is known. Preprocessing and classes come from the checkpoint,
// so that training, evaluation, prediction and the inspector all see the same pixels and names.

import Images
import Datasets
import Messages
import Support
import Networks
import Tensors

/// Forward passes over batches.
struct BatchEvaluator {
  let network: InferenceNetwork
  let pool: ThreadPool
  var augmentation: TestTimeAugmentation?

  /// Calls `body` with each batch's logits [N, classes]; ends early when it returns false.
  func run(_ loader: BatchLoader, _ body: (_ batch: Batch, _ logits: [Float]) throws -> Bool) rethrows
    -> [DecodingFailure]
  {
    try run(loader, keepingFeatures: false) { batch, logits, _ in try body(batch, logits) }
  }

  /// The same with the features [N, F] of each batch's images, as they are; none where they are not kept.
  func run(
    _ loader: BatchLoader, keepingFeatures: Bool,
    _ body: (_ batch: Batch, _ logits: [Float], _ features: [Float]) throws -> Bool
  ) rethrows -> [DecodingFailure] {
    let stream = loader.epoch()
    let size = loader.preprocessing.imageSize
    while let batch = stream.next() {
      let count = batch.labels.count
      let (logits, features) =
        keepingFeatures
        ? network.outputsAndFeatures(batch.images, count: count, size: size, augmentation, pool)
        : (network.outputs(batch.images, count: count, size: size, augmentation, pool), [])
      guard try body(batch, logits, features) else { break }
    }
    return stream.skipped
  }
}

/// Measures a model on a split of a dataset.
///
/// The images that the model's run was trained on keep the run's division, wherever they are now. Any other data are
/// only measured: what their folders or shards call a split is one, and nothing is divided by a rule made for training.
public struct Evaluator {
  public var model: LoadedModel
  public var data: String
  /// nil for the test images, or all images of data that are not divided.
  public var split: EvaluationSplit?
  /// The folders of the data's splits, where their names do not say it; nil for those of the model's run, if the data
  /// have them.
  public var folders: SplitFolders?
  /// What the model's run was trained on; nil where that is not known.
  var runImages: RunImages?
  public var batchSize: Int
  public var pool: ThreadPool
  public var loaders: Int
  /// Where the user's decisions about the images are kept.
  public var decisions: DecisionStore
  /// Where an image cache of the data may be; nil for none.
  public var caches: ImageCacheFolder?
  /// Whether metrics are wanted also where a part of the data cannot be read.
  public var acceptsErrors = false
  /// What the outputs are averaged over.
  public var augmentation: TestTimeAugmentation?
  /// What it is computed in; nil for what the model's weights are of.
  public var precision: InferencePrecision?
  /// Whether each image is given with its features.
  public var keepsFeatures = false

  public init(
    model: LoadedModel, data: String, split: EvaluationSplit?, batchSize: Int = 64, pool: ThreadPool,
    loaders: Int = 1, decisions: DecisionStore = .standard, caches: ImageCacheFolder? = nil
  ) {
    self.model = model
    self.data = data
    self.split = split
    self.batchSize = batchSize
    self.pool = pool
    self.loaders = loaders
    self.decisions = decisions
    self.caches = caches
  }

  /// Counts every image of the split once. The dataset's classes are matched to the model's by name; images of classes
  /// that the model does not know are left out, and the report names those classes.
  /// - Parameters:
  ///   - progress: called after each batch; returning false ends the evaluation.
  ///   - preparation: told while the dataset is read; returning false ends the evaluation.
  ///   - notice: told what is known of the decisions about the images, before they are measured.
  ///   - eachImage: given every image that is counted, in order, as soon as it is measured, and the checkpoint's
  ///     classes.
  /// - Returns: nil when it was ended.
  /// - Throws: `DatasetError`, `UnreadParts` where a part of the data cannot be read, or `SettingsError` where the
  ///   split has no image to count; what `eachImage` throws.
  public func run(
    progress: (_ done: Int, _ total: Int) -> Bool = { _, _ in true },
    preparation: (PreparationProgress) -> Bool = { _ in true }, notice: (DatasetFinding) -> Void = { _ in },
    eachImage: ((_ image: MeasuredImage, _ classes: [String]) throws -> Void)? = nil
  ) throws -> EvaluationReport? {
    guard let (index, isRunsOwn) = try openDataset(preparation) else { return nil }
    if !acceptsErrors { try index.requireWhole() }
    for finding in index.unread { notice(finding) }
    for finding in index.findings where [.decisionsMoved, .staleDecision].contains(finding.kind) { notice(finding) }
    let split = try chosenSplit(of: index, isRunsOwn: isRunsOwn)
    let (items, leftOut) = try itemsToCount(index, split)
    let loader = BatchLoader(
      items: items, root: index.root,
      cache: caches?.existing(index: index, preprocessing: model.description.preprocessing, workers: pool.threads),
      preprocessing: model.description.preprocessing, batchSize: batchSize, mode: .evaluation, workers: loaders)
    let classes = model.description.classes
    var tally = ClassificationMetrics(classes: classes)
    var done = 0
    var ended = false
    let clock = ContinuousClock()
    let start = clock.now
    let evaluator = BatchEvaluator(
      network: model.inference(in: precision), pool: pool, augmentation: augmentation)
    let skipped = try evaluator.run(loader, keepingFeatures: keepsFeatures) { batch, logits, features in
      tally.add(logits: logits, truths: batch.labels, paths: batch.items.map { items[$0].path })
      if let eachImage {
        let width = features.count / max(1, batch.items.count)
        for (row, item) in batch.items.enumerated() {
          let outputs = Softmax(logits[row * classes.count..<(row + 1) * classes.count])
          try eachImage(
            MeasuredImage(
              path: items[item].path, truth: batch.labels[row], outputs: outputs, split: items[item].split,
              features: width > 0 ? features[row * width..<(row + 1) * width] : nil), classes)
        }
      }
      done += batch.labels.count + batch.skipped.count
      ended = !progress(done, items.count)
      return !ended
    }
    if ended { return nil }
    var left = leftOut
    left.skipped = skipped.map(\.path)
    guard
      let report = tally.report(
        checkpoint: model.path, data: index.root, split: split, leftOut: left,
        seconds: (clock.now - start).seconds, provenance: provenance(of: index, isRunsOwn: isRunsOwn),
        augmentation: augmentation, precision: precision ?? model.precision)
    else {
      throw SettingsError("none of the \(items.count) \(Self.images(split)) in \(data) decodes")
    }
    return report
  }
}

extension Evaluator {
  /// What an evaluation would be made of now, without measuring an image.
  /// - Returns: nil where `preparation` ended it.
  /// - Throws: as `run`.
  public func currentProvenance(
    preparation: (PreparationProgress) -> Bool = { _ in true }
  ) throws -> EvaluationProvenance? {
    try openDataset(preparation).map { provenance(of: $0.index, isRunsOwn: $0.isRunsOwn) }
  }

  /// The split to measure.
  /// - Throws: `SettingsError` where there is no such division.
  func chosenSplit(of index: DatasetIndex, isRunsOwn: Bool) throws -> EvaluationSplit {
    let isDivided = isRunsOwn || index.splitSource != .hash
    guard let split else { return isDivided ? .test : .all }
    guard isDivided || split == .all else {
      throw SettingsError(
        "\(data) is not divided into train, val and test, and is not what \(model.path) was trained on: measure all "
          + "of it, with --split all")
    }
    return split
  }

  /// The images of the split whose classes the model knows, with its labels, and what is left out.
  func itemsToCount(
    _ index: DatasetIndex, _ split: EvaluationSplit
  ) throws -> (items: [DatasetItem], leftOut: ClassificationMetrics.LeftOut) {
    let classes = model.description.classes
    let known = ClassLabels(classes)
    let labels = index.classes.map { known[$0] }
    if let name = index.classes.first(where: { known.ambiguous.contains(ClassName($0)) }) {
      throw SettingsError(
        "\(model.path) has more than one class \"\(name)\", in other Unicode spellings, and the images of \(data) do not "
          + "say which is meant; train again, and they are one class")
    }
    let all = split.split.map { index.items(in: $0) } ?? index.items
    let items = all.compactMap { item in
      labels[item.label].map { DatasetItem(path: item.path, label: $0, split: item.split) }
    }
    let unknown = Set(all.lazy.map(\.label).filter { labels[$0] == nil }).sorted().map { index.classes[$0] }
    guard !items.isEmpty else {
      throw SettingsError(
        all.isEmpty
          ? "\(data) has no images in its '\(split.rawValue)' split; choose another with --split, or all with "
            + "--split all"
          : "none of the classes in \(data) (\(Self.list(unknown))) is known to \(model.path); it knows "
            + Self.list(classes))
    }
    return (items, .init(unknownClasses: unknown, unknownImages: all.count - items.count))
  }

  private func provenance(of index: DatasetIndex, isRunsOwn: Bool) -> EvaluationProvenance {
    EvaluationProvenance(
      checkpoint: model.checksum, splitFingerprint: index.fingerprint,
      imagesFingerprint: ImageManifest(of: index).fingerprint, excluded: index.excluded.count,
      relabeled: index.items.count { $0.relabeledFrom != nil }, isRunsOwn: isRunsOwn, epoch: model.epoch,
      weights: model.weights, edits: index.edits)
  }

  static func images(_ split: EvaluationSplit) -> String {
    split == .all ? "images" : "images of '\(split.rawValue)'"
  }

  private static let listed = 20

  /// The first names, and how many more there are.
  private static func list(_ names: [String]) -> String {
    let more = names.count - listed
    return names.prefix(listed).joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
  }

  /// The dataset, and whether it is what the model's run was trained on; nil when `preparation` ended it.
  func openDataset(
    _ preparation: (PreparationProgress) -> Bool
  ) throws -> (index: DatasetIndex, isRunsOwn: Bool)? {
    if let own = runImages, own.isPlace(data) {
      return try open(named(own.split), own.recordedSplits, preparation).map { ($0, true) }
    }
    // Whatever no folder or shard says of a split is one heap of images.
    let heap = named(
      SplitSettings(train: 100, validation: 0, test: 0, folders: runImages?.folders(in: data)))
    guard let index = try open(heap, nil, preparation) else { return nil }
    guard let own = runImages, own.areHeld(by: index) else { return (index, false) }
    return try open(named(own.split(in: index.root)), own.recordedSplits, preparation).map { ($0, true) }
  }

  /// A division with the folders that were named.
  private func named(_ split: SplitSettings) -> SplitSettings {
    var split = split
    split.folders = folders ?? split.folders
    return split
  }

  private func open(
    _ split: SplitSettings, _ recorded: RecordedSplits?, _ preparation: (PreparationProgress) -> Bool
  ) throws -> DatasetIndex? {
    var goesOn = true
    do {
      return try DatasetIndex.open(
        root: data, split: split, minimumClasses: 1, recorded: recorded, decisions: decisions,
        progress: { if case .scanning(let files, _) = $0 { goesOn = preparation(.scanning(files: files)) } },
        isCancelled: { !goesOn })
    } catch DatasetError.cancelled {
      return nil
    }
  }
}

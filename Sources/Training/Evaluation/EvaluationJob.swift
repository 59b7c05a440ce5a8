// What the commands and the engine both do to evaluate: find the checkpoint, its run and its data. Measuring itself is
// Evaluator. A checkpoint's file is enough: whatever lies around it may be damaged, foreign or not to be written to.

import Datasets
import Files
import Messages
import Networks
import Support
import Tensors
import WeightFiles

/// An evaluation of a run's best checkpoint, or of a file.
public struct EvaluationJob {
  public let checkpoint: String
  /// What to know about it beforehand.
  public let notes: [String]
  /// The run in whose folder the report is kept.
  private let run: RunFolder?
  private let record: RunRecord?
  /// The folder of the images.
  public let data: String
  /// Whether it was said which data; else they are the run's own.
  private let isDataGiven: Bool
  private let split: EvaluationSplit?
  private let folders: SplitFolders?
  private let batchSize: Int
  /// Whether the number was asked for; a run's own may be smaller where memory is.
  private let batchIsFixed: Bool
  private let description: ModelDescription?
  private let caches: ImageCacheFolder?
  /// Whether the rest is measured where a part of the data cannot be read.
  public let acceptsErrors: Bool
  /// What the outputs are averaged over.
  public let augmentation: TestTimeAugmentation?
  /// What the network is computed in.
  public let precision: InferencePrecision

  /// - Parameters:
  ///   - checkpoint: a run's folder (its `best` checkpoint, else `last`), or a checkpoint file.
  ///   - data: the dataset; nil for the one that the run was trained on.
  ///   - split: nil for the test images, or all images of data that are neither divided nor the run's own.
  ///   - folders: those of the data's splits, where their names do not say it; else those of the run, if the data
  ///     have them.
  ///   - description: for a file that does not describe itself.
  ///   - acceptsErrors: whether to measure the rest where a part of the data cannot be read; a run that was trained so
  ///     is measured so on its own data.
  ///   - augmentation: what the outputs are averaged over.
  ///   - precision: what to compute in; nil for what the checkpoint's weights are of.
  ///   - caches: where an image cache of the data may be, to be used as far as it is up to date; nil for none.
  /// - Throws: `CheckpointError` or `RunFolderError` where there is no such thing, `SettingsError` where the data are
  ///   not known, what `InferencePrecision.resolved` throws, `RecordNotUsable` where it is the record that should have said so.
  public init(
    checkpoint: String, data: String?, split: EvaluationSplit?, folders: SplitFolders? = nil, batchSize: Int? = nil,
    description: ModelDescription? = nil, acceptsErrors: Bool = false,
    augmentation: TestTimeAugmentationChoice = .none, precision: InferencePrecision? = nil,
    caches: ImageCacheFolder? = .user
  ) throws {
    let found = try CheckpointLocation(checkpoint)
    let own = OwnRun(of: found, description: description)
    self.checkpoint = found.path
    self.augmentation = try augmentation.resolved(
      mirrors: own.record?.settings.augmentation.horizontalFlip, checkpoint: found.path)
    // What is wrong with the file is told when it is loaded.
    self.precision = try InferencePrecision.resolved(
      precision, checkpoint: found.path, (try? Checkpoint.quantization(path: found.path)) ?? nil)
    let reading = (try? Checkpoint.notes(path: found.path, as: description)) ?? []
    notes = [own.problem, own.run.flatMap(Self.problem)].compactMap { $0 } + reading.map { "\(found.path): \($0)" }
    run = own.run
    record = own.record
    guard let folder = data ?? record?.settings.data else {
      if let problem = own.problem {
        // Naming the data would not help where the checkpoint is of no use either.
        if description == nil { _ = try Checkpoint.model(path: found.path) }
        throw RecordNotUsable(problem: problem)
      }
      throw SettingsError(
        "\(found.path) lies in no run: it does not say which images to evaluate it on; say so, with --data")
    }
    self.data = folder
    isDataGiven = data != nil
    self.acceptsErrors = acceptsErrors || data == nil && record?.settings.safety.acceptsErrors == true
    self.split = split
    self.folders = folders
    self.batchSize = batchSize ?? record?.settings.batchSize ?? 64
    batchIsFixed = batchSize != nil
    self.description = description
    // A run that was to do without is evaluated without.
    self.caches = record?.settings.cache.isEnabled ?? true ? caches : nil
  }

  /// Why the run's own division may not be known.
  private static func problem(of run: RunFolder) -> String? {
    do {
      _ = try ImageManifest(path: run.manifestPath)
      return nil
    } catch {
      return "\(error): images that no folder and no list divides are divided by the rule again, which may differ"
    }
  }

  /// Evaluates. What comes of it is not kept anywhere yet: it is to be shown first (`keep`).
  /// - Parameters:
  ///   - ignoringMemory: whether to try all the same where memory seems too little.
  ///   - keepsFeatures: whether each image is given with its features.
  ///   - eachImage: given every image that is counted, in order, as soon as it is measured, and the checkpoint's
  ///     classes.
  /// - Returns: nil when `preparation` or `progress` ended it.
  /// - Throws: what loading the checkpoint and reading the data throws; `RunDataGone` where the run's own data are not
  ///   in their place, `MemoryShortage` where the images do not fit.
  public func run(
    threads: Int?, ignoringMemory: Bool = false, decisions: DecisionStore = .standard,
    progress: (_ done: Int, _ total: Int) -> Bool = { _, _ in true },
    preparation: (PreparationProgress) -> Bool = { _ in true }, notice: (DatasetFinding) -> Void = { _ in },
    keepsFeatures: Bool = false,
    eachImage: ((_ image: MeasuredImage, _ classes: [String]) throws -> Void)? = nil
  ) throws -> EvaluationReport? {
    let model = try loadedModel()
    let batch = try model.batch(
      upTo: batchSize, isFixed: batchIsFixed, threads: threads, precision: precision, ignoringMemory: ignoringMemory
    )
    return try explainingAbsence {
      var evaluation = evaluator(
        model, batchSize: batch, pool: try ThreadPool(reserving: threads), decisions: decisions)
      evaluation.precision = precision
      evaluation.keepsFeatures = keepsFeatures
      return try evaluation.run(
        progress: progress, preparation: preparation, notice: notice, eachImage: eachImage)
    }
  }

  /// What `run` would be made of now, without measuring an image: whether an earlier evaluation is still of what is
  /// there.
  /// - Throws: as `run`.
  public func currentProvenance(
    decisions: DecisionStore = .standard, preparation: (PreparationProgress) -> Bool = { _ in true }
  ) throws -> EvaluationProvenance? {
    let model = try loadedModel()
    return try explainingAbsence {
      try evaluator(model, batchSize: 1, pool: ThreadPool(threads: 1), decisions: decisions)
        .currentProvenance(preparation: preparation)
    }
  }

  /// The layers of the checkpoint, for a batch of the images: as many as were asked for, of every class, or as memory has
  /// room for.
  /// - Returns: nil when `preparation` ended it.
  /// - Throws: as `run`.
  public func layers(
    threads: Int?, ignoringMemory: Bool = false, decisions: DecisionStore = .standard,
    preparation: (PreparationProgress) -> Bool = { _ in true }, notice: (DatasetFinding) -> Void = { _ in }
  ) throws -> LayerReport? {
    let model = try loadedModel()
    let batch = try model.batch(
      upTo: batchSize, isFixed: batchIsFixed, threads: threads, ignoringMemory: ignoringMemory)
    return try explainingAbsence {
      try evaluator(model, batchSize: batch, pool: try ThreadPool(reserving: threads), decisions: decisions)
        .layers(preparation: preparation, notice: notice)
    }
  }

  /// The checkpoint, ready to use.
  /// - Throws: as `Checkpoint.load`.
  public func loadedModel() throws -> LoadedModel {
    try description.map { try Checkpoint.load(path: checkpoint, as: $0) } ?? Checkpoint.load(path: checkpoint)
  }

  /// Calls `body` with what measures a model on the data, in batches for which there is memory.
  /// - Throws: as `run`.
  func withEvaluator<Result>(
    _ model: LoadedModel, threads: Int?, ignoringMemory: Bool, decisions: DecisionStore,
    _ body: (Evaluator) throws -> Result
  ) throws -> Result {
    let batch = try model.batch(
      upTo: batchSize, isFixed: batchIsFixed, threads: threads, ignoringMemory: ignoringMemory)
    return try explainingAbsence {
      try body(evaluator(model, batchSize: batch, pool: try ThreadPool(reserving: threads), decisions: decisions))
    }
  }

  private func evaluator(
    _ model: LoadedModel, batchSize: Int, pool: ThreadPool, decisions: DecisionStore
  ) -> Evaluator {
    var evaluation = Evaluator(
      model: model, data: data, split: split, batchSize: batchSize, pool: pool, decisions: decisions, caches: caches
    )
    evaluation.folders = folders
    evaluation.acceptsErrors = acceptsErrors
    evaluation.augmentation = augmentation
    if let run, let record { evaluation.runImages = RunImages(record, in: run) }
    return evaluation
  }

  /// Says which run's data are gone where it is those.
  private func explainingAbsence<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as DatasetError where !isDataGiven && error.isAbsence {
      throw RunDataGone(run: run?.path ?? checkpoint, reason: error, advice: .evaluate)
    }
  }

  /// The name of the layer that gives the logits; empty where the checkpoint does not say which network it is.
  public var classifier: String {
    let model = description ?? (try? Checkpoint.model(path: checkpoint)).flatMap { $0 }
    return (try? model?.plan())?.classifier ?? ""
  }

  /// The run in whose folder an evaluation is kept; nil for a checkpoint that lies in no run.
  public var runFolder: RunFolder? { run }

  /// Keeps a report in the folder of the checkpoint's run, also for TensorBoard where the run writes for it.
  /// - Returns: the file; nil for a checkpoint that lies in no run.
  /// - Throws: `FileOperationError`.
  @discardableResult
  public func keep(_ report: EvaluationReport) throws -> String? {
    guard let run else { return nil }
    let file = try run.save(report)
    if record?.settings.tensorBoard == true { try run.showInTensorBoard(report, keptAs: file) }
    return file
  }
}

/// The run that a checkpoint is of.
struct OwnRun {
  var run: RunFolder?
  var record: RunRecord?
  /// Why it is evaluated as if it lay in no run.
  var problem: String?

  init(of found: CheckpointLocation, description: ModelDescription?) {
    guard let run = found.run else { return }
    do {
      let record = try run.record()
      // What is wrong with the checkpoint itself is told when it is loaded.
      let model = description ?? (try? Checkpoint.model(path: found.path)).flatMap { $0 }
      if let model,
        model.classes.map(ClassName.init) != record.model.classes.map(ClassName.init)
          || model.network.name != record.model.network.name
      {
        problem = "\(run.recordPath) is about another model than \(found.path), which stands by itself"
      } else {
        (self.run, self.record) = (run, record)
      }
    } catch RunFolderError.unreadable(let path, let reason) {
      problem = "\(path) cannot be read (\(reason)): \(found.path) stands by itself"
    } catch {
      problem = "\(error): \(found.path) stands by itself"
    }
  }
}

/// A run's record, damaged or of another model, does not say which data the run was trained on.
public struct RecordNotUsable: Error, Equatable, CustomStringConvertible {
  public var problem: String

  public var description: String {
    "\(problem), and it does not say which images to evaluate it on; say so, with --data"
  }
}

/// A run's data are not where they were.
public struct RunDataGone: Error, Equatable, CustomStringConvertible {
  public enum Advice: Sendable { case resume, evaluate }

  public var run: String
  public var reason: DatasetError
  public var advice: Advice

  public var description: String {
    let command = advice == .resume ? "train --resume" : "evaluate"
    return "\(reason). \(run) was trained on it; if its images were moved: "
      + "skipline \(command) \(shellQuoted(run)) --data FOLDER"
  }
}

extension DatasetError {
  /// Whether nothing of a dataset is in its place: the folder is gone, or an empty one is left, as of a disk that is
  /// not mounted.
  var isAbsence: Bool {
    switch self {
    case .notFound, .notAFolder, .noClassFolders, .noImages: true
    default: false
    }
  }
}

/// Where a checkpoint is that the user named by its file or by its run.
public struct CheckpointLocation {
  public let path: String
  /// The run it belongs to; nil for a file elsewhere.
  public let run: RunFolder?

  /// - Throws: `CheckpointError.noCheckpoint` for a run without any, `.lost` for one without any that can be used,
  ///   `RunFolderError.missing` for nothing at all, `FileOperationError` for what may not be looked at.
  public init(_ name: String) throws {
    guard let kind = try FilePath.kind(of: name) else { throw RunFolderError.missing(path: name) }
    if kind == .folder, (try? RunFolder(existing: name)) == nil, let file = WeightsFile.file(inFolder: name) {
      // A folder as Hugging Face's libraries make it.
      path = file
      run = nil
    } else if kind == .folder {
      let folder = try RunFolder(existing: name)
      let best = folder.path(of: .best)
      // A damaged one is not passed over: loading it tells what is wrong.
      let listing = folder.checkpointListing()
      guard let chosen = try FilePath.kind(of: best) != nil ? best : listing.usable.first?.path else {
        _ = try Folder.names(in: folder.checkpointsPath)
        guard let damaged = listing.damaged.first else { throw CheckpointError.noCheckpoint(run: name) }
        throw CheckpointError.lost(path: damaged.path, reason: damaged.reason, alternative: nil)
      }
      path = chosen
      run = folder
    } else {
      path = name
      let (checkpoints, _) = FilePath.split(FilePath.absolute(name))
      let (parent, folder) = FilePath.split(checkpoints)
      // Any folder may be called so; without a record it is none of a run.
      let found = folder == "checkpoints" ? try? RunFolder(existing: parent) : nil
      run = try found.flatMap { try FilePath.kind(of: $0.recordPath) == .file ? $0 : nil }
    }
  }
}

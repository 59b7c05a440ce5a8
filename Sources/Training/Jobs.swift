// What the commands and the engine both do: start or resume a run, evaluate a run or a checkpoint. A job finds the
// files and puts the parts together; the work itself is in TrainingLoop and Evaluation.

import Datasets
import Files
import Foundation
import Messages
import Networks
import Tensors

/// A run ready to be trained.
public struct TrainingJob: Sendable {
  public let prepared: PreparedRun
  public let run: RunFolder
  private let resuming: Bool
  private let newPeak: Double?
  /// Held for as long as the job exists.
  private let lock: RunLock

  /// Prepares the data, then makes the run's folder and its record.
  /// - Parameters: see `PreparedRun`.
  /// - Throws: `SettingsError`, `DatasetError`, `NetworkError`, `CheckpointError`, `SafetensorsError`,
  ///   `RunFolderError` or `FileOperationError`; no folder is left behind by settings, data or weights that cannot be
  ///   used.
  public static func new(
    _ settings: TrainingSettings, commandLine: [String], decisions: DecisionStore = .standard,
    packs: PackFolder? = .user, progress: @Sendable (PreparationProgress) -> Void = { _ in },
    isCancelled: @Sendable () -> Bool = { false }
  ) throws -> TrainingJob {
    let prepared = try PreparedRun(
      settings, decisions: decisions, packs: packs, progress: progress, isCancelled: isCancelled)
    if let weights = settings.initialWeights {
      try InitialWeights(path: weights).load(into: Network(prepared.plan, seed: settings.seed))
    }
    let run = try RunFolder.create(
      project: settings.project, name: settings.name, defaultStem: settings.network.name)
    let lock = try RunLock(run)
    // The record is read from other folders than the one the run was started in.
    var recorded = settings
    recorded.data = FilePath.absolute(settings.data)
    recorded.split.lists = settings.split.lists.map(FilePath.absolute)
    try run.save(
      RunRecord(
        skipline: Skipline.version, created: Date(), commandLine: commandLine, settings: recorded,
        model: prepared.model, splitFingerprint: prepared.index.fingerprint))
    try RunManifest(of: prepared.index).write(to: run.manifestPath)
    return TrainingJob(prepared: prepared, run: run, resuming: false, newPeak: nil, lock: lock)
  }

  /// Prepares to go on with an earlier run from its `last` checkpoint, with its own settings and preprocessing.
  /// - Parameters:
  ///   - changes: what is to be otherwise from now on.
  ///   - decisions, packs, progress, isCancelled: see `PreparedRun`.
  /// - Throws: as `new`; `DataChangedError`.
  public static func resumed(
    folder: String, changes: ResumeChanges = ResumeChanges(), decisions: DecisionStore = .standard,
    packs: PackFolder? = .user, progress: @Sendable (PreparationProgress) -> Void = { _ in },
    isCancelled: @Sendable () -> Bool = { false }
  ) throws -> TrainingJob {
    let run = try RunFolder(existing: folder)
    let lock = try RunLock(run)
    let record = try run.record()
    let changed = changes.applied(to: record.settings)
    let prepared = try PreparedRun(
      changed, preprocessing: record.model.preprocessing, decisions: decisions, packs: packs, progress: progress,
      isCancelled: isCancelled)
    try run.checkData(prepared.index, record, accepting: changes.acceptsData)
    if changed != record.settings {
      var record = try run.record()
      record.settings = changed
      try run.save(record)
    }
    return TrainingJob(
      prepared: prepared, run: run, resuming: true, newPeak: changes.learningRate, lock: lock)
  }

  /// Trains to the end, holding the run for this process all the time.
  /// - Throws: as `loop(workers:hooks:)` and `TrainingLoop.train()`.
  public func train(hooks: TrainingLoop.Hooks) throws -> RunOutcome {
    // The loop does not know of the lock, which would else be free once it is made.
    try withExtendedLifetime(lock) { try loop(hooks: hooks).train() }
  }

  /// The loop that does it.
  public func loop(workers: WorkerPool? = nil, hooks: TrainingLoop.Hooks) throws -> TrainingLoop {
    let loop = try TrainingLoop(prepared, run: run, workers: workers, resuming: resuming, hooks: hooks)
    if let newPeak { loop.goOn(withPeak: newPeak) }
    return loop
  }
}

/// An evaluation of a run's best checkpoint, or of a file.
public struct EvaluationJob {
  public let checkpoint: String
  private let run: RunFolder?
  private let data: String
  private let split: Split
  private let splitSettings: SplitSettings
  private let batchSize: Int
  private let description: ModelDescription?
  private let packs: PackFolder?

  /// - Parameters:
  ///   - checkpoint: a run's folder (its `best` checkpoint, else `last`), or a checkpoint file.
  ///   - data: the dataset; nil for the one that the run was trained on.
  ///   - description: for a file that does not describe itself.
  ///   - packs: where a pack of the data may be, to be used as far as it is up to date; nil for none.
  /// - Throws: `CheckpointError` or `RunFolderError` where there is no such thing, `SettingsError` where the data are
  ///   not known.
  public init(
    checkpoint: String, data: String?, split: Split, batchSize: Int? = nil, description: ModelDescription? = nil,
    packs: PackFolder? = .user
  ) throws {
    let found = try CheckpointLocation(checkpoint)
    let record = try found.run.map { try $0.record() }
    self.checkpoint = found.path
    run = found.run
    guard let folder = data ?? record?.settings.data else {
      throw SettingsError("\(found.path) lies in no run: say which images to evaluate it on, with --data")
    }
    self.data = folder
    self.split = split
    // The run's own division, so that images it was trained on are not taken for test images.
    splitSettings = record?.settings.split ?? SplitSettings()
    self.batchSize = batchSize ?? record?.settings.batchSize ?? 64
    self.description = description
    // A run that was to do without is evaluated without.
    self.packs = record?.settings.cache.isEnabled ?? true ? packs : nil
  }

  /// Evaluates and, for a checkpoint of a run, saves the report in the run's folder.
  /// - Returns: nil when `preparation` or `progress` ended it.
  public func run(
    threads: Int?, decisions: DecisionStore = .standard,
    progress: (_ done: Int, _ total: Int) -> Bool = { _, _ in true },
    preparation: (PreparationProgress) -> Bool = { _ in true }
  ) throws -> EvaluationReport? {
    let model =
      try description.map { try Checkpoint.load(path: checkpoint, as: $0) } ?? Checkpoint.load(path: checkpoint)
    let evaluation = Evaluation(
      model: model, data: data, split: split, splitSettings: splitSettings, batchSize: batchSize,
      workers: WorkerPool(threads: threads), decisions: decisions, packs: packs)
    let report = try evaluation.run(progress: progress, preparation: preparation)
    if let report, let run { try run.save(report) }
    return report
  }
}

/// Where a checkpoint is that the user named by its file or by its run.
public struct CheckpointLocation {
  public let path: String
  /// The run it belongs to; nil for a file elsewhere.
  public let run: RunFolder?

  /// - Throws: `CheckpointError.noCheckpoint` for a run without any, `RunFolderError.missing` for nothing at all.
  public init(_ name: String) throws {
    guard let isFolder = FilePath.isFolder(name) else { throw RunFolderError.missing(path: name) }
    if isFolder {
      let folder = try RunFolder(existing: name)
      let best = folder.path(of: .best)
      // A damaged one is not passed over: loading it tells what is wrong.
      guard let chosen = FilePath.isFolder(best) != nil ? best : folder.checkpoints().first?.path
      else {
        throw CheckpointError.noCheckpoint(run: name)
      }
      path = chosen
      run = folder
    } else {
      path = name
      let checkpoints = URL(fileURLWithPath: name).deletingLastPathComponent()
      run =
        checkpoints.lastPathComponent == "checkpoints"
        ? try? RunFolder(existing: checkpoints.deletingLastPathComponent().relativePath) : nil
    }
  }
}

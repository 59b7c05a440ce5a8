// What the commands and the engine both do to train: start or resume a run. A job finds the files and puts the parts
// together; the work itself is in TrainingLoop. Evaluating is in EvaluationJob.swift.

import Datasets
import Files
import FoundationEssentials
import Messages
import Networks
import Ranks
import Tensors

/// A run ready to be trained.
public struct TrainingJob: Sendable {
  public let setup: RunSetup
  public let run: RunFolder
  /// What a resumed run was like; nil for a new one.
  private let resuming: Resumption?
  /// Held for as long as the job exists; nil on a rank that writes nothing.
  private let lock: RunLock?
  /// The ranks that train it together.
  var communicator: any Communicator = Loopback()
  /// What rank 0 says of the step that the run goes on behind, on the others.
  var toldStep: Int?

  init(setup: RunSetup, run: RunFolder, resuming: Resumption?, lock: RunLock?) {
    (self.setup, self.run, self.resuming, self.lock) = (setup, run, resuming, lock)
  }

  /// Prepares the data, then makes the run's folder and its record.
  /// - Parameters:
  ///   - ranks: how many processes train it together, in the end (`together`).
  ///   - decisions, caches, progress, isCancelled: see `RunSetup`.
  /// - Throws: `SettingsError`, `DatasetError`, `NetworkError`, `CheckpointError`, `SafetensorsError`,
  ///   `RunFolderError` or `FileOperationError`; no folder is left behind by settings, data or weights that cannot be
  ///   used.
  public static func new(
    _ settings: TrainingSettings, ranks: Int = 1, commandLine: [String], decisions: DecisionStore = .standard,
    caches: ImageCacheFolder? = .user, progress: @Sendable (PreparationProgress) -> Void = { _ in },
    isCancelled: @Sendable () -> Bool = { false }
  ) throws -> TrainingJob {
    try ProjectFolder.require(settings.project, outside: settings.data)
    let setup = try RunSetup(
      settings, ranks: ranks, decisions: decisions, caches: caches, progress: progress, isCancelled: isCancelled)
    // Every number of it is looked at before there is a folder.
    let weights = try settings.initialWeights.map { try InitialWeights($0) }
    _ = try weights?.read(setup.plan, classes: setup.index.classes, naming: setup.settings.initialClasses)
    // Weights are not read in parts between which it is asked.
    if isCancelled() { throw CancellationError() }
    let run = try RunFolder.create(
      project: settings.project, name: settings.name, defaultStem: setup.settings.network.name)
    let lock = try RunLock(run)
    // The record is read from other folders than the one the run was started in.
    var recorded = setup.settings
    recorded.data = FilePath.absolute(settings.data)
    recorded.split.lists = settings.split.lists.map(FilePath.absolute)
    recorded.initialWeights = weights.map { FilePath.absolute($0.path) }
    try run.save(
      RunRecord(
        skipline: Skipline.version, created: Date(), commandLine: commandLine, settings: recorded,
        recipe: setup.recipe, model: setup.model, splitFingerprint: setup.index.fingerprint))
    try ImageManifest(of: setup.index).write(to: run.manifestPath)
    return TrainingJob(setup: setup, run: run, resuming: nil, lock: lock)
  }

  /// Prepares to go on with an earlier run from its `last` checkpoint, with its own settings and preprocessing.
  /// - Parameters:
  ///   - ranks: as in `new`.
  ///   - changes: what is to be otherwise from now on. Images in another place have to be those of the run, as in the
  ///     old one.
  ///   - decisions, caches, progress, isCancelled: see `RunSetup`.
  /// - Throws: as `new`; `DataChangedError`, or `RunDataGone` where the data are not in their place; `SettingsError`
  ///   for changes that would end the run before where it is.
  public static func resumed(
    folder: String, ranks: Int = 1, changes: ResumeChanges = ResumeChanges(), decisions: DecisionStore = .standard,
    caches: ImageCacheFolder? = .user, progress: @Sendable (PreparationProgress) -> Void = { _ in },
    isCancelled: @Sendable () -> Bool = { false }
  ) throws -> TrainingJob {
    let run = try RunFolder(existing: folder)
    let lock = try RunLock(run)
    let record = try run.record()
    try run.checkModel(record)
    try changes.requireMore(than: try run.savedState(), of: run)
    var changed = changes.applied(to: record.settings)
    if let data = changes.data {
      changed.data = FilePath.absolute(data)
      changed.split = RunImages(record, in: run).split(in: changed.data)
    }
    let setup: RunSetup
    do {
      setup = try RunSetup(
        changed, ranks: ranks, preprocessing: record.model.preprocessing, recipe: record.recipe,
        recorded: try ImageManifest(path: run.manifestPath)?.recordedSplits(), decisions: decisions, caches: caches,
        progress: progress, isCancelled: isCancelled)
    } catch let error as DatasetError where changes.data == nil && error.isAbsence {
      throw RunDataGone(run: run.path, reason: error, advice: .resume)
    }
    try run.checkData(setup.index, record, accepting: changes.acceptsData)
    if changed != record.settings {
      var record = try run.record()
      record.settings = changed
      try run.save(record)
    }
    return TrainingJob(
      setup: setup, run: run,
      resuming: Resumption(epochs: record.settings.epochs, newPeak: changes.learningRate), lock: lock)
  }

  /// The step that the run goes on behind; 0 for a new one.
  /// - Throws: what reading its `last` checkpoint throws.
  public func savedStep() throws -> Int {
    if let toldStep { return toldStep }
    return resuming == nil ? 0 : try run.savedState()?.step ?? 0
  }

  /// Trains to the end, holding the run for this process all the time.
  /// - Throws: as `loop(pool:hooks:)` and `TrainingLoop.train()`.
  public func train(hooks: TrainingLoop.Hooks) throws -> RunOutcome {
    // The loop does not know of the lock, which would else be free once it is made.
    try withExtendedLifetime(lock) { try loop(hooks: hooks).train() }
  }

  /// The loop that does it.
  public func loop(pool: ThreadPool? = nil, hooks: TrainingLoop.Hooks) throws -> TrainingLoop {
    try TrainingLoop(setup, run: run, pool: pool, resuming: resuming, communicator: communicator, hooks: hooks)
  }
}

/// What a run had that is resumed, and what is to be otherwise.
public struct Resumption: Sendable {
  /// Epochs that the run had so far; nil for as many as it has now.
  var epochs: Int?
  /// The peak rate from here on; nil for the one it had.
  var newPeak: Double?
}

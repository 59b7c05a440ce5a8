// A run of a series, such as the folds of a cross-validation: its settings are known before it begins. Asked for again,
// it is kept where it is finished, goes on where it is not, and is refused where it was begun with other settings.

import Datasets
import Files
import Messages

/// One run of a series.
public struct SeriesRun: Sendable {
  /// Where a run stands.
  public enum State: String, Codable, Sendable { case missing, unfinished, finished }

  /// From the root, with the run's name.
  public let settings: TrainingSettings
  public let name: String
  public var path: String { "\(settings.project)/\(name)" }

  init(_ settings: TrainingSettings, name: String) {
    var own = settings
    own.name = name
    self.settings = own
    self.name = name
  }

  /// nil where it was not begun.
  /// - Throws: `RunFolderError` or `FileOperationError`.
  func folder() throws -> RunFolder? {
    guard try FilePath.kind(of: "\(path)/run.json") != nil else { return nil }
    return try RunFolder(existing: path)
  }

  /// - Throws: `RunFolderError` or `FileOperationError`.
  public func state() throws -> State {
    guard let run = try folder() else { return .missing }
    guard RunLock.holder(of: run) == nil else { return .unfinished }
    let record = try run.record()
    let progress = run.progress(of: run.checkpoints(), record)
    if progress.epoch >= record.settings.epochs, !progress.wasCutShort { return .finished }
    switch try run.history().outcome?.reason {
    case .completed, .earlyStopping, .timeBudget: return .finished
    case .stopped, nil: return .unfinished
    }
  }

  /// The run, begun or to go on with.
  /// - Throws: as `TrainingJob.new` and `.resumed`.
  public func job(
    commandLine: [String], decisions: DecisionStore = .standard, caches: ImageCacheFolder? = .user,
    progress: @Sendable (PreparationProgress) -> Void = { _ in }, isCancelled: @Sendable () -> Bool = { false }
  ) throws -> TrainingJob {
    guard try folder() != nil else {
      return try TrainingJob.new(
        settings, commandLine: commandLine, decisions: decisions, caches: caches, progress: progress,
        isCancelled: isCancelled)
    }
    return try TrainingJob.resumed(
      folder: path, changes: changes, decisions: decisions, caches: caches, progress: progress,
      isCancelled: isCancelled)
  }

  /// What it is resumed with: of its settings those that change nothing about the results.
  var changes: ResumeChanges {
    ResumeChanges(
      threads: settings.threads, workers: settings.workers, ignoresMemory: settings.safety.ignoresMemory,
      acceptsErrors: settings.safety.acceptsErrors)
  }

  /// Settings that change nothing about the results, by their keys.
  static let free: Set<String> = [
    "threads", "workers", "cache.isEnabled", "cache.limit", "safety.saveMinutes", "safety.ignoresMemory",
    "safety.acceptsErrors", "keep.everyEpochs", "keep.newest", "logEvery", "layerStats", "tensorBoard",
  ]

  /// - Throws: `SettingsError` where the run was begun with other settings.
  func requireSame() throws {
    guard let run = try folder() else { return }
    let before = try run.record().settings
    // What was left to the recipe is chosen by now.
    let left = settings.automatic
    let differing = Settings.all.filter { row in
      !Self.free.contains(row.key) && !left.contains(row.option)
        && (left.isEmpty || row.option != Settings.recipe.option) && row.text(in: settings) != row.text(in: before)
    }.map { "--\($0.option)" }
    guard differing.isEmpty, FilePath.real(settings.data) == FilePath.real(before.data) else {
      throw SettingsError(
        "\(run.path) was begun with other settings "
          + "(\((differing.isEmpty ? ["DATA"] : differing).joined(separator: ", "))); "
          + "give those, or begin anew with another --name")
    }
  }
}
